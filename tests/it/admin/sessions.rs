//! How long sessions last, and that they end everywhere at once.

use std::time::Duration;

use latchkey::domain::Role;

use crate::support::{StaffClient, on_both};

on_both!(half_an_hour_without_a_request_ends_a_session, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    for _ in 0..3 {
        app.advance(Duration::from_mins(29));
        assert_eq!(jo.get("/admin/preferences").await.status, 200);
    }
    app.advance(Duration::from_mins(31));
    assert_eq!(jo.get("/admin/preferences").await.status, 303);
});

on_both!(
    after_twelve_hours_a_session_ends_whatever_happens,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        for _ in 0..28 {
            app.advance(Duration::from_mins(25));
            assert_eq!(jo.get("/admin/preferences").await.status, 200);
        }
        app.advance(Duration::from_mins(25));
        assert_eq!(jo.get("/admin/preferences").await.status, 303);
    }
);

on_both!(
    the_settings_say_how_long,
    "[admin]\nidle_minutes = 5\nsession_hours = 1\n",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        app.advance(Duration::from_mins(6));
        assert_eq!(jo.get("/admin/preferences").await.status, 303);
    }
);

on_both!(
    a_revoked_session_ends_at_once_on_another_instance,
    "",
    |app| {
        let second = app.second_instance();
        let mut jo = app.staff(Role::Staff).await;
        let mut elsewhere = jo.moved_to(second.base());
        assert_eq!(elsewhere.get("/admin/preferences").await.status, 200);

        jo.post("/admin/sign-out", &[]).await;

        assert_eq!(elsewhere.get("/admin/preferences").await.status, 303);
    }
);

on_both!(
    a_role_that_was_changed_holds_for_the_next_request,
    "",
    |app| {
        let mut jo = app.staff(Role::Superuser).await;
        assert_eq!(jo.get("/admin/settings/staff/invite").await.status, 200);

        app.execute(&format!(
            "UPDATE staff SET role = 'staff' WHERE id = {}",
            jo.id
        ));

        assert_eq!(jo.get("/admin/settings/staff/invite").await.status, 403);
    }
);

on_both!(ones_own_other_sessions_can_be_ended_one_or_all, "", |app| {
    let mut jo = app.staff(Role::Staff).await;
    let email = app.text(&format!(
        "SELECT email AS text FROM staff WHERE id = {}",
        jo.id
    ));
    let mut phone = StaffClient::new(app);
    phone.sign_in(&email, crate::support::staff::PASSWORD).await;
    let mut tablet = StaffClient::new(app);
    tablet
        .sign_in(&email, crate::support::staff::PASSWORD)
        .await;

    let page = jo.get("/admin/settings").await;
    let mark = "/admin/settings/sessions/";
    let ends: Vec<String> = page
        .html
        .split("action=\"")
        .filter(|rest| rest.starts_with(mark))
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .filter(|path| !path.ends_with("end-others"))
        .collect();
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert_eq!(jo.post(&ends[0], &[]).await.location(), "/admin/settings");
    jo.get("/admin/settings")
        .await
        .assert_says(200, "The session has ended.");
    jo.post(&ends[0], &[])
        .await
        .assert_says(409, "Things have changed meanwhile");
    jo.post("/admin/settings/sessions/end-others", &[]).await;
    jo.get("/admin/settings")
        .await
        .assert_says(200, "The other session has ended.");

    assert_eq!(phone.get("/admin/settings").await.status, 303);
    assert_eq!(tablet.get("/admin/settings").await.status, 303);
    assert_eq!(jo.get("/admin/settings").await.status, 200);
});

on_both!(nobody_ends_the_session_of_somebody_else, "", |app| {
    let mut jo = app.staff(Role::Superuser).await;
    let mut al = app.staff(Role::Staff).await;
    let id = app.number(&format!(
        "SELECT id AS number FROM staff_sessions WHERE staff_id = {}",
        al.id
    ));

    let page = jo
        .post(&format!("/admin/settings/sessions/{id}/end"), &[])
        .await;

    assert_eq!(page.status, 409);
    assert_eq!(al.get("/admin/settings").await.status, 200);
});
