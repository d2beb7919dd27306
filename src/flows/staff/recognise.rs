//! Whose session it is, as things are now.

use chrono::TimeDelta;

use crate::app::App;
use crate::domain::{Staff, StaffSession, StaffSessionId};
use crate::storage::{StorageError, staff_sessions};

/// How old the note of the last use may become before it is written again: pages are read far more often.
const TOUCH_AFTER: TimeDelta = TimeDelta::minutes(1);

/// A live session and whose it is.
#[derive(Debug, Clone)]
pub struct SignedInStaff {
    /// The account, which is active.
    pub staff: Staff,
    /// The session; it may still owe the second factor.
    pub session: StaffSession,
}

/// The session's holder, unless the session has ended or the account is inactive by now. Keeps the session from going idle.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub async fn recognise_staff(
    app: &App,
    id: StaffSessionId,
) -> Result<Option<SignedInStaff>, StorageError> {
    let now = app.clock.now();
    let found = app
        .db
        .read(move |reader| staff_sessions::find_with_staff(reader, id))
        .await?;
    let Some((session, staff)) = found else {
        return Ok(None);
    };
    if !staff.is_active || !session.is_live(&app.staff_policy, now) {
        return Ok(None);
    }
    if session.last_used_at + TOUCH_AFTER <= now {
        app.db
            .write(move |tx| staff_sessions::touch(tx, id, now))
            .await?;
    }
    Ok(Some(SignedInStaff { staff, session }))
}
