//! The transaction: find, decide, apply, session, audit.

use super::standing_order::{self, Instead};
use super::{Applied, Attempt, Outcome, SignUpError, actor, email_match};
use crate::domain::association::{Caller, Decision, Owner, decide};
use crate::domain::policy::EmailMatch;
use crate::domain::{
    Association, AuditAction, AuditEntry, NewUser, Policy, SessionId, SocialAuth, SocialAuthId,
    User, UserId, username,
};
use crate::storage::social_auths::NewSocialAuth;
use crate::storage::{
    StorageError, Tx, audit, hand_ins, nonces, sealing, sessions, social_auths, users,
};

/// The outer result is the database's: an error rolls back. The inner one is ours: a refusal commits its audit entry.
pub(super) type Verdict<T> = Result<Result<T, SignUpError>, SignUpError>;

/// Applies a verified hand-in. May be run again from the start.
pub(super) fn apply(tx: &mut Tx<'_>, attempt: &Attempt, policy: &Policy) -> Verdict<Applied> {
    let caller = match attempt.caller {
        Caller::Anonymous => None,
        Caller::User(user_id) => match find_live_caller(tx, attempt, user_id)? {
            None => return Ok(Err(SignUpError::BearerGone)),
            caller => caller,
        },
    };
    if !nonces::consume(tx, &attempt.nonce_hashes, attempt.now)? {
        return refuse(tx, attempt, SignUpError::NonceSpent, None);
    }
    let provider = attempt.provider.id();
    let found =
        social_auths::find_with_owner_for_update(tx, provider, &attempt.verified.identity.uid)?;
    let owner = found.as_ref().map(|(_, user)| Owner {
        user_id: user.id,
        is_active: user.is_active,
    });
    let decision = decide(attempt.caller, attempt.hand_in.intent, owner);
    match (decision, found) {
        (Decision::Refuse(refusal), found) => {
            refuse(tx, attempt, SignUpError::Refused(refusal), found.as_ref())
        }
        (Decision::SignIn(_), Some((social_auth, user))) => {
            sign_in(tx, attempt, social_auth, user).map(Ok)
        }
        (Decision::AlreadyAssociated(_), Some((social_auth, user))) => {
            let social_auth = refresh(tx, attempt, social_auth)?;
            associated(tx, attempt, user, social_auth).map(Ok)
        }
        (Decision::Associate(_), None) => {
            if standing_order::refuses_association(tx, attempt)? {
                return refuse(tx, attempt, SignUpError::AccountRefused, None);
            }
            associate(tx, attempt, caller).map(Ok)
        }
        (Decision::SignUp, None) => match standing_order::before_sign_up(tx, attempt)? {
            Instead::Nothing => sign_up(tx, attempt, policy),
            Instead::Refuse(error) => refuse(tx, attempt, error, None),
            Instead::SignInAs(user) => standing_order::sign_in_as(tx, attempt, *user).map(Ok),
        },
        // `decide` names an owner only where there is one.
        (
            Decision::SignIn(_)
            | Decision::AlreadyAssociated(_)
            | Decision::Associate(_)
            | Decision::SignUp,
            _,
        ) => Err(StorageError::Corrupt("a decision without its row").into()),
    }
}

/// The caller as they are now. The bearer was checked before the provider was asked; seconds may have passed.
fn find_live_caller(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    user_id: UserId,
) -> Result<Option<User>, StorageError> {
    let Some(session_id) = attempt.session_id else {
        return Ok(None);
    };
    let found = sessions::find_with_user(tx, session_id)?;
    Ok(found.and_then(|(session, user)| {
        let is_live = user.id == user_id && user.is_active && session.is_live(attempt.now);
        is_live.then_some(user)
    }))
}

fn sign_up(tx: &mut Tx<'_>, attempt: &Attempt, policy: &Policy) -> Verdict<Applied> {
    let identity = &attempt.verified.identity;
    let (email, email_verified) = (identity.email.as_deref(), identity.email_verified);
    for rules in [&policy.sign_up, attempt.provider.sign_up_rules()] {
        if let Err(why) = rules.admit(email, email_verified) {
            return refuse(tx, attempt, SignUpError::NotAdmitted(why), None);
        }
    }
    if policy.email_match != EmailMatch::Separate
        && let Some(user) = email_match::find_user(tx, identity)?
    {
        return email_match::apply(tx, attempt, policy.email_match, user);
    }

    let new_user = new_user(attempt);
    let base = username::base(identity);
    let written = hand_ins::write_sign_up(
        tx,
        &hand_ins::SignUp {
            user: &new_user,
            username: &base,
            social_auth: &new_social_auth(attempt),
            session: &attempt.session,
            entry: &entry(attempt, AuditAction::SignedUp, None, None, None),
        },
        attempt.now,
    )?;
    if let Some(written) = written {
        return Ok(Ok(session_opened(Outcome::SignedUp, written)));
    }
    let alternatives = || username::alternatives(&base, attempt.username_seed);
    let user = users::insert(tx, &new_user, &base, alternatives, attempt.now)?;
    let social_auth = insert_social_auth(tx, attempt, user.id)?;
    open_session(tx, attempt, Outcome::SignedUp, user, social_auth).map(Ok)
}

