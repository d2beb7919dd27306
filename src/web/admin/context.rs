//! Who is at the other end of a staff page: somebody signed in, or a browser that may become so.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::rc::Rc;

use actix_session::Session;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::error::AdminError;
use super::frame::{self, Frame, Nav};
use super::lists::holds_token;
use super::notices::{self, Notice};
use super::preferences::Preferences;
use super::store::{KEY, SESSION_ID};
use super::text::Message;
use crate::app::App;
use crate::domain::stewardship::By;
use crate::domain::{Actor, RequestContext, Role, Staff, StaffSession};
use crate::flows::staff::{SessionGrant, SignedInStaff};
use crate::web::extract::Context;

/// A signed-in member of staff, as the guard found them. Taken as an argument by the handlers of pages that need a role.
#[derive(Clone)]
pub struct StaffContext(Rc<Inner>);

/// What [`StaffContext`] gives.
pub struct Inner {
    /// The account.
    pub staff: Staff,
    /// The session.
    pub session: StaffSession,
    /// The token for forms.
    pub csrf: String,
    /// Language, theme, zone and page size.
    pub preferences: Preferences,
    /// When the request came.
    pub now: DateTime<Utc>,
    /// Path and query, for coming back.
    pub path: String,
    browser: Session,
}

impl Deref for StaffContext {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl StaffContext {
    pub(super) fn new(
        who: SignedInStaff,
        csrf: String,
        app: &App,
        request: &HttpRequest,
        browser: Session,
    ) -> Self {
        Self(Rc::new(Inner {
            staff: who.staff,
            session: who.session,
            csrf,
            preferences: Preferences::of(request),
            now: app.clock.now(),
            path: path_of(request),
            browser,
        }))
    }

    /// The actor for the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Staff(self.staff.id)
    }

    /// Who acts, and in which request, for flows that change something.
    pub(super) fn by(&self, context: RequestContext) -> By {
        By {
            actor: self.actor(),
            context,
        }
    }

    /// What they may do. Buttons that a role cannot use are left out of its pages.
    #[must_use]
    pub fn role(&self) -> Role {
        self.staff.role
    }

    /// The holder of the session, for flows.
    #[must_use]
    pub fn signed_in(&self) -> SignedInStaff {
        SignedInStaff {
            staff: self.staff.clone(),
            session: self.session.clone(),
        }
    }

    /// Lets on whoever proved who they are within the last ten minutes. Everybody else goes to prove it first, and from there to
    /// `next`, which is an address that can be read.
    ///
    /// # Errors
    /// [`AdminError::StepUpNeeded`].
    pub fn require_fresh_factor(&self, next: &str) -> Result<(), AdminError> {
        if self.session.is_fresh(self.now) {
            return Ok(());
        }
        Err(AdminError::StepUpNeeded {
            next: next.to_owned(),
        })
    }

    /// As [`StaffContext::require_fresh_factor`], for setting up the first second factor. Whoever has no password could prove nothing
    /// else, and few providers say when somebody signed in there: having come through one just now is enough.
    ///
    /// # Errors
    /// [`AdminError::StepUpNeeded`].
    pub fn require_fresh_sign_in(&self, next: &str) -> Result<(), AdminError> {
        if !self.staff.has_password && self.session.is_new(self.now) {
            return Ok(());
        }
        self.require_fresh_factor(next)
    }

    /// The frame of a page called `title` that belongs to `nav`, if to anything. Takes the notices that wait.
    #[must_use]
    pub fn frame(&self, app: &App, title: Message, nav: impl Into<Option<Nav>>) -> Frame {
        let mut frame = Frame::new(title, self.preferences, self.now, self.csrf.clone());
        frame.show_staff(self, app, nav.into(), notices::take(&self.browser));
        frame
    }

    /// The page as an answer.
    ///
    /// # Errors
    /// [`AdminError::Render`].
    pub fn render(&self, page: &impl Template) -> Result<HttpResponse, AdminError> {
        frame::render(page, self.preferences.language, StatusCode::OK)
    }

