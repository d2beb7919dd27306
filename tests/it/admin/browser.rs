//! The staff pages in headless Chromium: what `tests/browser/check.mjs` finds wrong with them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use latchkey::domain::Role;
use serde_json::{Value, json};

use crate::support::{StaffClient, TestApp, node_script, on_both, skip};

/// Where the pictures of the documentation are.
const SCREENSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/screenshots");

/// Where the pages are looked at: wide and narrow, light and dark.
fn looks() -> Value {
    json!([
        {"width": 1280, "theme": "light"}, {"width": 390, "theme": "dark"},
        {"width": 1280, "theme": "dark"}, {"width": 390, "theme": "light"},
    ])
}

/// The browser, if there is one.
fn chromium() -> Option<PathBuf> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .map(|name| Path::new("/usr/bin").join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        skip("Chromium is not installed in /usr/bin: tests/run does that on Debian and Ubuntu");
    }
    found
}

/// Runs the script with `job` completed by where `app` answers and what `browser` holds. `None` when it cannot run here.
async fn check(app: &TestApp, browser: &StaffClient, mut job: Value) -> Option<Value> {
    let chromium = chromium()?;
    let mut command = node_script("browser", "playwright-core", "check.mjs")?;
    job["origin"] = app.base.as_str().into();
    job["chromium"] = chromium.to_string_lossy().into();
    job["cookies"] = browser
        .cookies()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let run = move || {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        write!(child.stdin.take().unwrap(), "{job}").unwrap();
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "tests/browser/check.mjs failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[track_caller]
fn assert_nothing_wrong(found: &Value, least_pages: usize) {
    let problems: Vec<String> = found["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| {
            let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
            format!("{} [{}] {}", text("path"), text("look"), text("what"))
        })
        .collect();
    let pages = found["pages"].as_array().unwrap().len();
    assert!(
        problems.is_empty(),
        "{} problems on {pages} pages:\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert!(
        pages >= least_pages,
        "only {pages} pages: {}",
        found["pages"]
    );
}

/// People with everything that pages show: several accounts, none, a refusal, an unlinked account, an inactive user.
async fn populate(app: &TestApp) {
    for name in ["ada", "linus", "margaret", "kenji", "ingrid"] {
        let proof = json!({
            "kind": "access_token", "sub": name, "name": format!("{name} Okafor"),
            "email": format!("{name}@example.org"), "email_verified": true,
        });
        let body = app.mint(proof).await;
        app.hand_in(&body).await.assert_outcome("signed_up");
        app.hand_in(&body).await.assert_outcome("signed_in");
    }
    let ada = app.sign_up("ada-too").await;
    let second = app.access_token_of("ada-second").await;
    app.hand_in_as(&ada, &second)
        .await
        .assert_outcome("associated");
    let expired = json!({"kind": "access_token", "sub": "late", "behaviour": "expired"});
    let expired = app.mint(expired).await;
    assert_ne!(app.hand_in(&expired).await.status, 201);
    app.set_active(2, false);
}

on_both!(
    an_empty_service_has_pages_without_fault,
    "[providers.fake]\n",
    |app| {
        let jo = app.staff(Role::Superuser).await;

        let job = json!({
            "start": ["/admin/overview", "/admin/users", "/admin/accounts", "/admin/activity", "/admin/providers"],
            "looks": [{"width": 1280, "theme": "light"}], "most": 60,
        });
        if let Some(found) = check(app, &jo, job).await {
            assert_nothing_wrong(&found, 5);
        }
    }
);

on_both!(
    the_signed_out_pages_have_nothing_wrong,
    "[providers.fake]\n",
    |app| {
        let nobody = StaffClient::new(app);

        let job = json!({"start": ["/admin/sign-in"], "looks": looks(), "most": 5});
        if let Some(found) = check(app, &nobody, job).await {
            assert_nothing_wrong(&found, 1);
        }
    }
);

#[tokio::test]
async fn the_pictures_of_the_documentation_can_be_taken() {
    let Some(app) = TestApp::spawn(crate::support::Backend::Sqlite, "[providers.fake]\n") else {
        return;
    };
    populate(&app).await;
    let jo = app.staff(Role::Superuser).await;
    let scratch = tempfile::tempdir().unwrap();
    // `LATCHKEY_SCREENSHOTS=1 tests/run pictures` takes those of the documentation anew.
    let folder = match std::env::var_os("LATCHKEY_SCREENSHOTS") {
        Some(_) => Path::new(SCREENSHOTS),
        None => scratch.path(),
    };
    let screenshots =
        |pages: Value| json!({"looks": looks(), "screenshots": {"folder": folder, "pages": pages}});

    let job = screenshots(json!([
        {"name": "overview", "path": "/admin/overview"}, {"name": "users", "path": "/admin/users"},
        {"name": "user", "path": "/admin/users/6"}, {"name": "unlink", "path": "/admin/users/1/accounts/1/unlink"},
    ]));
    let Some(signed_in) = check(&app, &jo, job).await else {
        return;
    };
    let job = screenshots(json!([{"name": "sign-in", "path": "/admin/sign-in"}]));
    let signed_out = check(&app, &StaffClient::new(&app), job).await.unwrap();

    assert_nothing_wrong(&signed_in, 4);
    assert_nothing_wrong(&signed_out, 1);
    let taken = std::fs::read_dir(folder).unwrap().count();
    assert!(taken >= 20, "{taken} pictures");
}
