//! Lists, a user, the audit log: what the pages show, for programs.

use serde_json::{Value, json};

use super::{BOTH, FAKE};
use crate::support::{TestApp, on_both};

/// Signs people up; gives the ids of the users and of their social accounts.
async fn sign_up(app: &TestApp, people: &[&str]) -> (Vec<i64>, Vec<i64>) {
    let (mut users, mut accounts) = (Vec::new(), Vec::new());
    for sub in people {
        let mint =
            json!({ "kind": "access_token", "sub": sub, "email": format!("{sub}@example.org") });
        let answer = app.hand_in(&app.mint(mint).await).await;
        let body = answer.assert_outcome("signed_up");
        users.extend(body["id"].as_i64());
        accounts.extend(body["social_auth"]["id"].as_i64());
    }
    (users, accounts)
}

/// The ids of a page's rows.
fn ids(body: &Value, rows: &str) -> Vec<i64> {
    let rows = body[rows].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_i64().unwrap()).collect()
}

/// The ids on all pages by `next_cursor`, and again backwards by `previous_cursor`.
async fn walk(app: &TestApp, token: &str, path: &str, rows: &str) -> (Vec<i64>, Vec<i64>) {
    let (mut forwards, mut backwards) = (Vec::new(), Vec::new());
    let mut body = app.get(path, Some(token)).await.body;
    let total = body["total"].clone();
    loop {
        assert_eq!((&body["total"], &body["count"]), (&total, &total), "{body}");
        assert_eq!(
            (&body["count_is_exact"], &body["is_behind"]),
            (&json!(true), &json!(false))
        );
        forwards.extend(ids(&body, rows));
        let Some(next) = body["next_cursor"].as_str() else {
            break;
        };
        body = app
            .get(&format!("{path}&cursor={next}"), Some(token))
            .await
            .body;
    }
    loop {
        backwards.extend(ids(&body, rows).into_iter().rev());
        let Some(previous) = body["previous_cursor"].as_str() else {
            break;
        };
        body = app
            .get(&format!("{path}&cursor={previous}"), Some(token))
            .await
            .body;
    }
    backwards.reverse();
    (forwards, backwards)
}

on_both!(
    lists_are_walked_by_cursor_and_each_page_is_noted,
    FAKE,
    |app| {
        let (by_sign_up, mut by_account) = sign_up(app, &["a", "b", "c", "d", "e"]).await;
        by_account.reverse();
        let token = app.api_token("admin:read").await;

        let users = walk(
            app,
            &token,
            "/admin/api/users?sort=joined&dir=asc&rows=2",
            "users",
        )
        .await;
        let accounts = walk(
            app,
            &token,
            "/admin/api/accounts?rows=2&dir=desc",
            "accounts",
        )
        .await;

        assert_eq!(users, (by_sign_up.clone(), by_sign_up));
        assert_eq!(accounts, (by_account.clone(), by_account));
        let entry = app.audit().await.remove(0);
        assert_eq!(
            (
                entry.actor_kind.as_str(),
                entry.action.as_str(),
                entry.reason.as_deref()
            ),
            ("api_client", "list_exported", Some("page"))
        );
        let detail = entry.detail.unwrap();
        assert_eq!(
            (
                &detail["list"],
                &detail["format"],
                &detail["rows"],
                &detail["query"]
            ),
            (
                &json!("accounts"),
                &json!("json"),
                &json!(2),
                &json!({ "dir": "desc" })
            )
        );
    }
);

on_both!(
    rows_have_the_members_of_an_export_and_times_in_utc,
    FAKE,
    |app| {
        let mint = json!({
            "kind": "access_token", "sub": "ada", "name": "Ada Okafor", "email": "ada@example.org", "email_verified": true,
        });
        let signed_up = app.hand_in(&app.mint(mint).await).await;
        let token = app.api_token("admin:read").await;

        let user = app.get("/admin/api/users", Some(&token)).await.body["users"][0].clone();
        let account =
            app.get("/admin/api/accounts", Some(&token)).await.body["accounts"][0].clone();

        assert_eq!(
            (
                &user["id"],
                &user["email"],
                &user["email_verified"],
                &user["providers"],
                &user["is_active"]
            ),
            (
                &signed_up.body["id"],
                &json!("ada@example.org"),
                &json!(true),
                &json!(["fake"]),
                &json!(true)
            )
        );
        assert_eq!(user["date_joined"], signed_up.body["date_joined"]);
        assert!(user["last_sign_in_at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(
            (&account["provider"], &account["uid"], &account["user_id"]),
            (&json!("fake"), &json!("ada"), &signed_up.body["id"])
        );
        assert!(account["access_token"] == "valid" || account["access_token"] == "does not expire");
    }
);

on_both!(search_and_filters_are_those_of_the_pages, FAKE, |app| {
    let (users, _) = sign_up(app, &["ada", "adam", "bob"]).await;
    app.set_active(users[2], false);
    let token = app.api_token("admin:read").await;
    let get = |query: &'static str| {
        let path = format!("/admin/api/users?{query}");
        let token = token.clone();
        async move { app.get(&path, Some(&token)).await.body }
    };

    let by_uid = get("q=fake%3Aada").await;
    let inside = get("q=ada%40exa").await;
    let inactive = get("status=inactive").await;
    let short = get("q=ad").await;
    let none = get("provider=github").await;

    assert_eq!(ids(&by_uid, "exact_matches"), users[..1]);
    assert_eq!(ids(&inside, "users"), users[..1]);
    assert_eq!(
        (ids(&inactive, "users"), &inactive["count"]),
        (vec![users[2]], &json!(1))
    );
    assert_eq!((ids(&short, "users"), &short["count"]), (vec![], &json!(0)));
    assert_eq!(ids(&none, "users"), [0_i64; 0]);
});

