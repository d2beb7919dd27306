//! The lists as files. No secrets.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::format::Format;
use super::query::refused;
use super::stream::{File, Piece, ROWS};
use crate::app::App;
use crate::domain::ProviderId;
use crate::domain::paging::Position;
use crate::storage::Reader;
use crate::storage::social_auth_lists::{self, AssociatedOrder, ListedSocialAuth};
use crate::storage::user_lists::{self, Limits, ListRequest, ListedUser};
use crate::web::admin::accounts::{AccessTokenState, AccountsQuery};
use crate::web::admin::context::{ContextOf, StaffContext};
use crate::web::admin::error::AdminError;
use crate::web::admin::text::t;
use crate::web::admin::users::UsersQuery;
use crate::web::{ServerContext, rfc3339};

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
    let (state, expires_at) = AccessTokenState::of(listed, now);
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
        json!(state.as_str()),
        json!(expires_at.map(rfc3339)),
    ];
    ACCOUNT_COLUMNS.iter().copied().zip(values).collect()
}

fn piece(format: Format, rows: impl Iterator<Item = Vec<(&'static str, Value)>>) -> Piece {
    let mut piece = Piece::default();
    for row in rows {
        format.write(&row, &mut piece.text);
        piece.rows += 1;
    }
    piece
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
        return Err(refused("q", t("query-too-short")).into());
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
        let piece = piece(format, page.rows.iter().map(user_row));
        Ok((piece, page.next))
    };
    let file = File {
        list: "users",
        format,
        head: format.head(USER_COLUMNS),
        query: asked.query.for_audit(),
    };
    file.stream(&app, &context, &staff, origin, &request, read_page)
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
        let rows = page.rows.iter().map(|listed| account_row(listed, now));
        Ok((piece(format, rows), page.next))
    };
    let file = File {
        list: "accounts",
        format,
        head: format.head(ACCOUNT_COLUMNS),
        query: asked.query.for_audit(),
    };
    file.stream(&app, &context, &staff, origin, &request, read_page)
        .await
}
