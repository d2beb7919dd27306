//! Where candidates come from: the streams of ids that indexes give, and the list's own index.

use crate::domain::paging::{Direction, OrderKey, Position};
use crate::storage::pg;
use crate::storage::sql::Sql;

use super::UserOrder;
use super::keys::{BY_ID, Keys, keys};
use super::plan::Plan;

/// Users that an index knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stream {
    Everyone,
    Inactive,
    WithoutAccount,
    WithSeveral,
    Providers(Vec<String>),
    Expired,
    Needle(String),
    SignedInBefore,
    /// Those who lack what the list is ordered by.
    Lacking(&'static str),
}

/// From where candidates are taken, and which way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way<'p> {
    pub(super) from: Option<&'p Position>,
    pub(super) direction: Direction,
    pub(super) is_backwards: bool,
}

impl Way<'_> {
    /// From the newest on.
    pub(super) const NEWEST: Self = Self {
        from: None,
        direction: Direction::Descending,
        is_backwards: false,
    };

    pub(super) fn order(&self, keys: Keys) -> String {
        keys.order(self.direction, self.is_backwards)
    }

    /// The condition for what is still to come.
    pub(super) fn behind(&self, keys: Keys) -> Sql {
        self.from.map_or_else(Sql::default, |from| {
            keys.behind(from, self.direction, self.is_backwards)
        })
    }
}

