//! The overview: figures that add up, providers that fail, and a service that nobody has used yet.

use std::time::Duration;

use latchkey::domain::Role;
use latchkey::flows::provider_health::report_provider_health;
use serde_json::json;

use crate::support::{Page, TestApp, on_both};

/// The text between the first `start` and the next `end`.
#[track_caller]
fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = html
        .split_once(start)
        .unwrap_or_else(|| panic!("{start:?} is not in {html}"));
    rest.split_once(end).unwrap().0
}

/// The numbers of sign-ups by day, as the titles of the chart say them, oldest first.
fn chart(html: &str) -> Vec<u64> {
    between(html, "<figure", "</figure>")
        .split("<title>")
        .skip(1)
        .map(|title| {
            let (_, count) = between(title, "", "</title>").rsplit_once(": ").unwrap();
            count.split(' ').next().unwrap().parse().unwrap()
        })
        .collect()
}

/// The cells of the table's rows, the newest first, the row of sums last.
fn table(html: &str) -> Vec<Vec<u64>> {
    let twin = between(html, "<details class=\"more foldout\">", "</details>");
    twin.split("<tr>")
        .skip(2)
        .map(|row| {
            row.split("<td class=\"num\">")
                .skip(1)
                .map(|cell| {
                    let text = cell.split("</td>").next().unwrap();
                    let text = text.replace("<b>", "").replace("</b>", "");
                    text.parse().unwrap()
                })
                .collect()
        })
        .collect()
}

/// The figure of this name.
fn figure<'a>(page: &'a Page, name: &str) -> &'a str {
    between(&page.html, &format!("<dt>{name}</dt><dd>"), "</dd>")
}

/// Writes sign-ups of days past behind the server's back.
fn sign_ups_of(app: &TestApp, provider: &str, days_ago: i64, count: usize) {
    let at = app.app.clock.now() - chrono::TimeDelta::days(days_ago);
    let at = at.format("%Y-%m-%d %H:%M:%S%.6f+00:00");
    for _ in 0..count {
        app.execute(&format!(
            "INSERT INTO audit_log (at, actor_kind, action, provider, request_id) \
             VALUES ('{at}', 'anonymous', 'signed_up', '{provider}', 'r')"
        ));
    }
}

const TWO: &str = "[providers.fake]\n[providers.github]\nclient_id = 'a'\nclient_secret = 's'\n";

on_both!(
    chart_table_and_rows_add_up_before_and_after_the_roll_up,
    TWO,
    |app| {
        sign_ups_of(app, "github", 2, 3);
        sign_ups_of(app, "fake", 2, 1);
        sign_ups_of(app, "fake", 9, 2);
        sign_ups_of(app, "github", 40, 5);
        app.sign_up("ada").await;
        let mut jo = app.staff(Role::Staff).await;

        let mut pages = Vec::new();
        for _ in 0..2 {
            for (period, columns, total, before) in
                [("7d", 7, 5, 2), ("30d", 30, 7, 5), ("24h", 24, 1, 0)]
            {
                let page = jo.get(&format!("/admin/overview?period={period}")).await;
                let (bars, rows) = (chart(&page.html), table(&page.html));
                assert_eq!(bars.len(), columns, "{period}");
                assert_eq!(bars.iter().sum::<u64>(), total, "{period}");
                assert_eq!(figure(&page, "Sign-ups"), total.to_string());
                let (sums, days) = rows.split_last().unwrap();
                let of_days: Vec<u64> = days.iter().rev().map(|row| *row.last().unwrap()).collect();
                assert_eq!(of_days, bars, "{period}");
                assert_eq!(*sums.last().unwrap(), total);
                for (column, sum) in sums.iter().enumerate() {
                    let added: u64 = days.iter().map(|row| row[column]).sum();
                    assert_eq!(added, *sum, "{period}");
                }
                let stored = app.number(&format!(
                    "SELECT count(*) AS number FROM audit_log WHERE action = 'signed_up' AND at >= '{}'",
                    (app.app.clock.now() - chrono::TimeDelta::days(i64::try_from(columns).unwrap() - 1)).format("%Y-%m-%d")
                ));
                if period != "24h" {
                    assert_eq!(u64::try_from(stored).unwrap(), total, "{period}");
                }
                let changed = page.html.contains("none before");
                assert_eq!(changed, before == 0, "{period}");
                pages.push((bars, rows));
            }
            app.roll_up().await;
        }
        assert_eq!(pages[..3], pages[3..]);
    }
);

