//! Users: listing and finding them, and looking at one.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::{Map, Value};

use super::guard::{Asked, Client};
use super::lists::{Around, cursor_of, noted, object, rows_of};
use super::user_body::{AccountBody, UserBody};
use crate::app::App;
use crate::domain::UserId;
use crate::flows::export::record_page;
use crate::flows::people::{PersonError, view_user};
use crate::web::admin::lists::export::user_row;
use crate::web::admin::users::{UsersQuery, find_exactly, read_page};
use crate::web::error::Error;

/// The parameters of the list.
pub(super) const PARAMETERS: &[&str] = &[
    "q",
    "from",
    "to",
    "provider",
    "accounts",
    "status",
    "seen_before",
    "token",
    "sort",
    "dir",
    "rows",
    "cursor",
];

/// A page of users.
#[derive(Serialize)]
struct UsersBody {
    users: Vec<Map<String, Value>>,
    exact_matches: Vec<Map<String, Value>>,
    #[serde(flatten)]
    around: Around,
}

/// `GET /admin/api/users`
///
/// # Errors
/// [`Error::InvalidRequest`] for a parameter that does not fit or a search for an access token; [`Error::Storage`].
pub(super) async fn list_users(
    app: Data<App>,
    Client(by): Client,
    Asked(query): Asked,
) -> Result<HttpResponse, Error> {
    let now = app.clock.now();
    let (rows, cursor) = (rows_of(&query)?, cursor_of(&query)?);
    let asked = UsersQuery::new(query, now, Tz::UTC)?;
    let exact = find_exactly(&app, &asked).await?;
    let (request, skips) = (
        asked.list_request(cursor.clone(), rows, now),
        asked.is_too_short(),
    );
    let found = app
        .db
        .read(move |reader| read_page(reader, &request, skips, &exact))
        .await?;
    let shown = |listed: &Vec<_>| listed.iter().map(|user| object(user_row(user))).collect();
    let body = UsersBody {
        users: shown(&found.page.rows),
        exact_matches: shown(&found.exact),
        around: Around::new(&asked.query, &found, cursor.as_ref()),
    };
    let handed_out = body.users.len() + body.exact_matches.len();
    record_page(&app, &noted(by, "users", &asked.query), handed_out).await?;
    Ok(HttpResponse::Ok().json(body))
}

/// `GET /admin/api/users/{id}`
///
/// # Errors
/// [`PersonError::UserNotFound`], or the database's failure.
pub(super) async fn show_user(
    app: Data<App>,
    Client(by): Client,
    id: Path<i64>,
) -> Result<HttpResponse, Error> {
    let view = view_user(&app, &by, UserId(*id)).await?;
    Ok(HttpResponse::Ok().json(UserBody::from(&view)))
}

/// `GET /admin/api/users/{id}/accounts/{account}`
///
/// # Errors
/// [`PersonError::UserNotFound`], [`PersonError::AccountGone`], or the database's failure.
pub(super) async fn show_account(
    app: Data<App>,
    Client(by): Client,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse, Error> {
    let (user_id, id) = path.into_inner();
    let view = view_user(&app, &by, UserId(user_id)).await?;
    let mut accounts = view.accounts.iter();
    let account = accounts
        .find(|account| account.record.social_auth.id.0 == id)
        .ok_or(PersonError::AccountGone)?;
    Ok(HttpResponse::Ok().json(AccountBody::from(account)))
}
