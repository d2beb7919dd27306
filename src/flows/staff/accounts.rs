//! What superusers do to staff accounts.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::links::{INVITATION, issue};
use super::{StaffError, entry_of, write_audit};
use crate::app::App;
use crate::domain::staff::{NewStaff, check_password};
use crate::domain::{
    Actor, AuditAction, AuditEntry, ProviderId, RequestContext, Role, Secret, Staff, StaffId,
};
use crate::storage::staff_links::LinkFor;
use crate::storage::{StorageError, Tx, audit, staff, staff_providers, staff_sessions};

/// Makes an account and a link by which its holder sets a password.
///
/// # Errors
/// [`StaffError::EmailTaken`].
pub async fn invite_staff(
    app: &App,
    actor: Actor,
    new: NewStaff,
    must_have_second_factor: bool,
    lifetime: Option<TimeDelta>,
    context: RequestContext,
) -> Result<(Staff, Secret), StaffError> {
    let (now, random) = (app.clock.now(), app.random());
    let lifetime = lifetime.unwrap_or(INVITATION);
    app.db
        .write(move |tx| {
            let staff = insert(tx, actor, &new, must_have_second_factor, &context, now)?;
            let token = issue(tx, random, LinkFor::Staff(staff.id), lifetime, now)?;
            Ok((staff, token))
        })
        .await
}

/// Makes an account with a password.
///
/// # Errors
/// [`StaffError::EmailTaken`], [`StaffError::WeakPassword`].
pub async fn create_staff(
    app: &App,
    actor: Actor,
    new: NewStaff,
    password: Secret,
    context: RequestContext,
) -> Result<Staff, StaffError> {
    let now = app.clock.now();
    check_password(
        password.expose(),
        new.email.as_str(),
        new.display_name.as_str(),
    )
    .map_err(StaffError::WeakPassword)?;
    let hash = app.passwords.hash(password, app.random()).await?;
    app.db
        .write(move |tx| {
            let staff = insert(tx, actor, &new, false, &context, now)?;
            staff::set_password_hash(tx, staff.id, &hash, now)?;
            Ok(staff)
        })
        .await
}

fn insert(
    tx: &mut Tx<'_>,
    actor: Actor,
    new: &NewStaff,
    must_have_second_factor: bool,
    context: &RequestContext,
    now: DateTime<Utc>,
) -> Result<Staff, StaffError> {
    let staff = staff::insert(tx, new, now)?.ok_or(StaffError::EmailTaken)?;
    if must_have_second_factor {
        staff::set_must_have_second_factor(tx, staff.id, true, now)?;
    }
    let detail = json!({ "staff_id": staff.id.0, "role": new.role.as_str() });
    let action = AuditAction::StaffInvited;
    write_audit(tx, actor, action, None, Some(detail), context, now)?;
    Ok(staff)
}

/// What is to be different about an account.
#[derive(Debug, Clone, Copy)]
pub struct StaffChange {
    /// The role.
    pub role: Role,
    /// Whether a second factor is demanded of them.
    pub must_have_second_factor: bool,
}

/// Changes role and demands of an account. They hold from the next request of its holder on.
///
/// # Errors
/// [`StaffError::Gone`]; [`StaffError::LastSuperuser`] for whoever is the last that can sign in.
pub async fn change_staff(
    app: &App,
    actor: Actor,
    id: StaffId,
    change: StaffChange,
    context: RequestContext,
) -> Result<(), StaffError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            let others = other_superusers(tx, id)?;
            let (staff, _) = staff::find_for_update(tx, id)?.ok_or(StaffError::Gone)?;
            if staff.role == Role::Superuser && change.role != Role::Superuser && others == 0 {
                return Err(StaffError::LastSuperuser);
            }
            let mut detail = Map::new();
            if staff.role != change.role {
                staff::set_role(tx, id, change.role, now)?;
                let both = json!({ "before": staff.role.as_str(), "after": change.role.as_str() });
                detail.insert("role".to_owned(), both);
            }
            if staff.must_have_second_factor != change.must_have_second_factor {
                let must = change.must_have_second_factor;
                staff::set_must_have_second_factor(tx, id, must, now)?;
                let both = json!({ "before": !must, "after": must });
                detail.insert("must_have_second_factor".to_owned(), both);
            }
            if detail.is_empty() {
                return Ok(());
            }
            note(
                tx,
                actor,
                AuditAction::StaffChanged,
                id,
                detail,
                &context,
                now,
            )?;
            Ok(())
        })
        .await
}

