//! Where candidates come from, and what they have to fulfil.

use super::plan::Plan;
use crate::storage::sql::{Sql, id_list};
use crate::storage::user_lists::SocialAccounts;

/// The tables in the aliases that conditions use, behind what leads to `s`.
pub(super) const USERS_OF_ACCOUNTS: &str =
    " users AS u ON u.id = s.user_id LEFT JOIN last_sign_ins AS l ON l.user_id = u.id WHERE ";

/// What leads to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    Everything,
    Providers,
    Expired,
    /// The accounts of users, who have to be few.
    Inactive,
    WithSeveral,
    SignedInBefore,
}

impl Lead {
    /// Whether its accounts can be taken in the order of their ids without all of them being looked at.
    pub(super) const fn is_in_order(self) -> bool {
        matches!(self, Self::Everything | Self::Providers | Self::Expired)
    }
}

impl Plan<'_> {
    /// The next `count` social accounts of what leads, in the order of their ids: `SELECT social_auth_id, user_id`, and `provider` if a
    /// filter needs it.
    pub(super) fn next_of(&self, lead: Lead, count: i64) -> Sql {
        let mut parts = self.sources(lead).into_iter().map(|(source, id)| {
            let (table, _) = id.split_once('.').unwrap_or_default();
            let provider = if self.filter.providers.is_empty() {
                String::new()
            } else {
                format!(", {table}.provider AS provider")
            };
            Sql::new(format!(
                "SELECT {id} AS social_auth_id, {table}.user_id AS user_id{provider} FROM "
            ))
            .joined(&source)
            .joined(&self.bounds(id))
            .joined(&self.behind(id))
            .with(format!("{} LIMIT {count}", self.order(id)))
        });
        let first = parts.next().unwrap_or_default();
        let others: Vec<Sql> = parts.collect();
        if others.is_empty() {
            return first;
        }
        // Of each as many as may be needed: the first `count` of all are among them.
        let mut merged = Sql::new("SELECT * FROM (SELECT * FROM (").joined(&first);
        for other in &others {
            merged
                .push(") AS part UNION ALL SELECT * FROM (")
                .append(other);
        }
        merged.with(format!(
            ") AS part) AS merged{} LIMIT {count}",
            self.order("social_auth_id")
        ))
    }

    /// How many rows what leads has, up to a few more than few. Of users, how many these are.
    pub(super) fn estimate(&self, lead: Lead) -> Sql {
        let users = self.users(lead).map(|users| vec![users]);
        let sources = users.unwrap_or_else(|| {
            let sources = self.sources(lead).into_iter();
            sources.map(|(source, _)| source).collect()
        });
        let mut sql = Sql::new("CAST(0 AS BIGINT)");
        for source in sources {
            sql.push(" + (SELECT count(*) FROM (SELECT 1 AS one FROM ")
                .append(&source)
                .push(format!(" LIMIT {}) AS few)", self.limits.few + 1));
        }
        sql
    }

    /// `FROM ... WHERE` of each part of what leads, with its id column.
    fn sources(&self, lead: Lead) -> Vec<(Sql, &'static str)> {
        let id = "d.social_auth_id";
        match lead {
            // Complete at every instant.
            Lead::Everything if self.filter.is_empty() => {
                vec![(Sql::new("social_auth AS s WHERE TRUE"), "s.id")]
            }
            Lead::Everything => vec![(Sql::new("social_auth_index AS d WHERE TRUE"), id)],
            Lead::Providers => {
                let index = self.through("social_auth_index_provider");
                let text = format!("social_auth_index AS d{index} WHERE d.provider = ");
                self.providers()
                    .map(|provider| (Sql::new(text.clone()).and(provider), id))
                    .collect()
            }
            Lead::Expired => {
                let index = self.through("social_auth_index_expired_id");
                let text = format!("social_auth_index AS d{index} WHERE d.is_expired");
                vec![(Sql::new(text), id)]
            }
            Lead::Inactive | Lead::WithSeveral | Lead::SignedInBefore => {
                let (join, index) = (self.join(), self.through("social_auth_index_of_user"));
                // More than was estimated may be there by now.
                let most = self.limits.few * 2;
                let sql = Sql::new("(SELECT f.user_id FROM ")
                    .joined(&self.users(lead).unwrap_or_default())
                    .with(format!(
                        " LIMIT {most}) AS few {join} social_auth_index AS d{index} ON d.user_id = few.user_id WHERE TRUE"
                    ));
                vec![(sql, id)]
            }
        }
    }

    /// `FROM ... WHERE` of the users whose accounts lead.
    fn users(&self, lead: Lead) -> Option<Sql> {
        let users = |index, condition| {
            let index = self.through(index);
            let text = format!(
                "(SELECT id AS user_id FROM users{index} WHERE {condition}) AS f WHERE TRUE"
            );
            Some(Sql::new(text))
        };
        match lead {
            Lead::Inactive => users("users_inactive", "NOT is_active"),
            Lead::WithSeveral => {
                users("users_with_several_social_accounts", "social_accounts >= 2")
            }
            Lead::SignedInBefore => {
                let before = self.filter.last_sign_in_before.unwrap_or_default();
                Some(Sql::new("last_sign_ins AS f WHERE f.at < ").and(before))
            }
            Lead::Everything | Lead::Providers | Lead::Expired => None,
        }
    }

    /// The first `wanted` of candidates that match, each looked at in its turn: SELECT of these columns of the account (`s`), its user
    /// (`u`) and the user's latest sign-in (`l`). Why like this: see `user_lists::conditions`.
    pub(super) fn first_of(&self, candidates: &Sql, lead: Lead, columns: &str, wanted: i64) -> Sql {
        if self.is_sqlite() {
            return Sql::new(format!("SELECT {columns} FROM ("))
                .joined(candidates)
                .with(format!(
                    ") AS g CROSS JOIN social_auth AS s ON s.id = g.social_auth_id CROSS JOIN{USERS_OF_ACCOUNTS}TRUE"
                ))
                .joined(&self.hints(lead))
                .joined(&self.conditions())
                .with(format!(" LIMIT {wanted}"));
        }
        Sql::new("SELECT m.* FROM (")
            .joined(candidates)
            .with(format!(
                ") AS g CROSS JOIN LATERAL (SELECT {columns} FROM social_auth AS s JOIN{USERS_OF_ACCOUNTS}s.id = g.social_auth_id"
            ))
            .joined(&self.hints(lead))
            .joined(&self.conditions())
            .with(format!(" OFFSET 0) AS m LIMIT {wanted}"))
    }

    /// What narrow indexes can rule out before the wide rows of tables are looked at.
    fn hints(&self, lead: Lead) -> Sql {
        let filter = self.filter;
        let mut sql = Sql::default();
        if !filter.providers.is_empty() && lead != Lead::Providers {
            sql.push(" AND g.provider IN (")
                .bind_all(self.providers())
                .push(")");
        }
        if filter.is_active == Some(false) && lead != Lead::Inactive {
            let index = self.through("users_inactive");
            sql.push(format!(" AND EXISTS (SELECT 1 FROM users AS h{index} WHERE NOT h.is_active AND h.id = g.user_id)"));
        }
        if filter.social_accounts == Some(SocialAccounts::Several) && lead != Lead::WithSeveral {
            let index = self.through("users_with_several_social_accounts");
            sql.push(format!(" AND EXISTS (SELECT 1 FROM users AS h{index} WHERE h.social_accounts >= 2 AND h.id = g.user_id)"));
        }
        if filter.access_token_expired && lead != Lead::Expired {
            let index = self.through("social_auth_index_expired_id");
            sql.push(format!(" AND EXISTS (SELECT 1 FROM social_auth_index AS h{index} WHERE h.is_expired AND h.social_auth_id = g.social_auth_id)"));
        }
        sql
    }

    /// The filter as the tables have it.
    pub(super) fn conditions(&self) -> Sql {
        let filter = self.filter;
        let mut sql = Sql::default();
        if !filter.providers.is_empty() {
            sql.push(" AND s.provider IN (")
                .bind_all(self.providers())
                .push(")");
        }
        if let Some(from) = filter.associated_from {
            sql.push(" AND s.created_at >= ").bind(from);
        }
        if let Some(before) = filter.associated_before {
            sql.push(" AND s.created_at < ").bind(before);
        }
        sql.push(match filter.is_active {
            Some(true) => " AND u.is_active",
            Some(false) => " AND NOT u.is_active",
            None => "",
        });
        sql.push(match filter.social_accounts {
            Some(SocialAccounts::One) => " AND u.social_accounts = 1",
            Some(SocialAccounts::Several) => " AND u.social_accounts >= 2",
            Some(SocialAccounts::None) | None => "",
        });
        if let Some(before) = filter.last_sign_in_before {
            sql.push(" AND l.at < ").bind(before);
        }
        if filter.access_token_expired {
            sql.push(" AND s.extra_data ->> 'expires_at' <= ")
                .bind(self.now.as_str());
        }
        sql
    }

    /// Leaves out the tail, and what is outside the hull.
    fn bounds(&self, id: &str) -> Sql {
        let mut sql = Sql::default();
        if !self.tail.is_empty() {
            sql.push(format!(" AND {id} NOT IN ({})", id_list(&self.tail)));
        }
        if let Some((from, to)) = self.hull {
            sql.push(format!(" AND {id} BETWEEN {from} AND {to}"));
        }
        sql
    }

    /// The condition for what is still to come.
    fn behind(&self, id: &str) -> Sql {
        let sign = if self.is_downwards { "<" } else { ">" };
        self.from.map_or_else(Sql::default, |from| {
            Sql::new(format!(" AND {id} {sign} ")).and(from.id)
        })
    }

    pub(super) fn order(&self, id: &str) -> String {
        let way = if self.is_downwards { "DESC" } else { "ASC" };
        format!(" ORDER BY {id} {way}")
    }

    /// SQLite joins in this order, and PostgreSQL as it likes.
    fn join(&self) -> &'static str {
        if self.is_sqlite() {
            "CROSS JOIN"
        } else {
            "JOIN"
        }
    }

    /// On SQLite the index by name: without statistics it would take the table itself.
    fn through(&self, index: &str) -> String {
        if self.is_sqlite() {
            format!(" INDEXED BY {index}")
        } else {
            String::new()
        }
    }
}
