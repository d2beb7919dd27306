//! Everything that a user's page shows.

use chrono::{DateTime, Utc};

use super::{PersonError, entry, provider_of, record_alone};
use crate::app::App;
use crate::domain::stewardship::{By, RowVersion};
use crate::domain::{AuditAction, UserId};
use crate::storage::account_records::{AccountRecord, TokenCheckRecord};
use crate::storage::audit::NamedEntry;
use crate::storage::session_records::SessionRecord;
use crate::storage::standing_orders::StandingOrderRecord;
use crate::storage::unlinked_accounts::NamedAccount;
use crate::storage::user_records::UserRecord;
use crate::storage::{
    account_records, audit, session_records, standing_orders, unlinked_accounts, user_records,
};

/// Most rows of each kind on one page. Real people stay far below.
const MOST: i64 = 100;
/// How many entries of the audit log are read: more than are shown, because looks at the page itself are shown together.
const TIMELINE: i64 = 60;

/// A user and everything that belongs to them.
#[derive(Debug, Clone)]
pub struct UserView {
    /// The user.
    pub user: UserRecord,
    /// Their social accounts, oldest first.
    pub accounts: Vec<AccountView>,
    /// Their live sessions, the last used first.
    pub sessions: Vec<SessionRecord>,
    /// What happened lately, newest first.
    pub timeline: Vec<NamedEntry>,
    /// Accounts that can be given back, latest first.
    pub unlinked: Vec<NamedAccount>,
    /// What is ordered about accounts that were, or are to be, theirs.
    pub orders: Vec<StandingOrderRecord>,
    /// When this was read.
    pub now: DateTime<Utc>,
}

/// A social account of a user.
#[derive(Debug, Clone)]
pub struct AccountView {
    /// The account.
    pub record: AccountRecord,
    /// The last check of its access token, unless the token is newer.
    pub check: Option<TokenCheckRecord>,
    /// See [`RowVersion`].
    pub version: RowVersion,
    /// Whether it is a way in: its provider is configured and on.
    pub is_way_in: bool,
}

impl UserView {
    /// How many of the accounts are a way in.
    #[must_use]
    pub fn ways_in(&self) -> usize {
        self.accounts
            .iter()
            .filter(|account| account.is_way_in)
            .count()
    }
}

/// Reads everything about a user, by six queries on one connection, and notes in the audit log who looked.
///
/// # Errors
/// [`PersonError::UserNotFound`], or the database's failure: what was not noted is not shown.
pub async fn view_user(app: &App, by: &By, user_id: UserId) -> Result<UserView, PersonError> {
    let now = app.clock.now();
    let read = app
        .db
        .read(move |r| -> Result<_, PersonError> {
            let user = user_records::find(r, user_id)?.ok_or(PersonError::UserNotFound)?;
            Ok((
                user,
                account_records::list_of_user(r, user_id, MOST)?,
                session_records::list_live_of_user(r, user_id, now, MOST)?,
                audit::list_of_user(r, user_id, TIMELINE)?,
                unlinked_accounts::list_of_user(r, user_id, now, MOST)?,
                standing_orders::list_of_user(r, user_id, now, MOST)?,
            ))
        })
        .await?;
    record_alone(app, entry(by, AuditAction::UserViewed, user_id), now).await?;
    let (user, accounts, sessions, timeline, unlinked, orders) = read;
    Ok(UserView {
        user,
        accounts: accounts
            .into_iter()
            .map(|(record, check)| account_view(app, record, check))
            .collect(),
        sessions,
        timeline,
        unlinked,
        orders,
        now,
    })
}

fn account_view(app: &App, record: AccountRecord, check: Option<TokenCheckRecord>) -> AccountView {
    let account = &record.social_auth;
    AccountView {
        check: check.filter(|check| check.checked_at >= account.modified_at),
        version: RowVersion::of(account),
        is_way_in: provider_of(app, &account.provider).is_some(),
        record,
    }
}
