//! Contract §1 and §2: the one call, row by row.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::on_both;

const FAKE: &str = "[providers.fake]\n";

/// An audit entry as [`crate::support::TestApp::last_audit`] gives it.
fn audited(actor: &str, action: &str, reason: Option<&str>) -> (String, String, Option<String>) {
    (
        actor.to_owned(),
        action.to_owned(),
        reason.map(str::to_owned),
    )
}

on_both!(
    an_anonymous_caller_with_a_new_account_is_signed_up,
    FAKE,
    |app| {
        let body = app
        .mint(json!({
            "kind": "access_token", "sub": "10158392042917", "username": "Ada", "name": "Ada Okafor",
            "email": "ada@example.org", "email_verified": true,
        }))
        .await;

        let answer = app.hand_in(&body).await;

        let user = answer.assert_outcome("signed_up");
        assert_eq!(user["username"], "ada");
        assert_eq!(user["email"], "ada@example.org");
        assert_eq!(user["email_verified"], true);
        assert_eq!(
            (&user["first_name"], &user["last_name"]),
            (&json!("Ada"), &json!("Okafor"))
        );
        assert!(user["date_joined"].as_str().unwrap().ends_with('Z'));
        assert_eq!(user["social_auth"]["provider"], "fake");
        assert_eq!(user["social_auth"]["uid"], "10158392042917");
        assert!(user["social_auth"].get("extra_data").is_none());
        assert_eq!(user["token"]["token_type"], "Bearer");
        assert_eq!(user["token"]["expires_in"], 900);
        assert_eq!(app.counts(), (1, 1));
        assert_eq!(
            app.last_audit().await,
            audited("anonymous", "signed_up", None)
        );
    }
);

on_both!(
    an_anonymous_caller_with_a_known_account_is_signed_in,
    FAKE,
    |app| {
        let body = app.access_token_of("ada").await;
        let first = app.hand_in(&body).await;

        let second = app.hand_in(&body).await;

        second.assert_outcome("signed_in");
        assert_eq!(first.body["id"], second.body["id"]);
        assert_ne!(first.bearer(), second.bearer());
        assert_eq!(app.counts(), (1, 1));
        assert_eq!(
            app.last_audit().await,
            audited("anonymous", "signed_in", None)
        );
    }
);

on_both!(
    an_inactive_user_is_refused_like_any_other_failure,
    FAKE,
    |app| {
        let body = app.access_token_of("ada").await;
        let user_id = app.hand_in(&body).await.body["id"].as_i64().unwrap();
        app.set_active(user_id, false);

        let answer = app.hand_in(&body).await;

        answer.assert_refused(400, "social_auth_failed");
        assert_eq!(answer.body["errors"], "Error with social authentication");
        assert_eq!(answer.body.as_object().unwrap().len(), 3);
        assert_eq!(
            app.last_audit().await,
            audited("anonymous", "refused", Some("inactive_user"))
        );
    }
);

on_both!(
    a_caller_with_a_new_account_gets_it_associated,
    FAKE,
    |app| {
        let bearer = app.sign_up("ada").await;
        let body = app.access_token_of("ada-at-work").await;

        let answer = app.hand_in_as(&bearer, &body).await;

        let user = answer.assert_outcome("associated");
        assert!(user.get("token").is_none());
        assert_eq!(user["social_auth"]["uid"], "ada-at-work");
        assert_eq!(app.counts(), (1, 2));
        assert_eq!(app.last_audit().await, audited("user", "associated", None));
    }
);

on_both!(
    associating_ones_own_account_again_changes_nothing,
    FAKE,
    |app| {
        let body = app.access_token_of("ada").await;
        let bearer = app.hand_in(&body).await.bearer();

        let answer = app.hand_in_as(&bearer, &body).await;

        answer.assert_outcome("associated");
        assert_eq!(app.counts(), (1, 1));
    }
);

on_both!(
    the_account_of_another_user_is_refused_as_already_in_use,
    FAKE,
    |app| {
        let adas = app.access_token_of("ada").await;
        app.hand_in(&adas).await.assert_outcome("signed_up");
        let bob = app.sign_up("bob").await;

        let answer = app.hand_in_as(&bob, &adas).await;

        answer.assert_refused(400, "already_in_use");
        assert_eq!(
            answer.body["errors"],
            "That social media account is already in use"
        );
        assert_eq!(app.get("/me", Some(&bob)).await.status, 200);
        assert_eq!(app.counts(), (2, 2));
        assert_eq!(
            app.hand_in(&adas).await.assert_outcome("signed_in")["username"],
            "user"
        );
    }
);

