//! Work of one kind that is done together: what comes while PostgreSQL is busy with what came before is stored by one statement.
//!
//! Nobody waits for company: whoever comes when nothing is under way is served alone and at once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::PgConnection;
use tokio::sync::oneshot;

use super::{StorageError, Unavailability};
use crate::domain::{ProviderId, Uid, UserId};

/// Jobs of one statement.
const MOST: usize = 32;
/// Jobs that are passed over at most for what they share with others. Whoever sends the same one many times keeps nobody busy with it.
const MOST_PASSED_OVER: usize = 4 * MOST;
/// Statements after which whoever else waits for a connection has one first.
const STATEMENTS: usize = 8;

/// What two jobs of one statement must not share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A social account.
    Account(ProviderId, Uid),
    /// A user name, folded.
    Name(String),
    /// A user.
    User(UserId),
}

/// A job that can be done together with others.
pub(super) trait Gathered: Send + Sized + 'static {
    /// What comes of it.
    type Done: Send;

    /// What it shares with no other job of its statement.
    fn keys(&self) -> Vec<Key>;

    /// Does the jobs by one statement, which is a transaction by itself; gives those that were done, by their place. The others have
    /// changed nothing.
    fn store(
        connection: &mut PgConnection,
        jobs: &[Self],
    ) -> Result<Vec<(usize, Self::Done)>, StorageError>;
}

/// What came of a job; `None` if its assumption does not hold. Whoever hears nothing has to do it by itself.
pub(super) type Answer<J> = Result<Option<<J as Gathered>::Done>, Unavailability>;
type Waiting<J> = (J, oneshot::Sender<Answer<J>>);

/// Jobs of one kind that wait.
pub(super) struct Gatherer<J: Gathered> {
    state: Mutex<State<J>>,
    /// How many statements may be under way.
    most_at_work: usize,
}

struct State<J: Gathered> {
    waiting: VecDeque<Waiting<J>>,
    at_work: usize,
}

/// The right and the duty to do what waits, until nothing does.
pub(super) struct Turn<J: Gathered> {
    gatherer: Arc<Gatherer<J>>,
    has_ended: bool,
}

/// A batch: the jobs, and who waits for each.
type Batch<J> = (Vec<J>, Vec<oneshot::Sender<Answer<J>>>);

impl<J: Gathered> Gatherer<J> {
    /// None wait yet. `max_connections` is how many connections there are for everything.
    pub(super) fn new(max_connections: u32) -> Arc<Self> {
        // One that waits for the disk leaves the other to calculate. More would only make each of them smaller.
        let most_at_work = usize::try_from(max_connections / 4).unwrap_or(1).max(1);
        Arc::new(Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                at_work: 0,
            }),
            most_at_work,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        // A panic of somebody else leaves the queue as good as it was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a job. Whoever gets a [`Turn`] has to use it.
    pub(super) fn queue(
        self: &Arc<Self>,
        job: J,
    ) -> (oneshot::Receiver<Answer<J>>, Option<Turn<J>>) {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        state.waiting.push_back((job, sender));
        let gets_turn = state.at_work < self.most_at_work;
        if gets_turn {
            state.at_work += 1;
        }
        let turn = gets_turn.then(|| Turn {
            gatherer: Arc::clone(self),
            has_ended: false,
        });
        (receiver, turn)
    }
}

impl<J: Gathered> Turn<J> {
    /// Jobs that may be done together, those that waited longest first. `None`, and the turn has ended, if nothing waits. Whoever has
    /// given up waiting is left out.
    fn take(&mut self) -> Option<Batch<J>> {
        let mut state = self.gatherer.lock();
        let (mut jobs, mut senders) = (Vec::new(), Vec::new());
        let (mut taken, mut left) = (HashSet::new(), VecDeque::new());
        while jobs.len() < MOST
            && left.len() < MOST_PASSED_OVER
            && let Some((job, sender)) = state.waiting.pop_front()
        {
            if sender.is_closed() {
                continue;
            }
            let keys = job.keys();
            if keys.iter().any(|key| taken.contains(key)) {
                left.push_back((job, sender));
                continue;
            }
            taken.extend(keys);
            jobs.push(job);
            senders.push(sender);
        }
        left.append(&mut state.waiting);
        state.waiting = left;
        if jobs.is_empty() {
            state.at_work -= 1;
            self.has_ended = true;
            return None;
        }
        Some((jobs, senders))
    }

