//! What the background keeps up, and that it mends itself.

use latchkey::flows::upkeep;

use super::people::store;
use crate::support::{TestApp, on_both};

async fn settle(app: &TestApp) {
    upkeep::settle(&app.app.db, &app.app.clock, |_| {})
        .await
        .unwrap();
}

fn counts(app: &TestApp) -> [i64; 4] {
    [
        app.number("SELECT CAST(coalesce(sum(users), 0) AS BIGINT) AS number FROM user_blocks"),
        app.number("SELECT count(*) AS number FROM user_search"),
        app.number(
            "SELECT CAST(coalesce(sum(accounts), 0) AS BIGINT) AS number FROM social_auth_blocks",
        ),
        app.number("SELECT count(*) AS number FROM social_auth_index"),
    ]
}

on_both!(
    a_sign_up_over_http_is_searchable_and_counted_after_the_upkeep,
    "[providers.fake]\n",
    |app| {
        app.sign_up("ada").await;
        app.advance(std::time::Duration::from_mins(1));

        settle(app).await;
        settle(app).await;

        assert_eq!(counts(app), [1, 1, 1, 1]);
    }
);

on_both!(rows_that_went_past_the_audit_log_are_mended, "", |app| {
    let mut account = 0;
    store(app, 1, 100, &mut account).await;
    settle(app).await;
    let accounts = app.number("SELECT count(*) AS number FROM social_auth");
    assert_eq!(counts(app), [99, 99, accounts, accounts]);

    app.execute("DELETE FROM users WHERE id = 50");
    app.execute("DELETE FROM social_auth_index WHERE social_auth_id = 1");
    settle(app).await;

    let accounts = app.number("SELECT count(*) AS number FROM social_auth");
    assert_eq!(counts(app), [98, 98, accounts, accounts]);
});

on_both!(nothing_is_written_where_nothing_is_due, "", |app| {
    let mut account = 0;
    store(app, 1, 30, &mut account).await;
    app.advance(std::time::Duration::from_mins(1));
    settle(app).await;
    settle(app).await;

    let mut rows = 0;
    upkeep::settle(&app.app.db, &app.app.clock, |done| rows += done + 1)
        .await
        .unwrap();

    assert_eq!(rows, 0);
});
