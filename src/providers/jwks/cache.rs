//! A cache for one document: fresh answers without waiting, one fetch at a time, stale answers while the issuer is down.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Duration, Utc};
use tokio::time::{Instant, timeout_at};

use crate::providers::error::Outage;

/// Without `Cache-Control: max-age`.
const DEFAULT_TTL: Duration = Duration::hours(1);
/// However short the issuer's `max-age` is.
const MIN_TTL: Duration = Duration::minutes(5);
/// However long the issuer's `max-age` is, and how long an answer outlives the issuer's last good one.
const MAX_TTL: Duration = Duration::hours(24);
/// A clock that went back further than this makes the cached answer's age unknowable.
const CLOCK_SLACK: Duration = Duration::minutes(5);
/// After a failed fetch, a stale answer is used this long without asking again.
const RETRY_PAUSE: Duration = Duration::seconds(15);

/// Early refetches in a row.
const BURST: u8 = 4;
/// The time that earns one more.
const REFILL: Duration = Duration::seconds(15);

/// What a fetch gives: the parsed document and its `max-age` in seconds.
pub(super) type Fetched<T> = Result<(T, Option<u64>), Outage>;

/// One cached document.
#[derive(Debug)]
pub(super) struct Cached<T> {
    slot: RwLock<Option<Arc<Slot<T>>>>,
    /// Held across a fetch, by the fetching task alone; those who find a usable answer in `slot` never touch it.
    fetching: tokio::sync::Mutex<Attempts>,
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Slot<T> {
    value: Arc<T>,
    fetched_at: DateTime<Utc>,
    fresh_until: DateTime<Utc>,
    /// Set by a failed fetch: until then the stale answer is used without asking again.
    retry_at: DateTime<Utc>,
}

/// How the last fetch ended, so that those who waited for it share its failure instead of repeating it one after the other.
#[derive(Debug, Default)]
struct Attempts {
    last_failure: Option<(Instant, Outage)>,
}

impl<T> Cached<T> {
    pub(super) fn new() -> Self {
        Self {
            slot: RwLock::new(None),
            fetching: tokio::sync::Mutex::default(),
            bucket: Mutex::new(Bucket::full()),
        }
    }

    /// The document: from the cache while fresh, else fetched, else the stale one.
    ///
    /// # Errors
    /// The fetch's outage, when there is no answer of the last 24 h.
    pub(super) async fn get<F, Fut>(
        &self,
        now: DateTime<Utc>,
        deadline: Instant,
        fetch: F,
    ) -> Result<Arc<T>, Outage>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Fetched<T>>,
    {
        let arrived = Instant::now();
        let cached = self.slot();
        if let Some(slot) = cached.as_ref().filter(|slot| slot.is_fresh(now)) {
            return Ok(Arc::clone(&slot.value));
        }
        let stale = cached.filter(|slot| slot.is_usable(now));
        let mut attempts = match &stale {
            // Somebody is fetching, or has just failed to: the stale answer is better than a queue.
            Some(slot) if now < slot.retry_at => return Ok(Arc::clone(&slot.value)),
            Some(slot) => match self.fetching.try_lock() {
                Ok(attempts) => attempts,
                Err(_busy) => return Ok(Arc::clone(&slot.value)),
            },
            None => lock_until(&self.fetching, deadline).await?,
        };
        if let Some(slot) = self.slot().filter(|slot| slot.is_fresh(now)) {
            return Ok(Arc::clone(&slot.value));
        }
        if let Some((failed_at, outage)) = attempts.last_failure
            && failed_at >= arrived
        {
            return Err(outage);
        }
        match self.fetch(&mut attempts, now, fetch).await {
            Ok(value) => Ok(value),
            Err(outage) => match stale {
                Some(slot) => {
                    self.pause(&slot, now);
                    Ok(Arc::clone(&slot.value))
                }
                None => Err(outage),
            },
        }
    }