    /// Does what waits, and gives the turn back if more may wait. `store` runs the statement. Blocks.
    pub(super) fn work(
        mut self,
        mut store: impl FnMut(&[J]) -> Result<Vec<(usize, J::Done)>, StorageError>,
    ) -> Option<Self> {
        for _ in 0..STATEMENTS {
            let (jobs, senders) = self.take()?;
            match store(&jobs) {
                Ok(done) => {
                    let mut done: HashMap<usize, J::Done> = done.into_iter().collect();
                    for (place, sender) in senders.into_iter().enumerate() {
                        tell(sender, Ok(done.remove(&place)));
                    }
                }
                // The connection was old, and a new one may serve; or somebody has a lock that one of them wants.
                Err(StorageError::Unavailable {
                    why: Unavailability::ConnectionLost | Unavailability::Busy,
                    ..
                }) => {}
                Err(StorageError::Unavailable { why, .. }) => {
                    for sender in senders {
                        tell(sender, Err(why));
                    }
                    self.refuse_waiting(why);
                }
                // One of them is the cause, and the others are not to suffer for it.
                Err(_) => {}
            }
        }
        Some(self)
    }

    /// Tells all that wait that the database is not to be had.
    pub(super) fn refuse_waiting(&self, why: Unavailability) {
        let waiting = std::mem::take(&mut self.gatherer.lock().waiting);
        for (_, sender) in waiting {
            tell(sender, Err(why));
        }
    }
}

fn tell<A>(sender: oneshot::Sender<A>, answer: A) {
    // Whoever is gone has been told that nobody knows.
    drop(sender.send(answer));
}

