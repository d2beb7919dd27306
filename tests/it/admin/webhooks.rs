//! Webhooks: who is told what, signed, tried again, and shown to staff.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use latchkey::domain::webhook::WebhookSecret;
use latchkey::domain::{Role, Secret};
use latchkey::flows::webhooks::deliver;
use serde_json::{Value, json};

use super::person_pages::send;
use crate::support::mock_provider::{Answer, Misbehaviour, MockProvider, RecordedRequest};
use crate::support::{Backend, TestApp};

const SECRET: &str = "whsec_bm90LWEtc2VjcmV0LW9mLWFueWJvZHktYXQtYWxs";
const PAGE: &str = "/admin/settings/webhooks";
const WHY: (&str, &str) = ("why", "Asked for by mail");

/// A receiver that says yes to `POST crm` and `POST billing`, and the service that tells it.
async fn start(backend: Backend) -> Option<(MockProvider, TestApp)> {
    let receiver = MockProvider::start().await;
    for webhook in ["crm", "billing"] {
        receiver.answer(&format!("POST {webhook}"), &json!({}));
    }
    let app = TestApp::spawn(backend, &settings(&receiver))?;
    begun(&app).await;
    Some((receiver, app))
}

/// Writes one test on both databases.
macro_rules! with_receiver {
    ($name:ident, |$app:ident, $receiver:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn behaviour($app: &TestApp, $receiver: &MockProvider) $body

            async fn on(backend: Backend) {
                if let Some((receiver, app)) = start(backend).await {
                    behaviour(&app, &receiver).await;
                }
            }

            #[tokio::test]
            async fn on_sqlite() {
                on(Backend::Sqlite).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                on(Backend::Postgres).await;
            }
        }
    };
}

/// The first is told of everything, the second of unlinks.
fn settings(receiver: &MockProvider) -> String {
    let origin = receiver.origin();
    format!(
        "[providers.fake]\n\
         [webhooks.crm]\nurl = \"{origin}crm\"\nsecret = \"{SECRET}\"\n\
         [webhooks.billing]\nurl = \"{origin}billing\"\nsecret = \"{SECRET}\"\nevents = [\"social_account.unlinked\"]\n"
    )
}

/// Waits until `is_so`, for a minute at most.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn begun(app: &TestApp) {
    until("the service looks at the audit log", || {
        app.number("SELECT count(*) AS number FROM upkeep_marks WHERE name = 'webhooks'") == 1
    })
    .await;
}

/// What arrived at a webhook, once so many have.
async fn told(receiver: &MockProvider, webhook: &str, count: usize) -> Vec<RecordedRequest> {
    let endpoint = format!("POST {webhook}");
    until(&format!("{count} deliveries to {webhook}"), || {
        receiver.count(&endpoint) >= count
    })
    .await;
    let all = receiver.requests().into_iter();
    all.filter(|request| request.endpoint == endpoint).collect()
}

