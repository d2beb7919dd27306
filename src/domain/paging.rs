//! Pages of lists: how many rows, in which order, and from where on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// How many rows a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PageSize {
    /// 25 rows.
    Small,
    /// 50 rows.
    #[default]
    Medium,
    /// 100 rows.
    Large,
}

impl PageSize {
    /// Every size.
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// The number of rows.
    #[must_use]
    pub const fn rows(self) -> u16 {
        match self {
            Self::Small => 25,
            Self::Medium => 50,
            Self::Large => 100,
        }
    }

    /// The size with this number of rows.
    #[must_use]
    pub fn of(rows: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.rows() == rows)
    }
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The smallest, first or earliest first.
    Ascending,
    /// The largest, last or latest first.
    Descending,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// What a row is ordered by, its id apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderKey {
    /// Nothing but the id.
    #[serde(rename = "i")]
    Id,
    /// An instant, in microseconds of Unix time.
    #[serde(rename = "t")]
    Time(i64),
    /// A text, compared byte by byte.
    #[serde(rename = "x")]
    Text(String),
    /// It has no value: such rows come last.
    #[serde(rename = "n")]
    Missing,
}

/// A place in a list: the row that the page begins after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What the row is ordered by.
    pub key: OrderKey,
    /// The row; decides among equals.
    pub id: i64,
}

/// A [`Position`] as an address carries it: opaque, and good for one list in one order with one filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Where the page begins.
    pub position: Position,
    /// Whether the page is the one before the position.
    pub is_backwards: bool,
    /// How many rows the first page said there are.
    pub count: Option<Count>,
}

/// How many rows match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Count {
    /// So many.
    #[serde(rename = "e")]
    Exactly(u32),
    /// More than so many were not counted.
    #[serde(rename = "m")]
    MoreThan(u32),
}

/// The cursor is of another list, order or filter, or was not made by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor does not belong to this list")]
pub struct ForeignCursor;

#[derive(Serialize, Deserialize)]
struct Wire(u32, Position, bool, Option<Count>);

impl Cursor {
    /// The text for an address. `list` describes list, order and filter.
    #[must_use]
    pub fn encode(&self, list: &str) -> String {
        let wire = Wire(
            fingerprint(list),
            self.position.clone(),
            self.is_backwards,
            self.count,
        );
        serde_json::to_vec(&wire)
            .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
            .unwrap_or_default()
    }

    /// Reads the text of an address of the same `list`.
    ///
    /// # Errors
    /// [`ForeignCursor`] for anything else.
    pub fn decode(text: &str, list: &str) -> Result<Self, ForeignCursor> {
        let wire = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Wire>(&bytes).ok());
        match wire {
            Some(Wire(made_for, position, is_backwards, count))
                if made_for == fingerprint(list) && is_storable(&position.key) =>
            {
                Ok(Self {
                    position,
                    is_backwards,
                    count,
                })
            }
            _ => Err(ForeignCursor),
        }
    }
}

/// PostgreSQL has no text with a zero in it.
fn is_storable(key: &OrderKey) -> bool {
    !matches!(key, OrderKey::Text(text) if text.contains('\0'))
}

/// FNV-1a: tells mistakes, not forgeries. Whoever forges a cursor gets a page that they may see anyway.
fn fingerprint(list: &str) -> u32 {
    list.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// Where the page before begins, if there is one.
    pub back: Option<Position>,
    /// Where the page after begins, if there is one.
    pub next: Option<Position>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_position() -> impl Strategy<Value = Position> {
        let key = prop_oneof![
            Just(OrderKey::Id),
            Just(OrderKey::Missing),
            any::<i64>().prop_map(OrderKey::Time),
            "[^\0]{0,40}".prop_map(OrderKey::Text),
        ];
        (key, any::<i64>()).prop_map(|(key, id)| Position { key, id })
    }

    fn any_count() -> impl Strategy<Value = Option<Count>> {
        prop_oneof![
            Just(None),
            any::<u32>().prop_map(|count| Some(Count::Exactly(count))),
            any::<u32>().prop_map(|count| Some(Count::MoreThan(count))),
        ]
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_back_and_fits_no_other_list(
            position in any_position(),
            is_backwards in any::<bool>(),
            count in any_count(),
            list in "[a-z=&]{0,30}",
            other in "[a-z=&]{0,30}",
        ) {
            let cursor = Cursor { position, is_backwards, count };

            let text = cursor.encode(&list);

            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(Cursor::decode(&text, &list), Ok(cursor));
            if fingerprint(&other) != fingerprint(&list) {
                prop_assert_eq!(Cursor::decode(&text, &other), Err(ForeignCursor));
            }
        }

        #[test]
        fn any_text_that_is_no_cursor_is_refused_quietly(text in ".{0,80}") {
            prop_assert_eq!(Cursor::decode(&text, "users"), Err(ForeignCursor));
        }
    }

    #[test]
    fn a_page_has_25_50_or_100_rows() {
        assert_eq!(PageSize::of(25), Some(PageSize::Small));
        assert_eq!(PageSize::of(26), None);
        assert_eq!(PageSize::default().rows(), 50);
    }
}
