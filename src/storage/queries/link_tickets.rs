//! One-time tickets that let the user of a verified address associate another social account.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use serde_json::Value;

use super::super::Conn;
use super::super::schema::link_tickets;
use super::super::types::{Json, Tstz};
use super::{find_one, prepared};
use crate::domain::{ProviderId, Uid, UserId};
use crate::storage::link_tickets::{LinkTicket, NewLinkTicket};
use crate::storage::{StorageError, micros};

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    new: &NewLinkTicket<'_>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::insert_into(link_tickets::table)
        .values((
            link_tickets::hash.eq(new.hash.as_slice()),
            link_tickets::user_id.eq(new.user_id.0),
            link_tickets::provider.eq(new.provider.as_str()),
            link_tickets::uid.eq(new.uid.as_str()),
            link_tickets::payload.eq(new.payload),
            link_tickets::created_at.eq(micros(now)),
            link_tickets::expires_at.eq(micros(new.expires_at)),
        ))
        .execute(conn)?;
    Ok(())
}

prepared! {
    /// One statement, so that of two redemptions at once only one gets the row.
    struct Redeem<'a> { hash: &'a [u8], user_id: i64, now: DateTime<Utc>, }
    returns (Text, Text, Json);
    "UPDATE link_tickets SET redeemed_at = " [now: Tstz]
    " WHERE redeemed_at IS NULL AND hash = " [hash: Binary]
    " AND user_id = " [user_id: BigInt]
    " AND expires_at > " [now: Tstz]
    " RETURNING provider, uid, payload"
}

pub(in crate::storage) fn redeem(
    conn: &mut Conn,
    hash: &[u8; 32],
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<Option<LinkTicket>, StorageError> {
    let redeem = Redeem {
        hash,
        user_id: user_id.0,
        now: micros(now),
    };
    let Some((provider, uid, payload)) = find_one::<_, (String, String, Value)>(conn, redeem)?
    else {
        return Ok(None);
    };
    Ok(Some(LinkTicket {
        provider: ProviderId::parse(&provider)
            .ok_or(StorageError::Corrupt("link_tickets.provider"))?,
        uid: Uid::parse(&uid).ok_or(StorageError::Corrupt("link_tickets.uid"))?,
        payload,
    }))
}

pub(in crate::storage) fn delete_expired(
    conn: &mut Conn,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    let expired = link_tickets::table.filter(link_tickets::expires_at.le(micros(now)));
    Ok(diesel::delete(expired).execute(conn)?)
}