impl Plan<'_> {
    /// Whether ids can be taken from the stream in their order without all of them being looked at. PostgreSQL's index of texts
    /// has no order; what its planner then does for the text alone is good, but it cannot foresee what else a filter leaves over.
    pub(super) fn is_in_order(&self, stream: &Stream) -> bool {
        match stream {
            Stream::SignedInBefore => false,
            Stream::Needle(_) => self.is_sqlite() || !self.asks_more_than(stream),
            // Of each as many as may be needed have to be merged.
            Stream::Providers(ids) => ids.len() <= 3 || !self.asks_more_than(stream),
            _ => true,
        }
    }

    /// `SELECT user_id` of the next `count` users of a stream, each once and in the order of their ids.
    pub(super) fn next_of(&self, stream: &Stream, way: &Way<'_>, count: i64) -> Sql {
        let is_repeating = matches!(stream, Stream::Providers(_) | Stream::Expired);
        let each_once = if is_repeating { "DISTINCT " } else { "" };
        let mut parts = self.sources(stream).into_iter().map(|(source, id)| {
            Sql::new(format!("SELECT {each_once}{id} AS user_id FROM "))
                .joined(&source)
                .joined(&self.bounds(id))
                .joined(&way.behind(BY_ID(id)))
                .with(format!("{} LIMIT {count}", way.order(BY_ID(id))))
        });
        let first = parts.next().unwrap_or_default();
        let others: Vec<Sql> = parts.collect();
        if others.is_empty() {
            return first;
        }
        // Of each as many as may be needed: the first `count` of all are among them.
        let mut merged = Sql::new("SELECT user_id FROM (SELECT * FROM (").joined(&first);
        for other in &others {
            merged.push(") AS part UNION SELECT * FROM (").append(other);
        }
        merged.with(format!(
            ") AS part) AS merged{} LIMIT {count}",
            way.order(BY_ID("user_id"))
        ))
    }

    /// `SELECT user_id` of the next `count` users of the list: of its own index, and behind these of those who are not in it because they
    /// lack what it is ordered by.
    pub(super) fn next_of_list(&self, way: &Way<'_>, count: i64) -> Sql {
        let (table, keys) = self.own_index();
        let of_index = |way: &Way<'_>| {
            Sql::new(format!("SELECT {} AS user_id FROM {table}", keys.id))
                .joined(&self.bounds(keys.id))
                .joined(&way.behind(keys))
                .with(format!("{} LIMIT {count}", way.order(keys)))
        };
        let Some(gap) = self.lacking() else {
            return of_index(way);
        };
        let of_lacking = |way: &Way<'_>| self.next_of(&Stream::Lacking(gap), way, count);
        let from_its_end = Way { from: None, ..*way };
        let is_among_lacking = way.from.is_some_and(|from| from.key == OrderKey::Missing);
        let (near, far) = match (way.is_backwards, is_among_lacking) {
            (false, false) => (of_index(way), of_lacking(&from_its_end)),
            (true, true) => (of_lacking(way), of_index(&from_its_end)),
            (false, true) => return of_lacking(way),
            (true, false) => return of_index(way),
        };
        Sql::new("SELECT user_id FROM (SELECT * FROM (")
            .joined(&near)
            .with(") AS near UNION ALL SELECT * FROM (")
            .joined(&far)
            .with(format!(") AS far) AS both_parts LIMIT {count}"))
    }

    /// `FROM ... WHERE` of the list's own index, and what it is ordered by.
    fn own_index(&self) -> (String, Keys) {
        let index = |name| self.through(name);
        let (table, id) = match self.order {
            UserOrder::SignedUp | UserOrder::Username => ("users AS u WHERE TRUE".into(), "u.id"),
            UserOrder::LastSignIn => {
                let index = index("last_sign_ins_at_user_id");
                (format!("last_sign_ins AS l{index} WHERE TRUE"), "l.user_id")
            }
            UserOrder::Email => {
                let index = index("users_email_folded");
                let text = format!("users AS u{index} WHERE u.email_folded IS NOT NULL");
                (text, "u.id")
            }
        };
        let keys = Keys {
            id,
            may_lack: false,
            ..keys(self.order)
        };
        (table, keys)
    }

    /// Up to how many users of a stream are few. PostgreSQL finds texts in rows all over their table.
    pub(super) fn few_of(&self, stream: &Stream) -> i64 {
        match stream {
            Stream::Needle(_) if !self.is_sqlite() => self.budget().min(self.limits.few),
            _ => self.limits.few,
        }
    }

    /// How many rows a stream has, up to one more than few.
    pub(super) fn estimate(&self, stream: &Stream) -> Sql {
        let mut sql = Sql::new("(SELECT count(*) FROM (");
        for (index, (source, _)) in self.sources(stream).iter().enumerate() {
            let and = if index > 0 { " UNION ALL " } else { "" };
            sql.push(format!("{and}SELECT 1 AS one FROM "))
                .append(source);
        }
        sql.with(format!(" LIMIT {}) AS few)", self.few_of(stream) + 1))
    }

    /// `SELECT user_id` of some `count` users of a stream that has one part.
    pub(super) fn any_of(&self, stream: &Stream, count: i64) -> Sql {
        let (source, id) = self.source(stream);
        Sql::new(format!("SELECT {id} AS user_id FROM "))
            .joined(&source)
            .joined(&self.bounds(id))
            .with(format!(" LIMIT {count}"))
    }

    /// `FROM ... WHERE` of each part of a stream, with the name of its id column.
    fn sources(&self, stream: &Stream) -> Vec<(Sql, &'static str)> {
        if let Stream::Providers(ids) = stream {
            let of_one = |id: &String| {
                Sql::new("social_auth_index AS d WHERE d.provider = ").and(id.as_str())
            };
            return ids.iter().map(|id| (of_one(id), "d.user_id")).collect();
        }
        vec![self.source(stream)]
    }

    fn source(&self, stream: &Stream) -> (Sql, &'static str) {
        let before = self.filter.last_sign_in_before.unwrap_or_default();
        match stream {
            Stream::Everyone | Stream::Providers(_) => (Sql::new("users AS u WHERE TRUE"), "u.id"),
            Stream::Inactive => self.partial("users_inactive", "NOT u.is_active"),
            Stream::WithoutAccount => {
                self.partial("users_without_social_account", "u.social_accounts = 0")
            }
            Stream::WithSeveral => self.partial(
                "users_with_several_social_accounts",
                "u.social_accounts >= 2",
            ),
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
                let mut sql = Sql::new("user_search AS d WHERE d.text LIKE ");
                sql.bind(pg::pattern(needle).as_str());
                if !needle.is_ascii() {
                    // The pattern of such a text lets more through.
                    sql.push(" AND strpos(d.text, ")
                        .bind(pg::searchable(needle).as_str())
                        .push(") > 0");
                }
                (sql, "d.user_id")
            }
            Stream::SignedInBefore => {
                let sql = Sql::new("last_sign_ins AS d WHERE d.at < ").and(before);
                (sql, "d.user_id")
            }
            Stream::Lacking(gap) => {
                let sql = Sql::new("user_gaps AS d WHERE d.gap = ").and(*gap);
                (sql, "d.user_id")
            }
        }
    }

    fn partial(&self, index: &str, condition: &str) -> (Sql, &'static str) {
        let index = self.through(index);
        let text = format!("users AS u{index} WHERE {condition}");
        (Sql::new(text), "u.id")
    }

    /// On SQLite the index by name: without statistics it would take the table itself.
    pub(super) fn through(&self, index: &str) -> String {
        if self.is_sqlite() {
            format!(" INDEXED BY {index}")
        } else {
            String::new()
        }
    }
}
