//! What staff do about themselves and each other: sign in, step up, set passwords and second factors, invite, change roles.

mod accounts;
mod come_back;
mod factor;
mod go_to_provider;
mod links;
mod own_account;
mod recognise;
mod sign_in;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

pub use accounts::{
    StaffChange, change_staff, create_staff, deactivate_staff, invite_staff, issue_password_link,
    reactivate_staff, remove_provider, reset_second_factor,
};
pub use come_back::{CameBack, ProviderAnswer, come_back_from_provider};
pub use factor::{
    Factor, NewFactor, factor_of, new_recovery_codes, new_second_factor, prove_factor,
    remove_second_factor, set_second_factor,
};
pub use go_to_provider::{AUTHORIZATION_LIFETIME, GoToProvider, SentToProvider, go_to_provider};
pub use links::{
    FIRST_LINK, FirstSuperuser, LinkHolder, RedeemedLink, find_link, issue_first_link, redeem_link,
};
pub use own_account::{
    OwnAccount, change_password, end_other_sessions, end_own_session, view_own_account,
};
pub use recognise::{SignedInStaff, recognise_staff};
pub use sign_in::{SignInStaff, StaffSignedIn, sign_in_staff, sign_out_staff};

use crate::app::passwords::PasswordError;
use crate::domain::staff::{PasswordProblem, Throttle};
use crate::domain::{
    Actor, AuditAction, AuditEntry, RequestContext, Secret, StaffSessionId, network_of,
};
use crate::providers::ProviderError;
use crate::storage::sealing::SealingError;
use crate::storage::{StorageError, Tx, audit, staff_throttles, storage_failure};

/// Why something that staff wanted did not happen.
#[derive(Debug, Error)]
pub enum StaffError {
    /// Unknown, inactive or wrong; nobody is told which.
    #[error("refused")]
    Refused,
    /// What came back from a provider is no fresh proof of whoever is signed in; nobody is told why.
    #[error("refused to step up")]
    StepUpRefused,
    /// The provider sent the browser back without a code.
    #[error("the provider gives no code")]
    NotCompleted,
    /// The provider cannot be asked.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Too many wrong tries.
    #[error("throttled")]
    Throttled {
        /// When the next try is admitted.
        retry_after_seconds: u64,
    },
    /// The new password is not good enough.
    #[error("weak password")]
    WeakPassword(PasswordProblem),
    /// Another account has this address.
    #[error("the address is taken")]
    EmailTaken,
    /// It is the last superuser who can sign in.
    #[error("the last superuser")]
    LastSuperuser,
    /// The account, session or link is not there, or is no longer what it was.
    #[error("gone")]
    Gone,
    /// Passwords.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// An authenticator's secret does not open.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

storage_failure!(StaffError);

/// A session as the browser will hold it.
#[derive(Debug)]
pub struct SessionGrant {
    /// The row.
    pub session_id: StaffSessionId,
    /// The key for the cookie. Only its hash is stored.
    pub key: Secret,
}

/// Admits one more try by each of the counters, or none at all.
fn admit(
    tx: &mut Tx<'_>,
    counters: &[(Throttle, [u8; 32])],
    now: DateTime<Utc>,
) -> Result<(), StaffError> {
    let mut admitted = Vec::with_capacity(counters.len());
    for (throttle, key) in counters {
        let tries = staff_throttles::get_for_update(tx, key, now)?;
        match tries.admit(*throttle, now) {
            Ok(tries) => admitted.push((key, tries)),
            Err(retry_after_seconds) => {
                return Err(StaffError::Throttled {
                    retry_after_seconds,
                });
            }
        }
    }
    for (key, tries) in admitted {
        staff_throttles::set(tx, key, &tries)?;
    }
    Ok(())
}

/// Somebody was right after all: their own count is cleared, and the try is taken off that of their address, which others may
/// share.
fn clear(tx: &mut Tx<'_>, counters: &[(Throttle, [u8; 32])]) -> Result<(), StorageError> {
    for (throttle, key) in counters {
        match throttle {
            Throttle::Account | Throttle::Code => staff_throttles::delete(tx, key)?,
            Throttle::Address => staff_throttles::take_back(tx, key)?,
        }
    }
    Ok(())
}

/// What a counter is stored under: no table of addresses of mail comes to be.
fn counter(throttle: Throttle, of: &str) -> (Throttle, [u8; 32]) {
    let mut hash = Sha256::new();
    hash.update(throttle.as_str());
    hash.update([0]);
    hash.update(of);
    (throttle, hash.finalize().into())
}

/// The counter of the client's address. All who come without one share a counter.
fn address_counter(context: &RequestContext) -> (Throttle, [u8; 32]) {
    let address = context
        .address
        .map(|address| network_of(address).to_string());
    counter(Throttle::Address, address.as_deref().unwrap_or_default())
}

fn hash_of(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Writes what staff did to themselves or to each other.
fn write_audit(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: AuditAction,
    reason: Option<&'static str>,
    detail: Option<Value>,
    context: &RequestContext,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let entry = AuditEntry {
        reason: reason.map(Into::into),
        ..entry_of(actor, action, detail, context)
    };
    audit::insert(tx, &entry, now)
}

/// An entry about staff, which names no user.
fn entry_of(
    actor: Actor,
    action: AuditAction,
    detail: Option<Value>,
    context: &RequestContext,
) -> AuditEntry {
    AuditEntry {
        actor,
        action,
        reason: None,
        detail,
        user_id: None,
        social_auth_id: None,
        provider: None,
        uid: None,
        context: context.clone(),
    }
}
