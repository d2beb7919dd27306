//! What the audit log adds up to.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::super::Conn;
use super::super::schema::{daily_counts, hourly_counts};
use crate::storage::StorageError;
use crate::storage::counts::{CountKey, Counted, Sums};

type SumRow = (String, String, String, Option<i64>);

fn sums(rows: Vec<SumRow>) -> Sums {
    rows.into_iter()
        .map(|(provider, action, reason, count)| {
            let key = CountKey {
                provider,
                action,
                reason,
            };
            (key, u64::try_from(count.unwrap_or(0)).unwrap_or(0))
        })
        .collect()
}

pub(in crate::storage) fn sum_days(
    conn: &mut Conn,
    from: NaiveDate,
    before: NaiveDate,
) -> Result<Sums, StorageError> {
    let key = (
        daily_counts::provider,
        daily_counts::action,
        daily_counts::reason,
    );
    let rows: Vec<SumRow> = daily_counts::table
        .filter(daily_counts::day.ge(from))
        .filter(daily_counts::day.lt(before))
        .group_by(key)
        .select((
            daily_counts::provider,
            daily_counts::action,
            daily_counts::reason,
            sum(daily_counts::count),
        ))
        .load(conn)?;
    Ok(sums(rows))
}

pub(in crate::storage) fn sum_hours(
    conn: &mut Conn,
    from: DateTime<Utc>,
    before: DateTime<Utc>,
) -> Result<Sums, StorageError> {
    let key = (
        hourly_counts::provider,
        hourly_counts::action,
        hourly_counts::reason,
    );
    let rows: Vec<SumRow> = hourly_counts::table
        .filter(hourly_counts::hour.ge(from))
        .filter(hourly_counts::hour.lt(before))
        .group_by(key)
        .select((
            hourly_counts::provider,
            hourly_counts::action,
            hourly_counts::reason,
            sum(hourly_counts::count),
        ))
        .load(conn)?;
    Ok(sums(rows))
}

pub(in crate::storage) fn list_days(
    conn: &mut Conn,
    from: NaiveDate,
    before: NaiveDate,
    action: &str,
) -> Result<Vec<Counted>, StorageError> {
    let rows: Vec<(NaiveDate, String, i32)> = daily_counts::table
        .filter(daily_counts::day.ge(from))
        .filter(daily_counts::day.lt(before))
        .filter(daily_counts::action.eq(action))
        .order((daily_counts::day, daily_counts::provider))
        .select((
            daily_counts::day,
            daily_counts::provider,
            daily_counts::count,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(day, provider, count)| {
            counted(day.and_time(NaiveTime::MIN).and_utc(), provider, count)
        })
        .collect())
}

pub(in crate::storage) fn list_hours(
    conn: &mut Conn,
    from: DateTime<Utc>,
    before: DateTime<Utc>,
    action: &str,
) -> Result<Vec<Counted>, StorageError> {
    let rows: Vec<(DateTime<Utc>, String, i32)> = hourly_counts::table
        .filter(hourly_counts::hour.ge(from))
        .filter(hourly_counts::hour.lt(before))
        .filter(hourly_counts::action.eq(action))
        .order((hourly_counts::hour, hourly_counts::provider))
        .select((
            hourly_counts::hour,
            hourly_counts::provider,
            hourly_counts::count,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(hour, provider, count)| counted(hour, provider, count))
        .collect())
}

fn counted(at: DateTime<Utc>, provider: String, count: i32) -> Counted {
    Counted {
        at,
        provider,
        count: u64::try_from(count).unwrap_or(0),
    }
}

/// Adds to the day and the hour that begins at `hour`.
pub(in crate::storage) fn add(
    conn: &mut Conn,
    hour: DateTime<Utc>,
    key: &CountKey,
    count: i32,
) -> Result<(), StorageError> {
    diesel::insert_into(daily_counts::table)
        .values((
            daily_counts::day.eq(hour.date_naive()),
            daily_counts::provider.eq(&key.provider),
            daily_counts::action.eq(&key.action),
            daily_counts::reason.eq(&key.reason),
            daily_counts::count.eq(count),
        ))
        .on_conflict((
            daily_counts::day,
            daily_counts::provider,
            daily_counts::action,
            daily_counts::reason,
        ))
        .do_update()
        .set(daily_counts::count.eq(daily_counts::count + excluded(daily_counts::count)))
        .execute(conn)?;
    diesel::insert_into(hourly_counts::table)
        .values((
            hourly_counts::hour.eq(hour),
            hourly_counts::provider.eq(&key.provider),
            hourly_counts::action.eq(&key.action),
            hourly_counts::reason.eq(&key.reason),
            hourly_counts::count.eq(count),
        ))
        .on_conflict((
            hourly_counts::hour,
            hourly_counts::provider,
            hourly_counts::action,
            hourly_counts::reason,
        ))
        .do_update()
        .set(hourly_counts::count.eq(hourly_counts::count + excluded(hourly_counts::count)))
        .execute(conn)?;
    Ok(())
}

pub(in crate::storage) fn delete_hours_before(
    conn: &mut Conn,
    before: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::delete(hourly_counts::table.filter(hourly_counts::hour.lt(before))).execute(conn)?;
    Ok(())
}
