//! One bulkhead and one circuit breaker per provider, so that a dead one never slows another.
//!
//! The breaker opens after `FAILURES_TO_OPEN` outages in a row. Then one request at a time may probe, first after
//! `FIRST_PAUSE`, later after twice the last pause, at most `LONGEST_PAUSE`. The first success closes it. All state is in
//! atomics: the way in takes no lock while the provider is well and has room.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::error::Outage;

/// Outages in a row that open the breaker.
const FAILURES_TO_OPEN: u32 = 10;
/// From opening to the first probe.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between probes.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// `next_probe_ms` of a closed breaker.
const CLOSED: u64 = 0;

/// The bulkhead and the circuit breaker of one provider.
#[derive(Debug)]
pub struct Guard {
    room: Semaphore,
    max_in_flight: usize,
    /// What the times below count from.
    epoch: Instant,
    /// Outages since the last success.
    failures: AtomicU32,
    /// When the next probe may start, in milliseconds since `epoch`; [`CLOSED`] while the breaker is closed.
    next_probe_ms: AtomicU64,
    /// The last pause, in milliseconds.
    pause_ms: AtomicU64,
    /// Whether a probe is under way.
    probing: AtomicBool,
}

/// The right to ask the provider; dropping it makes room for the next.
#[derive(Debug)]
#[must_use = "the outcome must be reported"]
pub struct Permit<'a> {
    guard: &'a Guard,
    _room: SemaphorePermit<'a>,
    probe: Option<ProbeSlot<'a>>,
}

/// The only probe; dropping it lets another one start.
#[derive(Debug)]
struct ProbeSlot<'a> {
    guard: &'a Guard,
}

impl Drop for ProbeSlot<'_> {
    fn drop(&mut self) {
        self.guard.probing.store(false, Ordering::Release);
    }
}

impl Guard {
    /// A guard that admits `max_in_flight` at once, at least one.
    #[must_use]
    pub fn new(max_in_flight: usize) -> Self {
        let max_in_flight = max_in_flight.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            room: Semaphore::new(max_in_flight),
            max_in_flight,
            epoch: Instant::now(),
            failures: AtomicU32::new(0),
            next_probe_ms: AtomicU64::new(CLOSED),
            pause_ms: AtomicU64::new(0),
            probing: AtomicBool::new(false),
        }
    }

    /// Waits for room until `deadline`.
    ///
    /// # Errors
    /// [`Outage::CircuitOpen`] or [`Outage::Overloaded`].
    pub async fn enter(&self, deadline: Instant) -> Result<Permit<'_>, Outage> {
        let probe = self.admit()?;
        let room = match self.room.try_acquire() {
            Ok(room) => room,
            Err(_) => match timeout_at(deadline, self.room.acquire()).await {
                Ok(Ok(room)) => room,
                // The semaphore is never closed, so that this is the deadline.
                Ok(Err(_)) | Err(_) => return Err(Outage::Overloaded),
            },
        };
        // Those who queued while the provider died need not find out one by one.
        let probe = match probe {
            None => self.admit()?,
            slot => slot,
        };
        Ok(Permit {
            guard: self,
            _room: room,
            probe,
        })
    }

    /// Requests under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.max_in_flight
            .saturating_sub(self.room.available_permits())
    }

    /// Whether the breaker is open, also while it is probing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.next_probe_ms.load(Ordering::Acquire) != CLOSED
    }

    /// Lets everyone pass while the breaker is closed, and one probe at a time when a pause is over.
    fn admit(&self) -> Result<Option<ProbeSlot<'_>>, Outage> {
        if !self.is_open() {
            return Ok(None);
        }
        self.check_pause()?;
        if self.probing.swap(true, Ordering::AcqRel) {
            return Err(circuit_open(0));
        }
        let slot = ProbeSlot { guard: self };
        // Another probe may have ended between the look at the pause and the swap.
        if !self.is_open() {
            return Ok(None);
        }
        self.check_pause()?;
        Ok(Some(slot))
    }

    fn check_pause(&self) -> Result<(), Outage> {
        let wait_ms = self
            .next_probe_ms
            .load(Ordering::Acquire)
            .saturating_sub(self.now_ms());
        if wait_ms > 0 {
            return Err(circuit_open(wait_ms));
        }
        Ok(())
    }

    fn succeed(&self) {
        // Loads first: while all is well no cache line is written.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Release);
        }
        if self.is_open() {
            self.next_probe_ms.store(CLOSED, Ordering::Release);
        }
    }

    fn fail(&self, probed: bool) {
        if probed && self.is_open() {
            let pause_ms = self.pause_ms.load(Ordering::Acquire).saturating_mul(2);
            self.pause(pause_ms.min(millis(LONGEST_PAUSE)));
            return;
        }
        let failures = self.failures.fetch_add(1, Ordering::AcqRel);
        // What was under way when it opened neither opens it again nor makes the pause longer.
        if failures.saturating_add(1) >= FAILURES_TO_OPEN && !self.is_open() {
            self.pause(millis(FIRST_PAUSE));
        }
    }

    fn pause(&self, pause_ms: u64) {
        self.pause_ms.store(pause_ms, Ordering::Release);
        let next_probe_ms = self.now_ms().saturating_add(pause_ms);
        self.next_probe_ms.store(next_probe_ms, Ordering::Release);
    }

    fn now_ms(&self) -> u64 {
        millis(self.epoch.elapsed())
    }
}

