//! The list of users, and search.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::context::StaffContext;
use super::error::AdminError;
use super::frame::{Frame, Nav, initials};
use super::lists::filters::{Chip, FieldKind, Filters, Span, day_begin};
use super::lists::query::{BadQuery, ListQuery};
use super::lists::{Column, Empty, Pages, View, column, cursor_of, mark, pages, shown_name, views};
use super::marks::Mark;
use super::notices::Notice;
use super::preferences::remember_page_size;
use super::text::{Message, filters, t};
use super::time::Time;
use crate::app::App;
use crate::domain::UserId;
use crate::domain::paging::{Count, Cursor, Direction, PageSize};
use crate::domain::search::{SHORTEST_NEEDLE, Search};
use crate::storage::user_lists::{
    self, Limits, ListPage, ListRequest, ListedUser, UserFilter, UserOrder,
};
use crate::storage::{Reader, StorageError, search};
use crate::web::ServerContext;

/// Where the list is.
const PATH: &str = "/admin/users";
/// Its parameters.
const NAMES: &[&str] = &[
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
    "as",
    "cursor",
    "format",
];
/// Views that come with the program.
const VIEWS: &[(&str, &str)] = &[
    ("users-view-all", ""),
    ("list-view-new-today", "from=today"),
    ("users-view-several", "accounts=2"),
    ("users-view-none", "accounts=0"),
    ("list-view-token-expired", "token=expired"),
    ("status-inactive", "status=inactive"),
];
/// Exact matches of a search that are shown before the others.
const EXACT_MATCHES: u16 = 20;

/// One user in the list.
struct Row {
    href: String,
    name: String,
    initials: String,
    email: Option<String>,
    marks: Vec<Mark>,
    /// Social accounts beyond the marks.
    more: usize,
    is_active: bool,
    last_sign_in: Option<Time>,
    joined: Time,
}

/// Marks that fit into a row.
const MARKS: usize = 5;

/// The page.
#[derive(Template)]
#[template(path = "admin/users/list.html")]
struct UsersPage {
    frame: Frame,
    total: u64,
    exports: Option<[(Message, String); 2]>,
    views: Vec<View>,
    chips: Vec<Chip>,
    is_filtered: bool,
    clear: String,
    caption: Message,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pages: Pages,
    empty: Empty,
}

/// What an address asks for.
pub(super) struct UsersQuery {
    pub(super) query: ListQuery,
    pub(super) filters: Filters,
    pub(super) search: Option<Search>,
    pub(super) order: UserOrder,
    pub(super) direction: Direction,
    pub(super) filter: UserFilter,
}

impl UsersQuery {
    pub(super) fn read(request: &HttpRequest, staff: &StaffContext) -> Result<Self, BadQuery> {
        let query = ListQuery::parse(PATH, NAMES, request.query_string())?;
        Self::new(query, staff.now, staff.preferences.zone)
    }

