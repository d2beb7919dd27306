//! Lists as CSV and as one JSON object a line, streamed in bounded memory. No secrets.

use std::io;
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::query::{BadQuery, ListQuery, refused};
use crate::app::App;
use crate::domain::ProviderId;
use crate::domain::paging::Position;
use crate::flows::export::{Export, ExportError, ExportedRows, begin_export, run_export};
use crate::storage::Reader;
use crate::storage::social_auth_lists::{self, AssociatedOrder, ListedSocialAuth};
use crate::storage::user_lists::{self, Limits, ListRequest, ListedUser};
use crate::web::admin::accounts::{AccountsQuery, token_state};
use crate::web::admin::context::{ContextOf, StaffContext, path_of};
use crate::web::admin::error::AdminError;
use crate::web::admin::users::UsersQuery;
use crate::web::{ServerContext, rfc3339};

/// Rows that are read at once.
const ROWS: u16 = 500;
/// Pieces that may wait for the client.
const PIECES: usize = 4;
/// How long a client may take for one piece. PostgreSQL gives up a transaction in which nothing happens for longer.
const PIECE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an export may take. The read keeps the database from tidying up.
const EXPORT_TIMEOUT: Duration = Duration::from_mins(10);
/// When to come back while others export, in seconds.
const RETRY_SECONDS: u64 = 10;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Ndjson,
}

