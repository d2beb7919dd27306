//! From a filter and an order to statements.

use chrono::{DateTime, Utc};

use crate::storage::sql::{Sql, id_list};
use crate::storage::{Backend, rfc3339, sqlite};

use super::tail::State;
use super::{Limits, ListRequest, SocialAccounts, UserFilter, UserOrder};

/// Up to how many rows are counted.
pub(in crate::storage) const COUNTED: i64 = 10_000;

/// Later than anything that is stored. Four digits of the year, so that SQLite's texts compare.
pub(in crate::storage) const FAR_AWAY: DateTime<Utc> =
    match DateTime::from_timestamp(253_402_300_799, 0) {
        Some(at) => at,
        None => DateTime::<Utc>::MAX_UTC,
    };

/// A source of users in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stream {
    Everyone,
    Inactive,
    WithoutAccount,
    WithSeveral,
    Provider(String),
    Expired,
    Needle(String),
    /// Those who lack what the list is ordered by.
    Lacking(&'static str),
    /// Not in the order of ids, so that it can only be gathered.
    Providers(Vec<String>),
    SignedInBefore,
}

impl Stream {
    pub(super) const fn is_ordered(&self) -> bool {
        !matches!(self, Self::Providers(_) | Self::SignedInBefore)
    }
}

/// What a list needs to be put together.
pub(super) struct Plan<'r> {
    pub(super) backend: Backend,
    pub(super) filter: &'r UserFilter,
    pub(super) order: UserOrder,
    pub(super) now: String,
    pub(super) limits: Limits,
    /// Ids between which all users of the span of sign-ups lie, the tail apart.
    pub(super) hull: Option<(i64, i64)>,
    /// Users who are looked at in the tables.
    pub(super) tail: Vec<i64>,
}

impl<'r> Plan<'r> {
    pub(super) fn new(backend: Backend, request: &'r ListRequest<UserFilter, UserOrder>) -> Self {
        Self {
            backend,
            filter: &request.filter,
            order: request.order,
            now: rfc3339(request.now),
            limits: request.limits,
            hull: None,
            tail: Vec::new(),
        }
    }

    /// The sources that the filter offers.
    pub(super) fn streams(&self) -> Vec<Stream> {
        let filter = self.filter;
        let mut streams = Vec::new();
        streams.extend(filter.needle.clone().map(Stream::Needle));
        match filter.providers.as_slice() {
            [] => {}
            [one] => streams.push(Stream::Provider(one.as_str().to_owned())),
            several => {
                let several = several.iter().map(|id| id.as_str().to_owned());
                streams.push(Stream::Providers(several.collect()));
            }
        }
        if filter.is_active == Some(false) {
            streams.push(Stream::Inactive);
        }
        match filter.social_accounts {
            Some(SocialAccounts::None) => streams.push(Stream::WithoutAccount),
            Some(SocialAccounts::Several) => streams.push(Stream::WithSeveral),
            Some(SocialAccounts::One) | None => {}
        }
        if filter.access_token_expired {
            streams.push(Stream::Expired);
        }
        if filter.last_sign_in_before.is_some() {
            streams.push(Stream::SignedInBefore);
        }
        streams
    }

