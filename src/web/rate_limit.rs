//! Limits what one address may ask of providers, and so what one stolen list of tokens can be tried on.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::num::NonZeroU32;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::ServerContext;
use super::error::Error;
use super::extract::client_address;
use crate::domain::network_of;

/// Counts hand-ins by address. In memory: each instance counts for itself.
pub struct HandInLimiter {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl HandInLimiter {
    /// Admits `per_minute` at once and then at that rate.
    #[must_use]
    pub fn new(per_minute: NonZeroU32) -> Self {
        let limiter = RateLimiter::keyed(Quota::per_minute(per_minute));
        Self {
            limiter,
            clock: DefaultClock::default(),
        }
    }

    /// Forgets addresses that have their full quota again, so that memory stays bounded.
    pub fn forget_idle(&self) {
        self.limiter.retain_recent();
    }

    fn admit(&self, address: IpAddr) -> Result<(), Error> {
        self.limiter
            .check_key(&network_of(address))
            .map_err(|refused| {
                let wait = refused.wait_time_from(self.clock.now());
                Error::RateLimited {
                    retry_after_seconds: wait.as_secs() + 1,
                }
            })
    }
}

/// Extracted by every handler that costs a provider's or the database's time before anyone is known.
pub struct HandInQuota;

impl FromRequest for HandInQuota {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let limiter = request
            .app_data::<Data<ServerContext>>()
            .and_then(|context| context.hand_in_limiter.as_ref());
        let admitted = match (limiter, client_address(request)) {
            (Some(limiter), Some(address)) => limiter.admit(address),
            _ => Ok(()),
        };
        ready(admitted.map(|()| Self))
    }
}
