//! Staff accounts.

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;

use super::super::schema::{staff, staff_recovery_codes};
use super::super::{Backend, Conn};
use super::{LockRows, Suffixed, find_one, get_one};
use crate::domain::StaffId;
use crate::domain::staff::{NewStaff, Role, Staff, StaffCredentials};
use crate::storage::{StorageError, micros};

#[derive(Queryable, Selectable)]
#[diesel(table_name = staff, check_for_backend(Backend))]
pub(super) struct StaffRow {
    id: i64,
    email: String,
    display_name: String,
    role: String,
    password_hash: Option<String>,
    totp_secret: Option<String>,
    totp_last_step: Option<i64>,
    must_have_second_factor: bool,
    is_active: bool,
    created_at: DateTime<Utc>,
    last_sign_in_at: Option<DateTime<Utc>>,
}

impl StaffRow {
    pub(super) fn split(self) -> Result<(Staff, StaffCredentials), StorageError> {
        let staff = Staff {
            id: StaffId(self.id),
            email: self.email,
            display_name: self.display_name,
            role: Role::parse(&self.role).ok_or(StorageError::Corrupt("staff.role"))?,
            has_password: self.password_hash.is_some(),
            has_second_factor: self.totp_secret.is_some(),
            must_have_second_factor: self.must_have_second_factor,
            is_active: self.is_active,
            created_at: self.created_at,
            last_sign_in_at: self.last_sign_in_at,
        };
        let credentials = StaffCredentials {
            password_hash: self.password_hash,
            totp_secret: self.totp_secret,
            totp_last_step: self.totp_last_step,
        };
        Ok((staff, credentials))
    }

    pub(super) fn staff(self) -> Result<Staff, StorageError> {
        Ok(self.split()?.0)
    }
}

pub(in crate::storage) fn insert(
    conn: &mut Conn,
    new: &NewStaff,
    now: DateTime<Utc>,
) -> Result<Option<Staff>, StorageError> {
    let now = micros(now);
    let query = diesel::insert_into(staff::table)
        .values((
            staff::email.eq(new.email.as_str()),
            staff::email_folded.eq(new.email.folded()),
            staff::display_name.eq(new.display_name.as_str()),
            staff::role.eq(new.role.as_str()),
            staff::must_have_second_factor.eq(false),
            staff::is_active.eq(true),
            staff::created_at.eq(now),
            staff::modified_at.eq(now),
        ))
        .on_conflict(staff::email_folded)
        .do_nothing()
        .returning(StaffRow::as_returning());
    find_one::<_, StaffRow>(conn, query)?
        .map(StaffRow::staff)
        .transpose()
}

pub(in crate::storage) fn find(
    conn: &mut Conn,
    id: StaffId,
) -> Result<Option<Staff>, StorageError> {
    let query = staff::table.find(id.0).select(StaffRow::as_select());
    find_one::<_, StaffRow>(conn, query)?
        .map(StaffRow::staff)
        .transpose()
}

pub(in crate::storage) fn find_credentials_by_email(
    conn: &mut Conn,
    folded: &str,
) -> Result<Option<(Staff, StaffCredentials)>, StorageError> {
    let query = staff::table
        .filter(staff::email_folded.eq(folded))
        .select(StaffRow::as_select());
    find_one::<_, StaffRow>(conn, query)?
        .map(StaffRow::split)
        .transpose()
}

pub(in crate::storage) fn find_credentials(
    conn: &mut Conn,
    id: StaffId,
) -> Result<Option<StaffCredentials>, StorageError> {
    let query = staff::table.find(id.0).select(StaffRow::as_select());
    let found = find_one::<_, StaffRow>(conn, query)?
        .map(StaffRow::split)
        .transpose()?;
    Ok(found.map(|(_, credentials)| credentials))
}

pub(in crate::storage) fn find_for_update(
    conn: &mut Conn,
    id: StaffId,
) -> Result<Option<(Staff, StaffCredentials)>, StorageError> {
    let query = staff::table.find(id.0).select(StaffRow::as_select());
    let locked = Suffixed::<_, LockRows>::new(query);
    find_one::<_, StaffRow>(conn, locked)?
        .map(StaffRow::split)
        .transpose()
}

pub(in crate::storage) fn list(conn: &mut Conn, limit: i64) -> Result<Vec<Staff>, StorageError> {
    let rows: Vec<StaffRow> = staff::table
        .order((staff::display_name, staff::id))
        .limit(limit)
        .select(StaffRow::as_select())
        .load(conn)?;
    rows.into_iter().map(StaffRow::staff).collect()
}

