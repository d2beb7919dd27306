//! What staff ordered about a social account that nobody has: it is refused, or goes to a user of their choice.
//!
//! Asked only by whoever would make a row, by primary key: a sign-in with an account that is somebody's costs nothing.

use super::apply::{insert_social_auth, open_session, record};
use super::{Applied, Attempt, Outcome, SignUpError};
use crate::domain::association::Refusal;
use crate::domain::stewardship::StandingOrder;
use crate::domain::{AuditAction, User};
use crate::storage::{StorageError, Tx, standing_orders, user_records, users};

/// What is to happen instead of a sign-up.
pub(super) enum Instead {
    /// Nothing: sign up.
    Nothing,
    /// Refuse.
    Refuse(SignUpError),
    /// Associate the account with this user, who signs in.
    SignInAs(Box<User>),
}

/// What was ordered about the account of an anonymous caller who would sign up. A ticket is used up by this.
pub(super) fn before_sign_up(tx: &mut Tx<'_>, attempt: &Attempt) -> Result<Instead, StorageError> {
    let (provider, uid) = (attempt.provider.id(), &attempt.verified.identity.uid);
    let user_id = match standing_orders::find(tx, provider, uid, attempt.now)? {
        None => return Ok(Instead::Nothing),
        Some(StandingOrder::Refuse) => return Ok(Instead::Refuse(SignUpError::AccountRefused)),
        Some(StandingOrder::AssociateWith(user_id)) => user_id,
    };
    // Waits for whoever is deactivating the user.
    match user_records::find_for_update(tx, user_id)? {
        Some(user) if user.is_active => {
            if !standing_orders::delete(tx, provider, uid)? {
                // Somebody else used it up since we read it.
                return Err(StorageError::Restart);
            }
            Ok(Instead::SignInAs(Box::new(user)))
        }
        // A second user for a person who was deactivated would be a way around that.
        Some(_inactive) => Ok(Instead::Refuse(SignUpError::Refused(Refusal::Inactive))),
        None => {
            standing_orders::delete(tx, provider, uid)?;
            Ok(Instead::Nothing)
        }
    }
}

/// Whether staff refuse the account that a signed-in user would associate. A ticket for somebody else ends here: whoever proves the
/// account to be theirs and is signed in has said where it belongs.
pub(super) fn refuses_association(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
) -> Result<bool, StorageError> {
    let (provider, uid) = (attempt.provider.id(), &attempt.verified.identity.uid);
    match standing_orders::find(tx, provider, uid, attempt.now)? {
        None => Ok(false),
        Some(StandingOrder::Refuse) => Ok(true),
        Some(StandingOrder::AssociateWith(_)) => {
            standing_orders::delete(tx, provider, uid)?;
            Ok(false)
        }
    }
}

/// Associates the account with the user of the ticket, who signs in.
pub(super) fn sign_in_as(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    user: User,
) -> Result<Applied, SignUpError> {
    let social_auth = insert_social_auth(tx, attempt, user.id)?;
    users::record_sign_in(tx, user.id, attempt.now)?;
    let ids = (Some(user.id), Some(social_auth.id));
    let action = AuditAction::AssociationTicketRedeemed;
    record(tx, attempt, action, None, ids.0, ids.1)?;
    open_session(tx, attempt, Outcome::SignedIn, user, social_auth)
}
