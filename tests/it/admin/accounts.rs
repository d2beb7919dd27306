//! What superusers do to staff accounts, and what everybody does to their own.

use latchkey::domain::Role;

use crate::support::staff::PASSWORD;
use crate::support::{StaffClient, on_both};

const LAST: &str = "This is the last superuser who can sign in.";

on_both!(
    the_last_superuser_is_neither_demoted_nor_deactivated,
    "",
    |app| {
        let mut jo = app.staff(Role::Superuser).await;
        let path = format!("/admin/settings/staff/{}", jo.id);
        jo.get(&path).await.assert_says(200, "this is you");

        jo.post(&path, &[("role", "admin")])
            .await
            .assert_says(409, LAST);
        jo.post(&format!("{path}/deactivate"), &[])
            .await
            .assert_says(409, LAST);

        let al = app.staff(Role::Superuser).await;
        assert_eq!(jo.post(&path, &[("role", "admin")]).await.location(), path);
        let entry = app.audit().await.remove(0);
        assert_eq!(entry.action, "staff_changed");
        assert_eq!(entry.detail.unwrap()["role"]["after"], "admin");
        drop(al);
    }
);

on_both!(
    two_superusers_who_demote_each_other_at_once_leave_one,
    "",
    |app| {
        let mut jo = app.staff(Role::Superuser).await;
        let mut al = app.staff(Role::Superuser).await;
        let (of_jo, of_al) = (
            format!("/admin/settings/staff/{}", jo.id),
            format!("/admin/settings/staff/{}", al.id),
        );

        let (one, two) = tokio::join!(
            jo.post(&of_al, &[("role", "staff")]),
            al.post(&of_jo, &[("role", "staff")])
        );

        let left = app.number("SELECT count(*) AS number FROM staff WHERE role = 'superuser'");
        assert_eq!(left, 1, "{} {}", one.status, two.status);
    }
);

on_both!(
    whoever_is_deactivated_is_out_at_once_and_can_come_back,
    "",
    |app| {
        let mut jo = app.staff(Role::Superuser).await;
        let mut al = app.staff(Role::Admin).await;
        let path = format!("/admin/settings/staff/{}", al.id);
        jo.get(&format!("{path}/deactivate"))
            .await
            .assert_says(200, "Deactivate Jo Meyer?");

        assert_eq!(
            jo.post(&format!("{path}/deactivate"), &[]).await.location(),
            path
        );

        assert_eq!(al.get("/admin/settings").await.status, 303);
        let page = jo.get(&path).await;
        page.assert_says(200, "Undo");
        page.assert_says(200, "Inactive");
        assert_eq!(app.last_audit().await.1, "staff_deactivated");
        jo.post(&format!("{path}/reactivate"), &[]).await;
        let email = app.text(&format!(
            "SELECT email AS text FROM staff WHERE id = {}",
            al.id
        ));
        assert_eq!(
            StaffClient::new(app).sign_in(&email, PASSWORD).await.status,
            303
        );
    }
);

on_both!(
    ones_own_password_is_changed_with_the_old_one_and_ends_other_sessions,
    "",
    |app| {
        let mut jo = app.staff(Role::Staff).await;
        let email = app.text(&format!(
            "SELECT email AS text FROM staff WHERE id = {}",
            jo.id
        ));
        let mut phone = StaffClient::new(app);
        phone.sign_in(&email, PASSWORD).await;
        let path = "/admin/settings/password";
        let new = "another good password";

        for (current, new, sentence) in [
            ("wrong", new, "That is not your password."),
            (PASSWORD, "short", "Use at least 12 characters."),
        ] {
            let fields = [("current_password", current), ("new_password", new)];
            jo.post(path, &fields).await.assert_says(422, sentence);
        }
        let fields = [("current_password", PASSWORD), ("new_password", new)];
        assert_eq!(jo.post(path, &fields).await.location(), "/admin/settings");

        jo.get("/admin/settings")
            .await
            .assert_says(200, "Your password is changed.");
        assert_eq!(phone.get("/admin/settings").await.status, 303);
        assert_eq!(app.last_audit().await.1, "password_set");
        assert_eq!(StaffClient::new(app).sign_in(&email, new).await.status, 303);
    }
);

on_both!(
    an_invitation_for_a_taken_address_is_refused_by_field,
    "",
    |app| {
        let mut jo = app.staff(Role::Superuser).await;
        app.new_staff("al@example.org", Role::Staff).await;
        jo.get("/admin/settings/staff/invite").await;

        let fields = [
            ("email", "AL@example.org"),
            ("display_name", "Al"),
            ("role", "staff"),
        ];
        let page = jo.post("/admin/settings/staff/invite", &fields).await;

        page.assert_says(422, "Another account has this address.");
        assert!(page.html.contains("value=\"AL@example.org\""));
    }
);