on_both!(
    a_bearer_that_cannot_be_used_is_never_treated_as_anonymous,
    FAKE,
    |app| {
        let body = app.access_token_of("ada").await;
        let good = app.sign_up("bob").await;
        let tampered = format!("{good}x");

        for bearer in ["nonsense", "a.b.c", tampered.as_str()] {
            app.hand_in_as(bearer, &body)
                .await
                .assert_refused(401, "invalid_bearer");
        }
        for value in ["Basic YTpi", "Bearer", "Bearer ", "bearer", "Token x"] {
            let request = app
                .request("POST", "/social_sign_up/")
                .header("authorization", value)
                .header("content-type", "application/json")
                .body(body.to_string());
            app.send(request)
                .await
                .assert_refused(401, "invalid_bearer");
        }
        let twice = app
            .request("POST", "/social_sign_up/")
            .header("authorization", format!("Bearer {good}"))
            .header("authorization", format!("Bearer {good}"))
            .header("content-type", "application/json")
            .body(body.to_string());
        app.send(twice).await.assert_refused(401, "invalid_bearer");

        assert_eq!(app.counts(), (1, 1));
    }
);

on_both!(
    an_expired_bearer_and_one_of_an_inactive_user_are_401,
    FAKE,
    |app| {
        let body = app.access_token_of("new").await;
        let inactive = app.hand_in(&app.access_token_of("bob").await).await;
        app.set_active(inactive.body["id"].as_i64().unwrap(), false);
        app.hand_in_as(&inactive.bearer(), &body)
            .await
            .assert_refused(401, "invalid_bearer");

        let expired = app.sign_up("ada").await;
        app.advance(Duration::from_secs(901));
        let answer = app.hand_in_as(&expired, &body).await;

        answer.assert_refused(401, "invalid_bearer");
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert_eq!(app.counts(), (2, 2));
    }
);

on_both!(an_intent_that_does_not_fit_is_refused, FAKE, |app| {
    let mut body = app.access_token_of("ada").await;
    let with = |body: &mut Value, intent: &str| body["intent"] = intent.into();

    with(&mut body, "sign_in");
    app.hand_in(&body)
        .await
        .assert_refused(400, "not_signed_up");
    assert_eq!(app.last_audit().await.2.as_deref(), Some("not_signed_up"));
    with(&mut body, "associate");
    app.hand_in(&body)
        .await
        .assert_refused(400, "invalid_request");
    with(&mut body, "sign_up");
    let signed_up = app.hand_in(&body).await;
    signed_up.assert_outcome("signed_up");
    app.hand_in(&body)
        .await
        .assert_refused(400, "already_signed_up");
    app.hand_in_as(&signed_up.bearer(), &body)
        .await
        .assert_refused(400, "invalid_request");
    with(&mut body, "sign_in");
    app.hand_in(&body).await.assert_outcome("signed_in");
    with(&mut body, "associate");
    app.hand_in_as(&signed_up.bearer(), &body)
        .await
        .assert_outcome("associated");
    with(&mut body, "guess");
    app.hand_in(&body)
        .await
        .assert_refused(400, "invalid_request");
});

on_both!(
    a_form_is_taken_like_json_and_the_last_slash_does_not_matter,
    FAKE,
    |app| {
        let token = app.access_token_of("ada").await["access_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let form =
            format!("provider=fake&access_token={token}&expires_in=60&profile%5Bfirst_name%5D=Ada");

        for (path, outcome) in [
            ("/social_sign_up", "signed_up"),
            ("/social_sign_up/", "signed_in"),
        ] {
            let request = app
                .request("POST", path)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.clone());
            app.send(request).await.assert_outcome(outcome);
        }
    }
);

on_both!(
    every_kind_of_proof_is_taken_at_the_one_address,
    FAKE,
    |app| {
        for kind in ["access_token", "access_token_secret", "id_token", "code"] {
            let sub = format!("ada-by-{kind}");
            let body = app.mint(json!({ "kind": kind, "sub": sub })).await;

            let answer = app.hand_in(&body).await;

            assert_eq!(
                answer.assert_outcome("signed_up")["social_auth"]["uid"],
                sub,
                "{kind}"
            );
        }
    }
);

