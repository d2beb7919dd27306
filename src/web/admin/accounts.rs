//! The list of social accounts.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::context::StaffContext;
use super::error::AdminError;
use super::frame::{Frame, Nav};
use super::lists::filters::{Chip, FieldKind, Filters, Span, day_begin};
use super::lists::query::{BadQuery, ListQuery};
use super::lists::{Column, Empty, Pages, View, column, cursor_of, mark, pages, shown_name, views};
use super::marks::Mark;
use super::preferences::remember_page_size;
use super::text::{Message, filters, t};
use super::time::Time;
use super::users::page_size;
use crate::app::App;
use crate::domain::paging::{Count, Cursor, Direction, PageSize};
use crate::storage::social_auth_lists::{
    self, AssociatedOrder, ListedSocialAuth, SocialAuthFilter,
};
use crate::storage::user_lists::{Limits, ListPage, ListRequest};
use crate::web::ServerContext;

/// Where the list is.
const PATH: &str = "/admin/accounts";
/// Its parameters.
const NAMES: &[&str] = &[
    "from",
    "to",
    "provider",
    "accounts",
    "status",
    "seen_before",
    "token",
    "dir",
    "rows",
    "as",
    "cursor",
    "format",
];
/// Views that come with the program.
const VIEWS: &[(&str, &str)] = &[
    ("accounts-view-all", ""),
    ("list-view-new-today", "from=today"),
    ("accounts-view-several", "accounts=2"),
    ("list-view-token-expired", "token=expired"),
    ("accounts-view-inactive", "status=inactive"),
];

/// How an access token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AccessTokenState {
    /// There is none.
    None,
    /// It has no end.
    Lasts,
    /// Its end is past.
    Expired,
    /// Its end is to come.
    Valid,
}

impl AccessTokenState {
    /// That of a listed account, with the access token's end.
    pub(super) fn of(
        listed: &ListedSocialAuth,
        now: DateTime<Utc>,
    ) -> (Self, Option<DateTime<Utc>>) {
        let expires_at = listed
            .expires_at
            .as_deref()
            .and_then(|text| text.parse::<DateTime<Utc>>().ok());
        match (listed.has_access_token, expires_at) {
            (false, _) => (Self::None, None),
            (true, None) => (Self::Lasts, None),
            (true, Some(at)) if at <= now => (Self::Expired, Some(at)),
            (true, Some(at)) => (Self::Valid, Some(at)),
        }
    }

    /// For programs.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lasts => "does not expire",
            Self::Expired => "expired",
            Self::Valid => "valid",
        }
    }

    const fn label(self) -> Message {
        t(match self {
            Self::None => "token-none",
            Self::Lasts => "token-lasts",
            Self::Expired => "token-expired",
            Self::Valid => "token-valid",
        })
    }

    /// The tone of the macro `tag`.
    const fn tone(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Expired => "warn",
            Self::Lasts | Self::Valid => "ok",
        }
    }
}

/// One social account in the list.
struct Row {
    mark: Mark,
    uid: String,
    user_href: String,
    user: String,
    is_active: bool,
    associated: Time,
    last_used: Time,
    token: AccessTokenState,
    expires: Option<Time>,
}

/// The page.
#[derive(Template)]
#[template(path = "admin/accounts/list.html")]
struct AccountsPage {
    frame: Frame,
    total: u64,
    exports: Option<[(Message, String); 2]>,
    views: Vec<View>,
    chips: Vec<Chip>,
    is_filtered: bool,
    clear: &'static str,
    caption: Message,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pages: Pages,
    empty: Empty,
}

/// What an address asks for.
pub(super) struct AccountsQuery {
    pub(super) query: ListQuery,
    filters: Filters,
    pub(super) direction: Direction,
    pub(super) filter: SocialAuthFilter,
}

impl AccountsQuery {
    pub(super) fn read(request: &HttpRequest, staff: &StaffContext) -> Result<Self, BadQuery> {
        let query = ListQuery::parse(PATH, NAMES, request.query_string())?;
        Self::new(query, staff.now, staff.preferences.zone)
    }

    /// What a query asks for at `now`, with days that begin where `zone` is.
    pub(super) fn new(query: ListQuery, now: DateTime<Utc>, zone: Tz) -> Result<Self, BadQuery> {
        let filters = Filters::read(&query, now, zone)?;
        let directions = [
            ("asc", Direction::Ascending),
            ("desc", Direction::Descending),
        ];
        let direction = query
            .one_of("dir", &directions)?
            .unwrap_or(Direction::Descending);
        let filter = SocialAuthFilter {
            providers: filters.providers.clone(),
            associated_from: filters.from.and_then(|day| day_begin(day, 0, zone)),
            associated_before: filters.to.and_then(|day| day_begin(day, 1, zone)),
            is_active: filters.is_active,
            social_accounts: filters.accounts,
            last_sign_in_before: filters.seen_before.and_then(|day| day_begin(day, 0, zone)),
            access_token_expired: filters.token_expired,
        };
        Ok(Self {
            query,
            filters,
            direction,
            filter,
        })
    }