impl<J: Gathered> Drop for Turn<J> {
    /// Without a connection, or after a panic.
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let mut state = self.gatherer.lock();
        state.at_work -= 1;
        if state.at_work == 0 {
            // Nobody is left to do what waits: each is done by itself.
            state.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A job that is done by its number, with a key by its last digit.
    struct Job(i64);

    impl Gathered for Job {
        type Done = i64;

        fn keys(&self) -> Vec<Key> {
            vec![Key::User(UserId(self.0 % 10))]
        }

        fn store(
            _connection: &mut PgConnection,
            _jobs: &[Self],
        ) -> Result<Vec<(usize, i64)>, StorageError> {
            Err(StorageError::Restart)
        }
    }

    fn work_off(
        mut turn: Option<Turn<Job>>,
        mut store: impl FnMut(&[Job]) -> Result<Vec<(usize, i64)>, StorageError>,
    ) {
        while let Some(current) = turn {
            turn = current.work(&mut store);
        }
    }

    fn heard(receiver: oneshot::Receiver<Answer<Job>>) -> Option<Answer<Job>> {
        receiver.blocking_recv().ok()
    }

    fn numbers(jobs: &[Job]) -> Vec<i64> {
        jobs.iter().map(|job| job.0).collect()
    }

    #[test]
    fn what_waits_is_done_together_unless_it_shares_a_key() {
        let gatherer = Gatherer::new(4);
        let (first, turn) = gatherer.queue(Job(1));
        let waiting = [2, 11, 3, 12].map(|number| {
            let (receiver, turn) = gatherer.queue(Job(number));
            assert!(turn.is_none());
            receiver
        });
        let mut batches = Vec::new();

        work_off(turn, |jobs| {
            batches.push(numbers(jobs));
            // The 3 is passed over.
            let done = jobs.iter().enumerate().filter(|(_, job)| job.0 != 3);
            Ok(done.map(|(place, job)| (place, job.0 * 100)).collect())
        });

        assert_eq!(batches, [vec![1, 2, 3], vec![11, 12]]);
        assert_eq!(heard(first), Some(Ok(Some(100))));
        let answers = waiting.map(|receiver| heard(receiver).unwrap().unwrap());
        assert_eq!(answers, [Some(200), Some(1100), None, Some(1200)]);
        // The turn is free again.
        assert!(gatherer.queue(Job(1)).1.is_some());
    }

    #[test]
    fn others_have_a_connection_now_and_then() {
        let gatherer = Gatherer::new(4);
        let (_first, turn) = gatherer.queue(Job(1));
        let _waiting: Vec<_> = (0..20).map(|_| gatherer.queue(Job(1)).0).collect();
        let mut statements = 0;

        let rest = turn.unwrap().work(|_| {
            statements += 1;
            Ok(Vec::new())
        });

        assert_eq!(statements, STATEMENTS);
        // It is still somebody's turn.
        assert!(gatherer.queue(Job(2)).1.is_none());
        assert!(rest.unwrap().work(|_| Ok(Vec::new())).is_some());
    }

    #[test]
    fn a_lock_that_one_of_them_wants_keeps_nobody_else_from_being_served() {
        let gatherer = Gatherer::new(4);
        let (first, turn) = gatherer.queue(Job(1));
        let (second, _) = gatherer.queue(Job(11));

        work_off(turn, |jobs| match numbers(jobs)[..] {
            [1] => Err(StorageError::unavailable(Unavailability::Busy, "locked")),
            _ => Ok(vec![(0, 7)]),
        });

        assert_eq!(heard(first), None);
        assert_eq!(heard(second), Some(Ok(Some(7))));
    }

    #[test]
    fn the_same_job_many_times_is_not_looked_at_each_time() {
        let gatherer = Gatherer::new(4);
        let (_first, turn) = gatherer.queue(Job(1));
        let _same: Vec<_> = (0..1000).map(|_| gatherer.queue(Job(1)).0).collect();
        let (_other, _) = gatherer.queue(Job(2));
        let mut batches = Vec::new();

        let rest = turn.unwrap().work(|jobs| {
            batches.push(numbers(jobs));
            Ok(Vec::new())
        });

        // The other is too far behind to be found yet.
        assert!(rest.is_some());
        assert_eq!(batches, vec![vec![1]; STATEMENTS]);
    }

    #[test]
    fn nobody_hears_of_a_statement_that_failed_and_the_next_is_done() {
        let gatherer = Gatherer::new(4);
        let (first, turn) = gatherer.queue(Job(1));
        let (second, _) = gatherer.queue(Job(11));

        work_off(turn, |jobs| match numbers(jobs)[..] {
            [1] => Err(StorageError::Restart),
            _ => Ok(vec![(0, 7)]),
        });

        assert_eq!(heard(first), None);
        assert_eq!(heard(second), Some(Ok(Some(7))));
    }

    #[test]
    fn a_database_that_is_gone_is_told_to_all_that_wait() {
        let gatherer = Gatherer::new(4);
        let (first, turn) = gatherer.queue(Job(1));
        let (second, _) = gatherer.queue(Job(11));
        let mut statements = 0;

        work_off(turn, |_| {
            statements += 1;
            Err(StorageError::unavailable(
                Unavailability::CannotConnect,
                "gone",
            ))
        });

        assert_eq!(statements, 1);
        for receiver in [first, second] {
            assert_eq!(heard(receiver), Some(Err(Unavailability::CannotConnect)));
        }
    }

    #[test]
    fn whoever_gave_up_waiting_is_left_out() {
        let gatherer = Gatherer::new(4);
        let (first, turn) = gatherer.queue(Job(1));
        drop(first);
        let mut batches = 0;

        work_off(turn, |_| {
            batches += 1;
            Ok(Vec::new())
        });

        assert_eq!(batches, 0);
    }

    #[test]
    fn a_turn_that_is_not_taken_lets_everybody_go() {
        let gatherer = Gatherer::new(8);
        let (first, turn) = gatherer.queue(Job(1));
        let (second, other_turn) = gatherer.queue(Job(2));

        drop(turn);
        assert!(gatherer.queue(Job(3)).1.is_some());
        drop(other_turn);

        assert_eq!(heard(first), None);
        assert_eq!(heard(second), None);
    }

    #[test]
    fn at_most_so_many_are_done_by_one_statement() {
        let gatherer = Gatherer::new(4);
        let (_first, turn) = gatherer.queue(Job(0));
        let waiting: Vec<_> = (1..40)
            .map(|number| gatherer.queue(Job(number)).0)
            .collect();
        let mut sizes = Vec::new();

        work_off(turn, |jobs| {
            sizes.push(jobs.len());
            Ok(Vec::new())
        });

        // Ten keys.
        assert_eq!(sizes, [10; 4]);
        assert_eq!(waiting.len(), 39);
    }
}