impl Permit<'_> {
    /// Tells the breaker what came of it. A permit that is dropped without this counts for nothing.
    ///
    /// A malformed, too large or redirecting answer comes from a living provider: it neither counts nor resets.
    pub fn report(self, result: Result<(), Outage>) {
        match result {
            Ok(()) => self.guard.succeed(),
            Err(Outage::Timeout | Outage::Connect | Outage::Status { .. }) => {
                self.guard.fail(self.probe.is_some());
            }
            Err(
                Outage::Redirect
                | Outage::TooLarge
                | Outage::Malformed(_)
                | Outage::CircuitOpen { .. }
                | Outage::Overloaded,
            ) => {}
        }
    }
}

fn circuit_open(wait_ms: u64) -> Outage {
    Outage::CircuitOpen {
        retry_after_seconds: wait_ms.div_ceil(1000).max(1),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const DOWN: Result<(), Outage> = Err(Outage::Status {
        code: 503,
        retry_after_seconds: None,
    });

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(100)
    }

    async fn report(guard: &Guard, result: Result<(), Outage>) {
        guard.enter(soon()).await.unwrap().report(result);
    }

    async fn opened() -> Guard {
        let guard = Guard::new(100);
        for _ in 0..FAILURES_TO_OPEN {
            report(&guard, DOWN).await;
        }
        assert!(guard.is_open());
        guard
    }

    fn seconds(seconds: u64) -> Outage {
        Outage::CircuitOpen {
            retry_after_seconds: seconds,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_ten_outages_in_a_row_and_not_before() {
        let guard = Guard::new(4);

        for outage in [Outage::Timeout, Outage::Connect]
            .into_iter()
            .cycle()
            .take(9)
        {
            report(&guard, Err(outage)).await;
        }
        assert!(!guard.is_open());
        report(&guard, Ok(())).await;
        for _ in 0..9 {
            report(&guard, DOWN).await;
        }
        assert!(!guard.is_open());
        report(&guard, DOWN).await;

        assert!(guard.is_open());
        assert_eq!(guard.enter(soon()).await.unwrap_err(), seconds(1));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_of_a_living_provider_neither_count_nor_reset() {
        let guard = Guard::new(4);

        for _ in 0..9 {
            report(&guard, DOWN).await;
            for alive in [
                Outage::Malformed("x"),
                Outage::TooLarge,
                Outage::Redirect,
                Outage::Overloaded,
            ] {
                report(&guard, Err(alive)).await;
            }
        }

        assert!(!guard.is_open());
        report(&guard, DOWN).await;
        assert!(guard.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_five_seconds_and_a_success_closes_it() {
        let guard = opened().await;

        for pause in [1, 2, 4, 5, 5] {
            assert_eq!(guard.enter(soon()).await.unwrap_err(), seconds(pause));
            tokio::time::advance(Duration::from_millis(pause * 1000 - 1)).await;
            assert_eq!(guard.enter(soon()).await.unwrap_err(), seconds(1));
            tokio::time::advance(Duration::from_millis(1)).await;
            report(&guard, Err(Outage::Timeout)).await;
        }
        tokio::time::advance(LONGEST_PAUSE).await;
        report(&guard, Ok(())).await;

        assert!(!guard.is_open());
        for _ in 0..9 {
            report(&guard, DOWN).await;
        }
        assert!(!guard.is_open());
        report(&guard, DOWN).await;
        assert_eq!(guard.enter(soon()).await.unwrap_err(), seconds(1));
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_hundred_callers_exactly_one_probes() {
        let guard = Arc::new(opened().await);
        tokio::time::advance(FIRST_PAUSE).await;
        let everyone = Arc::new(tokio::sync::Barrier::new(100));

        let callers: Vec<_> = (0..100)
            .map(|_| {
                let (guard, everyone) = (Arc::clone(&guard), Arc::clone(&everyone));
                tokio::spawn(async move {
                    everyone.wait().await;
                    let permit = guard.enter(soon()).await;
                    everyone.wait().await;
                    match permit {
                        Ok(permit) => {
                            permit.report(DOWN);
                            true
                        }
                        Err(outage) => {
                            assert_eq!(outage, seconds(1));
                            false
                        }
                    }
                })
            })
            .collect();
        let mut probes = 0;
        for caller in callers {
            probes += usize::from(caller.await.unwrap());
        }

        assert_eq!(probes, 1);
        assert_eq!(guard.enter(soon()).await.unwrap_err(), seconds(2));
    }

    #[test]
    fn on_many_threads_there_is_never_more_than_one_probe() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let guard = Arc::new(opened().await);
            guard.next_probe_ms.store(1, Ordering::Release);
            tokio::time::sleep(Duration::from_millis(2)).await;
            let inside = Arc::new(AtomicU32::new(0));
            let callers: Vec<_> = (0..100)
                .map(|_| {
                    let (guard, inside) = (Arc::clone(&guard), Arc::clone(&inside));
                    tokio::spawn(async move {
                        let mut probes = 0;
                        for _ in 0..50 {
                            if let Ok(permit) = guard.enter(soon()).await {
                                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                                tokio::task::yield_now().await;
                                inside.fetch_sub(1, Ordering::SeqCst);
                                probes += 1;
                                drop(permit);
                            }
                            tokio::task::yield_now().await;
                        }
                        probes
                    })
                })
                .collect();
            let mut probes = 0;
            for caller in callers {
                probes += caller.await.unwrap();
            }
            assert!(probes > 0);
        });
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_probe_frees_its_slot_and_counts_for_nothing() {
        let guard = opened().await;
        tokio::time::advance(FIRST_PAUSE).await;

        let probe = guard.enter(soon()).await.unwrap();
        assert_eq!(guard.enter(soon()).await.unwrap_err(), seconds(1));
        drop(probe);
        let next = guard.enter(soon()).await.unwrap();
        next.report(Err(Outage::Malformed("x")));

        assert!(guard.is_open());
        report(&guard, Ok(())).await;
        assert!(!guard.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_under_way_when_it_opened_does_not_make_the_pause_longer() {
        let guard = Guard::new(100);
        let mut permits = Vec::new();
        for _ in 0..50 {
            permits.push(guard.enter(soon()).await.unwrap());
        }

        for permit in permits {
            permit.report(DOWN);
        }

        assert_eq!(guard.enter(soon()).await.unwrap_err(), seconds(1));
        tokio::time::advance(FIRST_PAUSE).await;
        report(&guard, DOWN).await;
        assert_eq!(guard.enter(soon()).await.unwrap_err(), seconds(2));
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_room_waits_until_the_deadline() {
        let guard = Guard::new(2);
        let (first, _second) = (
            guard.enter(soon()).await.unwrap(),
            guard.enter(soon()).await.unwrap(),
        );
        let before = Instant::now();

        assert_eq!(guard.in_flight(), 2);
        assert_eq!(guard.enter(soon()).await.unwrap_err(), Outage::Overloaded);
        assert_eq!(before.elapsed(), Duration::from_millis(100));

        let (third, ()) = tokio::join!(guard.enter(soon()), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            first.report(Ok(()));
        });
        assert!(third.is_ok());
        assert_eq!(guard.in_flight(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_queued_while_it_opened_is_refused_without_asking() {
        let guard = Guard::new(FAILURES_TO_OPEN as usize);
        let mut permits = Vec::new();
        for _ in 0..FAILURES_TO_OPEN {
            permits.push(guard.enter(soon()).await.unwrap());
        }

        let (queued, ()) = tokio::join!(guard.enter(soon()), async {
            tokio::task::yield_now().await;
            for permit in permits {
                permit.report(DOWN);
            }
        });

        assert_eq!(queued.unwrap_err(), seconds(1));
        assert_eq!(guard.in_flight(), 0);
    }
}
