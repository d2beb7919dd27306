//! How long the pages of staff take, the whole page over HTTP, on a database that `latchkey seed` filled:
//! `cargo bench --bench admin_lists -- --help`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a bench that meets a surprise has nothing better to do than to end"
)]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::app::{App, Clock};
use latchkey::config::Config;
use latchkey::domain::paging::{Cursor, OrderKey, Position};
use latchkey::domain::staff::{DisplayName, NewStaff, StaffEmail};
use latchkey::domain::{Role, Secret};
use latchkey::start;
use latchkey::storage::{StorageError, staff};

const HELP: &str = "cargo bench --bench admin_lists -- --database-url URL [OPTIONS]
    --database-url URL   a database that `latchkey seed` filled; gets one staff account more
    --rounds N           requests of each page; default 40
    --bar-ms N           fail if the 95th percentile of any page is above; default none
    --only TEXT          pages whose name has this in it
    --export             measure exports of all users and of all accounts as well";

const PASSWORD: &str = "correct horse battery";

struct Options {
    url: String,
    rounds: usize,
    bar_ms: Option<f64>,
    only: Option<String>,
    export: bool,
}

fn options() -> Option<Options> {
    let mut options = Options {
        url: String::new(),
        rounds: 40,
        bar_ms: None,
        only: None,
        export: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("a value");
        match argument.as_str() {
            "--database-url" => options.url = value(),
            "--rounds" => options.rounds = value().parse().expect("a number"),
            "--bar-ms" => options.bar_ms = Some(value().parse().expect("a number")),
            "--only" => options.only = Some(value()),
            "--export" => options.export = true,
            // Cargo says it.
            "--bench" => {}
            _ => return None,
        }
    }
    (!options.url.is_empty()).then_some(options)
}

/// Lists of users: names and queries.
const USERS: &[(&str, &str)] = &[
    ("first page", ""),
    ("by user name", "sort=username"),
    ("by email", "sort=email"),
    ("by email, from the end", "sort=email&dir=desc"),
    ("by last sign-in", "sort=seen"),
    ("by last sign-in, earliest first", "sort=seen&dir=asc"),
    ("provider, common", "provider=google"),
    ("provider, rare", "provider=yandex"),
    ("provider, of nobody", "provider=kakao"),
    (
        "provider, rare, by user name",
        "provider=yandex&sort=username",
    ),
    ("provider, common, by email", "provider=google&sort=email"),
    ("two providers", "provider=gitlab&provider=yandex"),
    ("signed up today", "from=today"),
    (
        "signed up in the last 30 days, by email",
        "from=30d&sort=email",
    ),
    ("signed up long ago", "to=2025-03-01"),
    ("inactive", "status=inactive"),
    ("inactive, by last sign-in", "status=inactive&sort=seen"),
    ("no account", "accounts=0"),
    ("several accounts", "accounts=2"),
    ("access token expired", "token=expired"),
    (
        "access token expired, by user name",
        "token=expired&sort=username",
    ),
    ("last sign-in before", "seen_before=2025-03-01"),
    (
        "all filters",
        "from=300d&provider=google&accounts=2&status=active&seen_before=2026-10-01&token=expired",
    ),
    (
        "all filters, rare provider",
        "from=700d&provider=yandex&accounts=2&status=inactive&token=expired",
    ),
    ("search, common", "q=example.org&as=list"),
    ("search, usual", "q=okafor&as=list"),
    ("search, rare", "q=okafor99999&as=list"),
    ("search, nobody", "q=qqqqqqqq&as=list"),
    ("search, three letters", "q=zol&as=list"),
    (
        "search, another script",
        "q=%D0%9E%D0%BB%D1%8C%D0%B3%D0%B0&as=list",
    ),
    (
        "search by user name and provider",
        "q=okafor&provider=twitch&as=list&sort=username",
    ),
    (
        "six providers",
        "provider=google&provider=facebook&provider=apple&provider=github&provider=x&provider=twitch",
    ),
    (
        "six providers, inactive",
        "provider=google&provider=facebook&provider=apple&provider=github&provider=x&provider=twitch&status=inactive",
    ),
    ("signed up today, by email", "from=today&sort=email"),
    (
        "not seen for long, by user name",
        "seen_before=2025-03-01&sort=username",
    ),
];