on_both!(a_day_without_sign_ups_is_a_zero, TWO, |app| {
    sign_ups_of(app, "github", 3, 2);
    sign_ups_of(app, "github", 1, 4);
    let mut jo = app.staff(Role::Staff).await;

    let page = jo.get("/admin/overview?period=7d").await;

    assert_eq!(chart(&page.html), [0, 0, 0, 2, 0, 4, 0]);
    // One provider alone has a column, and one for all.
    assert_eq!(table(&page.html)[1], [4, 4]);
    assert!(page.html.contains("GitHub <b>6</b>"));
    let legend = between(&page.html, "<ul class=\"legend\">", "</ul>");
    assert!(!legend.contains("Fake"), "nobody signed up there");
});

on_both!(
    an_empty_service_shows_the_first_steps_in_place_of_charts,
    "[providers.fake]\n",
    |app| {
        let mut jo = app.staff(Role::Staff).await;

        let page = jo.get("/admin/overview").await;

        page.assert_says(200, "First steps");
        assert_eq!(page.html.matches("<li class=\"done\">").count(), 2);
        assert!(!page.html.contains("<figure"));
        assert_eq!(figure(&page, "Sign-ups"), "0");
        app.sign_up("ada").await;
        let page = jo.get("/admin/overview").await;
        assert!(page.html.contains("<figure") && !page.html.contains("First steps"));
    }
);

on_both!(a_period_that_does_not_exist_is_refused, "", |app| {
    let mut jo = app.staff(Role::Staff).await;

    jo.get("/admin/overview?period=1y")
        .await
        .assert_says(400, "Take 24h, 7d or 30d");
    jo.get("/admin/overview?colour=red")
        .await
        .assert_says(400, "colour");
});

/// Hands in a token that makes the fake provider fail.
async fn fail(app: &TestApp, sub: &str) {
    let body = app
        .mint(json!({"kind": "access_token", "sub": sub, "behaviour": "outage"}))
        .await;
    app.hand_in(&body)
        .await
        .assert_refused(503, "provider_unavailable");
}

on_both!(
    a_failing_provider_is_the_first_thing_on_the_overview_and_outages_are_counted,
    "[providers.fake]\n",
    |app| {
        app.sign_up("ada").await;
        for n in 0..4 {
            fail(app, &format!("p{n}")).await;
        }
        let mut jo = app.staff(Role::Staff).await;

        // At once on the instance that has seen it, and the same when the tallies are stored.
        for _ in 0..2 {
            let page = jo.get("/admin/overview?period=24h").await;
            page.assert_says(
                200,
                "is failing: 4 of 5 checks in the last hour were answered with an error",
            );
            assert!(page.html.contains("Since <time datetime="));
            assert!(page.html.contains("Provider answered with an error"));
            assert!(page.html.contains("<td class=\"num\">4</td>"));
            assert_eq!(figure(&page, "Failed"), "80.0 %");
            report_provider_health(&app.app).await.unwrap();
        }
        let stored = app.number(
            "SELECT CAST(sum(count) AS BIGINT) AS number FROM daily_counts WHERE action = 'outage' AND reason = 'status'",
        );
        assert_eq!(stored, 4);
        let menu = jo.get("/admin/preferences").await;
        assert!(menu.html.contains("Providers<b>"), "{}", menu.html);
    }
);

on_both!(two_instances_add_up, "[providers.fake]\n", |app| {
    app.sign_up("ada").await;
    for n in 0..3 {
        fail(app, &format!("p{n}")).await;
    }
    report_provider_health(&app.app).await.unwrap();
    // What another instance has counted in the same period.
    app.execute(
            "INSERT INTO provider_checks (period_at, provider, instance, kind, count, first_at, last_at) \
             SELECT period_at, provider, 'other', kind, 7, first_at, last_at FROM provider_checks WHERE kind = 'status'",
        );
    let mut jo = app.staff(Role::Staff).await;

    jo.get("/admin/overview")
        .await
        .assert_says(200, "10 of 11 checks");
});

on_both!(
    outages_reach_the_database_by_themselves,
    "[providers.fake]\n",
    |app| {
        fail(app, "p").await;

        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        let count = || app.number("SELECT count(*) AS number FROM provider_checks");
        while count() == 0 {
            assert!(
                std::time::Instant::now() < deadline,
                "nothing within a minute"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
);