    /// A document newer than `seen`, which lacks something. `None` when asking again would be too soon: the caller's wish comes
    /// from a token, and a forger must not be able to make us hammer the issuer.
    ///
    /// # Errors
    /// The fetch's outage.
    pub(super) async fn newer_than<F, Fut>(
        &self,
        seen: &Arc<T>,
        now: DateTime<Utc>,
        deadline: Instant,
        fetch: F,
    ) -> Result<Option<Arc<T>>, Outage>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Fetched<T>>,
    {
        let arrived = Instant::now();
        if let Some(newer) = self.other_than(seen) {
            return Ok(Some(newer));
        }
        if !self.has_refetch_left(now) {
            return Ok(None);
        }
        let mut attempts = lock_until(&self.fetching, deadline).await?;
        if let Some(newer) = self.other_than(seen) {
            return Ok(Some(newer));
        }
        if let Some((failed_at, outage)) = attempts.last_failure
            && failed_at >= arrived
        {
            return Err(outage);
        }
        if !self.take_refetch(now) {
            return Ok(None);
        }
        self.fetch(&mut attempts, now, fetch).await.map(Some)
    }

    async fn fetch<F, Fut>(
        &self,
        attempts: &mut Attempts,
        now: DateTime<Utc>,
        fetch: F,
    ) -> Result<Arc<T>, Outage>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Fetched<T>>,
    {
        match fetch().await {
            Ok((value, max_age_seconds)) => {
                let value = Arc::new(value);
                attempts.last_failure = None;
                self.store(Slot {
                    value: Arc::clone(&value),
                    fetched_at: now,
                    fresh_until: now + ttl(max_age_seconds),
                    retry_at: now,
                });
                Ok(value)
            }
            Err(outage) => {
                attempts.last_failure = Some((Instant::now(), outage));
                Err(outage)
            }
        }
    }

    fn slot(&self) -> Option<Arc<Slot<T>>> {
        self.slot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn store(&self, slot: Slot<T>) {
        *self.slot.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(slot));
    }

    /// Keeps the stale answer in use for a while without asking again.
    fn pause(&self, stale: &Slot<T>, now: DateTime<Utc>) {
        self.store(Slot {
            value: Arc::clone(&stale.value),
            fetched_at: stale.fetched_at,
            fresh_until: stale.fresh_until,
            retry_at: now + RETRY_PAUSE,
        });
    }

    fn other_than(&self, seen: &Arc<T>) -> Option<Arc<T>> {
        self.slot()
            .filter(|slot| !Arc::ptr_eq(&slot.value, seen))
            .map(|slot| Arc::clone(&slot.value))
    }

    fn has_refetch_left(&self, now: DateTime<Utc>) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.refill(now);
        bucket.left > 0
    }

    fn take_refetch(&self, now: DateTime<Utc>) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(now)
    }
}

impl<T> Slot<T> {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        now < self.fresh_until && now >= self.fetched_at - CLOCK_SLACK
    }

    fn is_usable(&self, now: DateTime<Utc>) -> bool {
        now < self.fetched_at + MAX_TTL && now >= self.fetched_at - CLOCK_SLACK
    }
}

async fn lock_until<T>(
    mutex: &tokio::sync::Mutex<T>,
    deadline: Instant,
) -> Result<tokio::sync::MutexGuard<'_, T>, Outage> {
    timeout_at(deadline, mutex.lock())
        .await
        .or(Err(Outage::Timeout))
}

fn ttl(max_age_seconds: Option<u64>) -> Duration {
    max_age_seconds.map_or(DEFAULT_TTL, |seconds| {
        i64::try_from(seconds)
            .ok()
            .and_then(Duration::try_seconds)
            .unwrap_or(MAX_TTL)
            .clamp(MIN_TTL, MAX_TTL)
    })
}

/// How many early refetches are left.
#[derive(Debug)]
struct Bucket {
    left: u8,
    /// From when the next one is earned; `None` while full.
    since: Option<DateTime<Utc>>,
}

impl Bucket {
    const fn full() -> Self {
        Self {
            left: BURST,
            since: None,
        }
    }

