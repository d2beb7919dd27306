//! Staff accounts, their sessions, links and throttles.

use super::*;
use crate::domain::staff::{DisplayName, NewStaff, NewStaffSession, StaffEmail, Tries};
use crate::domain::{Role, StaffId};
use crate::storage::authorizations::{self, Authorization, Purpose, Return};
use crate::storage::staff_links::{self, LinkFor};
use crate::storage::{staff, staff_providers, staff_sessions, staff_throttles};

on_both! {
    an_address_has_one_account_whatever_its_case
    credentials_are_read_back_and_a_step_counts_once
    recovery_codes_are_replaced_and_each_is_used_once
    only_active_superusers_with_a_password_count
    a_session_ends_for_its_holder_alone_and_by_its_new_key_alone
    a_link_is_used_once_in_time_and_replaced_by_a_later_one
    tries_are_counted_and_forgotten
    one_uid_is_one_account_and_one_account_one_uid_at_each_provider
    an_authorization_is_redeemed_once_and_by_its_own_browser
}

fn new_staff(email: &str, role: Role) -> NewStaff {
    NewStaff {
        email: StaffEmail::parse(email).unwrap(),
        display_name: DisplayName::parse("Jo").unwrap(),
        role,
    }
}

fn insert(tx: &mut Tx<'_>, email: &str, role: Role) -> Result<StaffId, StorageError> {
    let staff = staff::insert(tx, &new_staff(email, role), now())?;
    Ok(staff.ok_or(StorageError::Restart)?.id)
}

async fn an_address_has_one_account_whatever_its_case(db: Db) {
    let second = db
        .write(|tx| {
            assert!(!staff::exists(tx)?);
            insert(tx, "jo@example.org", Role::Staff)?;
            assert!(staff::exists(tx)?);
            staff::insert(tx, &new_staff("JO@Example.org", Role::Admin), now())
        })
        .await
        .unwrap();

    assert_eq!(second, None);
    let listed = db.read(|r| staff::list(r, 10)).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].role, listed[0].has_password),
        (Role::Staff, false)
    );
}

async fn credentials_are_read_back_and_a_step_counts_once(db: Db) {
    db.write(|tx| {
        let id = insert(tx, "jo@example.org", Role::Staff)?;
        staff::set_password_hash(tx, id, "$hash", later(1))?;
        staff::set_totp(tx, id, Some(("sealed", 7)), later(1))?;
        staff::set_last_sign_in(tx, id, later(2))?;
        for (step, counts) in [(7, false), (6, false), (8, true), (8, false), (9, true)] {
            assert_eq!(staff::use_totp_step(tx, id, step)?, counts, "{step}");
        }
        let found = staff::find_credentials_by_email(tx, "jo@example.org")?;
        let (staff, credentials) = found.ok_or(StorageError::Restart)?;
        assert_eq!(credentials.password_hash.as_deref(), Some("$hash"));
        assert_eq!(credentials.totp_last_step, Some(9));
        assert_eq!(staff.last_sign_in_at, Some(later(2)));
        staff::set_totp(tx, id, None, later(3))?;
        let found = staff::find_for_update(tx, id)?;
        assert!(found.is_some_and(|(staff, _)| !staff.has_second_factor && staff.has_password));
        assert!(staff::find_for_update(tx, StaffId(99))?.is_none());
        Ok::<_, StorageError>(())
    })
    .await
    .unwrap();
}

async fn recovery_codes_are_replaced_and_each_is_used_once(db: Db) {
    db.write(|tx| {
        let id = insert(tx, "jo@example.org", Role::Staff)?;
        let other = insert(tx, "al@example.org", Role::Staff)?;
        staff::replace_recovery_codes(tx, id, &[[1; 32], [2; 32]])?;
        assert!(!staff::use_recovery_code(tx, other, &[1; 32], now())?);
        assert!(staff::use_recovery_code(tx, id, &[1; 32], now())?);
        assert!(!staff::use_recovery_code(tx, id, &[1; 32], now())?);
        assert_eq!(staff::count_recovery_codes(tx, id)?, 1);
        staff::replace_recovery_codes(tx, id, &[[3; 32]])?;
        assert!(!staff::use_recovery_code(tx, id, &[2; 32], now())?);
        assert_eq!(staff::count_recovery_codes(tx, id)?, 1);
        Ok::<_, StorageError>(())
    })
    .await
    .unwrap();
}