    /// The page at `cursor`.
    pub(super) fn list_request(
        &self,
        cursor: Option<Cursor>,
        rows: u16,
        now: DateTime<Utc>,
    ) -> ListRequest<SocialAuthFilter, AssociatedOrder> {
        ListRequest {
            filter: self.filter.clone(),
            order: AssociatedOrder,
            direction: self.direction,
            is_backwards: cursor.as_ref().is_some_and(|cursor| cursor.is_backwards),
            from: cursor.map(|cursor| cursor.position),
            rows,
            now,
            limits: Limits::default(),
        }
    }
}

/// `GET /admin/accounts`
///
/// # Errors
/// [`AdminError::InvalidRequest`] for a parameter that does not fit; [`AdminError::Storage`].
pub async fn list_accounts(
    app: Data<App>,
    context: Data<ServerContext>,
    staff: StaffContext,
    request: HttpRequest,
) -> Result<HttpResponse, AdminError> {
    let asked = AccountsQuery::read(&request, &staff)?;
    let size = page_size(&asked.query, &staff)?;
    let (cursor, is_foreign) = cursor_of(&asked.query);
    let count = cursor.as_ref().and_then(|cursor| cursor.count);
    let list = asked.list_request(cursor, size.rows(), staff.now);
    let found = app
        .db
        .read(move |reader| social_auth_lists::list(reader, &list))
        .await?;
    let count = found.count.or(count);
    let page = page(&app, &staff, &asked, &found, (count, size, is_foreign));
    let mut response = staff.render(&page)?;
    if asked.query.get("rows").is_some() {
        remember_page_size(&mut response, &context, &staff, size);
    }
    Ok(response)
}

fn page(
    app: &App,
    staff: &StaffContext,
    asked: &AccountsQuery,
    found: &ListPage<ListedSocialAuth>,
    (count, size, is_foreign): (Option<Count>, PageSize, bool),
) -> AccountsPage {
    let query = &asked.query;
    let mut frame = staff.frame(app, t("list-social-accounts"), Nav::Accounts);
    frame.add_list_notices(is_foreign, found.is_behind);
    AccountsPage {
        total: found.total.max(0).unsigned_abs(),
        exports: frame.may_change().then(|| query.exports()),
        views: views(query, VIEWS),
        chips: asked
            .filters
            .chips(query, app, Span::Associated, &found.providers),
        is_filtered: query.is_filtered(),
        clear: PATH,
        caption: match asked.direction {
            Direction::Descending => t("accounts-latest-first"),
            Direction::Ascending => t("accounts-earliest-first"),
        },
        columns: columns(asked),
        pages: pages(query, &found.page, count, size, 0),
        empty: empty(query),
        rows: found
            .page
            .rows
            .iter()
            .map(|listed| row(app, &frame, listed))
            .collect(),
        frame,
    }
}

fn row(app: &App, frame: &Frame, listed: &ListedSocialAuth) -> Row {
    let (token, expires_at) = AccessTokenState::of(listed, frame.now());
    Row {
        mark: mark(app, &listed.provider),
        uid: listed.uid.as_str().to_owned(),
        user_href: format!("/admin/users/{}", listed.user_id),
        user: shown_name(&listed.first_name, &listed.last_name, &listed.username),
        is_active: listed.is_active,
        associated: frame.time(listed.created_at),
        last_used: frame.time(listed.modified_at),
        token,
        expires: expires_at.map(|at| frame.time(at)),
    }
}

fn columns(asked: &AccountsQuery) -> Vec<Column> {
    let sort = ("associated", asked.direction);
    [
        ("accounts-provider-and-uid", None),
        ("list-user", None),
        ("list-access-token", None),
        ("accounts-last-used", None),
        (
            "list-associated",
            Some(("associated", Direction::Descending)),
        ),
    ]
    .into_iter()
    .map(|(label, by)| {
        let mut head = column(&asked.query, label, by, sort);
        // There is no other order, so that the address need not name it.
        head.href = head.href.map(|_| {
            asked.query.with(&[(
                "dir",
                super::lists::direction_name(asked.direction.reversed()),
            )])
        });
        head
    })
    .collect()
}

fn empty(query: &ListQuery) -> Empty {
    if query.is_filtered() {
        return Empty::nothing_matches(t("accounts-no-fit"), PATH);
    }
    Empty {
        heading: t("accounts-none-heading"),
        sentence: t("accounts-none"),
        label: t("list-look-at-providers"),
        href: "/admin/providers",
    }
}
