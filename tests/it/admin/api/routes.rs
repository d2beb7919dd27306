//! Every scope against every line of the table of routes.

use latchkey::domain::Role;
use latchkey::domain::api_client::Scope;
use latchkey::web::admin::api::routes::ROUTES;
use serde_json::json;

use super::{BOTH, FAKE};
use crate::support::{Answer, TestApp, on_both};

/// What there is, and what each address needs. A line that is in the table and not in here, or the other way round, fails.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("GET", "/admin/api/users", "admin:read"),
    ("GET", "/admin/api/users/{id}", "admin:read"),
    ("POST", "/admin/api/users/{id}/accounts", "admin:write"),
    (
        "GET",
        "/admin/api/users/{id}/accounts/{account}",
        "admin:read",
    ),
    (
        "GET",
        "/admin/api/users/{id}/accounts/{account}/unlink",
        "admin:read",
    ),
    (
        "POST",
        "/admin/api/users/{id}/accounts/{account}/unlink",
        "admin:write",
    ),
    (
        "POST",
        "/admin/api/users/{id}/accounts/{account}/check",
        "admin:write",
    ),
    (
        "POST",
        "/admin/api/users/{id}/unlinked/{unlinked}/undo",
        "admin:write",
    ),
    ("POST", "/admin/api/users/{id}/ticket", "admin:write"),
    ("POST", "/admin/api/users/{id}/deactivate", "admin:write"),
    ("POST", "/admin/api/users/{id}/reactivate", "admin:write"),
    (
        "POST",
        "/admin/api/users/{id}/sessions/revoke",
        "admin:write",
    ),
    (
        "POST",
        "/admin/api/users/{id}/sessions/{session}/revoke",
        "admin:write",
    ),
    ("GET", "/admin/api/accounts", "admin:read"),
    ("GET", "/admin/api/activity", "admin:read"),
];

#[test]
fn every_route_is_expected_and_documented_and_writes_only_by_post() {
    let table: Vec<_> = ROUTES
        .iter()
        .map(|route| (route.method.as_str(), route.path, route.scope.as_str()))
        .collect();
    assert_eq!(table, EXPECTED);

    let docs = include_str!("../../../../docs/API.md");
    for (method, path, scope) in EXPECTED {
        let line = format!("| `{method} {path}` | `{scope}` |");
        assert!(docs.contains(&line), "docs/API.md lacks {line}");
        assert_eq!(*method == "POST", *scope == "admin:write", "{path}");
    }
}

/// Ids that nobody has, so that no line changes anything.
fn address(pattern: &str) -> String {
    let parts = pattern.split('/');
    let filled = parts.map(|part| {
        if part.starts_with('{') {
            "999999999"
        } else {
            part
        }
    });
    filled.collect::<Vec<_>>().join("/")
}

async fn ask(app: &TestApp, method: &str, path: &str, bearer: Option<&str>) -> Answer {
    let request = app.request(method, path);
    app.send(match bearer {
        Some(bearer) => request.bearer_auth(bearer),
        None => request,
    })
    .await
}

on_both!(
    each_scope_reaches_what_the_table_says_and_nothing_else,
    FAKE,
    |app| {
        let of_user = app.sign_up("ada").await;
        let tokens = [
            (Scope::AdminRead, app.api_token("admin:read").await),
            (Scope::AdminWrite, app.api_token("admin:write").await),
        ];

        for (method, pattern, needed) in EXPECTED {
            let path = address(pattern);
            let nobody = ask(app, method, &path, None).await;
            nobody.assert_refused(401, "invalid_bearer");
            assert_eq!(
                nobody.headers["www-authenticate"],
                "Bearer realm=\"latchkey\""
            );
            for token in [of_user.as_str(), "garbage"] {
                let refused = ask(app, method, &path, Some(token)).await;
                refused.assert_refused(401, "invalid_bearer");
                assert_eq!(
                    refused.headers["www-authenticate"],
                    "Bearer realm=\"latchkey\", error=\"invalid_token\""
                );
            }
            for (scope, token) in &tokens {
                let answer = ask(app, method, &path, Some(token)).await;
                if scope.as_str() == *needed {
                    assert!(
                        [200, 400, 404].contains(&answer.status),
                        "{method} {path} with {scope:?}: {answer:?}"
                    );
                } else {
                    assert_eq!(
                        (answer.status, &answer.body["code"]),
                        (403, &json!("insufficient_scope")),
                        "{method} {path} with {scope:?}"
                    );
                    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
                    let says = format!("error=\"insufficient_scope\", scope=\"{needed}\"");
                    assert!(challenge.ends_with(&says), "{challenge}");
                }
            }
        }
    }
);

on_both!(
    a_cookie_of_staff_means_nothing_and_an_origin_neither,
    FAKE,
    |app| {
        let ada = app.hand_in(&app.access_token_of("ada").await).await;
        let path = format!("/admin/api/users/{}/deactivate", ada.body["id"]);
        let body = json!({ "reason": "Ticket 5190" }).to_string();
        let mut superuser = app.staff(Role::Superuser).await;
        let token = app.api_token(BOTH).await;

        let with_csrf = superuser
            .request("POST", &path)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .header("x-csrf-token", superuser.csrf().to_owned())
            .body(body.clone());
        let by_cookie = superuser.send(with_csrf).await;
        let reading = superuser.get("/admin/api/users").await;
        let from_elsewhere = app
            .request("POST", &path)
            .header("origin", "https://evil.example")
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/json")
            .bearer_auth(token)
            .body(body);
        let by_token = app.send(from_elsewhere).await;

        assert_eq!((by_cookie.status, reading.status), (401, 401));
        assert_eq!(by_token.status, 200, "{:?}", by_token.body);
        assert!(!by_token.headers.contains_key("set-cookie"));
        assert!(!by_cookie.headers.contains_key("set-cookie"));
    }
);

on_both!(
    another_address_or_method_is_refused_as_everywhere_in_the_api,
    FAKE,
    |app| {
        let token = app.api_token(BOTH).await;

        let unknown = ask(app, "GET", "/admin/api/none", Some(&token)).await;
        let no_id = ask(app, "GET", "/admin/api/users/ada", Some(&token)).await;
        let method = ask(app, "DELETE", "/admin/api/users/1", Some(&token)).await;
        let parameter = ask(app, "GET", "/admin/api/users/1?colour=red", Some(&token)).await;
        let problem = app
            .request("GET", "/admin/api/users/4711")
            .header("accept", "application/problem+json")
            .bearer_auth(&token);
        let problem = app.send(problem).await;

        unknown.assert_refused(404, "not_found");
        no_id.assert_refused(404, "not_found");
        method.assert_refused(405, "method_not_allowed");
        assert_eq!(method.headers["allow"], "GET");
        parameter.assert_refused(400, "invalid_request");
        assert!(
            parameter.body["errors"]
                .as_str()
                .unwrap()
                .contains("colour")
        );
        assert_eq!(problem.headers["content-type"], "application/problem+json");
        assert_eq!(
            (
                &problem.body["status"],
                &problem.body["code"],
                &problem.body["detail"]
            ),
            (
                &json!(404),
                &json!("user_not_found"),
                &json!("There is no such user")
            )
        );
    }
);
