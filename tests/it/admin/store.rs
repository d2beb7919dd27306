//! The store behind the session cookie, as the middleware uses it, on both databases.

use actix_session::storage::{SessionKey, SessionStore};
use actix_web::cookie::time::Duration;
use actix_web::web::Data;
use latchkey::domain::{RequestContext, Role, Secret};
use latchkey::flows::staff::{SessionGrant, SignInStaff, sign_in_staff};
use latchkey::web::admin::store::{KEY, SESSION_ID, StaffSessionStore};

use crate::support::staff::PASSWORD;
use crate::support::{TestApp, on_both};

const TTL: Duration = Duration::hours(12);

fn store(app: &TestApp) -> StaffSessionStore {
    StaffSessionStore::new(Data::from(app.app.clone()))
}

fn key(text: &str) -> SessionKey {
    SessionKey::try_from(text.to_owned()).unwrap()
}

async fn sign_in(app: &TestApp) -> SessionGrant {
    app.new_staff("jo@example.org", Role::Staff).await;
    let request = SignInStaff {
        email: "jo@example.org".to_owned(),
        password: Secret::new(PASSWORD),
        replaces: None,
    };
    let context = RequestContext {
        request_id: "test".to_owned(),
        address: None,
        user_agent: None,
    };
    let signed_in = sign_in_staff(&app.app, request, context).await;
    signed_in.unwrap().grant
}

on_both!(a_key_that_nobody_knows_loads_nothing, "", |app| {
    sign_in(app).await;
    assert!(store(app).load(&key("unknown")).await.unwrap().is_none());
});

on_both!(
    what_a_session_remembers_is_seen_by_every_instance_until_it_is_deleted,
    "",
    |app| {
        let grant = sign_in(app).await;
        let (one, two) = (store(app), store(app));
        let mut state = one.load(&key(grant.key.expose())).await.unwrap().unwrap();
        assert_eq!(state[SESSION_ID], grant.session_id.to_string());
        assert_eq!(state.len(), 1);

        state.insert("notices".to_owned(), "[\"a\"]".to_owned());
        let same = one
            .update(key(grant.key.expose()), state, &TTL)
            .await
            .unwrap();

        assert_eq!(same.as_ref(), grant.key.expose());
        let seen = two.load(&key(grant.key.expose())).await.unwrap().unwrap();
        assert_eq!(seen["notices"], "[\"a\"]");
        two.update_ttl(&same, &TTL).await.unwrap();
        two.delete(&same).await.unwrap();
        assert!(one.load(&same).await.unwrap().is_none());
        two.delete(&same).await.unwrap();
    }
);

on_both!(
    a_session_is_saved_under_the_key_of_the_flow_and_under_no_other,
    "",
    |app| {
        let grant = sign_in(app).await;
        let quoted = format!("\"{}\"", grant.key.expose());
        let state = [
            (SESSION_ID.to_owned(), grant.session_id.to_string()),
            (KEY.to_owned(), quoted),
            ("notices".to_owned(), "[1]".to_owned()),
        ];

        let saved = store(app).save(state.into(), &TTL).await.unwrap();

        assert_eq!(saved.as_ref(), grant.key.expose());
        let loaded = store(app).load(&saved).await.unwrap().unwrap();
        assert_eq!(loaded["notices"], "[1]");
        assert!(!loaded.contains_key(KEY));
        let unopened = [(SESSION_ID.to_owned(), grant.session_id.to_string())];
        assert!(store(app).save(unopened.into(), &TTL).await.is_err());
    }
);

on_both!(
    an_idle_an_expired_and_a_revoked_session_load_nothing,
    "",
    |app| {
        let grant = sign_in(app).await;
        let load = || async {
            store(app)
                .load(&key(grant.key.expose()))
                .await
                .unwrap()
                .is_some()
        };

        assert!(load().await);
        app.advance(std::time::Duration::from_mins(30));
        assert!(!load().await, "idle");
        app.turn_back(std::time::Duration::from_mins(30));
        app.execute("UPDATE staff_sessions SET expires_at = created_at");
        assert!(!load().await, "expired");
    }
);

on_both!(
    without_database_a_page_says_so_and_when_to_come_back,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        app.app.db.close().await;

        let page = jo.get("/admin/preferences").await;

        page.assert_says(503, "Latchkey is not available just now");
        assert!(page.headers.contains_key("retry-after"));
        assert!(page.headers.contains_key("content-security-policy"));
        let mut nobody = crate::support::StaffClient::new(app);
        nobody
            .get("/admin/sign-in")
            .await
            .assert_says(200, "Sign in");
        let sent = nobody.sign_in("jo@example.org", PASSWORD).await;
        sent.assert_says(503, "Latchkey is not available just now");
    }
);
