//! Who depends on providers, in words, and which providers are gone although somebody does.

use std::sync::Arc;

use super::provider_words::href;
use super::text::{Message, t};
use crate::app::App;
use crate::providers::Providers;
use crate::storage::StorageError;
use crate::storage::provider_users::{self, Dependants, Removed};

/// Social accounts that a list of providers looks at, all providers together. A provider's own page looks at more of it.
const LOOKED_AT: u32 = 1000;

/// Who depends on each of the providers of a list: all of them are configured, or none is.
pub(super) async fn count_dependants_of_list(
    app: &Arc<App>,
    ids: Vec<String>,
) -> Result<Vec<Dependants>, StorageError> {
    let count = u32::try_from(ids.len().max(1)).unwrap_or(LOOKED_AT);
    count_dependants(app, ids, (LOOKED_AT / count).max(1)).await
}

/// Who depends on each of the providers, which all are configured, or none is.
pub(super) async fn count_dependants(
    app: &Arc<App>,
    ids: Vec<String>,
    limit: u32,
) -> Result<Vec<Dependants>, StorageError> {
    let ways_in = ways_in(&app.providers, &ids);
    app.db
        .read(move |reader| provider_users::count_each(reader, &ids, &ways_in, limit))
        .await
}

/// The providers that let users in who have one of these as well: what is on. Those who are left behind by a provider that is gone are
/// let in again by switching on one that is off.
fn ways_in(providers: &Providers, ids: &[String]) -> Vec<String> {
    if ids.iter().all(|id| providers.is_configured(id)) {
        let on = providers.iter().map(|provider| provider.id().to_string());
        on.collect()
    } else {
        providers.configured().map(str::to_owned).collect()
    }
}

/// The providers that have social accounts and are not configured, and who depends on them.
pub(super) async fn read_removed(app: &Arc<App>) -> Result<Vec<Removed>, StorageError> {
    let of_app = Arc::clone(app);
    let ids = app
        .db
        .read(move |reader| {
            provider_users::list_removed(reader, |id| of_app.providers.is_configured(id))
        })
        .await?;
    let dependants = count_dependants_of_list(app, ids.clone()).await?;
    let removed = ids.into_iter().zip(dependants);
    Ok(removed
        .map(|(provider, dependants)| Removed {
            provider,
            dependants,
        })
        .collect())
}

/// In words: "3,104", or "at least 970" where not everybody was looked at.
pub(super) fn dependants_text(dependants: Dependants) -> Message {
    if dependants.is_complete {
        Message::number(dependants.users)
    } else {
        t("dependants-at-least").with("count", dependants.users)
    }
}

/// In words: "3,104", or "more than 1,000" where nobody looked on.
pub(super) fn accounts_text(dependants: Dependants) -> Message {
    if dependants.is_complete {
        Message::number(dependants.accounts)
    } else {
        t("dependants-more-than").with("count", dependants.accounts)
    }
}

/// Providers are gone, and users have no other way in.
pub(super) struct RemovedAlert {
    pub(super) headline: Message,
    pub(super) text: Message,
    pub(super) href: String,
}

impl RemovedAlert {
    /// None where nobody depends on what is gone.
    pub(super) fn of(app: &App, removed: &[Removed]) -> Option<Self> {
        let missed: Vec<&Removed> = removed
            .iter()
            .filter(|removed| removed.dependants.users > 0)
            .collect();
        let title = |removed: &&Removed| app.providers.face(&removed.provider).title;
        let titles: Vec<String> = missed.iter().map(title).collect();
        let (headline, href) = match titles.as_slice() {
            [one] => (
                t("dependants-one-removed").with("provider", one),
                href(&missed.first()?.provider),
            ),
            [before @ .., last] => (
                t("dependants-several-removed")
                    .with("providers", before.join(", "))
                    .with("last", last),
                "/admin/providers".to_owned(),
            ),
            [] => return None,
        };
        let counts = missed.iter().zip(&titles).map(|(removed, title)| {
            t("dependants-of")
                .with("provider", title)
                .with("count", dependants_text(removed.dependants))
        });
        let counts = counts.reduce(|before, next| {
            t("list-of-things")
                .with("before", before)
                .with("next", next)
        })?;
        Some(Self {
            headline,
            text: t("dependants-locked-out").with("counts", counts),
            href,
        })
    }
}