async fn only_active_superusers_with_a_password_count(db: Db) {
    db.write(|tx| {
        let jo = insert(tx, "jo@example.org", Role::Superuser)?;
        let al = insert(tx, "al@example.org", Role::Superuser)?;
        let admin = insert(tx, "admin@example.org", Role::Staff)?;
        for id in [jo, admin] {
            staff::set_password_hash(tx, id, "$hash", now())?;
        }
        assert_eq!(staff::list_superusers_for_update(tx)?, [jo]);
        staff::set_password_hash(tx, al, "$hash", now())?;
        staff::set_role(tx, admin, Role::Superuser, now())?;
        staff::set_active(tx, jo, false, now())?;
        staff::set_must_have_second_factor(tx, al, true, now())?;
        assert_eq!(staff::list_superusers_for_update(tx)?, [al, admin]);
        assert!(staff::find(tx, al)?.is_some_and(|staff| staff.must_have_second_factor));
        Ok::<_, StorageError>(())
    })
    .await
    .unwrap();
}

async fn a_session_ends_for_its_holder_alone_and_by_its_new_key_alone(db: Db) {
    db.write(|tx| {
        let jo = insert(tx, "jo@example.org", Role::Staff)?;
        let al = insert(tx, "al@example.org", Role::Staff)?;
        let new = NewStaffSession {
            staff_id: jo,
            awaits_code: true,
            authenticated_at: now(),
            provider: None,
            expires_at: later(3600),
            address: Some("192.0.2.7".into()),
            user_agent: None,
        };
        let (one, two) = (
            staff_sessions::insert(tx, &new, now())?,
            staff_sessions::insert(tx, &new, now())?,
        );
        staff_sessions::set_key_hash(tx, one, &[1; 32])?;
        staff_sessions::set_key_hash(tx, one, &[2; 32])?;
        assert!(staff_sessions::find_by_key(tx, &[1; 32])?.is_none());
        assert!(staff_sessions::set_state(
            tx,
            &[2; 32],
            &json!({"notices": []})
        )?);
        assert!(!staff_sessions::set_state(tx, &[1; 32], &json!({}))?);
        let found = staff_sessions::find_by_key(tx, &[2; 32])?;
        let (session, state) = found.ok_or(StorageError::Restart)?;
        assert_eq!((session.id, state), (one, json!({"notices": []})));
        staff_sessions::touch(tx, one, later(60))?;
        staff_sessions::set_authenticated(tx, one, later(50))?;
        let found = staff_sessions::find_with_staff(tx, one)?;
        let (session, staff) = found.ok_or(StorageError::Restart)?;
        assert_eq!((staff.id, session.awaits_code), (jo, false));
        assert_eq!(
            (session.authenticated_at, session.last_used_at),
            (later(50), later(60))
        );
        let listed = staff_sessions::list_of_staff(tx, jo, now(), 10)?;
        assert_eq!(
            listed.iter().map(|session| session.id).collect::<Vec<_>>(),
            [one, two]
        );
        assert!(!staff_sessions::revoke(tx, al, one, "ended", later(2))?);
        assert_eq!(
            staff_sessions::revoke_all(tx, jo, Some(one), "ended", later(2))?,
            1
        );
        assert!(staff_sessions::revoke(tx, jo, one, "ended", later(2))?);
        assert!(!staff_sessions::revoke(tx, jo, one, "ended", later(3))?);
        assert!(staff_sessions::list_of_staff(tx, jo, now(), 10)?.is_empty());
        staff_sessions::clear_key_hash(tx, &[2; 32])?;
        assert!(staff_sessions::find_by_key(tx, &[2; 32])?.is_none());
        assert_eq!(staff_sessions::delete_expired(tx, later(3600))?, 0);
        assert_eq!(staff_sessions::delete_expired(tx, later(3601))?, 2);
        Ok::<_, StorageError>(())
    })
    .await
    .unwrap();
}

async fn a_link_is_used_once_in_time_and_replaced_by_a_later_one(db: Db) {
    db.write(|tx| {
        let jo = insert(tx, "jo@example.org", Role::Staff)?;
        let for_jo = LinkFor::Staff(jo);
        staff_links::insert(tx, &[1; 32], for_jo, later(60), now())?;
        staff_links::insert(tx, &[2; 32], for_jo, later(60), now())?;
        for first in [3, 4] {
            staff_links::insert(tx, &[first; 32], LinkFor::FirstSuperuser, later(60), now())?;
        }
        assert_eq!(staff_links::find(tx, &[1; 32], now())?, None);
        assert_eq!(staff_links::find(tx, &[2; 32], now())?, Some(for_jo));
        assert_eq!(
            staff_links::find(tx, &[3; 32], now())?,
            Some(LinkFor::FirstSuperuser)
        );
        assert_eq!(staff_links::redeem(tx, &[2; 32], later(60))?, None);
        assert_eq!(staff_links::redeem(tx, &[2; 32], later(59))?, Some(for_jo));
        assert_eq!(staff_links::redeem(tx, &[2; 32], later(59))?, None);
        assert_eq!(
            staff_links::redeem(tx, &[4; 32], now())?,
            Some(LinkFor::FirstSuperuser)
        );
        assert_eq!(staff_links::delete_expired(tx, later(61))?, 4);
        Ok::<_, StorageError>(())
    })
    .await
    .unwrap();
}

