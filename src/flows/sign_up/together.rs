//! The hand-in together with others that come at the same time, where the storage can: one statement for all, and nothing read before
//! it is written.
//!
//! What is written follows from a decision under an assumption, and the statement writes a hand-in only if its assumption holds: that the
//! social account has an active owner, or that nobody has it. Whatever is not that plain is left to [`super::apply`].

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::apply::{new_social_auth, new_user, session_opened};
use super::{Applied, Attempt, Outcome};
use crate::app::App;
use crate::domain::association::{Decision, Owner, decide};
use crate::domain::policy::EmailMatch;
use crate::domain::{NewSession, RequestContext, UserId, username};
use crate::storage::hand_ins::{self, Associating, SigningIn, SigningUp};
use crate::storage::social_auths::{self, NewSocialAuth};
use crate::storage::{Backend, StorageError, nonces, users};

/// Somebody who may sign in. An anonymous caller is treated alike whoever it is.
const ANY_OWNER: Owner = Owner {
    user_id: UserId(0),
    is_active: true,
};

impl hand_ins::HandIn for Attempt {
    fn social_auth(&self) -> NewSocialAuth<'_> {
        new_social_auth(self)
    }

    fn session(&self) -> &NewSession {
        &self.session
    }

    fn context(&self) -> &RequestContext {
        &self.context
    }

    fn now(&self) -> DateTime<Utc> {
        self.now
    }
}

/// Applies a verified hand-in, or answers `None`: then it is to be applied in a transaction.
pub(super) async fn apply(
    app: &App,
    attempt: &Arc<Attempt>,
) -> Result<Option<Applied>, StorageError> {
    match apply_plain(app, attempt).await {
        Err(StorageError::Restart) => Ok(None),
        applied => applied,
    }
}

async fn apply_plain(app: &App, attempt: &Arc<Attempt>) -> Result<Option<Applied>, StorageError> {
    if app.db.backend() == Backend::Sqlite || is_nonce_ours(app, attempt).await? {
        return Ok(None);
    }
    let intent = attempt.hand_in.intent;
    if let Decision::SignIn(_) = decide(attempt.caller, intent, Some(ANY_OWNER)) {
        let applied = sign_in(app, attempt).await?;
        if applied.is_some() {
            return Ok(applied);
        }
    }
    match decide(attempt.caller, intent, None) {
        Decision::SignUp => sign_up(app, attempt).await,
        Decision::Associate(user_id) => associate(app, attempt, user_id).await,
        _ => Ok(None),
    }
}

/// A nonce of ours is used up in the transaction of the hand-in.
async fn is_nonce_ours(app: &App, attempt: &Arc<Attempt>) -> Result<bool, StorageError> {
    if attempt.nonce_hashes.is_empty() {
        return Ok(false);
    }
    let attempt = Arc::clone(attempt);
    app.db
        .read(move |reader| nonces::is_any_issued(reader, &attempt.nonce_hashes))
        .await
}

async fn sign_in(app: &App, attempt: &Arc<Attempt>) -> Result<Option<Applied>, StorageError> {
    let identity = &attempt.verified.identity;
    let signing_in = SigningIn {
        hand_in: Arc::<Attempt>::clone(attempt),
        brings_name: !(identity.first_name.is_empty() && identity.last_name.is_empty()),
    };
    let written = hand_ins::sign_in(&app.db, signing_in).await?;
    Ok(written.map(|written| session_opened(Outcome::SignedIn, written)))
}

async fn sign_up(app: &App, attempt: &Arc<Attempt>) -> Result<Option<Applied>, StorageError> {
    let identity = &attempt.verified.identity;
    let (email, email_verified) = (identity.email.as_deref(), identity.email_verified);
    let is_admitted = [&app.policy.sign_up, attempt.provider.sign_up_rules()]
        .iter()
        .all(|rules| rules.admit(email, email_verified).is_ok());
    if !is_admitted || app.policy.email_match != EmailMatch::Separate {
        return Ok(None);
    }
    let base = username::base(identity);
    let mut written = sign_up_as(app, attempt, base.clone()).await?;
    if written.is_none()
        && let Some(free) = find_free_name(app, attempt, &base).await?
    {
        written = sign_up_as(app, attempt, free).await?;
    }
    Ok(written.map(|written| session_opened(Outcome::SignedUp, written)))
}

/// Another name, if it was for the name: not if the account is somebody's.
async fn find_free_name(
    app: &App,
    attempt: &Arc<Attempt>,
    base: &str,
) -> Result<Option<String>, StorageError> {
    let alternatives = username::alternatives(base, attempt.username_seed);
    let attempt = Arc::clone(attempt);
    app.db
        .read(move |reader| {
            let (provider, uid) = (attempt.provider.id(), &attempt.verified.identity.uid);
            if social_auths::find_with_owner(reader, provider, uid)?.is_some() {
                return Ok(None);
            }
            let free = users::find_free_name(reader, &alternatives)?;
            Ok::<_, StorageError>(free.map(ToOwned::to_owned))
        })
        .await
}

async fn sign_up_as(
    app: &App,
    attempt: &Arc<Attempt>,
    username: String,
) -> Result<Option<hand_ins::SignedUp>, StorageError> {
    let signing_up = SigningUp {
        hand_in: Arc::<Attempt>::clone(attempt),
        user: new_user(attempt),
        username,
    };
    hand_ins::sign_up(&app.db, signing_up).await
}

async fn associate(
    app: &App,
    attempt: &Arc<Attempt>,
    user_id: UserId,
) -> Result<Option<Applied>, StorageError> {
    let Some(session_id) = attempt.session_id else {
        return Ok(None);
    };
    let associating = Associating {
        hand_in: Arc::<Attempt>::clone(attempt),
        user_id,
        session_id,
    };
    let written = hand_ins::associate(&app.db, associating).await?;
    Ok(written.map(|(user, association)| Applied {
        outcome: Outcome::Associated,
        user,
        association,
        session_id: None,
    }))
}