    /// The span of sign-ups, if the filter has one. Nobody signed in before they signed up.
    pub(super) fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let filter = self.filter;
        let before = [filter.joined_before, filter.last_sign_in_before];
        let before = before.into_iter().flatten().min();
        (filter.joined_from.is_some() || before.is_some()).then(|| {
            (
                filter.joined_from.unwrap_or(DateTime::UNIX_EPOCH),
                before.unwrap_or(FAR_AWAY),
            )
        })
    }

    fn is_sqlite(&self) -> bool {
        self.backend == Backend::Sqlite
    }

    /// A join that SQLite does in this order, and PostgreSQL as it likes.
    fn then_users(&self, on: &str) -> String {
        let join = if self.is_sqlite() {
            "CROSS JOIN"
        } else {
            "JOIN"
        };
        format!(" {join} users AS u ON u.id = {on}")
    }

    /// On SQLite the index by name: without statistics it would take the table itself.
    fn through(&self, index: &str) -> String {
        if self.is_sqlite() {
            format!(" INDEXED BY {index}")
        } else {
            String::new()
        }
    }

    /// `FROM ... WHERE` of a stream without the users, and the name of its id column.
    pub(super) fn source(&self, stream: &Stream) -> (Sql, &'static str) {
        let before = self.filter.last_sign_in_before.unwrap_or_default();
        match stream {
            Stream::Everyone => (Sql::new("users AS u WHERE TRUE"), "u.id"),
            Stream::Inactive => (self.partial("users_inactive", "NOT u.is_active"), "u.id"),
            Stream::WithoutAccount => (
                self.partial("users_without_social_account", "u.social_accounts = 0"),
                "u.id",
            ),
            Stream::WithSeveral => (
                self.partial(
                    "users_with_several_social_accounts",
                    "u.social_accounts >= 2",
                ),
                "u.id",
            ),
            Stream::Provider(id) => (
                Sql::new("social_auth_index AS d WHERE d.provider = ").and(id.as_str()),
                "d.user_id",
            ),
            Stream::Providers(ids) => {
                let mut sql = Sql::new("social_auth_index AS d WHERE d.provider IN (");
                sql.bind_all(ids.iter().map(String::as_str)).push(")");
                (sql, "d.user_id")
            }
            Stream::Expired => {
                let index = self.through("social_auth_index_expired");
                let text = format!("social_auth_index AS d{index} WHERE d.is_expired");
                (Sql::new(text), "d.user_id")
            }
            Stream::Needle(needle) if self.is_sqlite() => {
                let phrase = format!("\"{}\"", needle.replace('"', "\"\""));
                let text = "user_search_trigrams AS d WHERE d.user_search_trigrams MATCH ";
                (Sql::new(text).and(phrase.as_str()), "d.rowid")
            }
            Stream::Needle(needle) => {
                let pattern = format!("%{}%", escape_like(needle));
                let text = "user_search AS d WHERE d.text LIKE ";
                (Sql::new(text).and(pattern.as_str()), "d.user_id")
            }
            Stream::Lacking(gap) => (
                Sql::new("user_gaps AS d WHERE d.gap = ").and(*gap),
                "d.user_id",
            ),
            Stream::SignedInBefore => (
                Sql::new("last_sign_ins AS d WHERE d.at < ").and(before),
                "d.user_id",
            ),
        }
    }

    fn partial(&self, index: &str, condition: &str) -> Sql {
        Sql::new(format!(
            "users AS u{} WHERE {condition}",
            self.through(index)
        ))
    }

    /// How many rows a stream has, up to one more than few.
    pub(super) fn estimate(&self, stream: &Stream) -> Sql {
        let (source, _) = self.source(stream);
        let mut sql = Sql::new("(SELECT count(*) FROM (SELECT 1 AS one FROM ");
        sql.append(&source)
            .push(format!(" LIMIT {}) AS few)", self.limits.few + 1));
        sql
    }

    /// `FROM ... WHERE` of a stream with the users (`u`) and their latest sign-in (`l`).
    pub(super) fn stream(&self, stream: &Stream) -> (Sql, &'static str) {
        let (source, id) = self.source(stream);
        let latest = " LEFT JOIN last_sign_ins AS l ON l.user_id = u.id";
        let joins = match stream {
            Stream::Everyone | Stream::Inactive | Stream::WithoutAccount | Stream::WithSeveral => {
                latest.to_owned()
            }
            _ => self.then_users(id) + latest,
        };
        let mut sql = source.replacing_where(&format!("{joins} WHERE "));
        match stream {
            // A user with two accounts of the kind is there once; and what the upkeep does not know to be gone is not there.
            Stream::Provider(_) => {
                sql.push(" AND NOT EXISTS (SELECT 1 FROM social_auth_index AS e WHERE e.provider = d.provider AND e.user_id = d.user_id AND e.social_auth_id < d.social_auth_id) AND EXISTS (SELECT 1 FROM social_auth AS s WHERE s.user_id = d.user_id AND s.provider = d.provider)");
            }
            Stream::Expired => {
                sql.push(" AND NOT EXISTS (SELECT 1 FROM social_auth_index AS e WHERE e.is_expired AND e.user_id = d.user_id AND e.social_auth_id < d.social_auth_id)");
                sql.append(&self.expired());
            }
            _ => {}
        }
        (sql, id)
    }

    /// `FROM ... WHERE` of all users of a stream that is small, in no order.
    pub(super) fn gathered(&self, stream: &Stream) -> Sql {
        let (source, id) = self.source(stream);
        let mut sql = Sql::new(format!("(SELECT DISTINCT {id} AS user_id FROM "));
        sql.append(&source)
            .push(format!(" LIMIT {}) AS g", self.limits.few * 2))
            .push(self.then_users("g.user_id"))
            .push(" LEFT JOIN last_sign_ins AS l ON l.user_id = u.id WHERE TRUE");
        sql
    }

    /// `FROM ... WHERE` of the list's own index. Users who lack what it is ordered by are not in it.
    pub(super) fn walk(&self) -> Sql {
        let latest = " LEFT JOIN last_sign_ins AS l ON l.user_id = u.id WHERE ";
        match self.order {
            UserOrder::SignedUp | UserOrder::Username => {
                Sql::new(format!("users AS u{latest}TRUE"))
            }
            UserOrder::LastSignIn => {
                let index = self.through("last_sign_ins_at_user_id");
                let users = self.then_users("l.user_id");
                Sql::new(format!("last_sign_ins AS l{index}{users} WHERE TRUE"))
            }
            UserOrder::Email => {
                let index = self.through("users_email_folded");
                Sql::new(format!(
                    "users AS u{index}{latest}u.email_folded IS NOT NULL"
                ))
            }
        }
    }

    /// The conditions of the filter, all but those that `led_by` sees to.
    pub(super) fn conditions(&self, led_by: Option<&Stream>) -> Sql {
        let filter = self.filter;
        let mut sql = Sql::default();
        let is_led = |stream: &Stream| led_by == Some(stream);
        if !filter.providers.is_empty()
            && !led_by.is_some_and(|led| matches!(led, Stream::Provider(_)))
        {
            sql.push(" AND EXISTS (SELECT 1 FROM social_auth AS s WHERE s.user_id = u.id AND s.provider IN (");
            sql.bind_all(filter.providers.iter().map(super::ProviderId::as_str));
            sql.push("))");
        }
        if let Some(from) = filter.joined_from {
            sql.push(" AND u.date_joined >= ").bind(from);
        }
        if let Some(before) = filter.joined_before {
            sql.push(" AND u.date_joined < ").bind(before);
        }
        match filter.is_active {
            Some(true) => {
                sql.push(" AND u.is_active");
            }
            Some(false) if !is_led(&Stream::Inactive) => {
                sql.push(" AND NOT u.is_active");
            }
            _ => {}
        }
        match filter.social_accounts {
            Some(SocialAccounts::None) if !is_led(&Stream::WithoutAccount) => {
                sql.push(" AND u.social_accounts = 0");
            }
            Some(SocialAccounts::One) => {
                sql.push(" AND u.social_accounts = 1");
            }
            Some(SocialAccounts::Several) if !is_led(&Stream::WithSeveral) => {
                sql.push(" AND u.social_accounts >= 2");
            }
            _ => {}
        }
        if let Some(before) = filter.last_sign_in_before {
            sql.push(" AND l.at < ").bind(before);
        }
        if filter.access_token_expired && !is_led(&Stream::Expired) {
            sql.append(&self.expired());
        }
        if let Some(needle) = &filter.needle
            && !led_by.is_some_and(|led| matches!(led, Stream::Needle(_)))
        {
            let position = if self.is_sqlite() { "instr" } else { "strpos" };
            sql.push(format!(" AND EXISTS (SELECT 1 FROM user_search AS t WHERE t.user_id = u.id AND {position}(t.text, "));
            sql.bind(needle.as_str()).push(") > 0)");
        }
        sql
    }

    fn expired(&self) -> Sql {
        Sql::new(" AND EXISTS (SELECT 1 FROM social_auth AS s WHERE s.user_id = u.id AND s.extra_data ->> 'expires_at' <= ")
            .and(self.now.as_str())
            .with(")")
    }

    /// Leaves out the tail, and what is outside the hull.
    pub(super) fn bounds(&self, id: &str) -> Sql {
        let mut sql = Sql::default();
        if !self.tail.is_empty() {
            sql.push(format!(" AND {id} NOT IN ({})", id_list(&self.tail)));
        }
        if let Some((from, to)) = self.hull {
            sql.push(format!(" AND {id} BETWEEN {from} AND {to}"));
        }
        sql
    }
}

