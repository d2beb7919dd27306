//! What somebody sees and changes of their own account.

use serde_json::json;

use super::{SignedInStaff, StaffError, address_counter, admit, clear, counter, write_audit};
use crate::app::App;
use crate::domain::staff::{Throttle, check_password};
use crate::domain::{
    Actor, AuditAction, RequestContext, Secret, StaffId, StaffSession, StaffSessionId,
};
use crate::storage::staff_providers::{self, StaffProvider};
use crate::storage::{StorageError, staff, staff_sessions};

/// How many sessions are listed.
const SESSIONS: u32 = 50;

/// One's own account, as far as the session does not tell it.
#[derive(Debug)]
pub struct OwnAccount {
    /// Sessions that can still be used, last used first.
    pub sessions: Vec<StaffSession>,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
    /// Who at providers signs in as it.
    pub providers: Vec<StaffProvider>,
}

/// The sessions, recovery codes and providers of the account.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn view_own_account(app: &App, id: StaffId) -> Result<OwnAccount, StorageError> {
    let (now, policy) = (app.clock.now(), app.staff_policy);
    app.db
        .read(move |reader| {
            let mut sessions = staff_sessions::list_of_staff(reader, id, now, SESSIONS)?;
            sessions.retain(|session| session.is_live(&policy, now) && !session.awaits_code);
            Ok(OwnAccount {
                sessions,
                recovery_codes: staff::count_recovery_codes(reader, id)?,
                providers: staff_providers::list_of_staff(reader, id)?,
            })
        })
        .await
}

/// Changes one's password. All other sessions end.
///
/// # Errors
/// [`StaffError::Refused`] for a wrong current password; [`StaffError::WeakPassword`]; [`StaffError::Throttled`].
pub async fn change_password(
    app: &App,
    who: &SignedInStaff,
    current: Secret,
    new: Secret,
    context: RequestContext,
) -> Result<(), StaffError> {
    let now = app.clock.now();
    let (id, session_id) = (who.staff.id, who.session.id);
    check_password(new.expose(), &who.staff.email, &who.staff.display_name)
        .map_err(StaffError::WeakPassword)?;
    let own = counter(Throttle::Account, &who.staff.email.to_lowercase());
    let counters = [address_counter(&context), own];
    let hash = app
        .db
        .write(move |tx| {
            admit(tx, &counters, now)?;
            let credentials = staff::find_credentials(tx, id)?.ok_or(StaffError::Gone)?;
            Ok::<_, StaffError>(credentials.password_hash)
        })
        .await?;
    if !app.passwords.verify(current, hash.clone()).await? {
        return Err(StaffError::Refused);
    }
    let new_hash = app.passwords.hash(new, app.random()).await?;
    app.db
        .write(move |tx| {
            let found = staff::find_for_update(tx, id)?;
            let (_, credentials) = found.ok_or(StaffError::Gone)?;
            if credentials.password_hash != hash {
                return Err(StaffError::Refused);
            }
            clear(tx, &counters)?;
            staff::set_password_hash(tx, id, &new_hash, now)?;
            staff_sessions::revoke_all(tx, id, Some(session_id), "password_set", now)?;
            let detail = json!({ "by": "password" });
            let action = AuditAction::PasswordSet;
            write_audit(
                tx,
                Actor::Staff(id),
                action,
                None,
                Some(detail),
                &context,
                now,
            )?;
            Ok(())
        })
        .await
}

/// Ends one of one's own sessions.
///
/// # Errors
/// [`StaffError::Gone`] when it has ended, or belongs to somebody else.
pub async fn end_own_session(
    app: &App,
    who: &SignedInStaff,
    session_id: StaffSessionId,
    context: RequestContext,
) -> Result<(), StaffError> {
    let (now, id) = (app.clock.now(), who.staff.id);
    app.db
        .write(move |tx| {
            if !staff_sessions::revoke(tx, id, session_id, "ended_by_holder", now)? {
                return Err(StaffError::Gone);
            }
            let detail = json!({ "session_id": session_id.0 });
            let action = AuditAction::StaffSignedOut;
            write_audit(
                tx,
                Actor::Staff(id),
                action,
                None,
                Some(detail),
                &context,
                now,
            )?;
            Ok(())
        })
        .await
}

/// Ends all of one's sessions but the one at hand, and says how many that were.
///
/// # Errors
/// [`StaffError::Storage`].
pub async fn end_other_sessions(
    app: &App,
    who: &SignedInStaff,
    context: RequestContext,
) -> Result<usize, StaffError> {
    let (now, id, session_id) = (app.clock.now(), who.staff.id, who.session.id);
    app.db
        .write(move |tx| {
            let but = Some(session_id);
            let ended = staff_sessions::revoke_all(tx, id, but, "ended_by_holder", now)?;
            let detail = json!({ "sessions": ended });
            let action = AuditAction::StaffSignedOut;
            write_audit(
                tx,
                Actor::Staff(id),
                action,
                None,
                Some(detail),
                &context,
                now,
            )?;
            Ok(ended)
        })
        .await
}
