//! `GET /admin/users/{id}`

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::super::context::{ContextOf, StaffContext};
use super::super::device::device_name;
use super::super::error::AdminError;
use super::super::frame::{Frame, Nav, initials};
use super::super::marks::Mark;
use super::super::text::{Message, filters, t};
use super::super::time::{Time, date};
use super::json_tree::{Token, tree};
use super::timeline::{Line, actor_words, check_words, lines};
use super::{failed, name_of, title_of};
use crate::app::App;
use crate::domain::stewardship::StandingOrder;
use crate::domain::{User, UserId};
use crate::flows::people::{AccountView, UserView, view_user};
use crate::storage::session_records::SessionRecord;
use crate::storage::standing_orders::StandingOrderRecord;

/// Until when a session counts as in use.
const NOW_MINUTES: i64 = 5;
/// How long before its end an access token is worth a word.
const SOON_DAYS: i64 = 7;
/// Members that providers keep a handle in.
const HANDLES: [&str; 5] = [
    "login",
    "username",
    "preferred_username",
    "screen_name",
    "data.username",
];

/// The page.
#[derive(Template)]
#[template(path = "admin/person/show.html")]
struct UserPage {
    frame: Frame,
    user: User,
    name: String,
    initials: String,
    last_sign_in: Option<Time>,
    joined: Time,
    inactive: Option<Inactive>,
    ways_in: Message,
    accounts: Vec<AccountRow>,
    unlinked: Vec<UnlinkedRow>,
    waiting: Vec<WaitingRow>,
    sessions: Vec<SessionRow>,
    timeline: Vec<Line>,
}

struct Inactive {
    by: Message,
    reason: String,
    at: Time,
}

struct Tag {
    tone: &'static str,
    text: Message,
}

struct AccountRow {
    id: i64,
    mark: Mark,
    title: String,
    handle: String,
    uid: String,
    tags: Vec<Tag>,
    linked: Time,
    used: Time,
    data: Vec<Token>,
    checked: Option<(Message, Time)>,
}

struct UnlinkedRow {
    id: i64,
    mark: Mark,
    title: String,
    uid: String,
    by: Message,
    reason: String,
    at: Time,
    until: Time,
    order: Option<Tag>,
}

/// What is ordered about an account that is not in the list of unlinked ones.
struct WaitingRow {
    mark: Mark,
    title: String,
    uid: String,
    tag: Tag,
    by: Message,
    reason: String,
}

struct SessionRow {
    id: i64,
    device: Message,
    icon: &'static str,
    is_now: bool,
    /// With which account it was begun.
    with: Message,
    address: String,
    started: Time,
    used: Time,
}