impl Plan<'_> {
    /// Takes over what was read about the read models.
    pub(super) fn take(&mut self, state: &State) {
        const BLOCK: i64 = sqlite::queries::BLOCK;
        self.tail.clone_from(&state.tail);
        if self.span().is_some() {
            // An empty span where no block matches.
            let (first, last) = state.blocks.unwrap_or((1, 0));
            self.hull = Some((first * BLOCK, (last + 1) * BLOCK - 1));
        }
    }

    /// Whether any user outside the tail can match.
    pub(super) fn covers_models(&self) -> bool {
        self.hull.is_none_or(|(first, last)| first <= last)
    }

    /// The gap that users may have who are not in the list's own index.
    pub(super) fn lacking(&self) -> Option<&'static str> {
        match self.order {
            // Whoever signed in before an instant has signed in.
            UserOrder::LastSignIn if self.filter.last_sign_in_before.is_none() => Some("sign_in"),
            UserOrder::Email => Some("email"),
            _ => None,
        }
    }

    /// Whether a walk along the stream can be cut off. PostgreSQL's index of texts has no order to cut.
    pub(super) fn has_budget(&self, stream: &Stream) -> bool {
        !(matches!(stream, Stream::Needle(_)) && self.backend == Backend::Postgres)
    }

    /// The id at the end of the budget, counted from the newest.
    pub(super) fn newest_floor(&self, stream: &Stream) -> Sql {
        let (source, id) = self.source(stream);
        Sql::new(format!("(SELECT {id} FROM "))
            .joined(&source)
            .joined(&self.bounds(id))
            .with(format!(
                " ORDER BY {id} DESC LIMIT 1 OFFSET {})",
                self.limits.budget
            ))
    }

    /// Whether the filter contradicts itself.
    pub(super) fn is_impossible(&self) -> bool {
        let filter = self.filter;
        let needs_account = !filter.providers.is_empty() || filter.access_token_expired;
        let has_none = filter.social_accounts == Some(SocialAccounts::None);
        let is_empty_span = self.span().is_some_and(|(from, before)| from >= before);
        (needs_account && has_none) || is_empty_span
    }
}

/// `LIKE` without its wild cards.
fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}