pub(in crate::storage) fn exists(conn: &mut Conn) -> Result<bool, StorageError> {
    Ok(find_one::<_, i64>(conn, staff::table.select(staff::id).limit(1))?.is_some())
}

pub(in crate::storage) fn list_superusers_for_update(
    conn: &mut Conn,
) -> Result<Vec<StaffId>, StorageError> {
    let query = staff::table
        .filter(staff::role.eq(Role::Superuser.as_str()))
        .filter(staff::is_active.eq(true))
        .filter(staff::password_hash.is_not_null())
        .order(staff::id)
        .select(staff::id);
    let ids: Vec<i64> = Suffixed::<_, LockRows>::new(query).load(conn)?;
    Ok(ids.into_iter().map(StaffId).collect())
}

/// Changes some columns of one account.
macro_rules! change {
    ($conn:expr, $id:expr, $now:expr, $($change:expr),+ $(,)?) => {{
        diesel::update(staff::table.find($id.0))
            .set(($($change,)+ staff::modified_at.eq(micros($now))))
            .execute($conn)?;
        Ok(())
    }};
}

pub(in crate::storage) fn set_password_hash(
    conn: &mut Conn,
    id: StaffId,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    change!(conn, id, now, staff::password_hash.eq(password_hash))
}

pub(in crate::storage) fn set_role(
    conn: &mut Conn,
    id: StaffId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    change!(conn, id, now, staff::role.eq(role.as_str()))
}

pub(in crate::storage) fn set_active(
    conn: &mut Conn,
    id: StaffId,
    is_active: bool,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    change!(conn, id, now, staff::is_active.eq(is_active))
}

pub(in crate::storage) fn set_must_have_second_factor(
    conn: &mut Conn,
    id: StaffId,
    must: bool,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    change!(conn, id, now, staff::must_have_second_factor.eq(must))
}

pub(in crate::storage) fn set_totp(
    conn: &mut Conn,
    id: StaffId,
    secret_and_last_step: Option<(&str, i64)>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    change!(
        conn,
        id,
        now,
        staff::totp_secret.eq(secret_and_last_step.map(|(secret, _)| secret)),
        staff::totp_last_step.eq(secret_and_last_step.map(|(_, step)| step)),
    )
}

pub(in crate::storage) fn use_totp_step(
    conn: &mut Conn,
    id: StaffId,
    step: i64,
) -> Result<bool, StorageError> {
    // One statement, so that of two uses of one code at once only one counts.
    let unused = staff::table.find(id.0).filter(
        staff::totp_last_step
            .is_null()
            .or(staff::totp_last_step.lt(step)),
    );
    let changed = diesel::update(unused)
        .set(staff::totp_last_step.eq(step))
        .execute(conn)?;
    Ok(changed > 0)
}

pub(in crate::storage) fn set_last_sign_in(
    conn: &mut Conn,
    id: StaffId,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(staff::table.find(id.0))
        .set(staff::last_sign_in_at.eq(micros(now)))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn replace_recovery_codes(
    conn: &mut Conn,
    id: StaffId,
    hashes: &[[u8; 32]],
) -> Result<(), StorageError> {
    let old = staff_recovery_codes::table.filter(staff_recovery_codes::staff_id.eq(id.0));
    diesel::delete(old).execute(conn)?;
    // Ten at most. One by one, since SQLite has no way to say `DEFAULT` in a batch.
    for hash in hashes {
        diesel::insert_into(staff_recovery_codes::table)
            .values((
                staff_recovery_codes::hash.eq(hash.as_slice()),
                staff_recovery_codes::staff_id.eq(id.0),
            ))
            .execute(conn)?;
    }
    Ok(())
}

pub(in crate::storage) fn use_recovery_code(
    conn: &mut Conn,
    id: StaffId,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    let unused = staff_recovery_codes::table
        .find(hash.as_slice())
        .filter(staff_recovery_codes::staff_id.eq(id.0))
        .filter(staff_recovery_codes::used_at.is_null());
    let changed = diesel::update(unused)
        .set(staff_recovery_codes::used_at.eq(micros(now)))
        .execute(conn)?;
    Ok(changed > 0)
}

pub(in crate::storage) fn count_recovery_codes(
    conn: &mut Conn,
    id: StaffId,
) -> Result<i64, StorageError> {
    let query = staff_recovery_codes::table
        .filter(staff_recovery_codes::staff_id.eq(id.0))
        .filter(staff_recovery_codes::used_at.is_null())
        .select(count_star());
    Ok(get_one(conn, query)?)
}
