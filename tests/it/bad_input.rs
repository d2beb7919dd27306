//! Bad input gets the documented 4xx: never a 5xx, a hang or a second user.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Backend, TestApp, on_both};

const FAKE: &str = "[providers.fake]\n";

on_both!(a_body_that_is_not_one_json_object_is_400, FAKE, |app| {
    let deep = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
    let bodies: [&[u8]; 14] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\"x\"",
        b"1",
        b"{}{}",
        b"{\"provider\":}",
        b"{\"provider\":\"fake\",}",
        b"\xff\xfe",
        b"{\"a\":1,\"a\":2}",
        b"{\"provider\":\"fa\xffke\"}",
        b"\xef\xbb\xbf{}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let request = app
            .request("POST", "/social_sign_up/")
            .header("content-type", "application/json")
            .body(body.to_vec());
        app.send(request)
            .await
            .assert_refused(400, "invalid_request");
    }
});

on_both!(a_member_that_does_not_fit_is_400_and_named, FAKE, |app| {
    let token = "x";
    for (member, body) in [
        ("provider", json!({ "access_token": token })),
        ("provider", json!({ "provider": 1, "access_token": token })),
        ("provider", json!({ "provider": "", "access_token": token })),
        (
            "provider",
            json!({ "provider": "fa\0ke", "access_token": token }),
        ),
        ("access_token", json!({ "provider": "fake" })),
        (
            "access_token",
            json!({ "provider": "fake", "access_token": "" }),
        ),
        (
            "access_token",
            json!({ "provider": "fake", "access_token": ["x"] }),
        ),
        (
            "access_token",
            json!({ "provider": "fake", "access_token": "a\nb" }),
        ),
        (
            "access_token",
            json!({ "provider": "fake", "access_token": "x".repeat(17_000) }),
        ),
        (
            "access_token_secret",
            json!({ "provider": "fake", "access_token_secret": "s" }),
        ),
        (
            "access_token_secret",
            json!({ "provider": "fake", "access_token_secret": "s", "id_token": "a.b.c" }),
        ),
        (
            "code",
            json!({ "provider": "fake", "access_token": token, "code": "c" }),
        ),
        (
            "code",
            json!({ "provider": "fake", "id_token": token, "code": "c" }),
        ),
        (
            "code_verifier",
            json!({ "provider": "fake", "access_token": token, "code_verifier": "v" }),
        ),
        (
            "nonce",
            json!({ "provider": "fake", "access_token": token, "nonce": "n" }),
        ),
        (
            "expires_in",
            json!({ "provider": "fake", "access_token": token, "expires_in": -1 }),
        ),
        (
            "expires_in",
            json!({ "provider": "fake", "access_token": token, "expires_in": 1.5 }),
        ),
        (
            "expires_in",
            json!({ "provider": "fake", "access_token": token, "expires_in": "soon" }),
        ),
        (
            "profile",
            json!({ "provider": "fake", "access_token": token, "profile": "Ada" }),
        ),
        (
            "profile.first_name",
            json!({ "provider": "fake", "access_token": token, "profile": { "first_name": 1 } }),
        ),
        (
            "client_id",
            json!({ "provider": "fake", "access_token": token, "client_id": "not-ours" }),
        ),
        (
            "intent",
            json!({ "provider": "fake", "access_token": token, "intent": true }),
        ),
        (
            "link_ticket",
            json!({ "provider": "fake", "access_token": token, "link_ticket": "x" }),
        ),
    ] {
        let answer = app.hand_in(&body).await;
        answer.assert_refused(400, "invalid_request");
        let sentence = answer.body["errors"].as_str().unwrap();
        assert!(sentence.contains(member), "{member}: {sentence}");
    }
    assert_eq!(app.counts(), (0, 0));
});

on_both!(a_body_of_another_kind_or_size_is_refused, FAKE, |app| {
    let typed = |content_type: &str| {
        app.request("POST", "/social_sign_up/")
            .header("content-type", content_type)
            .body("{}")
    };
    for content_type in [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
    ] {
        app.send(typed(content_type))
            .await
            .assert_refused(415, "unsupported_media_type");
    }
    app.send(app.request("POST", "/social_sign_up/"))
        .await
        .assert_refused(415, "unsupported_media_type");
    let big = json!({ "provider": "fake", "access_token": "x".repeat(1 << 20) });
    app.hand_in(&big)
        .await
        .assert_refused(413, "body_too_large");
});

on_both!(
    other_addresses_and_methods_have_our_shape_too,
    FAKE,
    |app| {
        app.get("/nothing/here", None)
            .await
            .assert_refused(404, "not_found");
        for path in ["/social_sign_up/", "/nonce", "/oauth/token"] {
            let answer = app.get(path, None).await;
            answer.assert_refused(405, "method_not_allowed");
            assert_eq!(answer.headers["allow"], "POST");
        }
        let answer = app.post("/me", &json!({}), None).await;
        answer.assert_refused(405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], "GET");
    }
);

on_both!(a_head_over_16_kib_is_431, FAKE, |app| {
    let request = app
        .request("GET", "/healthz")
        .header("x-padding", "x".repeat(17_000));
    app.send(request)
        .await
        .assert_refused(431, "head_too_large");
});

/// Sends `bytes` as they are and reads until the server closes.
fn raw(app: &TestApp, bytes: &[u8]) -> (String, Duration) {
    let started = Instant::now();
    let mut stream = TcpStream::connect(app.base.trim_start_matches("http://")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A reset connection is closed all the same.
    let _ = stream.read_to_end(&mut answer);
    (
        String::from_utf8_lossy(&answer).into_owned(),
        started.elapsed(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_cut() {
    let Some(app) = TestApp::spawn(Backend::Sqlite, FAKE) else {
        return;
    };
    let head: &[u8] = b"POST /social_sign_up/ HTTP/1.1\r\nHost: x\r\n";
    let body: &[u8] = b"POST /social_sign_up/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";

    let (head, body) = std::thread::scope(|scope| {
        let head = scope.spawn(|| raw(&app, head));
        let body = scope.spawn(|| raw(&app, body));
        (head.join().unwrap(), body.join().unwrap())
    });

    assert!(head.1 < Duration::from_secs(15), "{head:?}");
    assert!(body.1 < Duration::from_secs(19), "{body:?}");
    assert!(body.0.starts_with("HTTP/1.1 408"), "{body:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_never_reach_a_handler() {
    let Some(app) = TestApp::spawn(Backend::Sqlite, FAKE) else {
        return;
    };
    for request in [
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /social_sign_up/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /social_sign_up/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{}",
        "POST /social_sign_up/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\nConnection: close\r\n\r\nzz\r\n",
        "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let (answer, _) = raw(&app, request.as_bytes());
        let status = answer.split(' ').nth(1).unwrap_or("400");
        assert!(status.starts_with('4'), "{request:?}: {answer:?}");
    }
    assert_eq!(app.counts(), (0, 0));
}
