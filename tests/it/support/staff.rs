//! A browser of somebody who looks after the service: cookies and forms, no script.

use std::collections::BTreeMap;

use latchkey::domain::staff::{DisplayName, NewStaff, StaffEmail};
use latchkey::domain::{Role, Secret, StaffId};
use latchkey::storage::{StorageError, staff};
use reqwest::header::{HeaderMap, SET_COOKIE};

use super::TestApp;

/// The password of every staff account that tests make.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A browser. It keeps cookies, follows no redirect, and knows the token for forms of the page it saw last.
pub(crate) struct StaffClient {
    /// The account, if [`TestApp::staff`] made it.
    pub(crate) id: StaffId,
    base: String,
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
    csrf: Option<String>,
}

/// A page that came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Page {
    /// Where a redirect leads.
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.html);
        self.headers["location"].to_str().unwrap()
    }

    /// Checks the status and that the page says `text`.
    #[track_caller]
    pub(crate) fn assert_says(&self, status: u16, text: &str) {
        assert_eq!(self.status, status, "{}", self.html);
        assert!(self.html.contains(text), "{text:?} is not in {}", self.html);
    }

    /// What stands between the first `before` and the next `after`.
    pub(crate) fn between(&self, before: &str, after: &str) -> Option<&str> {
        let (_, rest) = self.html.split_once(before)?;
        Some(rest.split_once(after)?.0)
    }

    /// The value of the first hidden field of this name.
    pub(crate) fn hidden(&self, name: &str) -> Option<String> {
        let found = self.between(&format!("name=\"{name}\" value=\""), "\"")?;
        Some(found.to_owned())
    }

    /// Whether a cookie of this name is set, and with what.
    pub(crate) fn set_cookie(&self, name: &str) -> Option<&str> {
        let all = self.headers.get_all(SET_COOKIE).iter();
        let mut texts = all.filter_map(|value| value.to_str().ok());
        texts.find(|text| text.starts_with(&format!("{name}=")))
    }
}

impl StaffClient {
    /// A browser that nobody has signed in with.
    pub(crate) fn new(app: &TestApp) -> Self {
        Self::at(&app.base)
    }

    /// The same for the instance that answers at `base`.
    pub(crate) fn at(base: &str) -> Self {
        Self {
            id: StaffId(0),
            base: base.to_owned(),
            client: super::client(),
            cookies: BTreeMap::new(),
            csrf: None,
        }
    }

    /// The same browser, sent to another instance.
    pub(crate) fn moved_to(&self, base: &str) -> Self {
        Self {
            id: self.id,
            base: base.to_owned(),
            client: self.client.clone(),
            cookies: self.cookies.clone(),
            csrf: self.csrf.clone(),
        }
    }

    /// The cookie of this name.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// All cookies, by name.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cookies
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Puts a cookie into the browser.
    pub(crate) fn put_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// The token for forms.
    pub(crate) fn csrf(&self) -> &str {
        self.csrf.as_deref().unwrap_or_default()
    }

    /// `GET path`
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path);
        self.send(request).await
    }

    /// Sends a form to `path`, with the token of the page that was seen last.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut fields = fields.to_vec();
        let csrf = self.csrf().to_owned();
        fields.push(("csrf", &csrf));
        let request = self
            .request("POST", path)
            .header("sec-fetch-site", "same-origin");
        let request = with_form(request, &fields);
        self.send(request).await
    }

    /// A request with the browser's cookies, to be completed by the test.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = self
            .client
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
            .header("user-agent", "Tests/1.0");
        if cookies.is_empty() {
            request
        } else {
            request.header("cookie", cookies.join("; "))
        }
    }

    /// Sends a request, and keeps the cookies that come back.
    pub(crate) async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for cookie in headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, rest) = text.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.put_cookie(name, value);
            }
        }
        let page = Page {
            status,
            headers,
            html: response.text().await.unwrap(),
        };
        self.csrf = page.hidden("csrf").or_else(|| self.csrf.take());
        page
    }

    /// Signs in with the password, as far as that leads.
    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Page {
        self.get("/admin/sign-in").await;
        let fields = [("email", email), ("password", password)];
        self.post("/admin/sign-in", &fields).await
    }
}

/// Adds a form to a request.
pub(crate) fn with_form(
    request: reqwest::RequestBuilder,
    fields: &[(&str, &str)],
) -> reqwest::RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

impl TestApp {
    /// Makes an account for `email` with [`PASSWORD`].
    pub(crate) async fn new_staff(&self, email: &str, role: Role) -> StaffId {
        let salt = self.app.random();
        let hash = self.app.passwords.hash(Secret::new(PASSWORD), salt);
        let hash = hash.await.unwrap();
        let new = NewStaff {
            email: StaffEmail::parse(email).unwrap(),
            display_name: DisplayName::parse("Jo Meyer").unwrap(),
            role,
        };
        let now = self.app.clock.now();
        self.app
            .db
            .write(move |tx| {
                let staff = staff::insert(tx, &new, now)?.unwrap();
                staff::set_password_hash(tx, staff.id, &hash, now)?;
                Ok::<_, StorageError>(staff.id)
            })
            .await
            .unwrap()
    }

    /// A browser of a new member of staff with this role, signed in.
    pub(crate) async fn staff(&self, role: Role) -> StaffClient {
        let email = format!(
            "{}-{}@example.org",
            role.as_str(),
            hex::encode(self.app.random::<4>())
        );
        let id = self.new_staff(&email, role).await;
        let mut browser = StaffClient::new(self);
        browser.id = id;
        let page = browser.sign_in(&email, PASSWORD).await;
        assert_eq!(page.location(), "/admin");
        // Learns the token for forms.
        let page = browser.get("/admin/preferences").await;
        assert_eq!(page.status, 200, "{}", page.html);
        browser
    }
}
