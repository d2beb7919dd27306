//! `/revoke` (RFC 7009): the one thing that the fake provider remembers.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::grant::{authenticate, form};
use super::ticket::{Purpose, Ticket};
use super::{Fake, FakeAnswer, FakeRequest};

/// How many revocations are remembered; a demo has a handful.
const REMEMBERED: usize = 10_000;

/// The serials of consents that were withdrawn.
#[derive(Default)]
pub(super) struct Revoked(Mutex<HashSet<u64>>);

impl Revoked {
    fn add(&self, ticket: &Ticket) {
        let mut serials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if serials.len() >= REMEMBERED {
            serials.clear();
        }
        serials.insert(ticket.serial);
    }

    /// Whether the token was revoked.
    pub(super) fn holds(&self, ticket: &Ticket) -> bool {
        let serials = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serials.contains(&ticket.serial)
    }
}

impl Fake {
    /// RFC 7009 §2.2: a token that is not there is as good as revoked, so that the answer to it is the same.
    pub(super) fn revoke(&self, request: &FakeRequest<'_>) -> FakeAnswer {
        let form = form(request.body);
        let Some(client) = authenticate(request.authorization, &form) else {
            return FakeAnswer::error(401, "invalid_client");
        };
        let token = form.get("token").map(String::as_str).unwrap_or_default();
        let ticket = [Purpose::Access, Purpose::Pair, Purpose::Refresh]
            .into_iter()
            .find_map(|purpose| self.sealer.open(token, purpose));
        if let Some(ticket) = ticket.filter(|ticket| ticket.client_id == client.id) {
            if let Some(instead) = ticket.behaviour.instead() {
                return instead;
            }
            self.revoked.add(&ticket);
        }
        FakeAnswer::new(200, "application/json", Vec::new())
    }
}
