//! What an operator sees: health, metrics, log lines, and a stop in good order.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Process, client, in_place, on_both};

const FAKE: &str = "[providers.fake]\n";
const JSON_LOG: &str = "[log]\nformat = \"json\"\n[providers.fake]\n";

on_both!(health_and_readiness_say_that_all_is_well, FAKE, |app| {
    let health = app.get("/healthz", None).await;
    let ready = app.get("/readyz", None).await;

    assert_eq!((health.status, &health.body["status"]), (200, &json!("ok")));
    assert_eq!(
        (ready.status, &ready.body["status"]),
        (200, &json!("ready"))
    );
});

on_both!(
    metrics_count_hand_ins_by_provider_outcome_and_reason,
    FAKE,
    |app| {
        let ada = app.access_token_of("ada").await;
        let bearer = app.hand_in(&ada).await.bearer();
        app.hand_in(&ada).await.assert_outcome("signed_in");
        app.hand_in(&ada).await.assert_outcome("signed_in");
        app.hand_in_as(&bearer, &app.access_token_of("work").await)
            .await
            .assert_outcome("associated");
        let bob = app.sign_up("bob").await;
        app.hand_in_as(&bob, &ada)
            .await
            .assert_refused(400, "already_in_use");
        for (behaviour, status, code) in [
            ("wrong_audience", 400, "wrong_audience"),
            ("outage", 503, "provider_unavailable"),
        ] {
            let body = app
                .mint(json!({ "sub": "eve", "behaviour": behaviour }))
                .await;
            app.hand_in(&body).await.assert_refused(status, code);
        }

        let answer = app.get("/metrics", None).await;

        let kind = answer.headers["content-type"].to_str().unwrap();
        assert!(
            kind.starts_with("application/openmetrics-text; version=1.0.0"),
            "{kind}"
        );
        let text = answer.body.as_str().unwrap();
        for (outcome, reason, count) in [
            ("signed_up", "", 2),
            ("signed_in", "", 2),
            ("associated", "", 1),
            ("refused", "already_in_use", 1),
            ("refused", "wrong_audience", 1),
            ("refused", "provider_unavailable", 1),
        ] {
            let line = format!(
                "latchkey_hand_ins_total{{provider=\"fake\",outcome=\"{outcome}\",reason=\"{reason}\"}} {count}\n"
            );
            assert!(text.contains(&line), "{line} is missing in: {text}");
        }
        for line in [
            "latchkey_provider_seconds_count{provider=\"fake\"} 8\n",
            "latchkey_provider_in_flight{provider=\"fake\"} 0\n",
            "latchkey_provider_circuit_open{provider=\"fake\"} 0\n",
            "latchkey_http_requests_total{method=\"POST\",route=\"/social_sign_up/\",status=\"201\"} 5\n",
            "latchkey_http_request_seconds_count ",
            "latchkey_database{name=\"jobs_committed\"} ",
        ] {
            assert!(text.contains(line), "{line} is missing in: {text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
);

on_both!(
    a_thousand_paths_and_methods_make_no_new_series,
    FAKE,
    |app| {
        let series = async || {
            let text = app.get("/metrics", None).await.body;
            let lines = text.as_str().unwrap().lines();
            lines
                .filter(|line| !line.starts_with('#'))
                .filter_map(|line| line.rsplit_once(' ').map(|(name, _)| name.to_owned()))
                .collect::<BTreeSet<_>>()
        };
        // One of each sort first.
        let unknown = |number: usize| {
            let method = match number % 2 {
                0 => "GET".to_owned(),
                _ => format!("SPELL{number}"),
            };
            let path = format!("/unknown-{number}/%2e%2e/?canary={number}");
            app.request(&method, &path)
        };
        let refused =
            |number: usize| json!({ "provider": format!("nobody-{number}"), "access_token": "x" });
        for number in 0..2 {
            app.send(unknown(number)).await;
            app.hand_in(&refused(number))
                .await
                .assert_refused(400, "unknown_provider");
        }
        series().await;
        let before = series().await;

        for hundred in 0..10 {
            join_all((2..102).map(|number| app.send(unknown(hundred * 100 + number)))).await;
            join_all((2..12).map(|number| async move {
                let body = refused(hundred * 10 + number);
                app.hand_in(&body).await
            }))
            .await;
        }

        assert_eq!(series().await, before);
    }
);

/// The log's lines that are about a request, as JSON.
fn access_lines(output: &str) -> Vec<Value> {
    output
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| !line["http.status"].is_null())
        .collect()
}

/// The line about this request; it is written a moment after the answer.
async fn line_of(server: &Process, request_id: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let lines = access_lines(&server.output());
        if let Some(line) = lines
            .into_iter()
            .find(|line| line["span"]["request.id"] == request_id)
        {
            return line;
        }
        assert!(
            Instant::now() < deadline,
            "{request_id} is not in: {}",
            server.output()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

in_place!(header_body_and_log_line_have_one_request_id, |place| {
    let server = place.serve(JSON_LOG);
    let id_of = |answer: &crate::support::Answer| {
        answer.headers["x-request-id"].to_str().unwrap().to_owned()
    };

    let refused = server
        .hand_in(&json!({ "provider": "fake", "access_token": "not-a-token" }))
        .await;
    let signed_up = server.hand_in_of("ada").await;
    let unknown = server.get("/no/such/path?secret=1", None).await;

    assert_eq!(refused.body["request_id"], id_of(&refused));
    let line = line_of(&server, &id_of(&refused)).await;
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["http.method"], "POST");
    assert_eq!(line["http.route"], "/social_sign_up/");
    assert_eq!(line["http.status"], 400);
    assert_eq!(line["code"], refused.body["code"]);
    assert!(
        line["cause"]
            .as_str()
            .is_some_and(|cause| !cause.is_empty()),
        "{line}"
    );
    assert!(
        line["duration_us"].as_u64().is_some_and(|us| us > 0),
        "{line}"
    );

    let line = line_of(&server, &id_of(&signed_up)).await;
    assert_eq!(
        (&line["http.status"], &line["code"], &line["level"]),
        (&json!(201), &json!(""), &json!("INFO"))
    );

    let line = line_of(&server, &id_of(&unknown)).await;
    assert_eq!(
        (&line["http.route"], &line["http.status"]),
        (&json!("(none)"), &json!(404))
    );
    assert!(!line.to_string().contains("such"), "{line}");

    // The audit log says the same id.
    let audited = crate::support::database::texts(
        place.url(),
        "SELECT request_id AS text FROM audit_log ORDER BY id",
    );
    assert_eq!(audited, [id_of(&refused), id_of(&signed_up)]);
});

in_place!(
    a_stop_turns_readiness_red_first_and_lets_requests_finish,
    |place| {
        let server = place.serve("[server]\ndrain_seconds = 1\n[providers.fake]\n");
        let slow = server
            .mint(&json!({ "sub": "slow", "behaviour": "slow" }))
            .await;
        let good = server.mint(&json!({ "sub": "ada" })).await;
        server.ready().await;
        let base = server.base.clone();
        let under_way = tokio::spawn(
            server
                .request("POST", "/social_sign_up/")
                .header("content-type", "application/json")
                .body(slow.to_string())
                .send(),
        );
        // Its line in the metrics says that it has begun.
        while !server
            .get("/metrics", None)
            .await
            .body
            .as_str()
            .unwrap()
            .contains("latchkey_provider_in_flight{provider=\"fake\"} 1")
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }

        server.signal("TERM");
        let deadline = Instant::now() + Duration::from_millis(900);
        let red = loop {
            let ready = server.get("/readyz", None).await;
            if ready.status == 503 {
                break ready;
            }
            assert!(Instant::now() < deadline, "it stays ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert_eq!(red.body["status"], "stopping");
        // Whoever comes all the same is still served.
        server.hand_in(&good).await.assert_outcome("signed_up");

        // The provider never answers that one: it ends with its own deadline, not with a broken connection.
        let finished = under_way.await.unwrap().unwrap();
        assert_eq!(finished.status().as_u16(), 503);
        let (status, output) = server.ended();
        assert_eq!(status.code(), Some(0), "{output}");
        assert!(output.contains("Stopped"), "{output}");
        assert!(std::net::TcpStream::connect(base.trim_start_matches("http://")).is_err());
        crate::support::database::assert_sound(place.url());
    }
);

in_place!(metrics_can_have_an_address_of_their_own, |place| {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let server = place.serve(&format!(
        "[server]\nmetrics_bind = \"127.0.0.1:{port}\"\n[providers.fake]\n"
    ));
    server.ready().await;

    assert_eq!(server.get("/metrics", None).await.status, 404);
    let text = loop {
        let url = format!("http://127.0.0.1:{port}/metrics");
        if let Ok(response) = client().get(url).send().await {
            break response.text().await.unwrap();
        }
    };

    assert!(text.contains("latchkey_database"));
});