on_both!(
    a_proof_that_the_provider_does_not_vouch_for_is_refused_and_nothing_is_stored,
    FAKE,
    |app| {
        for (behaviour, code) in [
            ("wrong_audience", "wrong_audience"),
            ("expired", "expired_token"),
            ("revoked", "invalid_token"),
        ] {
            let body = app
                .mint(json!({ "kind": "access_token", "sub": "ada", "behaviour": behaviour }))
                .await;

            let answer = app.hand_in(&body).await;

            answer.assert_refused(400, code);
            assert_eq!(answer.body["errors"], "Error with social authentication");
            assert_eq!(
                app.last_audit().await,
                audited("anonymous", "refused", Some(code))
            );
        }
        assert_eq!(app.counts(), (0, 0));
    }
);

on_both!(a_provider_that_fails_is_503_with_retry_after, FAKE, |app| {
    for behaviour in ["outage", "garbage"] {
        let body = app
            .mint(json!({ "kind": "access_token", "sub": "ada", "behaviour": behaviour }))
            .await;

        let answer = app.hand_in(&body).await;

        answer.assert_refused(503, "provider_unavailable");
        assert_eq!(answer.body["errors"], "Error with social authentication");
    }
    assert_eq!(app.counts(), (0, 0));
});

on_both!(
    an_unknown_provider_and_one_that_is_off_are_told_apart,
    "[providers.fake]\nenabled = false\n",
    |app| {
        let body = |provider: &str| json!({ "provider": provider, "access_token": "x" });

        app.hand_in(&body("nowhere"))
            .await
            .assert_refused(400, "unknown_provider");
        app.hand_in(&body("fake"))
            .await
            .assert_refused(400, "provider_disabled");
        app.hand_in(&body("Fake"))
            .await
            .assert_refused(400, "unknown_provider");
    }
);

on_both!(a_refusal_as_problem_details_says_the_same, FAKE, |app| {
    let request = app
        .request("POST", "/social_sign_up/")
        .header("accept", "application/problem+json")
        .header("content-type", "application/json")
        .body("{}");

    let answer = app.send(request).await;

    answer.assert_refused(400, "invalid_request");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["status"], 400);
    assert_eq!(answer.body["title"], "Bad Request");
    assert_eq!(answer.body["detail"], answer.body["errors"]);
});

const CLOSED: &str = "[providers.fake]\n[policy]\nsign_ups = \"closed\"\n";
const LISTED: &str = "[providers.fake]\n[policy]\nallowed_email_domains = [\"example.org\"]\n";

on_both!(closed_sign_ups_refuse_a_new_account, CLOSED, |app| {
    let body = app.access_token_of("ada").await;

    app.hand_in(&body)
        .await
        .assert_refused(400, "social_auth_failed");

    assert_eq!(app.last_audit().await.2.as_deref(), Some("sign_ups_closed"));
    assert_eq!(app.counts(), (0, 0));
});

on_both!(
    a_domain_list_admits_verified_addresses_of_that_domain_only,
    LISTED,
    |app| {
        for (sub, email, verified, admitted) in [
            ("a", Some("a@example.org"), true, true),
            ("b", Some("b@example.org"), false, false),
            ("c", Some("c@evil.example"), true, false),
            ("d", None, false, false),
        ] {
            let mut what =
                json!({ "kind": "access_token", "sub": sub, "email_verified": verified });
            if let Some(email) = email {
                what["email"] = email.into();
            }
            let body = app.mint(what).await;

            let answer = app.hand_in(&body).await;

            assert_eq!(answer.status == 201, admitted, "{sub}: {:?}", answer.body);
        }
        assert_eq!(app.counts(), (1, 1));
    }
);

on_both!(
    two_people_with_one_address_stay_two_users_by_default,
    FAKE,
    |app| {
        for sub in ["ada", "eve"] {
            let body = app
            .mint(json!({ "kind": "access_token", "sub": sub, "email": "ada@example.org", "email_verified": true }))
            .await;
            app.hand_in(&body).await.assert_outcome("signed_up");
        }
        assert_eq!(app.counts(), (2, 2));
    }
);

const ASK: &str = "[providers.fake]\n[policy]\nemail_match = \"ask\"\n";
const LINK: &str = "[providers.fake]\n[policy]\nemail_match = \"link\"\n";

fn with_address(sub: &str, verified: bool) -> Value {
    json!({ "kind": "access_token", "sub": sub, "email": "Ada@example.org", "email_verified": verified })
}

