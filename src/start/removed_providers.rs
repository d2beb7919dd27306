//! Providers that are gone from the configuration while users depend on them.
//!
//! Somebody who can only come through such a provider is locked out, and a table that is missing from a file says nothing about whether
//! that was meant. So production starts only if it was said. In development configurations change all the time, and it is only told.

use crate::config::{Config, without_way_in};
use crate::storage::provider_users::{self, Removed};
use crate::storage::{Db, Reader, StorageError};

use super::StartError;

/// Social accounts of a provider that are looked at together, where the start depends on what they say.
const LOOKED_AT: u32 = 10_000;
/// The same where it is only told: a start takes some milliseconds.
const GLANCED_AT: u32 = 500;

/// The providers that users depend on, that are not configured, and of which nobody said that this is known. A provider that is switched
/// off counts as configured: its users are let in again by switching it on.
///
/// # Errors
/// [`StorageError`] when the database fails.
pub fn find_removed(
    config: &Config,
    reader: &mut Reader<'_>,
) -> Result<Vec<Removed>, StorageError> {
    let ids = provider_users::list_removed(reader, |id| config.providers.contains_key(id))?;
    let ways_in: Vec<String> = config.providers.keys().cloned().collect();
    let mut found = Vec::new();
    for provider in ids {
        if config.removed_providers.contains(&provider) {
            continue;
        }
        // What refuses must be right about nobody; what only tells must not take long.
        let dependants = if config.is_production() {
            provider_users::count_until_found(reader, &provider, &ways_in, LOOKED_AT)?
        } else {
            provider_users::count(reader, &provider, &ways_in, GLANCED_AT)?
        };
        if dependants.users > 0 {
            found.push(Removed {
                provider,
                dependants,
            });
        }
    }
    Ok(found)
}

/// Refuses to start in production, and tells in development.
pub(super) fn check(config: &Config, db: &Db) -> Result<(), StartError> {
    let removed = db.read_blocking(|reader| find_removed(config, reader))?;
    if removed.is_empty() {
        return Ok(());
    }
    if config.is_production() {
        return Err(config.refuse_removed(&removed).into());
    }
    for Removed {
        provider,
        dependants,
    } in removed
    {
        tracing::warn!(
            provider,
            users = dependants.users,
            "providers.{provider} is gone from the configuration, and {}: production would not start",
            without_way_in(dependants)
        );
    }
    Ok(())
}