    fn refill(&mut self, now: DateTime<Utc>) {
        while let Some(since) = self.since {
            if self.left >= BURST {
                self.since = None;
            } else if now < since {
                // The clock went back; waiting for it to catch up could take for ever.
                self.since = Some(now);
                return;
            } else if now - since >= REFILL {
                self.left += 1;
                self.since = Some(since + REFILL);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, now: DateTime<Utc>) -> bool {
        self.refill(now);
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.since = self.since.or(Some(now));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration as Wait;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn deadline() -> Instant {
        Instant::now() + Wait::from_secs(5)
    }

    /// An issuer that counts how often it is asked and answers with the count.
    #[derive(Default)]
    struct Issuer {
        asked: AtomicU64,
        is_down: std::sync::atomic::AtomicBool,
        max_age_seconds: Option<u64>,
    }

    impl Issuer {
        async fn answer(&self) -> Fetched<u64> {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            if self.is_down.load(Ordering::SeqCst) {
                return Err(Outage::Connect);
            }
            Ok((asked, self.max_age_seconds))
        }

        fn asked(&self) -> u64 {
            self.asked.load(Ordering::SeqCst)
        }
    }

    async fn get(cache: &Cached<u64>, issuer: &Issuer, seconds: i64) -> Result<u64, Outage> {
        cache
            .get(at(seconds), deadline(), || issuer.answer())
            .await
            .map(|value| *value)
    }

    #[tokio::test]
    async fn an_answer_is_fresh_for_its_max_age_within_bounds() {
        let cases = [
            (None, 3600),
            (Some(0), 300),
            (Some(299), 300),
            (Some(301), 301),
            (Some(7200), 7200),
            (Some(86_401), 86_400),
            (Some(u64::MAX), 86_400),
        ];
        for (max_age_seconds, fresh_seconds) in cases {
            let cache = Cached::new();
            let issuer = Issuer {
                max_age_seconds,
                ..Issuer::default()
            };

            get(&cache, &issuer, 0).await.unwrap();
            let last = get(&cache, &issuer, fresh_seconds - 1).await.unwrap();
            let next = get(&cache, &issuer, fresh_seconds).await.unwrap();

            assert_eq!((last, next), (1, 2), "{max_age_seconds:?}");
        }
    }

    #[tokio::test]
    async fn fifty_at_once_lead_to_one_fetch() {
        let cache = Cached::new();
        let issuer = Issuer::default();

        let all = futures_util::future::join_all((0..50).map(|_| get(&cache, &issuer, 0))).await;

        assert!(all.iter().all(|value| *value == Ok(1)));
        assert_eq!(issuer.asked(), 1);
    }

    #[tokio::test]
    async fn fifty_at_once_share_one_failure_and_the_next_asks_again() {
        let cache = Cached::new();
        let issuer = Issuer::default();
        issuer.is_down.store(true, Ordering::SeqCst);

        let all = futures_util::future::join_all((0..50).map(|_| get(&cache, &issuer, 0))).await;
        issuer.is_down.store(false, Ordering::SeqCst);
        let next = get(&cache, &issuer, 0).await;

        assert!(all.iter().all(|value| *value == Err(Outage::Connect)));
        assert_eq!(next, Ok(2));
    }

    #[tokio::test]
    async fn a_stale_answer_serves_for_a_day_while_the_issuer_is_down() {
        let cache = Cached::new();
        let issuer = Issuer::default();
        get(&cache, &issuer, 0).await.unwrap();
        issuer.is_down.store(true, Ordering::SeqCst);

        let soon = get(&cache, &issuer, 3600).await;
        let late = get(&cache, &issuer, 86_399).await;
        let too_late = get(&cache, &issuer, 86_400).await;

        assert_eq!((soon, late), (Ok(1), Ok(1)));
        assert_eq!(too_late, Err(Outage::Connect));
    }

    #[tokio::test]
    async fn a_dead_issuer_is_asked_every_fifteen_seconds_while_stale_answers_serve() {
        let cache = Cached::new();
        let issuer = Issuer::default();
        get(&cache, &issuer, 0).await.unwrap();
        issuer.is_down.store(true, Ordering::SeqCst);

        for second in 3600..3630 {
            assert_eq!(get(&cache, &issuer, second).await, Ok(1));
        }
        assert_eq!(issuer.asked(), 3);
        issuer.is_down.store(false, Ordering::SeqCst);

        assert_eq!(get(&cache, &issuer, 3630).await, Ok(4));
    }

    #[tokio::test]
    async fn nobody_waits_for_a_fetch_while_a_stale_answer_serves() {
        let cache = Cached::new();
        let issuer = Issuer::default();
        get(&cache, &issuer, 0).await.unwrap();

        let all = futures_util::future::join_all((0..9).map(|_| get(&cache, &issuer, 3600))).await;

        assert_eq!(all.iter().filter(|value| **value == Ok(2)).count(), 1);
        assert_eq!(all.iter().filter(|value| **value == Ok(1)).count(), 8);
        assert_eq!(issuer.asked(), 2);
    }

    #[tokio::test]
    async fn readers_of_a_fresh_answer_do_not_wait_for_a_refetch() {
        let cache = Cached::new();
        let issuer = Issuer::default();
        get(&cache, &issuer, 0).await.unwrap();
        let _refetching = cache.fetching.lock().await;

        assert_eq!(get(&cache, &issuer, 1).await, Ok(1));
    }

    #[tokio::test]
    async fn waiting_for_anothers_fetch_ends_at_the_deadline() {
        let cache = Cached::<u64>::new();
        let issuer = Issuer::default();
        let _fetching = cache.fetching.lock().await;

        let soon = Instant::now() + Wait::from_millis(20);
        let result = cache.get(at(0), soon, || issuer.answer()).await;

        assert_eq!(result, Err(Outage::Timeout));
        assert_eq!(issuer.asked(), 0);
    }

    #[tokio::test]
    async fn an_abandoned_fetch_blocks_nobody() {
        let cache = Cached::<u64>::new();
        let issuer = Issuer::default();
        let never = cache.get(at(0), deadline(), std::future::pending::<Fetched<u64>>);
        let abandoned = tokio::time::timeout(Wait::from_millis(20), never).await;
        assert!(abandoned.is_err());

        assert_eq!(get(&cache, &issuer, 0).await, Ok(1));
    }

    #[tokio::test]
    async fn a_clock_that_went_far_back_makes_the_answer_stale() {
        let cache = Cached::new();
        let issuer = Issuer::default();
        get(&cache, &issuer, 0).await.unwrap();

        assert_eq!(get(&cache, &issuer, -299).await, Ok(1));
        assert_eq!(get(&cache, &issuer, -301).await, Ok(2));
    }

    #[tokio::test]
    async fn refetches_are_four_in_a_row_and_then_one_in_fifteen_seconds() {
        let cache = Cached::new();
        let issuer = Issuer::default();
        get(&cache, &issuer, 0).await.unwrap();
        let refetch = async |seconds| {
            let seen = cache.slot().unwrap().value.clone();
            cache
                .newer_than(&seen, at(seconds), deadline(), || issuer.answer())
                .await
                .unwrap()
                .map(|value| *value)
        };

        for expected in 2..=5 {
            assert_eq!(refetch(0).await, Some(expected));
        }
        for seconds in [0, 1, 14] {
            assert_eq!(refetch(seconds).await, None);
        }
        assert_eq!(refetch(15).await, Some(6));
        assert_eq!(refetch(15).await, None);
        assert_eq!(refetch(29).await, None);
        assert_eq!(refetch(30).await, Some(7));
        for expected in 8..=11 {
            assert_eq!(refetch(1000).await, Some(expected));
        }
        assert_eq!(refetch(1000).await, None);
        assert_eq!(issuer.asked(), 11);
    }

    #[tokio::test]
    async fn refetches_at_once_are_one_fetch_and_cost_one() {
        let cache = Cached::new();
        let issuer = Issuer::default();
        get(&cache, &issuer, 0).await.unwrap();
        let seen = cache.slot().unwrap().value.clone();

        let all = futures_util::future::join_all(
            (0..50).map(|_| cache.newer_than(&seen, at(0), deadline(), || issuer.answer())),
        )
        .await;

        assert!(
            all.iter()
                .all(|newer| **newer.as_ref().unwrap().as_ref().unwrap() == 2)
        );
        assert_eq!(issuer.asked(), 2);
        assert_eq!(cache.bucket.lock().unwrap().left, 3);
    }

    #[test]
    fn a_clock_that_went_back_does_not_stop_the_bucket_for_ever() {
        let mut bucket = Bucket::full();
        while bucket.take(at(100_000)) {}

        assert!(!bucket.take(at(0)));
        assert!(!bucket.take(at(14)));
        assert!(bucket.take(at(15)));
    }
}