impl Format {
    fn read(query: &ListQuery) -> Result<Self, BadQuery> {
        query
            .one_of("format", &[("csv", Self::Csv), ("ndjson", Self::Ndjson)])?
            .ok_or_else(|| refused("format", "is csv or ndjson"))
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// One row: names and values.
    fn write(self, row: &[(&str, Value)], out: &mut String) {
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

    fn head(self, names: &[&str]) -> String {
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

const USER_COLUMNS: &[&str] = &[
    "id",
    "username",
    "email",
    "email_verified",
    "first_name",
    "last_name",
    "is_active",
    "date_joined",
    "last_sign_in_at",
    "providers",
];

/// What a program gets to know of a user in a list.
pub(in crate::web::admin) fn user_row(listed: &ListedUser) -> Vec<(&'static str, Value)> {
    let user = &listed.user;
    let providers: Vec<&str> = listed.providers.iter().map(ProviderId::as_str).collect();
    let values = [
        json!(user.id.0),
        json!(user.username),
        json!(user.email),
        json!(user.email_verified),
        json!(user.first_name),
        json!(user.last_name),
        json!(user.is_active),
        json!(rfc3339(user.date_joined)),
        json!(listed.last_sign_in_at.map(rfc3339)),
        json!(providers),
    ];
    USER_COLUMNS.iter().copied().zip(values).collect()
}

const ACCOUNT_COLUMNS: &[&str] = &[
    "id",
    "provider",
    "uid",
    "user_id",
    "username",
    "first_name",
    "last_name",
    "is_active",
    "associated_at",
    "last_used_at",
    "access_token",
    "access_token_expires_at",
];

/// What a program gets to know of a social account in a list.
pub(in crate::web::admin) fn account_row(
    listed: &ListedSocialAuth,
    now: chrono::DateTime<chrono::Utc>,
) -> Vec<(&'static str, Value)> {
    let (_, state, expires_at) = token_state(listed, now);
    let values = [
        json!(listed.id.0),
        json!(listed.provider.as_str()),
        json!(listed.uid.as_str()),
        json!(listed.user_id.0),
        json!(listed.username),
        json!(listed.first_name),
        json!(listed.last_name),
        json!(listed.is_active),
        json!(rfc3339(listed.created_at)),
        json!(rfc3339(listed.modified_at)),
        json!(state.to_lowercase()),
        json!(expires_at.map(rfc3339)),
    ];
    ACCOUNT_COLUMNS.iter().copied().zip(values).collect()
}

/// Where the pieces go.
struct Sink {
    pieces: mpsc::Sender<Bytes>,
    runtime: Handle,
    until: Instant,
}

impl Sink {
    /// Hands a piece on, and waits while the client is slow. Called where it may block.
    fn send(&self, piece: String) -> Result<(), ExportError> {
        if piece.is_empty() {
            return Ok(());
        }
        let sending = tokio::time::timeout(PIECE_TIMEOUT, self.pieces.send(Bytes::from(piece)));
        match self.runtime.block_on(sending) {
            Ok(Ok(())) if Instant::now() < self.until => Ok(()),
            _ => Err(ExportError::NotTaken),
        }
    }
}

/// `GET /admin/users/export`
///
/// # Errors
/// [`AdminError::InvalidRequest`], [`AdminError::StepUpNeeded`], [`AdminError::TooMany`] while others export,
/// [`AdminError::Storage`].
pub async fn export_users(
    app: Data<App>,
    context: Data<ServerContext>,
    staff: StaffContext,
    origin: ContextOf,
    request: HttpRequest,
) -> Result<HttpResponse, AdminError> {
    let asked = UsersQuery::read(&request, &staff)?;
    if asked.is_too_short() {
        return Err(refused("q", "is too short to search for").into());
    }
    let (format, now) = (Format::read(&asked.query)?, staff.now);
    let (order, direction, filter) = (asked.order, asked.direction, asked.filter);
    let read_page = move |reader: &mut Reader<'_>, from: Option<Position>| {
        let request = ListRequest {
            filter: filter.clone(),
            order,
            direction,
            from,
            is_backwards: false,
            rows: ROWS,
            now,
            limits: Limits::default(),
        };
        let page = user_lists::list(reader, &request)?.page;
        let rows = page.rows.iter().map(user_row).collect();
        Ok((rows, page.next))
    };
    let file = File {
        list: "users",
        columns: USER_COLUMNS,
        format,
        query: asked.query,
    };
    file.stream(&app, &context, &staff, &origin, &request, read_page)
        .await
}

/// `GET /admin/accounts/export`
///
/// # Errors
/// As [`export_users`].
pub async fn export_accounts(
    app: Data<App>,
    context: Data<ServerContext>,
    staff: StaffContext,
    origin: ContextOf,
    request: HttpRequest,
) -> Result<HttpResponse, AdminError> {
    let asked = AccountsQuery::read(&request, &staff)?;
    let (format, now) = (Format::read(&asked.query)?, staff.now);
    let (direction, filter) = (asked.direction, asked.filter);
    let read_page = move |reader: &mut Reader<'_>, from: Option<Position>| {
        let request = ListRequest {
            filter: filter.clone(),
            order: AssociatedOrder,
            direction,
            from,
            is_backwards: false,
            rows: ROWS,
            now,
            limits: Limits::default(),
        };
        let page = social_auth_lists::list(reader, &request)?.page;
        let rows = page
            .rows
            .iter()
            .map(|listed| account_row(listed, now))
            .collect();
        Ok((rows, page.next))
    };
    let file = File {
        list: "accounts",
        columns: ACCOUNT_COLUMNS,
        format,
        query: asked.query,
    };
    file.stream(&app, &context, &staff, &origin, &request, read_page)
        .await
}

type Rows = Vec<Vec<(&'static str, Value)>>;

/// A file to be sent.
struct File {
    list: &'static str,
    columns: &'static [&'static str],
    format: Format,
    query: ListQuery,
}

impl File {
    async fn stream<P>(
        self,
        app: &Data<App>,
        context: &ServerContext,
        staff: &StaffContext,
        origin: &ContextOf,
        request: &HttpRequest,
        read_page: P,
    ) -> Result<HttpResponse, AdminError>
    where
        P: Fn(&mut Reader<'_>, Option<Position>) -> Result<(Rows, Option<Position>), ExportError>
            + Send
            + 'static,
    {
        staff.require_fresh_factor(&path_of(request))?;
        let permit = context.exports.clone().try_acquire_owned();
        let permit = permit.map_err(|_busy| AdminError::TooMany {
            retry_after_seconds: RETRY_SECONDS,
        })?;
        let export = Export {
            list: self.list,
            format: self.format.as_str(),
            query: self.query.for_audit(),
            actor: staff.actor(),
            context: origin.0.clone(),
        };
        begin_export(app, &export).await?;
        let (pieces, waiting) = mpsc::channel(PIECES);
        let failed = self.run(app, export, read_page, pieces, permit);
        let name = format!(
            "attachment; filename=\"{}-{}.{}\"",
            self.list,
            staff.now.format("%Y-%m-%d"),
            self.format.as_str()
        );
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CONTENT_TYPE, self.format.content_type()));
        if let Ok(name) = HeaderValue::from_str(&name) {
            response.insert_header((header::CONTENT_DISPOSITION, name));
        }
        Ok(response.streaming(body(waiting, failed)))
    }

    /// Reads and writes in the background; the answer tells how it ended.
    fn run<P>(
        &self,
        app: &Data<App>,
        export: Export,
        read_page: P,
        pieces: mpsc::Sender<Bytes>,
        permit: OwnedSemaphorePermit,
    ) -> tokio::task::JoinHandle<Result<(), ExportError>>
    where
        P: Fn(&mut Reader<'_>, Option<Position>) -> Result<(Rows, Option<Position>), ExportError>
            + Send
            + 'static,
    {
        let (app, format, head) = (app.clone(), self.format, self.format.head(self.columns));
        let sink = Sink {
            pieces,
            runtime: Handle::current(),
            until: Instant::now() + EXPORT_TIMEOUT,
        };
        let write_all = move |reader: &mut Reader<'_>, counted: &ExportedRows| {
            sink.send(head)?;
            let mut from = None;
            loop {
                let (rows, next) = read_page(reader, from)?;
                let mut text = String::new();
                for row in &rows {
                    format.write(row, &mut text);
                }
                sink.send(text)?;
                counted.add(rows.len());
                match next {
                    Some(next) => from = Some(next),
                    None => return Ok(()),
                }
            }
        };
        actix_web::rt::spawn(async move {
            let result = run_export(&app, &export, write_all).await;
            if let Err(error) = &result {
                tracing::info!(error = %error, "An export of the list {} broke off: {error}", export.list);
            }
            drop(permit);
            result
        })
    }
}

/// The pieces as they come. An export that broke off ends in an error, so that nobody takes half of it for the whole.
fn body(
    waiting: mpsc::Receiver<Bytes>,
    running: tokio::task::JoinHandle<Result<(), ExportError>>,
) -> impl futures_util::Stream<Item = Result<Bytes, io::Error>> {
    futures_util::stream::unfold(Some((waiting, running)), |state| async {
        let (mut waiting, running) = state?;
        if let Some(piece) = waiting.recv().await {
            return Some((Ok(piece), Some((waiting, running))));
        }
        match running.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some((Err(io::Error::other(error)), None)),
            Err(gone) => Some((Err(io::Error::other(gone)), None)),
        }
    })
}

#[cfg(test)]
mod tests {
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
