//! What a list needs to be put together: its filter, what the read models know, and how much work a page may be.

use chrono::{DateTime, Utc};

use crate::storage::{Backend, rfc3339, sqlite};

use super::sources::Stream;
use super::tail::State;
use super::{Limits, ListRequest, SocialAccounts, UserFilter, UserOrder};

/// Later than anything that is stored. Four digits of the year, so that SQLite's texts compare.
pub(in crate::storage) const FAR_AWAY: DateTime<Utc> =
    match DateTime::from_timestamp(253_402_300_799, 0) {
        Some(at) => at,
        None => DateTime::<Utc>::MAX_UTC,
    };

/// Users of one block of `user_blocks`.
const BLOCK: i64 = sqlite::queries::BLOCK;

/// See the module.
pub(super) struct Plan<'r> {
    pub(super) backend: Backend,
    pub(super) filter: &'r UserFilter,
    pub(super) order: UserOrder,
    pub(super) now: String,
    pub(super) limits: Limits,
    /// Ids between which all users of the span of sign-ups lie, the tail apart.
    pub(super) hull: Option<(i64, i64)>,
    /// Users who are looked at in the tables.
    pub(super) tail: Vec<i64>,
}

impl<'r> Plan<'r> {
    pub(super) fn new(backend: Backend, request: &'r ListRequest<UserFilter, UserOrder>) -> Self {
        Self {
            backend,
            filter: &request.filter,
            order: request.order,
            now: rfc3339(request.now),
            limits: request.limits,
            hull: None,
            tail: Vec::new(),
        }
    }

    pub(super) fn is_sqlite(&self) -> bool {
        self.backend == Backend::Sqlite
    }

    /// The sources that the filter offers.
    pub(super) fn streams(&self) -> Vec<Stream> {
        let filter = self.filter;
        let mut streams = Vec::new();
        streams.extend(filter.needle.clone().map(Stream::Needle));
        let ids = filter.providers.iter().map(|id| id.as_str().to_owned());
        let providers = Stream::Providers(ids.collect());
        if filter.providers.len() == 1 {
            streams.push(providers.clone());
        }
        if filter.is_active == Some(false) {
            streams.push(Stream::Inactive);
        }
        match filter.social_accounts {
            Some(SocialAccounts::None) => streams.push(Stream::WithoutAccount),
            Some(SocialAccounts::Several) => streams.push(Stream::WithSeveral),
            Some(SocialAccounts::One) | None => {}
        }
        if filter.access_token_expired {
            streams.push(Stream::Expired);
        }
        if filter.last_sign_in_before.is_some() {
            streams.push(Stream::SignedInBefore);
        }
        // Last, so that what is as common leads in place of what has to be merged.
        if filter.providers.len() > 1 {
            streams.push(providers);
        }
        streams
    }

    /// Whether the filter asks for more than to be in this stream.
    pub(super) fn asks_more_than(&self, stream: &Stream) -> bool {
        let filter = self.filter;
        let asked = [
            !filter.providers.is_empty(),
            filter.joined_from.is_some(),
            filter.joined_before.is_some(),
            filter.is_active.is_some(),
            filter.social_accounts.is_some(),
            filter.last_sign_in_before.is_some(),
            filter.access_token_expired,
            filter.needle.is_some(),
        ];
        let asked = asked.into_iter().filter(|is_asked| *is_asked).count();
        asked > usize::from(!matches!(stream, Stream::Everyone | Stream::Lacking(_)))
    }

    /// The span of sign-ups, if the filter has one. Nobody signed in before they signed up.
    pub(super) fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let filter = self.filter;
        let before = [filter.joined_before, filter.last_sign_in_before];
        let before = before.into_iter().flatten().min();
        (filter.joined_from.is_some() || before.is_some()).then(|| {
            (
                filter.joined_from.unwrap_or(DateTime::UNIX_EPOCH),
                before.unwrap_or(FAR_AWAY),
            )
        })
    }

    /// Takes over what was read about the read models.
    pub(super) fn take(&mut self, state: &State) {
        self.tail.clone_from(&state.tail);
        if self.span().is_some() {
            // An empty span where no block matches.
            let (first, last) = state.blocks.unwrap_or((1, 0));
            self.hull = Some((first * BLOCK, (last + 1) * BLOCK - 1));
        }
    }

    /// Whether any user outside the tail can match.
    pub(super) fn covers_models(&self) -> bool {
        self.hull.is_none_or(|(first, last)| first <= last)
    }

    /// The gap that users may have who are not in the list's own index.
    pub(super) fn lacking(&self) -> Option<&'static str> {
        match self.order {
            // Whoever signed in before an instant has signed in.
            UserOrder::LastSignIn if self.filter.last_sign_in_before.is_none() => Some("sign_in"),
            UserOrder::Email => Some("email"),
            _ => None,
        }
    }

    /// Candidates of which a page may ask more than the stream tells.
    pub(super) fn budget(&self) -> i64 {
        self.limits.budget_of(self.backend)
    }

    /// Whether the filter contradicts itself.
    pub(super) fn is_impossible(&self) -> bool {
        let filter = self.filter;
        let needs_account = !filter.providers.is_empty() || filter.access_token_expired;
        let has_none = filter.social_accounts == Some(SocialAccounts::None);
        let is_empty_span = self.span().is_some_and(|(from, before)| from >= before);
        (needs_account && has_none) || is_empty_span
    }
}
