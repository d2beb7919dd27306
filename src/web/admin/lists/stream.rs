//! Files that are sent while they are read, in bounded memory, with their traces in the audit log.

use std::io;
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;

use super::format::Format;
use crate::app::App;
use crate::flows::export::{Export, ExportError, ExportedRows, begin_export, run_export};
use crate::storage::{Reader, StorageError};
use crate::web::ServerContext;
use crate::web::admin::context::{ContextOf, StaffContext, path_of};
use crate::web::admin::error::AdminError;

/// Rows that are read at once.
pub(in crate::web::admin) const ROWS: u16 = 500;
/// Pieces that may wait for the client.
const PIECES: usize = 4;
/// How long a client may take for one piece. PostgreSQL gives up a transaction in which nothing happens for longer.
const PIECE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an export may take. The read keeps the database from tidying up.
const EXPORT_TIMEOUT: Duration = Duration::from_mins(10);
/// When to come back while others export, in seconds.
const RETRY_SECONDS: u64 = 10;

/// Some rows of a file, as they are sent.
#[derive(Debug, Default)]
pub(in crate::web::admin) struct Piece {
    pub(in crate::web::admin) text: String,
    pub(in crate::web::admin) rows: usize,
}

/// A file to be sent.
pub(in crate::web::admin) struct File {
    /// What is listed: the first part of its name, and what the audit log calls it.
    pub(in crate::web::admin) list: &'static str,
    pub(in crate::web::admin) format: Format,
    /// What is before the first row.
    pub(in crate::web::admin) head: String,
    /// The filters, for the audit log.
    pub(in crate::web::admin) query: Value,
}

impl File {
    /// Sends what `read` gives: a piece from a position on, the beginning if `None`, and the position to go on from.
    ///
    /// # Errors
    /// [`AdminError::StepUpNeeded`], [`AdminError::TooMany`] while others export, [`AdminError::Storage`].
    pub(in crate::web::admin) async fn stream<P, F>(
        self,
        app: &Data<App>,
        context: &ServerContext,
        staff: &StaffContext,
        origin: ContextOf,
        request: &HttpRequest,
        read: F,
    ) -> Result<HttpResponse, AdminError>
    where
        P: 'static,
        F: Fn(&mut Reader<'_>, Option<P>) -> Result<(Piece, Option<P>), StorageError>
            + Send
            + 'static,
    {
        staff.require_fresh_factor(&path_of(request))?;
        let permit = context.exports.clone().try_acquire_owned();
        let permit = permit.map_err(|_busy| AdminError::TooMany {
            retry_after_seconds: RETRY_SECONDS,
        })?;
        let format = self.format.as_str();
        let export = Export {
            list: self.list,
            format,
            query: self.query,
            actor: staff.actor(),
            context: origin.0,
        };
        begin_export(app, &export).await?;
        let name = format!("{}-{}.{format}", self.list, staff.now.format("%Y-%m-%d"));
        let mut response = HttpResponse::Ok();
        response.insert_header((header::CONTENT_TYPE, self.format.content_type()));
        if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
            response.insert_header((header::CONTENT_DISPOSITION, value));
        }
        Ok(response.streaming(run(app, export, self.head, read, permit)))
    }
}

/// Reads in the background. The stream ends when the audit log says how the export did.
fn run<P, F>(
    app: &Data<App>,
    export: Export,
    head: String,
    read: F,
    permit: OwnedSemaphorePermit,
) -> impl futures_util::Stream<Item = Result<Bytes, io::Error>> + use<P, F>
where
    P: 'static,
    F: Fn(&mut Reader<'_>, Option<P>) -> Result<(Piece, Option<P>), StorageError> + Send + 'static,
{
    let (app, rows) = (app.clone(), ExportedRows::default());
    let (pieces, waiting) = mpsc::channel(PIECES);
    let sink = Sink {
        pieces: pieces.clone(),
        runtime: Handle::current(),
        until: Instant::now() + EXPORT_TIMEOUT,
    };
    let read_all = move |reader: &mut Reader<'_>| {
        sink.send(Piece {
            text: head,
            rows: 0,
        })?;
        let mut from = None;
        loop {
            let (piece, next) = read(reader, from)?;
            sink.send(piece)?;
            match next {
                Some(next) => from = Some(next),
                None => return Ok(()),
            }
        }
    };
    let counted = rows.clone();
    let running = actix_web::rt::spawn(async move {
        let result = run_export(&app, &export, &counted, read_all, all_taken(pieces)).await;
        if let Err(error) = &result {
            tracing::info!(error = %error, "An export of the list {} broke off: {error}", export.list);
        }
        drop(permit);
        result
    });
    body(waiting, rows, running)
}

/// Where the pieces go.
struct Sink {
    pieces: mpsc::Sender<Piece>,
    runtime: Handle,
    until: Instant,
}

impl Sink {
    /// Hands a piece on, and waits while the client is slow. Called where it may block.
    fn send(&self, piece: Piece) -> Result<(), ExportError> {
        if piece.text.is_empty() {
            return Ok(());
        }
        let sending = tokio::time::timeout(PIECE_TIMEOUT, self.pieces.send(piece));
        match self.runtime.block_on(sending) {
            Ok(Ok(())) if Instant::now() < self.until => Ok(()),
            _ => Err(ExportError::NotTaken),
        }
    }
}

/// Waits until the client took what was left.
async fn all_taken(pieces: mpsc::Sender<Piece>) -> Result<(), ExportError> {
    for free in 1..=PIECES {
        let taking = tokio::time::timeout(PIECE_TIMEOUT, pieces.reserve_many(free));
        if !matches!(taking.await, Ok(Ok(_))) {
            return Err(ExportError::NotTaken);
        }
    }
    Ok(())
}

/// The pieces as they come, counted when they are handed to the connection. An export that broke off ends in an error, so that nobody
/// takes half of it for the whole.
fn body(
    waiting: mpsc::Receiver<Piece>,
    rows: ExportedRows,
    running: JoinHandle<Result<(), ExportError>>,
) -> impl futures_util::Stream<Item = Result<Bytes, io::Error>> {
    futures_util::stream::unfold(Some((waiting, rows, running)), |state| async {
        let (mut waiting, rows, running) = state?;
        if let Some(piece) = waiting.recv().await {
            rows.add(piece.rows);
            return Some((Ok(Bytes::from(piece.text)), Some((waiting, rows, running))));
        }
        match running.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some((Err(io::Error::other(error)), None)),
            Err(gone) => Some((Err(io::Error::other(gone)), None)),
        }
    })
}