    /// The page again with what is wrong with its form.
    ///
    /// # Errors
    /// [`AdminError::Render`].
    pub fn render_with_status(
        &self,
        status: StatusCode,
        page: &impl Template,
    ) -> Result<HttpResponse, AdminError> {
        frame::render(page, self.preferences.language, status)
    }

    /// `303` to `to`, where the notice is shown.
    #[must_use]
    pub fn redirect_with_notice(&self, to: &str, notice: Notice) -> HttpResponse {
        notices::put(&self.browser, notice, self.preferences.language);
        notices::redirect(to)
    }

    /// Gives the browser a new key of its session.
    pub(super) fn hand_over(&self, grant: &SessionGrant) {
        hand_over(&self.browser, grant);
    }
}

impl FromRequest for StaffContext {
    type Error = AdminError;
    type Future = Ready<Result<Self, AdminError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions().get::<Self>().cloned();
        // Absent only where the table of routes asks for no role.
        ready(found.ok_or_else(|| AdminError::sign_in_needed(request)))
    }
}

/// A browser, whether or not anybody is signed in.
pub struct BrowserContext {
    /// The token for forms.
    pub csrf: String,
    /// Language, theme, zone and page size.
    pub preferences: Preferences,
    /// When the request came.
    pub now: DateTime<Utc>,
    /// The session, which may still owe the second factor.
    pub signed_in: Option<SignedInStaff>,
    browser: Session,
}

/// What the guard found out for [`BrowserContext`].
#[derive(Clone)]
pub(super) struct Found {
    pub(super) csrf: String,
    pub(super) now: DateTime<Utc>,
    pub(super) signed_in: Option<SignedInStaff>,
    pub(super) browser: Session,
}

impl BrowserContext {
    /// The frame of a page without menu.
    #[must_use]
    pub fn frame(&self, title: Message) -> Frame {
        Frame::new(title, self.preferences, self.now, self.csrf.clone())
    }

    /// The page as an answer.
    ///
    /// # Errors
    /// [`AdminError::Render`].
    pub fn render(&self, page: &impl Template) -> Result<HttpResponse, AdminError> {
        frame::render(page, self.preferences.language, StatusCode::OK)
    }

    /// The page again with what is wrong with its form.
    ///
    /// # Errors
    /// [`AdminError::Render`].
    pub fn render_with_status(
        &self,
        status: StatusCode,
        page: &impl Template,
    ) -> Result<HttpResponse, AdminError> {
        frame::render(page, self.preferences.language, status)
    }

    /// Gives the browser the key of a new session.
    pub(super) fn hand_over(&self, grant: &SessionGrant) {
        hand_over(&self.browser, grant);
    }

    /// Takes the session's cookie from the browser.
    pub(super) fn forget(&self) {
        self.browser.purge();
    }
}

/// Whatever the browser had is gone; a new cookie carries the new key.
fn hand_over(browser: &Session, grant: &SessionGrant) {
    browser.clear();
    browser.renew();
    // Numbers and texts always become JSON.
    let _ = browser.insert(SESSION_ID, grant.session_id.0);
    let _ = browser.insert(KEY, grant.key.expose());
}

impl FromRequest for BrowserContext {
    type Error = AdminError;
    type Future = Ready<Result<Self, AdminError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions().get::<Found>().cloned();
        ready(found.ok_or(AdminError::NotFound).map(|found| Self {
            csrf: found.csrf,
            preferences: Preferences::of(request),
            now: found.now,
            signed_in: found.signed_in,
            browser: found.browser,
        }))
    }
}

/// Where a request of staff came from, for flows.
pub struct ContextOf(pub RequestContext);

impl FromRequest for ContextOf {
    type Error = AdminError;
    type Future = Ready<Result<Self, AdminError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(Context::of(request))))
    }
}

/// Path and query as the browser asked for them; without the query if there is what looks like an access token in it.
pub(super) fn path_of(request: &HttpRequest) -> String {
    if holds_token(request.query_string()) {
        return request.path().to_owned();
    }
    let target = request.uri().path_and_query();
    target.map_or_else(|| "/admin".to_owned(), |target| target.as_str().to_owned())
}
