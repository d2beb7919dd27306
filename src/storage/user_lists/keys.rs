//! Order and place in a list, as SQL.

use chrono::DateTime;

use super::UserOrder;
use crate::domain::paging::{Direction, OrderKey, Position};
use crate::storage::sql::Sql;

/// What rows are ordered by, as columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    /// Before the id; empty if there is nothing but the id.
    pub(super) column: &'static str,
    pub(super) id: &'static str,
    /// Whether the column may be missing, in which case the row comes last.
    pub(super) may_lack: bool,
}

impl Keys {
    /// `ORDER BY`.
    pub(super) fn order(self, direction: Direction, is_backwards: bool) -> String {
        let direction = if is_backwards {
            direction.reversed()
        } else {
            direction
        };
        let way = match direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        let Self {
            column,
            id,
            may_lack,
        } = self;
        // Missing ones come last in both directions, and first when the list is read backwards.
        let lacking_way = if is_backwards { "DESC" } else { "ASC" };
        let lacking = if may_lack {
            format!("({column} IS NULL) {lacking_way}, ")
        } else {
            String::new()
        };
        if column.is_empty() {
            format!(" ORDER BY {id} {way}")
        } else {
            format!(" ORDER BY {lacking}{column} {way}, {id} {way}")
        }
    }

    /// The condition for rows behind `position` in the direction of reading.
    pub(super) fn behind(
        self,
        position: &Position,
        direction: Direction,
        is_backwards: bool,
    ) -> Sql {
        let reading = if is_backwards {
            direction.reversed()
        } else {
            direction
        };
        let sign = match reading {
            Direction::Ascending => ">",
            Direction::Descending => "<",
        };
        let Self {
            column,
            id,
            may_lack,
        } = self;
        let row = |key: Sql| {
            let mut sql = Sql::new(format!("({column}, {id}) {sign} ("));
            sql.append(&key).push(", ").bind(position.id).push(")");
            sql
        };
        let known = match &position.key {
            OrderKey::Time(micros) => {
                let at = DateTime::from_timestamp_micros(*micros).unwrap_or_default();
                Some(row(Sql::default().and(at)))
            }
            OrderKey::Text(text) => Some(row(Sql::default().and(text.as_str()))),
            OrderKey::Id | OrderKey::Missing => None,
        };
        match known {
            // Forwards the missing ones are still to come.
            Some(known) if may_lack && !is_backwards => Sql::new(" AND (")
                .joined(&known)
                .with(format!(" OR {column} IS NULL)")),
            Some(known) => Sql::new(" AND ").joined(&known),
            None if may_lack && is_backwards => {
                Sql::new(format!(" AND ({column} IS NOT NULL OR {id} {sign} "))
                    .and(position.id)
                    .with(")")
            }
            None if may_lack => {
                Sql::new(format!(" AND {column} IS NULL AND {id} {sign} ")).and(position.id)
            }
            None => Sql::new(format!(" AND {id} {sign} ")).and(position.id),
        }
    }
}

/// The order of ids, by the name of their column.
pub(super) const BY_ID: fn(&'static str) -> Keys = |id| Keys {
    column: "",
    id,
    may_lack: false,
};

/// The order of a list, in the aliases that lists use.
pub(super) fn keys(order: UserOrder) -> Keys {
    let (column, may_lack) = match order {
        UserOrder::SignedUp => ("", false),
        UserOrder::LastSignIn => ("l.at", true),
        UserOrder::Username => ("u.username_folded", false),
        UserOrder::Email => ("u.email_folded", true),
    };
    Keys {
        column,
        id: "u.id",
        may_lack,
    }
}