/// `GET /admin/users/{id}`
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Storage`].
pub async fn show_user(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    path: Path<i64>,
) -> Result<HttpResponse, AdminError> {
    let id = UserId(path.into_inner());
    let view = view_user(&app, &staff.by(context), id)
        .await
        .map_err(|error| failed(error, id))?;
    let name = Message::verbatim(name_of(&view.user.user));
    let frame = staff.frame(&app, name, Nav::Users);
    staff.render(&page(&app, frame, &view))
}

fn page(app: &App, frame: Frame, view: &UserView) -> UserPage {
    let user = view.user.user.clone();
    let name = name_of(&user);
    UserPage {
        initials: initials(&name),
        last_sign_in: view.user.last_sign_in_at.map(|at| frame.time(at)),
        joined: frame.time(user.date_joined),
        inactive: inactive(&frame, view),
        ways_in: t("person-ways-in").with("count", view.ways_in()),
        accounts: view
            .accounts
            .iter()
            .map(|account| account_row(app, &frame, account))
            .collect(),
        unlinked: unlinked_rows(app, &frame, view),
        waiting: waiting_rows(app, view),
        sessions: view
            .sessions
            .iter()
            .map(|session| session_row(app, &frame, view, session))
            .collect(),
        timeline: lines(&view.timeline, &frame, &|id| title_of(app, id)),
        name,
        user,
        frame,
    }
}

fn inactive(frame: &Frame, view: &UserView) -> Option<Inactive> {
    if view.user.user.is_active {
        return None;
    }
    let why = view.user.deactivation.as_ref()?;
    Some(Inactive {
        by: actor_words(&why.actor_kind, why.actor_id, why.actor_name.as_deref()),
        reason: why.reason.clone(),
        at: frame.time(why.at),
    })
}

fn account_row(app: &App, frame: &Frame, view: &AccountView) -> AccountRow {
    let account = &view.record.social_auth;
    let mut tags = Vec::new();
    if !view.is_way_in {
        tags.push(tag("", t("person-provider-off")));
    }
    tags.extend(token_tag(view, frame.now()));
    AccountRow {
        id: account.id.0,
        mark: Mark::of(&app.providers, account.provider.as_str()),
        title: title_of(app, account.provider.as_str()),
        handle: handle(&account.extra_data),
        uid: account.uid.as_str().to_owned(),
        tags,
        linked: frame.time(account.created_at),
        used: frame.time(account.modified_at),
        data: tree(&account.extra_data),
        checked: view.check.as_ref().and_then(|check| {
            let result = check_words(check.outcome.as_deref()?);
            Some((result, frame.time(check.checked_at)))
        }),
    }
}

const fn tag(tone: &'static str, text: Message) -> Tag {
    Tag { tone, text }
}

/// What is worth knowing of the stored access token: the provider's word before ours.
fn token_tag(view: &AccountView, now: DateTime<Utc>) -> Option<Tag> {
    let checked = view
        .check
        .as_ref()
        .and_then(|check| check.outcome.as_deref());
    match checked {
        Some("refused") => return Some(tag("bad", t("person-token-refused"))),
        Some("another_apps") => return Some(tag("bad", t("person-token-of-another-app"))),
        Some("another_persons") => return Some(tag("bad", t("person-token-of-another-person"))),
        Some("expired") => return Some(tag("warn", t("person-token-expired"))),
        _ => {}
    }
    let extra_data = &view.record.social_auth.extra_data;
    if extra_data.get("access_token").is_none() {
        return Some(tag("", t("person-token-missing")));
    }
    let expires_at = extra_data.get("expires_at").and_then(Value::as_str);
    let left = expires_at
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok())?
        .to_utc()
        - now;
    if left <= TimeDelta::zero() {
        return Some(tag("warn", t("person-token-expired")));
    }
    // Most access tokens live for an hour or so: only a long one that ends is news.
    let days = left.num_days();
    let is_news = (1..SOON_DAYS).contains(&days);
    is_news.then(|| tag("warn", t("person-token-expires").with("count", days)))
}

fn handle(extra_data: &Value) -> String {
    HANDLES
        .iter()
        .find_map(|name| extra_data.get(name)?.as_str())
        .map(|handle| format!("@{handle}"))
        .unwrap_or_default()
}

fn order_tag(order: StandingOrder, until: DateTime<Utc>) -> Tag {
    match order {
        StandingOrder::Refuse => tag("bad", t("person-order-refused").with("day", date(&until))),
        StandingOrder::AssociateWith(user_id) => tag(
            "ok",
            t("person-order-associate")
                .with("user", user_id.to_string())
                .with("day", date(&until)),
        ),
    }
}

fn unlinked_rows(app: &App, frame: &Frame, view: &UserView) -> Vec<UnlinkedRow> {
    let rows = view.unlinked.iter().map(|kept| {
        let account = &kept.account;
        let order = view
            .orders
            .iter()
            .find(|order| order.provider == account.provider && order.uid == account.uid);
        UnlinkedRow {
            id: account.id.0,
            mark: Mark::of(&app.providers, account.provider.as_str()),
            title: title_of(app, account.provider.as_str()),
            uid: account.uid.as_str().to_owned(),
            by: actor_words(
                &account.actor_kind,
                account.actor_id,
                kept.actor_name.as_deref(),
            ),
            reason: account.reason.clone(),
            at: frame.time(account.unlinked_at),
            until: frame.time(account.expires_at),
            order: order.map(|order| order_tag(order.order, order.expires_at)),
        }
    });
    rows.collect()
}

fn waiting_rows(app: &App, view: &UserView) -> Vec<WaitingRow> {
    let is_shown = |order: &StandingOrderRecord| {
        view.unlinked
            .iter()
            .any(|kept| kept.account.provider == order.provider && kept.account.uid == order.uid)
    };
    view.orders
        .iter()
        .filter(|order| !is_shown(order))
        .map(|order| WaitingRow {
            mark: Mark::of(&app.providers, order.provider.as_str()),
            title: title_of(app, order.provider.as_str()),
            uid: order.uid.as_str().to_owned(),
            tag: order_tag(order.order, order.expires_at),
            by: actor_words(
                &order.actor_kind,
                order.actor_id,
                order.actor_name.as_deref(),
            ),
            reason: order.reason.clone(),
        })
        .collect()
}

/// What is carried about has another icon.
fn icon_of(user_agent: &str) -> &'static str {
    let is_handheld = ["iPhone", "iPad", "iOS", "Android", "CFNetwork"]
        .iter()
        .any(|mark| user_agent.contains(mark));
    if is_handheld { "i-phone" } else { "i-web" }
}

fn session_row(app: &App, frame: &Frame, view: &UserView, session: &SessionRecord) -> SessionRow {
    let with = view
        .accounts
        .iter()
        .find(|account| Some(account.record.social_auth.id) == session.social_auth_id)
        .map(|account| title_of(app, account.record.social_auth.provider.as_str()));
    SessionRow {
        id: session.id.0,
        icon: icon_of(session.user_agent.as_deref().unwrap_or_default()),
        device: session.api_client.clone().map_or_else(
            || device_name(session.user_agent.as_deref()),
            Message::verbatim,
        ),
        is_now: frame.now() - session.last_used_at < TimeDelta::minutes(NOW_MINUTES),
        with: with.map_or_else(
            || t("person-session-with-gone"),
            |title| t("person-session-with").with("provider", title),
        ),
        address: session.address.clone().unwrap_or_default(),
        started: frame.time(session.created_at),
        used: frame.time(session.last_used_at),
    }
}
