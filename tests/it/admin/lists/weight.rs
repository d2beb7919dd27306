//! What a page weighs.

use latchkey::domain::Role;
use latchkey::flows::upkeep;

use crate::support::{Backend, TestApp, on_both};

/// Providers of the accounts: a user has one at Google and one each at two others.
const PROVIDERS: [&str; 12] = [
    "apple",
    "discord",
    "facebook",
    "github",
    "gitlab",
    "instagram",
    "linkedin",
    "microsoft",
    "spotify",
    "twitch",
    "x",
    "yandex",
];

/// Stores users whom every filter admits.
fn store_heavy(app: &TestApp) {
    let cast = |value: &str, to: &str| match app.backend() {
        Backend::Sqlite => value.to_owned(),
        Backend::Postgres => format!("CAST({value} AS {to})"),
    };
    let at = (app.app.clock.now() - chrono::TimeDelta::days(40)).format("'%F %T.000000+00:00'");
    let at = cast(&at.to_string(), "timestamptz");
    let expired = cast(
        "'{\"access_token\": {\"sealed\": \"1.x\"}, \"expires_at\": \"2026-01-01T00:00:00Z\"}'",
        "jsonb",
    );
    let mut account = 0;
    for (user, others) in (1_000_001..).zip(
        PROVIDERS
            .iter()
            .cycle()
            .zip(PROVIDERS.iter().cycle().skip(5))
            .take(60),
    ) {
        app.execute(&format!(
            "INSERT INTO users (id, username, username_folded, email, email_folded, email_verified, first_name, last_name, is_active, date_joined, modified_at, social_accounts) \
             VALUES ({user}, 'jdordevic{user}', 'jdordevic{user}', 'jurgen.dordevic.{user}@example.org', 'jurgen.dordevic.{user}@example.org', TRUE, 'Jürgen', 'Đorđević', TRUE, {at}, {at}, 3)"
        ));
        app.execute(&format!(
            "INSERT INTO last_sign_ins (user_id, at) VALUES ({user}, {at})"
        ));
        for provider in ["google", others.0, others.1] {
            account += 1;
            app.execute(&format!(
                "INSERT INTO social_auth (id, user_id, provider, uid, email_verified, extra_data, created_at, modified_at) \
                 VALUES ({account}, {user}, '{provider}', 'uid-{account}', FALSE, {expired}, {at}, {at})"
            ));
        }
    }
}

on_both!(the_heaviest_page_weighs_less_than_60_kb, "", |app| {
    store_heavy(app);
    let settled = upkeep::settle(&app.app.db, &app.app.clock, |_| {}).await;
    settled.unwrap();
    let mut jo = app.staff(Role::Admin).await;

    let page = jo
        .get("/admin/users?from=300d&to=today&provider=google&provider=microsoft&accounts=2&status=active&seen_before=today&token=expired&sort=username&dir=desc")
        .await;

    page.assert_says(200, "Showing 50 of 60");
    assert!(page.html.len() < 60_000, "{} bytes", page.html.len());
});