on_both!(
    a_known_verified_address_yields_a_ticket_that_only_its_user_can_redeem_once,
    ASK,
    |app| {
        let ada = app
            .hand_in(&app.mint(with_address("ada", true)).await)
            .await;
        let eve = app.sign_up("eve").await;

        let conflict = app
            .hand_in(&app.mint(with_address("ada-at-work", true)).await)
            .await;
        conflict.assert_refused(409, "email_in_use");
        let ticket = json!({ "provider": "fake", "link_ticket": conflict.body["link_ticket"] });

        app.hand_in(&ticket)
            .await
            .assert_refused(401, "invalid_bearer");
        app.hand_in_as(&eve, &ticket)
            .await
            .assert_refused(400, "invalid_token");
        let linked = app.hand_in_as(&ada.bearer(), &ticket).await;
        linked.assert_outcome("associated");
        assert_eq!(linked.body["id"], ada.body["id"]);
        app.hand_in_as(&ada.bearer(), &ticket)
            .await
            .assert_refused(400, "invalid_token");
        let body = app.mint(with_address("ada-at-work", true)).await;
        assert_eq!(
            app.hand_in(&body).await.assert_outcome("signed_in")["id"],
            ada.body["id"]
        );
    }
);

on_both!(a_ticket_expires_after_ten_minutes, ASK, |app| {
    let ada = app
        .hand_in(&app.mint(with_address("ada", true)).await)
        .await;
    let conflict = app
        .hand_in(&app.mint(with_address("ada-at-work", true)).await)
        .await;
    let ticket = json!({ "provider": "fake", "link_ticket": conflict.body["link_ticket"] });

    app.advance(Duration::from_secs(601));

    app.hand_in_as(&ada.bearer(), &ticket)
        .await
        .assert_refused(400, "invalid_token");
    assert_eq!(
        app.last_audit().await,
        audited("user", "refused", Some("link_ticket_invalid"))
    );
});

on_both!(
    an_unverified_address_on_either_side_never_asks_and_never_links,
    LINK,
    |app| {
        let unverified = app
            .hand_in(&app.mint(with_address("eve", false)).await)
            .await;

        let verified = app
            .hand_in(&app.mint(with_address("ada", true)).await)
            .await;
        let late = app
            .hand_in(&app.mint(with_address("mallory", false)).await)
            .await;

        for answer in [&unverified, &verified, &late] {
            answer.assert_outcome("signed_up");
        }
        assert_eq!(app.counts(), (3, 3));
    }
);

on_both!(
    linking_by_address_clears_what_was_there_unverified,
    LINK,
    |app| {
        let ada = app
            .hand_in(&app.mint(with_address("ada", true)).await)
            .await;
        let planted = app.access_token_of("planted").await;
        app.hand_in_as(&ada.bearer(), &planted)
            .await
            .assert_outcome("associated");
        let refresh = ada.body["token"]["refresh_token"].clone();

        let linked = app
            .hand_in(&app.mint(with_address("ada-at-work", true)).await)
            .await;

        linked.assert_outcome("signed_in");
        assert_eq!(linked.body["id"], ada.body["id"]);
        assert_eq!(app.get("/me", Some(&ada.bearer())).await.status, 401);
        let grant = json!({ "grant_type": "refresh_token", "refresh_token": refresh });
        assert_eq!(app.post("/oauth/token", &grant, None).await.status, 400);
        assert_ne!(
            app.hand_in(&planted).await.assert_outcome("signed_up")["id"],
            ada.body["id"]
        );
    }
);

on_both!(
    names_from_the_app_fill_only_what_the_provider_left_empty,
    FAKE,
    |app| {
        let mut nameless = app.access_token_of("nameless").await;
        let mut named = app
            .mint(json!({ "kind": "access_token", "sub": "named", "name": "Real Name" }))
            .await;
        for body in [&mut nameless, &mut named] {
            body["profile"] =
                json!({ "first_name": "Typed", "last_name": "In", "email": "x@example.org" });
            body["email"] = "victim@example.org".into();
            body["is_staff"] = true.into();
        }

        let nameless = app.hand_in(&nameless).await;
        let named = app.hand_in(&named).await;

        assert_eq!(nameless.body["first_name"], "Typed");
        assert_eq!(named.body["first_name"], "Real");
        assert_eq!(nameless.body["email"], Value::Null);
    }
);

on_both!(
    user_names_collide_without_regard_to_case_and_get_a_short_number,
    FAKE,
    |app| {
        let mut names = Vec::new();
        for (sub, username) in [("1", "Ada"), ("2", "ada"), ("3", "ADA")] {
            let body = app
                .mint(json!({ "kind": "access_token", "sub": sub, "username": username }))
                .await;
            names.push(app.hand_in(&body).await.assert_outcome("signed_up")["username"].clone());
        }
        assert_eq!(names, ["ada", "ada2", "ada3"]);
    }
);