    /// What a query asks for at `now`, with days that begin where `zone` is.
    pub(super) fn new(query: ListQuery, now: DateTime<Utc>, zone: Tz) -> Result<Self, BadQuery> {
        let typed = query.get("q").unwrap_or_default();
        let search =
            Search::parse(typed).map_err(|_token| BadQuery(t("users-looks-like-token")))?;
        let filters = Filters::read(&query, now, zone)?;
        let orders = [
            ("joined", UserOrder::SignedUp),
            ("seen", UserOrder::LastSignIn),
            ("username", UserOrder::Username),
            ("email", UserOrder::Email),
        ];
        let order = query.one_of("sort", &orders)?.unwrap_or_default();
        let directions = [
            ("asc", Direction::Ascending),
            ("desc", Direction::Descending),
        ];
        let direction = query.one_of("dir", &directions)?.unwrap_or(match order {
            UserOrder::SignedUp | UserOrder::LastSignIn => Direction::Descending,
            UserOrder::Username | UserOrder::Email => Direction::Ascending,
        });
        let filter = UserFilter {
            providers: filters.providers.clone(),
            joined_from: filters.from.and_then(|day| day_begin(day, 0, zone)),
            joined_before: filters.to.and_then(|day| day_begin(day, 1, zone)),
            is_active: filters.is_active,
            social_accounts: filters.accounts,
            last_sign_in_before: filters.seen_before.and_then(|day| day_begin(day, 0, zone)),
            access_token_expired: filters.token_expired,
            needle: search.as_ref().and_then(|search| search.needle.clone()),
        };
        Ok(Self {
            query,
            filters,
            search,
            order,
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
    ) -> ListRequest<UserFilter, UserOrder> {
        ListRequest {
            filter: self.filter.clone(),
            order: self.order,
            direction: self.direction,
            is_backwards: cursor.as_ref().is_some_and(|cursor| cursor.is_backwards),
            from: cursor.map(|cursor| cursor.position),
            rows,
            now,
            limits: Limits::default(),
        }
    }

    /// Whether there is something to search for that is too short to be found inside a text.
    pub(super) fn is_too_short(&self) -> bool {
        self.search
            .as_ref()
            .is_some_and(|search| search.needle.is_none())
    }

    const fn sort(&self) -> (&'static str, Direction) {
        let name = match self.order {
            UserOrder::SignedUp => "joined",
            UserOrder::LastSignIn => "seen",
            UserOrder::Username => "username",
            UserOrder::Email => "email",
        };
        (name, self.direction)
    }
}

/// `GET /admin/users`
///
/// # Errors
/// [`AdminError::InvalidRequest`] for a parameter that does not fit or a search for an access token; [`AdminError::Storage`].
pub async fn list_users(
    app: Data<App>,
    context: Data<ServerContext>,
    staff: StaffContext,
    request: HttpRequest,
) -> Result<HttpResponse, AdminError> {
    let asked = UsersQuery::read(&request, &staff)?;
    let size = page_size(&asked.query, &staff)?;
    let (cursor, is_foreign) = cursor_of(&asked.query);
    let exact = find_exactly(&app, &asked).await?;
    if let ([only], true) = (exact.as_slice(), asked.may_open()) {
        let list = asked.query.with(&[("as", "list")]);
        let notice = Notice::ok(t("users-opened")).with_link(t("users-opened-list"), list);
        return Ok(staff.redirect_with_notice(&format!("{PATH}/{only}"), notice));
    }
    let count = cursor.as_ref().and_then(|cursor| cursor.count);
    let list = asked.list_request(cursor, size.rows(), staff.now);
    let skips = asked.is_too_short();
    let found = app
        .db
        .read(move |reader| read_page(reader, &list, skips, &exact))
        .await?;
    let count = found.count.or(count);
    let page = page(&app, &staff, &asked, &found, (count, size, is_foreign));
    let mut response = staff.render(&page)?;
    if asked.query.get("rows").is_some() {
        remember_page_size(&mut response, &context, &staff, size);
    }
    Ok(response)
}

/// A page, and before the first row of the first page those of `exact` whom the list will not show in their place.
pub(super) fn read_page(
    reader: &mut Reader<'_>,
    request: &ListRequest<UserFilter, UserOrder>,
    is_too_short: bool,
    exact: &[UserId],
) -> Result<ListPage<ListedUser>, StorageError> {
    let exact = if request.from.is_none() { exact } else { &[] };
    let mut found = user_lists::list_with_exact(reader, request, exact)?;
    if is_too_short {
        found.page.rows.clear();
        found.page.next = None;
        found.count = Some(Count::Exactly(0));
    }
    Ok(found)
}

/// Whom a search names exactly, where there is nothing but a search.
pub(super) async fn find_exactly(
    app: &App,
    asked: &UsersQuery,
) -> Result<Vec<UserId>, StorageError> {
    let of_search_alone = asked
        .query
        .filters()
        .split('&')
        .all(|pair| pair.starts_with("q="));
    let Some(search) = asked.search.clone().filter(|_| of_search_alone) else {
        return Ok(Vec::new());
    };
    app.db
        .read(move |reader| search::find_exactly(reader, &search, EXACT_MATCHES))
        .await
}

impl UsersQuery {
    /// Whether a single match is opened at once.
    fn may_open(&self) -> bool {
        self.query.get("as").is_none() && self.query.get("cursor").is_none()
    }
}

/// The size of a page: of the address, else the preferred one.
pub(super) fn page_size(query: &ListQuery, staff: &StaffContext) -> Result<PageSize, BadQuery> {
    query.one_of("as", &[("list", ())])?;
    let sizes = [
        ("25", PageSize::Small),
        ("50", PageSize::Medium),
        ("100", PageSize::Large),
    ];
    let preferred = u16::try_from(staff.preferences.page_size)
        .ok()
        .and_then(PageSize::of);
    Ok(query
        .one_of("rows", &sizes)?
        .or(preferred)
        .unwrap_or_default())
}

fn page(
    app: &App,
    staff: &StaffContext,
    asked: &UsersQuery,
    found: &ListPage<ListedUser>,
    (count, size, is_foreign): (Option<Count>, PageSize, bool),
) -> UsersPage {
    let query = &asked.query;
    let mut frame = staff
        .frame(app, t("nav-users"), Nav::Users)
        .with_query(query.get("q").unwrap_or_default());
    frame.add_list_notices(is_foreign, found.is_behind);
    let exact = found.exact.len();
    let rows = found.exact.iter().chain(&found.page.rows);
    let rows: Vec<Row> = rows.map(|listed| row(app, &frame, listed)).collect();
    let count = count.map(|count| add(count, exact));
    UsersPage {
        total: found.total.max(0).unsigned_abs(),
        exports: frame.may_change().then(|| query.exports()),
        views: views(query, VIEWS),
        chips: asked
            .filters
            .chips(query, app, Span::SignedUp, &found.providers),
        is_filtered: query.is_filtered(),
        clear: PATH.to_owned(),
        caption: caption(asked),
        columns: columns(asked),
        pages: pages(query, &found.page, count, size, exact),
        empty: empty(asked),
        rows,
        frame,
    }
}

fn add(count: Count, more: usize) -> Count {
    let more = u32::try_from(more).unwrap_or_default();
    match count {
        Count::Exactly(count) => Count::Exactly(count.saturating_add(more)),
        count @ Count::MoreThan(_) => count,
    }
}

fn row(app: &App, frame: &Frame, listed: &ListedUser) -> Row {
    let user = &listed.user;
    let name = shown_name(&user.first_name, &user.last_name, &user.username);
    Row {
        href: format!("{PATH}/{}", user.id),
        initials: initials(&name),
        name,
        email: user.email.clone(),
        marks: listed
            .providers
            .iter()
            .take(MARKS)
            .map(|id| mark(app, id))
            .collect(),
        more: listed.providers.len().saturating_sub(MARKS),
        is_active: user.is_active,
        last_sign_in: listed.last_sign_in_at.map(|at| frame.time(at)),
        joined: frame.time(user.date_joined),
    }
}

fn columns(asked: &UsersQuery) -> Vec<Column> {
    use Direction::{Ascending, Descending};
    [
        ("list-user", Some(("username", Ascending))),
        ("form-email-label", Some(("email", Ascending))),
        ("list-social-accounts", None),
        ("list-status", None),
        ("list-last-sign-in", Some(("seen", Descending))),
        ("list-signed-up", Some(("joined", Descending))),
    ]
    .into_iter()
    .map(|(label, sort)| column(&asked.query, label, sort, asked.sort()))
    .collect()
}

fn caption(asked: &UsersQuery) -> Message {
    t(match (asked.order, asked.direction) {
        (UserOrder::SignedUp, Direction::Descending) => "users-latest-sign-up",
        (UserOrder::SignedUp, Direction::Ascending) => "users-earliest-sign-up",
        (UserOrder::LastSignIn, Direction::Descending) => "users-latest-sign-in",
        (UserOrder::LastSignIn, Direction::Ascending) => "users-earliest-sign-in",
        (UserOrder::Username, Direction::Ascending) => "users-names-from-a",
        (UserOrder::Username, Direction::Descending) => "users-names-from-z",
        (UserOrder::Email, Direction::Ascending) => "users-addresses-from-a",
        (UserOrder::Email, Direction::Descending) => "users-addresses-from-z",
    })
}

/// What an empty list says.
fn empty(asked: &UsersQuery) -> Empty {
    let query = &asked.query;
    if !query.is_filtered() {
        return Empty {
            heading: t("users-nobody-heading"),
            sentence: t("users-nobody"),
            label: t("list-look-at-providers"),
            href: "/admin/providers",
        };
    }
    let sentence = match query.get("q") {
        Some(_) if asked.is_too_short() => t("users-too-short").with("count", SHORTEST_NEEDLE),
        Some(typed) => t("users-not-found").with("typed", typed),
        None => t("users-no-fit"),
    };
    Empty::nothing_matches(sentence, PATH)
}

impl Frame {
    /// What a list has to say before its rows.
    pub(super) fn add_list_notices(&mut self, is_foreign_cursor: bool, is_behind: bool) {
        if is_foreign_cursor {
            self.notices.push(Notice::warn(t("list-foreign-cursor")));
        }
        if is_behind {
            self.notices.push(Notice::warn(t("list-behind")));
        }
    }
}
