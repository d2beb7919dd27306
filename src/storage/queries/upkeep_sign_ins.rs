//! Following the audit log: who signed in, and when last.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::super::Conn;
use super::super::schema::audit_log;
use super::prepared;
use super::upkeep::settled_ids;
use crate::storage::StorageError;
use crate::storage::upkeep::{Done, Round, Unsettled};

prepared! {
    /// Who is gone by now has no last sign-in. Rows are taken in one order, so that nobody who waits for one holds another.
    struct RecordSignIns<'a> {
        after: i64,
        last: i64,
        marker: std::marker::PhantomData<&'a ()>,
    }
    "INSERT INTO last_sign_ins (user_id, at) SELECT e.user_id, max(e.at) FROM audit_log AS e WHERE e.id > " [after: BigInt]
    " AND e.id <= " [last: BigInt]
    " AND e.action = 'signed_in' AND EXISTS (SELECT 1 FROM users AS u WHERE u.id = e.user_id) GROUP BY e.user_id ORDER BY e.user_id \
     ON CONFLICT (user_id) DO UPDATE SET at = excluded.at WHERE excluded.at > last_sign_ins.at"
}

pub(in crate::storage) fn follow_sign_ins(
    conn: &mut Conn,
    round: &Round,
    unsettled: Option<Unsettled>,
) -> Result<Done, StorageError> {
    let entries: Vec<(i64, DateTime<Utc>)> = audit_log::table
        .filter(audit_log::id.gt(round.position))
        .order(audit_log::id)
        .limit(round.batch.into())
        .select((audit_log::id, audit_log::at))
        .load(conn)?;
    let entries = settled_ids(entries, unsettled);
    let Some(last) = entries.last().copied() else {
        return Ok(round.nothing());
    };
    let recording = RecordSignIns {
        after: round.position,
        last,
        marker: std::marker::PhantomData,
    };
    recording.execute(conn)?;
    Ok(round.done(last, entries.len()))
}