async fn tries_are_counted_and_forgotten(db: Db) {
    db.write(|tx| {
        let fresh = staff_throttles::get_for_update(tx, &[1; 32], now())?;
        assert_eq!((fresh.failures, fresh.blocked_until), (0, None));
        let tries = Tries {
            failures: 3,
            blocked_until: Some(later(30)),
            forget_at: Some(later(60)),
        };
        staff_throttles::set(tx, &[1; 32], &tries)?;
        assert_eq!(
            staff_throttles::get_for_update(tx, &[1; 32], later(1))?,
            tries
        );
        staff_throttles::take_back(tx, &[1; 32])?;
        let left = staff_throttles::get_for_update(tx, &[1; 32], later(1))?;
        assert_eq!((left.failures, left.blocked_until), (2, None));
        assert_eq!(staff_throttles::delete_expired(tx, later(60))?, 0);
        assert_eq!(staff_throttles::delete_expired(tx, later(61))?, 1);
        staff_throttles::get_for_update(tx, &[1; 32], now())?;
        staff_throttles::delete(tx, &[1; 32])?;
        assert_eq!(staff_throttles::delete_expired(tx, later(61))?, 0);
        Ok::<_, StorageError>(())
    })
    .await
    .unwrap();
}

async fn one_uid_is_one_account_and_one_account_one_uid_at_each_provider(db: Db) {
    db.write(|tx| {
        let jo = insert(tx, "jo@example.org", Role::Staff)?;
        let al = insert(tx, "al@example.org", Role::Staff)?;
        let (acme, other) = (provider("acme"), provider("other"));
        let (upper, lower) = (uid("A"), uid("a"));

        assert!(staff_providers::insert(tx, jo, &acme, &upper, now())?);
        for (staff_id, at, who, is_new) in [
            (al, &acme, &upper, false),
            (jo, &acme, &lower, false),
            (al, &acme, &lower, true),
            (jo, &other, &upper, true),
        ] {
            let inserted = staff_providers::insert(tx, staff_id, at, who, now())?;
            assert_eq!(inserted, is_new, "{staff_id} {at} {who}");
        }
        staff_providers::touch(tx, &acme, &upper, later(9))?;

        let found = staff_providers::find_staff_id(tx, &acme, &lower)?;
        assert_eq!(found, Some(al));
        let listed = staff_providers::list_of_staff(tx, jo)?;
        let of_jo: Vec<_> = listed.iter().map(|it| it.provider.as_str()).collect();
        assert_eq!(of_jo, ["acme", "other"]);
        assert_eq!(
            (listed[0].created_at, listed[0].last_used_at),
            (now(), later(9))
        );
        assert_eq!(staff_providers::list(tx, 2)?.len(), 2);
        assert_eq!(staff_providers::delete(tx, jo, &acme)?, Some(upper));
        assert_eq!(staff_providers::delete(tx, jo, &acme)?, None);
        assert_eq!(staff_providers::list(tx, 9)?.len(), 2);
        Ok::<_, StorageError>(())
    })
    .await
    .unwrap();
}

async fn an_authorization_is_redeemed_once_and_by_its_own_browser(db: Db) {
    db.write(|tx| {
        let (acme, other) = (provider("acme"), provider("other"));
        let sent = Authorization {
            purpose: Purpose::StaffStepUp,
            provider: acme.clone(),
            staff_session_id: None,
            next: "/admin/users".to_owned(),
            created_at: now(),
            expires_at: later(600),
        };
        let ours = Return {
            state_hash: [1; 32],
            browser_hash: [2; 32],
        };
        let of_another_browser = Return {
            browser_hash: [3; 32],
            ..ours
        };
        authorizations::insert(tx, ours, &sent)?;

        assert!(authorizations::redeem(tx, of_another_browser, &acme)?.is_none());
        assert!(authorizations::redeem(tx, ours, &other)?.is_none());
        assert_eq!(authorizations::redeem(tx, ours, &acme)?, Some(sent.clone()));
        assert!(authorizations::redeem(tx, ours, &acme)?.is_none());

        authorizations::insert(tx, ours, &sent)?;
        assert_eq!(authorizations::delete_expired(tx, later(600))?, 0);
        assert_eq!(authorizations::delete_expired(tx, later(601))?, 1);
        Ok::<_, StorageError>(())
    })
    .await
    .unwrap();
}
