//! Rows as CSV and as one JSON object a line.

use serde_json::Value;

use super::query::{BadQuery, ListQuery, not_one_of};

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web::admin) enum Format {
    Csv,
    Ndjson,
}

impl Format {
    /// Which form an address asks for.
    pub(in crate::web::admin) fn read(query: &ListQuery) -> Result<Self, BadQuery> {
        let choices = [("csv", Self::Csv), ("ndjson", Self::Ndjson)];
        query
            .one_of("format", &choices)?
            .ok_or_else(|| not_one_of("format", &choices))
    }

    pub(in crate::web::admin) const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    pub(in crate::web::admin) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// Writes one row: names and values.
    pub(in crate::web::admin) fn write(self, row: &[(&str, Value)], out: &mut String) {
        match self {
            Self::Csv => write_csv(row.iter().map(|(_, value)| text_of(value)), out),
            Self::Ndjson => {
                let members: serde_json::Map<String, Value> = row
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect();
                out.push_str(&Value::Object(members).to_string());
                out.push('\n');
            }
        }
    }

    /// What is before the first row.
    pub(in crate::web::admin) fn head(self, names: &[&str]) -> String {
        let mut head = String::new();
        if self == Self::Csv {
            write_csv(names.iter().map(|name| (*name).to_owned()), &mut head);
        }
        head
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text_of).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// One line (RFC 4180).
fn write_csv(cells: impl Iterator<Item = String>, out: &mut String) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        let cell = harmless(cell);
        if cell.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_always_one_cell() {
        let mut line = String::new();

        let cells = [
            "=cmd|' /C calc'!A0",
            "-1+1",
            "@SUM(A1)",
            "a,b",
            "say \"hi\"",
            "two\nlines",
        ];
        write_csv(cells.iter().map(|cell| (*cell).to_owned()), &mut line);

        assert_eq!(
            line,
            "'=cmd|' /C calc'!A0,'-1+1,'@SUM(A1),\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n"
        );
    }

    #[test]
    fn a_row_of_ndjson_is_one_object() {
        let mut line = String::new();

        Format::Ndjson.write(&[("id", json!(1)), ("email", Value::Null)], &mut line);

        assert_eq!(line, "{\"email\":null,\"id\":1}\n");
        assert_eq!(Format::Ndjson.head(&["id"]), "");
    }
}