/// Keeps somebody from signing in, and ends their sessions on every instance at once.
///
/// # Errors
/// [`StaffError::Gone`]; [`StaffError::LastSuperuser`].
pub async fn deactivate_staff(
    app: &App,
    actor: Actor,
    id: StaffId,
    context: RequestContext,
) -> Result<(), StaffError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            let others = other_superusers(tx, id)?;
            let (staff, _) = staff::find_for_update(tx, id)?.ok_or(StaffError::Gone)?;
            if staff.role == Role::Superuser && others == 0 {
                return Err(StaffError::LastSuperuser);
            }
            if !staff.is_active {
                return Ok(());
            }
            staff::set_active(tx, id, false, now)?;
            let ended = staff_sessions::revoke_all(tx, id, None, "deactivated", now)?;
            let detail = Map::from_iter([("sessions".to_owned(), json!(ended))]);
            note(
                tx,
                actor,
                AuditAction::StaffDeactivated,
                id,
                detail,
                &context,
                now,
            )?;
            Ok(())
        })
        .await
}

/// Lets somebody sign in again.
///
/// # Errors
/// [`StaffError::Gone`].
pub async fn reactivate_staff(
    app: &App,
    actor: Actor,
    id: StaffId,
    context: RequestContext,
) -> Result<(), StaffError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            let (staff, _) = staff::find_for_update(tx, id)?.ok_or(StaffError::Gone)?;
            if staff.is_active {
                return Ok(());
            }
            staff::set_active(tx, id, true, now)?;
            let both = json!({ "before": false, "after": true });
            let detail = Map::from_iter([("is_active".to_owned(), both)]);
            note(
                tx,
                actor,
                AuditAction::StaffChanged,
                id,
                detail,
                &context,
                now,
            )?;
            Ok(())
        })
        .await
}

/// Removes the second factor of somebody who lost it, and ends their sessions.
///
/// # Errors
/// [`StaffError::Gone`] when there is none.
pub async fn reset_second_factor(
    app: &App,
    actor: Actor,
    id: StaffId,
    context: RequestContext,
) -> Result<(), StaffError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            let (staff, _) = staff::find_for_update(tx, id)?.ok_or(StaffError::Gone)?;
            if !staff.has_second_factor {
                return Err(StaffError::Gone);
            }
            staff::set_totp(tx, id, None, now)?;
            staff::replace_recovery_codes(tx, id, &[])?;
            staff_sessions::revoke_all(tx, id, None, "second_factor_removed", now)?;
            let action = AuditAction::SecondFactorRemoved;
            note(tx, actor, action, id, Map::new(), &context, now)?;
            Ok(())
        })
        .await
}

/// Nobody at this provider signs in as this account any more, and its sessions end. Whoever is on the allow-list and has the
/// account's verified address may still be bound anew: to keep somebody out, deactivate the account.
///
/// # Errors
/// [`StaffError::Gone`] when nobody does.
pub async fn remove_provider(
    app: &App,
    actor: Actor,
    id: StaffId,
    provider: ProviderId,
    context: RequestContext,
) -> Result<(), StaffError> {
    let now = app.clock.now();
    app.db
        .write(move |tx| {
            staff::find_for_update(tx, id)?.ok_or(StaffError::Gone)?;
            let uid = staff_providers::delete(tx, id, &provider)?.ok_or(StaffError::Gone)?;
            let ended = staff_sessions::revoke_all(tx, id, None, "provider_removed", now)?;
            let both = json!({ "before": provider.as_str(), "after": null });
            let detail = json!({ "staff_id": id.0, "signs_in_with": both, "sessions": ended });
            let entry = AuditEntry {
                provider: Some(provider.clone()),
                uid: Some(uid),
                ..entry_of(actor, AuditAction::StaffChanged, Some(detail), &context)
            };
            audit::insert(tx, &entry, now)?;
            Ok(())
        })
        .await
}

/// A new link by which the holder of an active account sets a password. Earlier links are worthless; the old password holds until
/// the link is used.
///
/// # Errors
/// [`StaffError::Gone`].
pub async fn issue_password_link(
    app: &App,
    actor: Actor,
    id: StaffId,
    context: RequestContext,
) -> Result<Secret, StaffError> {
    let (now, random) = (app.clock.now(), app.random());
    app.db
        .write(move |tx| {
            let found = staff::find_for_update(tx, id)?;
            let (staff, _) = found.ok_or(StaffError::Gone)?;
            if !staff.is_active {
                return Err(StaffError::Gone);
            }
            let token = issue(tx, random, LinkFor::Staff(id), INVITATION, now)?;
            let detail = Map::from_iter([("link".to_owned(), json!("set_password"))]);
            note(
                tx,
                actor,
                AuditAction::StaffChanged,
                id,
                detail,
                &context,
                now,
            )?;
            Ok(token)
        })
        .await
}

/// How many superusers beside this one can sign in. They stay as they are until the transaction ends.
fn other_superusers(tx: &mut Tx<'_>, id: StaffId) -> Result<usize, StorageError> {
    let superusers = staff::list_superusers_for_update(tx)?;
    Ok(superusers.into_iter().filter(|other| *other != id).count())
}

fn note(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: AuditAction,
    id: StaffId,
    mut detail: Map<String, Value>,
    context: &RequestContext,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    detail.insert("staff_id".to_owned(), json!(id.0));
    let detail = Some(Value::Object(detail));
    write_audit(tx, actor, action, None, detail, context, now)
}
