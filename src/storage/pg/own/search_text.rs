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

/// Letters of a character beyond ASCII.
const LETTERS: usize = 5;

/// A text, or a piece of one, as the table has it: a character beyond ASCII is five capitals, of which lower case has none. The first
/// is one of A to F and the others are not, so that one text has another in it exactly if it had before.
pub(in crate::storage) fn searchable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            out.extend(letters(character));
        }
    }
    out
}

fn letters(character: char) -> [char; LETTERS] {
    const CAPITALS: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const BASE: u32 = 20;
    // Beyond are private characters alone, which count as one.
    const LAST: u32 = 6 * BASE.pow(4) - 1;
    let capital = |index: u32| {
        let index = usize::try_from(index).unwrap_or_default();
        char::from(CAPITALS.get(index).copied().unwrap_or(b'Z'))
    };
    let number = u32::from(character).min(LAST);
    let place = |power: u32| capital(6 + number / BASE.pow(power) % BASE);
    [
        capital(number / BASE.pow(4)),
        place(3),
        place(2),
        place(1),
        place(0),
    ]
}

/// What the index is asked for a piece of a text: a pattern for `LIKE` that every text fits which has the piece in it, and few others do.
///
/// The index reads the rows of each trigram of a pattern. A run of characters beyond ASCII has five for each, most of which everybody
/// has who writes in that script. So of such a run it is asked for the last three letters of each, which are one trigram and tell the
/// character from all others of its script.
pub(in crate::storage) fn pattern(piece: &str) -> String {
    const FIRST_OF_LAST_THREE: usize = LETTERS - 3;
    let mut pattern = String::from("%");
    let mut follows_ascii = false;
    for character in piece.chars() {
        if character.is_ascii() {
            if matches!(character, '\\' | '%' | '_') {
                pattern.push('\\');
            }
            pattern.push(character);
        } else if follows_ascii {
            // With what is before it.
            pattern.extend(letters(character));
        } else {
            pattern.push('%');
            pattern.extend(letters(character).into_iter().skip(FIRST_OF_LAST_THREE));
        }
        follows_ascii = character.is_ascii();
    }
    pattern.push('%');
    pattern
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
    use super::{pattern, searchable};

    const TEXTS: [&str; 8] = [
        "ольга соколова",
        "zoë",
        "秀英 wang",
        "ada1lovelace",
        "1о",
        "о1",
        "a\u{e0100}b",
        "50%_\\ë",
    ];
    const PIECES: &str = "ольга|а с|ё|ë|zoë|oë|英|秀|秀英|英 w|ada|1|о|0|g|a|\u{e0100}|%_\\|_\\ë|x";

    /// Whether a text fits a pattern of `LIKE`.
    fn fits(text: &[char], pattern: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|from| fits(&text[from..], rest)),
            ['\\', exactly, rest @ ..] | [exactly, rest @ ..] => {
                text.first() == Some(exactly) && fits(&text[1..], rest)
            }
        }
    }

    #[test]
    fn one_text_has_another_in_it_exactly_if_it_had_before() {
        for text in TEXTS {
            let kept = searchable(text);
            assert!(kept.is_ascii(), "{kept}");
            for piece in PIECES.split('|') {
                assert_eq!(
                    kept.contains(&searchable(piece)),
                    text.contains(piece),
                    "{piece} in {text}"
                );
            }
        }
    }

    #[test]
    fn a_text_with_a_piece_in_it_fits_the_pattern_of_the_piece() {
        let chars = |text: String| text.chars().collect::<Vec<_>>();
        for text in TEXTS {
            for piece in PIECES.split('|').filter(|piece| text.contains(piece)) {
                let (kept, pattern) = (chars(searchable(text)), chars(pattern(piece)));
                assert!(fits(&kept, &pattern), "{piece} in {text}");
            }
        }
        assert!(!fits(&chars(searchable("olga")), &chars(pattern("ольга"))));
    }

    #[test]
    fn a_run_of_another_script_is_asked_for_by_one_trigram_a_character() {
        assert_eq!(pattern("ольга"), "%%IUM%IUJ%IVG%ITV%ITS%");
        assert_eq!(pattern("zoë"), "%zoAGGRV%");
        assert_eq!(pattern("秀英 w"), "%%XYO%JWH w%");
        assert_eq!(pattern("50%_"), "%50\\%\\_%");
    }
}