on_both!(
    a_query_that_does_not_fit_is_refused_with_its_name,
    FAKE,
    |app| {
        sign_up(app, &["a", "b", "c"]).await;
        let token = app.api_token("admin:read").await;
        let first = app.get("/admin/api/users?rows=1", Some(&token)).await;
        let cursor = first.body["next_cursor"].as_str().unwrap();
        let foreign = format!("/admin/api/users?rows=1&sort=email&cursor={cursor}");

        for (path, name) in [
            ("/admin/api/users?colour=red", "colour"),
            ("/admin/api/users?as=list", "as"),
            ("/admin/api/users?rows=101", "rows"),
            ("/admin/api/users?rows=0", "rows"),
            ("/admin/api/users?status=maybe", "status"),
            ("/admin/api/users?from=yesterday", "from"),
            ("/admin/api/accounts?q=ada", "q"),
            ("/admin/api/accounts?cursor=abc", "cursor"),
            ("/admin/api/activity?user=ada", "user"),
            ("/admin/api/activity?actor=nobody", "actor"),
            ("/admin/api/activity?older=x", "older"),
            ("/admin/api/activity?provider=a&provider=b", "provider"),
            ("/admin/api/activity?colour=red", "colour"),
            (foreign.as_str(), "cursor"),
        ] {
            let refused = app.get(path, Some(&token)).await;
            refused.assert_refused(400, "invalid_request");
            let sentence = refused.body["errors"].as_str().unwrap();
            assert!(sentence.contains(name), "{path}: {sentence}");
        }
    }
);

on_both!(
    a_search_for_an_access_token_is_refused_and_written_nowhere,
    FAKE,
    |app| {
        let token = app.api_token("admin:read").await;
        let before = app.audit().await.len();

        let refused = app
            .get("/admin/api/users?q=gho_canary0123456789", Some(&token))
            .await;
        app.get("/admin/api/users?q=someone-private", Some(&token))
            .await;

        refused.assert_refused(400, "invalid_request");
        assert!(!refused.body.to_string().contains("canary"));
        let audit = app.audit().await;
        assert_eq!(audit.len(), before + 1);
        let detail = audit[0].detail.as_ref().unwrap().to_string();
        assert!(
            detail.contains("not recorded") && !detail.contains("private"),
            "{detail}"
        );
    }
);