/// The same of social accounts.
const ACCOUNTS: &[(&str, &str)] = &[
    ("first page", ""),
    ("provider, rare", "provider=yandex"),
    ("provider, common", "provider=google"),
    ("two providers", "provider=gitlab&provider=yandex"),
    ("of inactive users", "status=inactive"),
    ("access token expired", "token=expired"),
    ("associated today", "from=today"),
    ("of users not seen for long", "seen_before=2025-03-01"),
    (
        "of several, expired",
        "accounts=2&token=expired&status=active",
    ),
];

/// Every page that is measured: its name and address.
fn pages(deep_id: i64) -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = USERS
        .iter()
        .map(|(name, query)| (format!("users, {name}"), format!("/admin/users?{query}")))
        .collect();
    let deep = |list: &str, key| {
        let position = Position { key, id: deep_id };
        let cursor = Cursor {
            position,
            is_backwards: false,
            count: None,
        };
        let joint = if list.contains('?') { '&' } else { '?' };
        format!("{list}{joint}cursor={}", cursor.encode(list))
    };
    pages.extend([
        (
            "users, deep page".to_owned(),
            deep("/admin/users", OrderKey::Id),
        ),
        (
            "users, deep page by user name".to_owned(),
            deep("/admin/users?sort=username", OrderKey::Text("t".into())),
        ),
        (
            "users, deep page by email".to_owned(),
            deep("/admin/users?sort=email", OrderKey::Text("t".into())),
        ),
        (
            "users, deep page by last sign-in".to_owned(),
            deep(
                "/admin/users?sort=seen",
                OrderKey::Time(1_735_689_600_000_000),
            ),
        ),
        (
            "users, deep page of a provider".to_owned(),
            deep("/admin/users?provider=google", OrderKey::Id),
        ),
        (
            "accounts, deep page".to_owned(),
            deep("/admin/accounts", OrderKey::Id),
        ),
    ]);
    pages.extend(ACCOUNTS.iter().map(|(name, query)| {
        (
            format!("accounts, {name}"),
            format!("/admin/accounts?{query}"),
        )
    }));
    let others = [
        ("a user", format!("/admin/users/{deep_id}")),
        ("overview", "/admin/overview".to_owned()),
        ("activity", "/admin/activity".to_owned()),
        ("providers", "/admin/providers".to_owned()),
        // Remembered from here on.
        ("users, 100 rows", "/admin/users?rows=100".to_owned()),
        ("accounts, 100 rows", "/admin/accounts?rows=100".to_owned()),
    ];
    pages.extend(others.map(|(name, path)| (name.to_owned(), path)));
    pages
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        println!("{HELP}");
        return ExitCode::FAILURE;
    };
    actix_web::rt::System::new().block_on(async {
        let toml = format!(
            "[database]\nurl = \"{}\"\n[providers.google]\nclient_id = \"bench\"\n",
            options.url
        );
        let mut config = Config::from_toml(&toml).unwrap();
        config.server.bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let service = start::build(&config, Clock::system()).unwrap();
        let (app, base) = (
            Arc::clone(&service.app),
            format!("http://{}", service.address),
        );
        let (done, stopped) = tokio::sync::oneshot::channel::<()>();
        let measured = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let fits = runtime.block_on(measure(&app, base, &options));
            drop(done);
            fits
        });
        service
            .run(async { stopped.await.unwrap_or(()) })
            .await
            .unwrap();
        if measured.join().unwrap() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    })
}

