//! What candidates have to fulfil.

use crate::domain::ProviderId;
use crate::storage::pg;
use crate::storage::sql::{Sql, id_list};

use super::SocialAccounts;
use super::plan::Plan;
use super::sources::Stream;

impl Plan<'_> {
    /// The first `wanted` of candidates that match, each looked at in its turn: SELECT of these columns of the user (`u`) and the latest
    /// sign-in (`l`). They come in the order of the candidates without being sorted, which would first need all of them: SQLite joins
    /// from left to right as it is told to, and PostgreSQL can join what depends on a row in one way only. Who reads them sorts them
    /// all the same.
    pub(super) fn first_of(
        &self,
        candidates: &Sql,
        led_by: Option<&Stream>,
        columns: &str,
        wanted: i64,
    ) -> Sql {
        if self.is_sqlite() {
            return Sql::new(format!("SELECT {columns} FROM "))
                .joined(&self.matching(candidates, led_by))
                .with(format!(" LIMIT {wanted}"));
        }
        Sql::new("SELECT m.* FROM (")
            .joined(candidates)
            .with(format!(
                ") AS g CROSS JOIN LATERAL (SELECT {columns} FROM users AS u LEFT JOIN last_sign_ins AS l ON l.user_id = u.id WHERE u.id = g.user_id"
            ))
            .joined(&self.hints(led_by))
            .joined(&self.conditions())
            .with(format!(" OFFSET 0) AS m LIMIT {wanted}"))
    }

    /// `FROM ... WHERE` of all candidates (`g`) that match, with their users (`u`) and latest sign-ins (`l`), in no order.
    pub(super) fn matching(&self, candidates: &Sql, led_by: Option<&Stream>) -> Sql {
        Sql::new("(")
            .joined(candidates)
            .with(format!(
                ") AS g {} users AS u ON u.id = g.user_id LEFT JOIN last_sign_ins AS l ON l.user_id = u.id WHERE TRUE",
                self.join()
            ))
            .joined(&self.hints(led_by))
            .joined(&self.conditions())
    }

    /// SQLite joins in this order, and PostgreSQL as it likes.
    pub(super) fn join(&self) -> &'static str {
        if self.is_sqlite() {
            "CROSS JOIN"
        } else {
            "JOIN"
        }
    }

    /// What narrow indexes and read models can rule out before the wide rows of tables are looked at. `led_by` is known to hold.
    fn hints(&self, led_by: Option<&Stream>) -> Sql {
        let mut sql = Sql::default();
        for stream in self.streams() {
            if led_by != Some(&stream) {
                sql.append(&self.hint(&stream));
            }
        }
        sql
    }

    fn hint(&self, stream: &Stream) -> Sql {
        let of_users = |index, condition| {
            let index = self.through(index);
            let text = format!(
                " AND EXISTS (SELECT 1 FROM users AS h{index} WHERE {condition} AND h.id = g.user_id)"
            );
            Sql::new(text)
        };
        match stream {
            Stream::Inactive => of_users("users_inactive", "NOT h.is_active"),
            Stream::WithoutAccount => {
                of_users("users_without_social_account", "h.social_accounts = 0")
            }
            Stream::WithSeveral => of_users(
                "users_with_several_social_accounts",
                "h.social_accounts >= 2",
            ),
            Stream::Providers(ids) => {
                let index = self.through("social_auth_index_user_id");
                let mut sql = Sql::new(format!(
                    " AND EXISTS (SELECT 1 FROM social_auth_index AS h{index} WHERE h.user_id = g.user_id AND h.provider IN ("
                ));
                sql.bind_all(ids.iter().map(String::as_str)).push("))");
                sql
            }
            Stream::Expired => {
                let index = self.through("social_auth_index_expired");
                Sql::new(format!(
                    " AND EXISTS (SELECT 1 FROM social_auth_index AS h{index} WHERE h.is_expired AND h.user_id = g.user_id)"
                ))
            }
            Stream::Needle(needle) => {
                let text =
                    " AND EXISTS (SELECT 1 FROM user_search AS h WHERE h.user_id = g.user_id AND ";
                let (position, needle) = if self.is_sqlite() {
                    ("instr", needle.clone())
                } else {
                    ("strpos", pg::searchable(needle))
                };
                Sql::new(format!("{text}{position}(h.text, "))
                    .and(needle.as_str())
                    .with(") > 0)")
            }
            Stream::Everyone | Stream::SignedInBefore | Stream::Lacking(_) => Sql::default(),
        }
    }

    /// The filter as the tables have it; all but what is searched for, which stands in no table as it is searched.
    pub(super) fn conditions(&self) -> Sql {
        let filter = self.filter;
        let mut sql = Sql::default();
        if let Some(from) = filter.joined_from {
            sql.push(" AND u.date_joined >= ").bind(from);
        }
        if let Some(before) = filter.joined_before {
            sql.push(" AND u.date_joined < ").bind(before);
        }
        sql.push(match filter.is_active {
            Some(true) => " AND u.is_active",
            Some(false) => " AND NOT u.is_active",
            None => "",
        });
        sql.push(match filter.social_accounts {
            Some(SocialAccounts::None) => " AND u.social_accounts = 0",
            Some(SocialAccounts::One) => " AND u.social_accounts = 1",
            Some(SocialAccounts::Several) => " AND u.social_accounts >= 2",
            None => "",
        });
        if let Some(before) = filter.last_sign_in_before {
            sql.push(" AND l.at < ").bind(before);
        }
        if !filter.providers.is_empty() {
            sql.push(" AND EXISTS (SELECT 1 FROM social_auth AS s WHERE s.user_id = u.id AND s.provider IN (")
                .bind_all(filter.providers.iter().map(ProviderId::as_str))
                .push("))");
        }
        if filter.access_token_expired {
            sql.push(" AND EXISTS (SELECT 1 FROM social_auth AS s WHERE s.user_id = u.id AND s.extra_data ->> 'expires_at' <= ")
                .bind(self.now.as_str())
                .push(")");
        }
        sql
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