fn sign_in(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    social_auth: SocialAuth,
    mut user: User,
) -> Result<Applied, SignUpError> {
    let social_auth = refreshed(attempt, social_auth);
    let identity = &attempt.verified.identity;
    let (first_name, last_name) = (&identity.first_name, &identity.last_name);
    let is_nameless = user.first_name.is_empty() && user.last_name.is_empty();
    if is_nameless && !(first_name.is_empty() && last_name.is_empty()) {
        users::fill_names(tx, user.id, first_name, last_name, attempt.now)?;
        user.first_name.clone_from(first_name);
        user.last_name.clone_from(last_name);
    }
    let ids = (Some(user.id), Some(social_auth.id));
    let session_id = hand_ins::write_sign_in(
        tx,
        &hand_ins::SignIn {
            social_auth: &social_auth,
            client_id: attempt.verified.client_id.as_deref(),
            email: identity.email.as_deref(),
            email_verified: identity.email_verified,
            session: &attempt.session,
            entry: &entry(attempt, AuditAction::SignedIn, None, ids.0, ids.1),
        },
        attempt.now,
    )?;
    let written = (user, social_auth.into(), session_id);
    Ok(session_opened(Outcome::SignedIn, written))
}

fn associate(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    caller: Option<User>,
) -> Result<Applied, SignUpError> {
    let user = caller.ok_or(SignUpError::BearerGone)?;
    let social_auth = insert_social_auth(tx, attempt, user.id)?;
    associated(tx, attempt, user, social_auth)
}

/// Inserts the row that makes the association. Whoever loses the race for it starts the transaction again.
pub(super) fn insert_social_auth(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    user_id: UserId,
) -> Result<SocialAuth, SignUpError> {
    social_auths::insert(tx, user_id, &new_social_auth(attempt), attempt.now)?
        .ok_or_else(|| StorageError::Restart.into())
}

pub(super) fn new_user(attempt: &Attempt) -> NewUser {
    let identity = &attempt.verified.identity;
    NewUser {
        email: identity.email.clone(),
        email_verified: identity.email_verified,
        first_name: identity.first_name.clone(),
        last_name: identity.last_name.clone(),
    }
}

pub(super) fn new_social_auth(attempt: &Attempt) -> NewSocialAuth<'_> {
    let identity = &attempt.verified.identity;
    NewSocialAuth {
        provider: attempt.provider.id(),
        uid: &identity.uid,
        client_id: attempt.verified.client_id.as_deref(),
        email: identity.email.as_deref(),
        email_verified: identity.email_verified,
        extra_data: &attempt.extra_data,
    }
}

/// The social account with `extra_data` merged: new values win, absent ones erase nothing.
fn refreshed(attempt: &Attempt, mut social_auth: SocialAuth) -> SocialAuth {
    let stored = std::mem::take(&mut social_auth.extra_data);
    social_auth.extra_data = sealing::merge(stored, attempt.extra_data.clone());
    social_auth.modified_at = attempt.now;
    social_auth
}

fn refresh(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    social_auth: SocialAuth,
) -> Result<SocialAuth, SignUpError> {
    let social_auth = refreshed(attempt, social_auth);
    let identity = &attempt.verified.identity;
    social_auths::update_extra_data(
        tx,
        social_auth.id,
        &social_auth.extra_data,
        attempt.verified.client_id.as_deref(),
        identity.email.as_deref(),
        identity.email_verified,
        attempt.now,
    )?;
    Ok(social_auth)
}

pub(super) fn open_session(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    outcome: Outcome,
    user: User,
    social_auth: SocialAuth,
) -> Result<Applied, SignUpError> {
    let session_id = sessions::insert(
        tx,
        user.id,
        Some(social_auth.id),
        None,
        &attempt.session,
        attempt.now,
    )?;
    let action = match outcome {
        Outcome::SignedUp => AuditAction::SignedUp,
        Outcome::SignedIn => AuditAction::SignedIn,
        Outcome::Associated => AuditAction::Associated,
    };
    record(
        tx,
        attempt,
        action,
        None,
        Some(user.id),
        Some(social_auth.id),
    )?;
    Ok(session_opened(
        outcome,
        (user, social_auth.into(), session_id),
    ))
}

pub(super) fn session_opened(
    outcome: Outcome,
    (user, association, session_id): (User, Association, SessionId),
) -> Applied {
    Applied {
        outcome,
        user,
        association,
        session_id: Some(session_id),
    }
}

fn associated(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    user: User,
    social_auth: SocialAuth,
) -> Result<Applied, SignUpError> {
    record(
        tx,
        attempt,
        AuditAction::Associated,
        None,
        Some(user.id),
        Some(social_auth.id),
    )?;
    Ok(Applied {
        outcome: Outcome::Associated,
        user,
        association: social_auth.into(),
        session_id: None,
    })
}

/// Writes the refusal's audit entry and gives the refusal.
fn refuse(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    error: SignUpError,
    found: Option<&(SocialAuth, User)>,
) -> Verdict<Applied> {
    // Whose account it is belongs into the log in every case but the caller's own missing one.
    let user_id = found.map(|(_, user)| user.id);
    let social_auth_id = found.map(|(social_auth, _)| social_auth.id);
    let reason = error.audit_reason();
    record(
        tx,
        attempt,
        AuditAction::Refused,
        reason,
        user_id,
        social_auth_id,
    )?;
    Ok(Err(error))
}

pub(super) fn record(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    action: AuditAction,
    reason: Option<&'static str>,
    user_id: Option<UserId>,
    social_auth_id: Option<SocialAuthId>,
) -> Result<(), StorageError> {
    let entry = entry(attempt, action, reason, user_id, social_auth_id);
    audit::insert(tx, &entry, attempt.now)
}

pub(super) fn entry(
    attempt: &Attempt,
    action: AuditAction,
    reason: Option<&'static str>,
    user_id: Option<UserId>,
    social_auth_id: Option<SocialAuthId>,
) -> AuditEntry {
    AuditEntry {
        actor: actor(attempt.caller),
        action,
        reason: reason.map(Into::into),
        detail: None,
        user_id,
        social_auth_id,
        provider: Some(attempt.provider.id().clone()),
        uid: Some(attempt.verified.identity.uid.clone()),
        context: attempt.context.clone(),
    }
}