on_both!(uids_that_look_alike_are_different_people, FAKE, |app| {
    for sub in ["abc", "ABC", "123", "0123", "e\u{301}", "\u{e9}", "0"] {
        let body = app.access_token_of(sub).await;
        let answer = app.hand_in(&body).await;
        assert_eq!(
            answer.assert_outcome("signed_up")["social_auth"]["uid"],
            sub
        );
    }
    assert_eq!(app.counts(), (7, 7));
});

on_both!(
    the_nonce_binds_an_id_token_once_in_each_of_its_forms,
    FAKE,
    |app| {
        for (form, handed_in) in [
            ("nonce", "nonce"),
            ("sha256", "nonce"),
            ("sha256_base64url", "nonce"),
            ("sha256", "sha256"),
        ] {
            let nonce = app.post("/nonce", &json!({}), None).await;
            assert_eq!(nonce.status, 201);
            let mut body = app
            .mint(json!({ "kind": "id_token", "sub": format!("{form}-{handed_in}"), "nonce": nonce.body[form] }))
            .await;
            body["nonce"] = nonce.body[handed_in].clone();

            app.hand_in(&body).await.assert_outcome("signed_up");
            app.hand_in(&body)
                .await
                .assert_refused(400, "nonce_mismatch");
        }
    }
);

on_both!(
    an_id_token_with_another_nonce_or_without_one_is_refused,
    FAKE,
    |app| {
        let mut body = app
            .mint(json!({ "kind": "id_token", "sub": "ada", "nonce": "of-the-app" }))
            .await;

        body["nonce"] = "of-somebody-else".into();
        app.hand_in(&body)
            .await
            .assert_refused(400, "nonce_mismatch");
        body.as_object_mut().unwrap().remove("nonce");
        app.hand_in(&body)
            .await
            .assert_refused(400, "nonce_mismatch");
        let mut without = app.mint(json!({ "kind": "id_token", "sub": "ada" })).await;
        without["nonce"] = "asked-for".into();
        app.hand_in(&without)
            .await
            .assert_refused(400, "nonce_mismatch");

        assert_eq!(app.counts(), (0, 0));
    }
);

on_both!(
    an_issued_nonce_cannot_be_used_after_ten_minutes,
    FAKE,
    |app| {
        let nonce = app.post("/nonce", &json!({}), None).await;
        let mut body = app
            .mint(json!({ "kind": "id_token", "sub": "ada", "nonce": nonce.body["nonce"] }))
            .await;
        body["nonce"] = nonce.body["nonce"].clone();

        app.advance(Duration::from_secs(601));

        app.hand_in(&body)
            .await
            .assert_refused(400, "nonce_mismatch");
    }
);

on_both!(
    extra_data_keeps_tokens_sealed_and_what_is_absent_later_erases_nothing,
    FAKE,
    |app| {
        let mut body = app.access_token_of("ada").await;
        let token = body["access_token"].as_str().unwrap().to_owned();
        body["refresh_token"] = "refresh-me".into();
        body["scope"] = "email".into();
        app.hand_in(&body).await.assert_outcome("signed_up");
        let extra_data = || -> Value {
            let text = app.text("SELECT CAST(extra_data AS TEXT) AS text FROM social_auth");
            assert!(!text.contains(&token) && !text.contains("refresh-me"));
            serde_json::from_str(&text).unwrap()
        };
        let first = extra_data();

        app.advance(Duration::from_secs(5));
        let again = app.access_token_of("ada").await;
        app.hand_in(&again).await.assert_outcome("signed_in");
        let second = extra_data();

        for name in ["access_token", "refresh_token"] {
            assert!(first[name]["sealed"].is_string(), "{name}: {first}");
        }
        assert_eq!(first["token_type"], "Bearer");
        assert_eq!(first["client_id"], "fake-client");
        assert!(first["expires_at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(second["refresh_token"], first["refresh_token"]);
        assert_ne!(second["access_token"], first["access_token"]);
        assert_ne!(second["auth_time"], first["auth_time"]);
        let provider = latchkey::domain::ProviderId::parse("fake").unwrap();
        let uid = latchkey::domain::Uid::parse("ada").unwrap();
        let opened = app
            .app
            .sealer
            .open_member(&second, &provider, &uid, "access_token");
        assert_eq!(opened.unwrap().expose(), again["access_token"]);
    }
);
