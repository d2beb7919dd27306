//! Social accounts with all that is stored of them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::super::Conn;
use super::super::schema::{social_auth, token_checks};
use super::social_auths::SocialAuthRow;
use super::{LockSocialAuth, Suffixed, find_one, users};
use crate::domain::{SocialAuth, SocialAuthId, UserId};
use crate::storage::StorageError;
use crate::storage::account_records::{AccountRecord, TokenCheckRecord};

type Columns = (SocialAuthRow, Option<String>, Option<String>, bool);
type WithCheck = (
    SocialAuthRow,
    Option<String>,
    Option<String>,
    bool,
    Option<DateTime<Utc>>,
    Option<String>,
);

fn record((row, client_id, email, email_verified): Columns) -> Result<AccountRecord, StorageError> {
    Ok(AccountRecord {
        social_auth: row.try_into()?,
        client_id,
        email,
        email_verified,
    })
}

pub(in crate::storage) fn find_for_update(
    conn: &mut Conn,
    user_id: UserId,
    id: SocialAuthId,
) -> Result<Option<AccountRecord>, StorageError> {
    let query = social_auth::table
        .filter(social_auth::id.eq(id.0))
        .filter(social_auth::user_id.eq(user_id.0))
        .select((
            SocialAuthRow::as_select(),
            social_auth::client_id,
            social_auth::email,
            social_auth::email_verified,
        ));
    let locked = Suffixed::<_, LockSocialAuth>::new(query);
    find_one::<_, Columns>(conn, locked)?
        .map(record)
        .transpose()
}

pub(in crate::storage) fn list_of_user(
    conn: &mut Conn,
    user_id: UserId,
    limit: i64,
) -> Result<Vec<(AccountRecord, Option<TokenCheckRecord>)>, StorageError> {
    let rows: Vec<WithCheck> = social_auth::table
        .left_join(token_checks::table)
        .filter(social_auth::user_id.eq(user_id.0))
        .order(social_auth::id)
        .limit(limit)
        .select((
            SocialAuthRow::as_select(),
            social_auth::client_id,
            social_auth::email,
            social_auth::email_verified,
            token_checks::checked_at.nullable(),
            token_checks::outcome.nullable(),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(
            |(row, client_id, email, email_verified, checked_at, outcome)| {
                let check = checked_at.map(|checked_at| TokenCheckRecord {
                    checked_at,
                    outcome,
                });
                Ok((record((row, client_id, email, email_verified))?, check))
            },
        )
        .collect()
}

pub(in crate::storage) fn delete(
    conn: &mut Conn,
    account: &SocialAuth,
) -> Result<(), StorageError> {
    let deleted = diesel::delete(social_auth::table.find(account.id.0)).execute(conn)?;
    if deleted > 0 {
        users::count_social_accounts(conn, account.user_id, -1)?;
    }
    Ok(())
}