on_both!(
    a_user_is_shown_with_all_that_is_theirs_and_no_secret,
    FAKE,
    |app| {
        let mut handed_in = app.access_token_of("ada").await;
        handed_in["refresh_token"] = json!("canary-refresh-0123456789");
        let signed_up = app.hand_in(&handed_in).await;
        let (user_id, account_id) = (&signed_up.body["id"], &signed_up.body["social_auth"]["id"]);
        let client = app.api_client(BOTH).await;
        let token = crate::support::token_of(&app.client_token(&client, &[]).await);

        let user = app
            .get(&format!("/admin/api/users/{user_id}"), Some(&token))
            .await;
        let path = format!("/admin/api/users/{user_id}/accounts/{account_id}");
        let account = app.get(&path, Some(&token)).await;

        assert_eq!(user.status, 200, "{:?}", user.body);
        assert_eq!(
            (
                &user.body["ways_in"],
                &user.body["deactivation"],
                &user.body["unlinked"]
            ),
            (&json!(1), &Value::Null, &json!([]))
        );
        assert_eq!(user.body["accounts"][0], account.body);
        let data = &account.body["extra_data"];
        assert_eq!(
            (
                &data["access_token"],
                &data["refresh_token"],
                &data["token_type"]
            ),
            (&json!("sealed"), &json!("sealed"), &json!("Bearer"))
        );
        assert_eq!(
            (&account.body["uid"], &account.body["is_way_in"]),
            (&json!("ada"), &json!(true))
        );
        assert_eq!(user.body["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(user.body["activity"][0]["action"], json!("signed_up"));
        let looks: Vec<_> = app.audit().await;
        let looks: Vec<_> = looks
            .iter()
            .filter(|entry| entry.action == "user_viewed")
            .collect();
        assert_eq!(looks.len(), 2);
        assert!(looks.iter().all(|look| look.actor_kind == "api_client"
            && look.user_id.map(|id| id.0) == user_id.as_i64()));

        let strange = format!("/admin/api/users/{user_id}/accounts/4711");
        let strange = app.get(&strange, Some(&token)).await;
        strange.assert_refused(404, "account_not_found");
        let nobody = app.get("/admin/api/users/4711", Some(&token)).await;
        nobody.assert_refused(404, "user_not_found");
    }
);

on_both!(no_answer_holds_a_token, FAKE, |app| {
    let mut handed_in = app.access_token_of("ada").await;
    handed_in["refresh_token"] = json!("canary-refresh-0123456789");
    let signed_up = app.hand_in(&handed_in).await;
    let client = app.api_client(BOTH).await;
    let token = crate::support::token_of(&app.client_token(&client, &[]).await);
    let user = format!("/admin/api/users/{}", signed_up.body["id"]);
    let account = format!("{user}/accounts/{}", signed_up.body["social_auth"]["id"]);
    let reason = json!({ "reason": "Ticket 5190" });

    let mut answers = Vec::new();
    for path in [
        "/admin/api/users",
        "/admin/api/accounts",
        "/admin/api/activity",
        &user,
        &account,
        &format!("{account}/unlink"),
    ] {
        answers.push(app.get(path, Some(&token)).await);
    }
    let version = answers[5].body["version"].clone();
    let unlink = json!({ "version": version, "reason": "Ticket 5190", "last_way_in": true });
    answers.push(
        app.post(&format!("{account}/check"), &json!({}), Some(&token))
            .await,
    );
    answers.push(
        app.post(&format!("{account}/unlink"), &unlink, Some(&token))
            .await,
    );
    answers.push(
        app.post(&format!("{user}/deactivate"), &reason, Some(&token))
            .await,
    );
    answers.push(app.get(&user, Some(&token)).await);
    answers.push(app.get("/admin/api/activity", Some(&token)).await);

    let mut secrets = vec![client.secret.as_str(), &token, "canary-refresh-0123456789"];
    secrets.extend(handed_in["access_token"].as_str());
    for member in ["access_token", "refresh_token"] {
        secrets.extend(signed_up.body["token"][member].as_str());
    }
    for answer in &answers {
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let text = format!("{} {:?}", answer.body, answer.headers);
        for secret in &secrets {
            // The header of a signed token is no secret, so the end is looked for.
            let end = secret.get(secret.len() - 16..).unwrap();
            assert!(!text.contains(end), "{text}");
        }
        assert!(
            !text.contains("\"1.") || !text.contains("sealed\":"),
            "{text}"
        );
    }
});

on_both!(the_audit_log_is_filtered_and_paged, FAKE, |app| {
    let (people, _) = sign_up(app, &["a", "b", "c"]).await;
    let token = app.api_token("admin:read").await;
    let get = |query: String| {
        let path = format!("/admin/api/activity?{query}");
        let token = token.clone();
        async move { app.get(&path, Some(&token)).await.body }
    };

    let first = get("action=signed_up&rows=2".to_owned()).await;
    let older = first["older"].as_i64().unwrap();
    let second = get(format!("action=signed_up&rows=2&older={older}")).await;
    let newer = second["newer"].as_i64().unwrap();
    let again = get(format!("action=signed_up&rows=2&newer={newer}")).await;
    let by_client = get("actor=api_client".to_owned()).await;

    let users = |body: &Value| -> Vec<Option<i64>> {
        let entries = body["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["user_id"].as_i64()).collect()
    };
    assert_eq!(users(&first), [Some(people[2]), Some(people[1])]);
    assert_eq!(
        (users(&second), &second["older"]),
        (vec![Some(people[0])], &Value::Null)
    );
    assert_eq!(
        (&again["entries"], &first["newer"]),
        (&first["entries"], &Value::Null)
    );
    assert_eq!(
        by_client["entries"][0]["action"],
        json!("client_token_issued")
    );
    assert!(first["entries"][0]["at"].as_str().unwrap().ends_with('Z'));
});
