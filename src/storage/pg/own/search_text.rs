//! The searchable text of a user: here a table with a GIN index of its trigrams, which PostgreSQL keeps by itself.
//!
//! Which characters make trigrams depends on the database's locale: in `C` only those of ASCII do, and a search in another script would
//! read the whole table. So every other character is kept as five of ASCII.

use diesel::prelude::*;

use super::super::Conn;
use super::super::schema::user_search;
use crate::storage::StorageError;

/// Rows of one statement.
const ROWS: usize = 1000;

/// A text, or a piece of one, as the table has it: a character beyond ASCII is five capitals, of which lower case has none. The first
/// is one of A to F and the others are not, so that one text has another in it exactly if it had before.
pub(in crate::storage) fn searchable(text: &str) -> String {
    const LETTERS: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const BASE: u32 = 20;
    // Beyond are private characters alone, which count as one.
    const LAST: u32 = 6 * BASE.pow(4) - 1;
    let letter = |index: u32| {
        let index = usize::try_from(index).unwrap_or_default();
        char::from(LETTERS.get(index).copied().unwrap_or(b'Z'))
    };
    let mut out = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
            continue;
        }
        let number = u32::from(character).min(LAST);
        out.push(letter(number / BASE.pow(4)));
        out.extend(
            (0..4)
                .rev()
                .map(|place| letter(6 + number / BASE.pow(place) % BASE)),
        );
    }
    out
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    user_id: i64,
    text: &str,
) -> Result<(), StorageError> {
    diesel::insert_into(user_search::table)
        .values((user_search::user_id.eq(user_id), user_search::text.eq(text)))
        .execute(conn)?;
    Ok(())
}

/// In few statements: each costs a round trip.
pub(in crate::storage) fn insert_all(
    conn: &mut Conn,
    texts: &[(i64, String)],
) -> Result<(), StorageError> {
    for some in texts.chunks(ROWS) {
        let rows: Vec<_> = some
            .iter()
            .map(|(user_id, text)| (user_search::user_id.eq(user_id), user_search::text.eq(text)))
            .collect();
        diesel::insert_into(user_search::table)
            .values(rows)
            .execute(conn)?;
    }
    Ok(())
}

pub(in crate::storage) fn replace(
    conn: &mut Conn,
    user_id: i64,
    _old: &str,
    text: &str,
) -> Result<(), StorageError> {
    diesel::update(user_search::table.find(user_id))
        .set(user_search::text.eq(text))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn delete(
    conn: &mut Conn,
    user_id: i64,
    _old: &str,
) -> Result<(), StorageError> {
    diesel::delete(user_search::table.find(user_id)).execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::searchable;

    #[test]
    fn one_text_has_another_in_it_exactly_if_it_had_before() {
        let texts = [
            "ольга соколова",
            "zoë",
            "秀英 wang",
            "ada1lovelace",
            "1о",
            "о1",
            "a\u{e0100}b",
        ];
        for text in texts {
            let kept = searchable(text);
            assert!(kept.is_ascii(), "{kept}");
            let pieces = "ольга|а с|ё|ë|英|秀|英 w|ada|1|о|0|g|a|\u{e0100}|x";
            for piece in pieces.split('|') {
                assert_eq!(
                    kept.contains(&searchable(piece)),
                    text.contains(piece),
                    "{piece} in {text}"
                );
            }
        }
    }
}