fn body(request: &RecordedRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn types(requests: &[RecordedRequest]) -> Vec<String> {
    let types = requests.iter().map(|request| body(request)["type"].clone());
    types
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn assert_signed(request: &RecordedRequest) {
    let header = |name| request.header(name).unwrap();
    let sent_at = header("webhook-timestamp").parse().unwrap();
    let secret = WebhookSecret::parse(&Secret::new(SECRET)).unwrap();
    let body = std::str::from_utf8(&request.body).unwrap();
    let now = chrono::DateTime::from_timestamp(sent_at, 0).unwrap();
    let expected = secret.sign(header("webhook-id"), now, body);
    assert_eq!(header("webhook-signature"), expected.signature);
    assert_eq!(header("content-type"), "application/json");
}

with_receiver!(an_unlink_is_announced_and_told_signed, |app, receiver| {
    app.sign_up("ada").await;
    let mut jo = app.staff(Role::Admin).await;
    let path = "/admin/users/1/accounts/1/unlink";
    jo.get(path).await.assert_says(
        200,
        "The event <code>social_account.unlinked</code> goes to billing, crm.",
    );

    let done = send(&mut jo, path, &[WHY, ("sure", "1")]).await;

    assert_eq!(done.status, 303, "{}", done.html);
    let arrived = told(receiver, "billing", 1).await;
    let entry = app.audit().await;
    let entry = entry.iter().find(|entry| entry.action == "unlinked");
    let entry = entry.unwrap();
    assert_signed(&arrived[0]);
    assert_eq!(
        arrived[0].header("webhook-id"),
        Some(format!("evt_{}", entry.id).as_str())
    );
    let at = entry.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(
        body(&arrived[0]),
        json!({
            "type": "social_account.unlinked",
            "timestamp": at,
            "data": {
                "user_id": 1,
                "social_auth": { "id": 1, "provider": "fake", "uid": "ada" },
                "actor": { "kind": "staff", "id": jo.id.0 },
            },
        })
    );
});

with_receiver!(each_kind_of_event_is_told_and_no_secret, |app, receiver| {
    let first = app.access_token_of("ada").await;
    let bearer = app.hand_in(&first).await.bearer();
    app.hand_in(&first).await.assert_outcome("signed_in");
    let second = app.access_token_of("ada-too").await;
    app.hand_in_as(&bearer, &second)
        .await
        .assert_outcome("associated");
    let mut jo = app.staff(Role::Admin).await;
    for (path, fields) in [
        ("/admin/users/1/accounts/1/unlink", vec![WHY]),
        ("/admin/users/1/deactivate", vec![WHY]),
        ("/admin/users/1/reactivate", vec![WHY]),
    ] {
        assert_eq!(send(&mut jo, path, &fields).await.status, 303, "{path}");
    }
    let undone = jo.post("/admin/users/1/unlinked/1/undo", &[]).await;
    assert_eq!(undone.status, 303, "{}", undone.html);

    let arrived = told(receiver, "crm", 6).await;

    assert_eq!(
        types(&arrived).into_iter().collect::<BTreeSet<_>>(),
        [
            "user.signed_up",
            "social_account.associated",
            "social_account.unlinked",
            "user.deactivated",
            "user.reactivated",
            "social_account.restored",
        ]
        .map(str::to_owned)
        .into()
    );
    for request in &arrived {
        assert_signed(request);
        for secret in [
            &first["access_token"],
            &second["access_token"],
            &json!(bearer),
        ] {
            assert!(!request.carries(secret.as_str().unwrap()));
        }
        assert!(!request.carries("whsec_"));
        assert!(!request.carries("Asked for by mail"));
    }
    // Whoever chose is told of nothing else.
    assert_eq!(types(&told(receiver, "billing", 1).await).len(), 1);
});

with_receiver!(
    a_receiver_that_fails_is_told_again_and_staff_see_it,
    |app, receiver| {
        let mut jo = app.staff(Role::Staff).await;
        jo.get(PAGE).await.assert_says(200, "Has everything");
        receiver.answer_with("POST crm", Answer::json(500, &json!({})));
        app.sign_up("ada").await;
        told(receiver, "crm", 1).await;
        until("the failure is written down", || {
            app.number(
                "SELECT count(*) AS number FROM webhook_deliveries WHERE problem = 'status_500'",
            ) == 1
        })
        .await;

        let page = jo.get(PAGE).await;
        page.assert_says(200, "Not reached, 1 waiting");
        page.assert_says(200, "Answered 500, 1 try; next");
        receiver.answer("POST crm", &json!({}));
        app.advance(Duration::from_secs(5));

        let arrived = told(receiver, "crm", 2).await;
        assert_eq!(
            arrived[0].header("webhook-id"),
            arrived[1].header("webhook-id")
        );
        assert_eq!(arrived[0].body, arrived[1].body);
        assert_signed(&arrived[1]);
        until("the delivery is written down", || {
            app.number(
                "SELECT count(*) AS number FROM webhook_deliveries WHERE delivered_at IS NOT NULL",
            ) == 1
        })
        .await;
        let page = jo.get(PAGE).await;
        page.assert_says(200, "Has everything");
        page.assert_says(200, "Delivered");
        let metrics = app.get("/metrics", None).await;
        for line in [
            "latchkey_webhook_attempts_total{webhook=\"crm\",outcome=\"failed\"} 1",
            "latchkey_webhook_attempts_total{webhook=\"crm\",outcome=\"delivered\"} 1",
        ] {
            assert!(metrics.body.as_str().unwrap().contains(line), "{line}");
        }
    }
);

with_receiver!(
    after_ten_tries_it_is_given_up_until_a_superuser_sends_it_again,
    |app, receiver| {
        receiver.misbehave_at("POST crm", Misbehaviour::HangUp);
        app.sign_up("ada").await;
        let crm = app.app.webhooks.find("crm").unwrap();
        for tries in 1..=10 {
            told(receiver, "crm", tries).await;
            until("the try is written down", || {
                let done = format!(
                    "SELECT count(*) AS number FROM webhook_deliveries WHERE attempts = {tries} AND problem = 'connect' \
                     AND (next_attempt_at IS NULL) = {}",
                    app.bool(tries == 10)
                );
                app.number(&done) == 1
            })
            .await;
            app.advance(Duration::from_hours(30));
            // The service does it as well; whoever comes first.
            deliver(&app.app, crm).await.unwrap();
        }
        assert_eq!(receiver.count("POST crm"), 10);

        let path = format!("{PAGE}/deliveries/1/resend");
        let mut admin = app.staff(Role::Admin).await;
        let page = admin.get(PAGE).await;
        page.assert_says(200, "1 given up");
        assert!(!page.html.contains("Send again"), "{}", page.html);
        assert_eq!(admin.post(&path, &[]).await.status, 403);
        let mut jo = app.staff(Role::Superuser).await;
        jo.get(&format!("{PAGE}?show=undelivered"))
            .await
            .assert_says(200, "Send again");
        receiver.behave();

        let again = jo.post(&path, &[]).await;

        assert_eq!(again.location(), PAGE);
        told(receiver, "crm", 11).await;
        let (_, action, reason) = app.last_audit().await;
        assert_eq!(
            (action.as_str(), reason.as_deref()),
            ("webhook_resent", Some("crm"))
        );
        until("the delivery is written down", || {
            app.number(
                "SELECT count(*) AS number FROM webhook_deliveries WHERE delivered_at IS NOT NULL",
            ) == 1
        })
        .await;
        assert_eq!(jo.post(&path, &[]).await.status, 409);
    }
);

with_receiver!(
    a_receiver_that_wants_no_more_or_redirects_gets_no_more,
    |app, receiver| {
        receiver.answer_with("POST crm", Answer::json(410, &json!({})));
        app.sign_up("ada").await;
        told(receiver, "crm", 1).await;
        until("it is given up", || {
            app.number(
                "SELECT count(*) AS number FROM webhook_deliveries WHERE problem = 'status_410' AND next_attempt_at IS NULL",
            ) == 1
        })
        .await;

        let elsewhere = format!("{}elsewhere", receiver.origin());
        receiver.misbehave_at("POST crm", Misbehaviour::Redirect(elsewhere));
        app.sign_up("linus").await;
        told(receiver, "crm", 2).await;
        until("the redirect is written down", || {
            app.number(
                "SELECT count(*) AS number FROM webhook_deliveries WHERE problem = 'redirect'",
            ) == 1
        })
        .await;

        assert!(
            receiver
                .requests()
                .iter()
                .all(|request| request.endpoint != "POST elsewhere")
        );
        assert_eq!(receiver.count("GET elsewhere"), 0);
    }
);

with_receiver!(a_receiver_that_hangs_delays_no_other, |app, receiver| {
    receiver.misbehave_at("POST crm", Misbehaviour::Silence(Duration::from_secs(8)));
    app.sign_up("ada").await;
    told(receiver, "crm", 1).await;
    let mut jo = app.staff(Role::Admin).await;
    let begun = Instant::now();

    let path = "/admin/users/1/accounts/1/unlink";
    assert_eq!(send(&mut jo, path, &[WHY, ("sure", "1")]).await.status, 303);
    told(receiver, "billing", 1).await;

    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
});

with_receiver!(several_instances_tell_everything_once, |app, receiver| {
    let _second = app.second_instance();
    let _third = app.second_instance();
    for number in 0..30 {
        app.sign_up(&format!("person-{number}")).await;
    }

    let arrived = told(receiver, "crm", 30).await;
    until("all is written down", || {
        app.number("SELECT count(*) AS number FROM webhook_deliveries WHERE delivered_at IS NULL")
            == 0
    })
    .await;

    let ids: BTreeSet<_> = arrived
        .iter()
        .map(|request| request.header("webhook-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 30);
    assert_eq!(receiver.count("POST crm"), 30);
});

with_receiver!(a_superuser_sends_a_test_to_one_webhook, |app, receiver| {
    let path = format!("{PAGE}/billing/test");
    let mut admin = app.staff(Role::Admin).await;
    assert!(!admin.get(PAGE).await.html.contains("Send a test"));
    assert_eq!(admin.post(&path, &[]).await.status, 403);
    let mut jo = app.staff(Role::Superuser).await;
    jo.get(PAGE).await.assert_says(200, "Send a test");

    let sent = jo.post(&path, &[]).await;

    assert_eq!(sent.location(), PAGE);
    jo.get(PAGE)
        .await
        .assert_says(200, "A test is on its way to billing.");
    let arrived = told(receiver, "billing", 1).await;
    assert_signed(&arrived[0]);
    assert_eq!(types(&arrived), ["test"]);
    assert_eq!(receiver.count("POST crm"), 0);
    let nobody = jo.post(&format!("{PAGE}/nobody/test"), &[]).await;
    assert_eq!(nobody.status, 404);
    jo.get(&format!("{PAGE}?state=odd"))
        .await
        .assert_says(400, "state");
});

/// Ids are drawn before the commit: there a lower one may come after a higher one.
#[tokio::test]
async fn what_is_committed_late_is_told_of_as_well_on_postgres() {
    let Some((receiver, app)) = start(Backend::Postgres).await else {
        return;
    };
    let insert = |id: i64| {
        app.execute(&format!(
            "INSERT INTO audit_log (id, at, actor_kind, action, user_id, request_id) \
             VALUES ({id}, now(), 'system', 'unlinked', 1, 'r')"
        ));
    };
    insert(1_000_002);
    told(&receiver, "crm", 1).await;
    insert(1_000_001);

    let arrived = told(&receiver, "crm", 2).await;

    let ids: Vec<_> = arrived
        .iter()
        .map(|request| request.header("webhook-id").unwrap())
        .collect();
    assert_eq!(ids, ["evt_1000002", "evt_1000001"]);
}

with_receiver!(
    whoever_has_no_webhook_is_told_how_to_get_one,
    |app, _receiver| {
        let Some(without) = TestApp::spawn(app.backend(), "") else {
            return;
        };
        let mut jo = without.staff(Role::Staff).await;

        jo.get(PAGE).await.assert_says(200, "[webhooks.NAME]");
        assert!(jo.get("/admin/settings").await.html.contains(PAGE));
        assert_eq!(
            without.number("SELECT count(*) AS number FROM upkeep_marks WHERE name = 'webhooks'"),
            0
        );
    }
);
