//! The hand-in by one statement, where the storage can: no transaction, and nothing read before it is written.
//!
//! What is written follows from a decision under an assumption, and the statement writes only if the assumption holds: that the
//! social account has an active owner, or that nobody has it. Whatever is not that plain is left to [`super::apply`].

use super::apply::{entry, new_social_auth, new_user, session_opened};
use super::{Applied, Attempt, Outcome, SignUpError};
use crate::domain::association::{Decision, Owner, decide};
use crate::domain::policy::EmailMatch;
use crate::domain::{AuditAction, Policy, UserId, username};
use crate::storage::{Single, StorageError, hand_ins, nonces, users};

/// Somebody who may sign in. An anonymous caller is treated alike whoever it is.
const ANY_OWNER: Owner = Owner {
    user_id: UserId(0),
    is_active: true,
};

/// Applies a verified hand-in, or answers `None` and has changed nothing.
///
/// May have been applied without our hearing of it, when the connection broke: to apply it again then signs in, or associates
/// what is associated already, and opens one session that nobody has the tokens of.
pub(super) fn apply(
    single: &mut Single<'_>,
    attempt: &Attempt,
    policy: &Policy,
) -> Result<Option<Applied>, SignUpError> {
    // A nonce of ours is used up in the transaction of the hand-in.
    if nonces::is_any_issued(single, &attempt.nonce_hashes)? {
        return Ok(None);
    }
    let intent = attempt.hand_in.intent;
    if let Decision::SignIn(_) = decide(attempt.caller, intent, Some(ANY_OWNER)) {
        let applied = sign_in(single, attempt)?;
        if applied.is_some() {
            return Ok(applied);
        }
    }
    match decide(attempt.caller, intent, None) {
        Decision::SignUp => sign_up(single, attempt, policy),
        Decision::Associate(user_id) => associate(single, attempt, user_id),
        _ => Ok(None),
    }
}

fn sign_in(single: &mut Single<'_>, attempt: &Attempt) -> Result<Option<Applied>, SignUpError> {
    let identity = &attempt.verified.identity;
    let brings_name = !(identity.first_name.is_empty() && identity.last_name.is_empty());
    let hand_in = hand_ins::AtOnce {
        social_auth: &new_social_auth(attempt),
        session: &attempt.session,
        entry: &entry(attempt, AuditAction::SignedIn, None, None, None),
    };
    let written = hand_ins::sign_in_at_once(single, &hand_in, brings_name, attempt.now)?;
    Ok(written.map(|written| session_opened(Outcome::SignedIn, written)))
}

fn sign_up(
    single: &mut Single<'_>,
    attempt: &Attempt,
    policy: &Policy,
) -> Result<Option<Applied>, SignUpError> {
    let identity = &attempt.verified.identity;
    let (email, email_verified) = (identity.email.as_deref(), identity.email_verified);
    let is_admitted = [&policy.sign_up, attempt.provider.sign_up_rules()]
        .iter()
        .all(|rules| rules.admit(email, email_verified).is_ok());
    if !is_admitted || policy.email_match != EmailMatch::Separate {
        return Ok(None);
    }
    let base = username::base(identity);
    let mut written = sign_up_as(single, attempt, &base)?;
    if written.is_none() {
        let alternatives = username::alternatives(&base, attempt.username_seed);
        if let Some(free) = users::find_free_name(single, &alternatives)? {
            written = sign_up_as(single, attempt, free)?;
        }
    }
    Ok(written.map(|written| session_opened(Outcome::SignedUp, written)))
}

fn sign_up_as(
    single: &mut Single<'_>,
    attempt: &Attempt,
    username: &str,
) -> Result<Option<hand_ins::SignedUp>, StorageError> {
    let sign_up = hand_ins::SignUp {
        user: &new_user(attempt),
        username,
        social_auth: &new_social_auth(attempt),
        session: &attempt.session,
        entry: &entry(attempt, AuditAction::SignedUp, None, None, None),
    };
    hand_ins::sign_up_at_once(single, &sign_up, attempt.now)
}

fn associate(
    single: &mut Single<'_>,
    attempt: &Attempt,
    user_id: UserId,
) -> Result<Option<Applied>, SignUpError> {
    let Some(session_id) = attempt.session_id else {
        return Ok(None);
    };
    let written = hand_ins::associate_at_once(
        single,
        (user_id, session_id),
        &new_social_auth(attempt),
        &entry(attempt, AuditAction::Associated, None, None, None),
        attempt.now,
    )?;
    Ok(written.map(|(user, association)| Applied {
        outcome: Outcome::Associated,
        user,
        association,
        session_id: None,
    }))
}