async fn measure(app: &App, base: String, options: &Options) -> bool {
    let mut browser = Browser::new(base);
    browser.sign_in(app).await;
    let newest = browser.get("/admin/users").await;
    let (_, rest) = newest
        .split_once("<tbody")
        .and_then(|(_, rows)| rows.split_once("href=\"/admin/users/"))
        .expect("a user: seed the database first");
    let newest: i64 = rest[..rest.find('"').unwrap()].parse().unwrap();
    println!("| page | p50 ms | p95 ms | kB | |\n|---|---|---|---|---|");
    let mut fits = true;
    for (name, path) in pages(newest / 20) {
        if options
            .only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        let mut times = Vec::with_capacity(options.rounds);
        let mut html = String::new();
        // The first one warms the caches.
        for round in 0..=options.rounds {
            let began = Instant::now();
            html = browser.get(&path).await;
            if round > 0 {
                times.push(began.elapsed());
            }
        }
        times.sort_unstable();
        let ms = |share: usize| {
            times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3
        };
        println!(
            "| {name} | {:.1} | {:.1} | {} | {} |",
            ms(50),
            ms(95),
            html.len() / 1000,
            shown(&html)
        );
        fits &= options.bar_ms.is_none_or(|bar| ms(95) <= bar);
    }
    if options.export {
        for list in ["users", "accounts"] {
            export(&browser, list).await;
        }
    }
    fits
}

/// What the page says of how many it shows.
fn shown(html: &str) -> &str {
    html.find("Showing ")
        .map_or("", |at| html[at..].split(['<', '\n', '·']).next().unwrap())
        .trim()
}

async fn export(browser: &Browser, list: &str) {
    let began = Instant::now();
    let mut response = browser
        .request("GET", &format!("/admin/{list}/export?format=ndjson"))
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    let mut first = None;
    let mut lines = 0;
    while let Some(piece) = response.chunk().await.unwrap() {
        first.get_or_insert_with(|| began.elapsed());
        #[expect(
            clippy::naive_bytecount,
            reason = "a crate for one line of a bench would be too much"
        )]
        let ends = piece.iter().filter(|byte| **byte == b'\n').count();
        lines += ends;
    }
    let first = first.unwrap_or(Duration::ZERO);
    println!(
        "\nexport of {lines} {list}: first byte after {:.0} ms, {:.1} s in all",
        first.as_secs_f64() * 1e3,
        began.elapsed().as_secs_f64()
    );
}

/// A browser without script.
struct Browser {
    base: String,
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(base: String) -> Self {
        // Refused if it is there already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            base,
            client,
            cookies: BTreeMap::new(),
        }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        self.client
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
            .header("cookie", cookies.join("; "))
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> (u16, String) {
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn get(&mut self, path: &str) -> String {
        let request = self.request("GET", path);
        let (status, html) = self.send(request).await;
        assert_eq!(status, 200, "{path}: {html}");
        html
    }

    async fn sign_in(&mut self, app: &App) {
        let email = format!("bench-{}@example.org", hex::encode(app.random::<6>()));
        let hash = app
            .passwords
            .hash(Secret::new(PASSWORD), app.random())
            .await
            .unwrap();
        let new = NewStaff {
            email: StaffEmail::parse(&email).unwrap(),
            display_name: DisplayName::parse("Bench").unwrap(),
            role: Role::Admin,
        };
        let now = app.clock.now();
        app.db
            .write(move |tx| {
                let made = staff::insert(tx, &new, now)?.expect("a new address");
                staff::set_password_hash(tx, made.id, &hash, now)?;
                Ok::<_, StorageError>(())
            })
            .await
            .unwrap();
        let page = self.get("/admin/sign-in").await;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        let csrf = rest[..rest.find('"').unwrap()].to_owned();
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("email", email.as_str()),
                ("password", PASSWORD),
                ("csrf", &csrf),
            ])
            .finish();
        let request = self
            .request("POST", "/admin/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(body);
        let (status, html) = self.send(request).await;
        assert_eq!(status, 303, "{html}");
    }
}
