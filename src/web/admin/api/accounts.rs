//! Social accounts: listing them, associating one in advance, and asking a provider about one.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::{Map, Value};

use super::body::Body;
use super::guard::{Asked, Client};
use super::lists::{Around, cursor_of, noted, object, rows_of};
use crate::app::App;
use crate::domain::{ProviderId, SocialAuthId, Uid, UserId};
use crate::flows::export::record_page;
use crate::flows::people::{AssociationRequest, InAdvance, associate_in_advance, check_token};
use crate::providers::Lookup;
use crate::storage::social_auth_lists;
use crate::web::admin::accounts::AccountsQuery;
use crate::web::admin::lists::export::account_row;
use crate::web::error::Error;
use crate::web::rfc3339;

/// The parameters of the list.
pub(super) const PARAMETERS: &[&str] = &[
    "from",
    "to",
    "provider",
    "accounts",
    "status",
    "seen_before",
    "token",
    "dir",
    "rows",
    "cursor",
];

/// A page of social accounts.
#[derive(Serialize)]
struct AccountsBody {
    accounts: Vec<Map<String, Value>>,
    #[serde(flatten)]
    around: Around,
}

/// `GET /admin/api/accounts`
///
/// # Errors
/// [`Error::InvalidRequest`] for a parameter that does not fit; [`Error::Storage`].
pub(super) async fn list_accounts(
    app: Data<App>,
    Client(by): Client,
    Asked(query): Asked,
) -> Result<HttpResponse, Error> {
    let now = app.clock.now();
    let (rows, cursor) = (rows_of(&query)?, cursor_of(&query)?);
    let asked = AccountsQuery::new(query, now, Tz::UTC)?;
    let request = asked.list_request(cursor.clone(), rows, now);
    let found = app
        .db
        .read(move |reader| social_auth_lists::list(reader, &request))
        .await?;
    let shown = found.page.rows.iter();
    let body = AccountsBody {
        accounts: shown
            .map(|listed| object(account_row(listed, now)))
            .collect(),
        around: Around::new(&asked.query, &found, cursor.as_ref()),
    };
    let noted = noted(by, "accounts", &asked.query);
    record_page(&app, &noted, body.accounts.len()).await?;
    Ok(HttpResponse::Ok().json(body))
}

/// An account that a user has from now on.
#[derive(Serialize)]
struct InAdvanceBody<'a> {
    id: i64,
    user_id: i64,
    provider: &'a str,
    uid: &'a str,
    created_at: String,
    was_repeated: bool,
}

impl<'a> From<&'a InAdvance> for InAdvanceBody<'a> {
    fn from(done: &'a InAdvance) -> Self {
        let account = &done.account;
        Self {
            id: account.id.0,
            user_id: account.user_id.0,
            provider: account.provider.as_str(),
            uid: account.uid.as_str(),
            created_at: rfc3339(account.created_at),
            was_repeated: done.was_repeated,
        }
    }
}

/// `POST /admin/api/users/{id}/accounts`
///
/// # Errors
/// [`Error::InvalidRequest`], [`Error::UnknownProvider`], [`Error::ProviderDisabled`], and those of the flow.
pub(super) async fn associate_account(
    app: Data<App>,
    Client(by): Client,
    id: Path<i64>,
    body: Body,
) -> Result<HttpResponse, Error> {
    let fields = body.of(&["provider", "uid", "reason"])?;
    let request = AssociationRequest {
        user_id: UserId(*id),
        provider: provider_of(&app, &fields.text("provider")?)?,
        uid: uid_of(&fields.text("uid")?)?,
        reason: fields.reason()?,
    };
    let done = associate_in_advance(&app.into_inner(), by, request).await?;
    let mut response = if done.was_repeated {
        HttpResponse::Ok()
    } else {
        HttpResponse::Created()
    };
    Ok(response.json(InAdvanceBody::from(&done)))
}

/// The provider with this id or alias. One that is off is refused: nobody could sign in with the account.
pub(super) fn provider_of(app: &App, name: &str) -> Result<ProviderId, Error> {
    match app.providers.find(name) {
        Lookup::Enabled(provider) => Ok(provider.id().clone()),
        Lookup::Disabled => Err(Error::ProviderDisabled),
        Lookup::Unknown => Err(Error::UnknownProvider),
    }
}

/// The uid, byte for byte.
pub(super) fn uid_of(text: &str) -> Result<Uid, Error> {
    Uid::parse(text)
        .ok_or_else(|| Error::member("uid", "has 1 to 255 bytes, and no blank at either end"))
}

/// What a provider says about a stored access token.
#[derive(Serialize)]
struct CheckedBody<'a> {
    provider: &'a str,
    state: &'static str,
}

/// `POST /admin/api/users/{id}/accounts/{account}/check`
///
/// # Errors
/// Those of the flow.
pub(super) async fn check_account(
    app: Data<App>,
    Client(by): Client,
    path: Path<(i64, i64)>,
    body: Body,
) -> Result<HttpResponse, Error> {
    body.of(&[])?;
    let (user_id, id) = path.into_inner();
    let (user_id, id) = (UserId(user_id), SocialAuthId(id));
    let checked = check_token(&app.into_inner(), by, user_id, id).await?;
    Ok(HttpResponse::Ok().json(CheckedBody {
        provider: checked.provider.as_str(),
        state: checked.state.as_str(),
    }))
}
