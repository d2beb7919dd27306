//! Jobs that fail beside others, and databases that cannot serve.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::*;
use crate::storage::{Settings, Unavailability};

/// Keeps the writer busy with one job until the sender is dropped, so that what is sent meanwhile waits and becomes one group.
async fn hold_the_writer(db: &Db) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, released) = mpsc::channel::<()>();
    let (started, has_started) = tokio::sync::oneshot::channel();
    let (started, released) = (
        std::sync::Mutex::new(Some(started)),
        std::sync::Mutex::new(released),
    );
    let held = tokio::spawn({
        let db = db.clone();
        async move {
            db.write(move |_| {
                if let Some(started) = started.lock().unwrap().take() {
                    started.send(()).unwrap();
                }
                // Fails when the sender is dropped, which is the signal.
                assert!(released.lock().unwrap().recv().is_err());
                Ok::<_, StorageError>(())
            })
            .await
            .unwrap();
        }
    });
    has_started.await.unwrap();
    (release, held)
}

/// Waits until this many jobs are in the writer's queue.
async fn queued(db: &Db, jobs: usize) {
    while db.stats().writer_queue_depth < jobs {
        tokio::task::yield_now().await;
    }
}

type Signed = tokio::task::JoinHandle<Result<(), StorageError>>;

/// What a queued job does after it has signed somebody up.
#[derive(Clone, Copy)]
enum Then {
    Succeed,
    Fail,
    Panic,
    HitAConstraint,
}

async fn queue_sign_up(db: &Db, number: usize, then: Then) -> Signed {
    let before = db.stats().writer_queue_depth;
    let task = tokio::spawn({
        let db = db.clone();
        async move {
            db.write(move |tx| {
                let (user, _) = sign_up(tx, &format!("user{number}"), &number.to_string())?;
                match then {
                    Then::Succeed => Ok(()),
                    Then::Fail => Err(StorageError::Corrupt("test")),
                    Then::Panic => panic!("a panic that a test asked for, as {}", user.username),
                    Then::HitAConstraint => associate(tx, UserId(4711), "x").map(|_| ()),
                }
            })
            .await
        }
    });
    queued(db, before + 1).await;
    task
}

#[test]
fn what_waits_for_the_writer_is_committed_together() {
    on_sqlite(|db| async move {
        let (release, held) = hold_the_writer(&db).await;
        let mut tasks = Vec::new();
        for number in 0..100 {
            tasks.push(queue_sign_up(&db, number, Then::Succeed).await);
        }
        let before = db.stats();

        drop(release);
        held.await.unwrap();
        for task in tasks {
            task.await.unwrap().unwrap();
        }

        let after = db.stats();
        assert_eq!(after.jobs_committed - before.jobs_committed, 101);
        assert_eq!(after.batches_committed - before.batches_committed, 2);
        assert_eq!(count_users(&db).await, 100);
        // The last word of the disk may still be in the queue.
        while db.stats().writer_queue_depth > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn failing_and_panicking_jobs_leave_the_rest_of_their_group_alone() {
    on_sqlite(|db| async move {
        let (release, held) = hold_the_writer(&db).await;
        let plan = [
            Then::Succeed,
            Then::Fail,
            Then::Panic,
            Then::Succeed,
            Then::HitAConstraint,
            Then::Succeed,
        ];
        let mut tasks = Vec::new();
        for (number, then) in plan.into_iter().enumerate() {
            tasks.push(queue_sign_up(&db, number, then).await);
        }

        drop(release);
        held.await.unwrap();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }

        assert!(matches!(
            results.as_slice(),
            [
                Ok(()),
                Err(StorageError::Corrupt("test")),
                Err(StorageError::Panicked),
                Ok(()),
                Err(StorageError::Query(_)),
                Ok(())
            ]
        ));
        assert_eq!(
            (count_users(&db).await, count(&db, "social_auth").await),
            (3, 3)
        );
        assert_eq!(db.stats().batches_committed, 1);
    });
}

/// Queues a job that counts its runs and fails at the end of each, if it is to.
async fn queue_counted(db: &Db, fails: bool) -> (Signed, Arc<AtomicU32>) {
    let before = db.stats().writer_queue_depth;
    let runs = Arc::new(AtomicU32::new(0));
    let task = tokio::spawn({
        let (db, runs) = (db.clone(), Arc::clone(&runs));
        async move {
            db.write(move |_| {
                runs.fetch_add(1, Relaxed);
                if fails {
                    Err(StorageError::Corrupt("test"))
                } else {
                    Ok(())
                }
            })
            .await
        }
    });
    queued(db, before + 1).await;
    (task, runs)
}

/// One group of a job that succeeds, one that fails and another that succeeds; how often each was run.
async fn runs_of_a_group_with_a_failure(db: &Db) -> [u32; 3] {
    let (release, held) = hold_the_writer(db).await;
    let before = queue_counted(db, false).await;
    let failing = queue_counted(db, true).await;
    let after = queue_counted(db, false).await;
    drop(release);
    held.await.unwrap();

    let mut runs = [0; 3];
    for ((task, counted), runs) in [before, failing, after].into_iter().zip(&mut runs) {
        // Its result is for others to look at.
        drop(task.await.unwrap());
        *runs = counted.load(Relaxed);
    }
    runs
}

#[test]
fn a_failing_job_has_its_group_run_again_once_and_the_groups_after_it_not_at_all() {
    on_sqlite(|db| async move {
        assert_eq!(runs_of_a_group_with_a_failure(&db).await, [2, 2, 1]);
        for _ in 0..3 {
            assert_eq!(runs_of_a_group_with_a_failure(&db).await, [1, 1, 1]);
        }
        // Groups without a failure follow, until nobody expects one any more.
        for _ in 0..70 {
            db.write(|_| Ok::<_, StorageError>(())).await.unwrap();
        }
        assert_eq!(runs_of_a_group_with_a_failure(&db).await, [2, 2, 1]);
    });
}

#[test]
fn a_job_that_fails_alone_is_run_once() {
    on_sqlite(|db| async move {
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);

        let result = db
            .write(move |_| {
                counted.fetch_add(1, Relaxed);
                Err::<(), _>(StorageError::Corrupt("test"))
            })
            .await;

        assert!(matches!(result, Err(StorageError::Corrupt("test"))));
        assert_eq!(runs.load(Relaxed), 1);
    });
}

/// The size of the write-ahead log's file, in bytes.
fn log_bytes(db: &Db) -> u64 {
    std::fs::metadata(format!("{}-wal", db.address())).map_or(0, |log| log.len())
}

#[test]
fn the_log_stays_bounded_under_load_and_is_empty_after_closing() {
    on_sqlite(|db| async move {
        let clients: Vec<_> = (0..64)
            .map(|client| {
                let db = db.clone();
                tokio::spawn(async move {
                    for number in 0..40 {
                        // Some twenty pages.
                        let name = format!("{client}-{number}-{}", "x".repeat(40_000));
                        db.write(move |tx| {
                            users::insert(tx, &new_user(None), &name, Vec::new, now())
                        })
                        .await
                        .unwrap();
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }

        // What was written is more than twice as much.
        assert!(log_bytes(&db) < 100_000_000, "{} bytes", log_bytes(&db));
        assert_eq!(count_users(&db).await, 64 * 40);
        db.close().await;
        assert_eq!(log_bytes(&db), 0);
    });
}

#[test]
fn a_job_that_takes_the_whole_transaction_down_does_not_take_the_others_along() {
    on_sqlite(|db| async move {
        let (release, held) = hold_the_writer(&db).await;
        let first = queue_sign_up(&db, 1, Then::Succeed).await;
        let rogue = tokio::spawn({
            let db = db.clone();
            async move {
                // What SQLite does by itself when the disk is full.
                db.write(|tx| {
                    database::execute(tx, "ROLLBACK")?;
                    Err::<(), _>(StorageError::Corrupt("test"))
                })
                .await
            }
        });
        queued(&db, 2).await;
        let last = queue_sign_up(&db, 2, Then::Succeed).await;

        drop(release);
        held.await.unwrap();

        first.await.unwrap().unwrap();
        last.await.unwrap().unwrap();
        assert!(rogue.await.unwrap().is_err());
        assert_eq!(count_users(&db).await, 2);
        db.write(|tx| sign_up(tx, "later", "later")).await.unwrap();
    });
}

#[test]
fn a_job_whose_caller_has_gone_is_not_begun() {
    on_sqlite(|db| async move {
        let (release, held) = hold_the_writer(&db).await;
        let gone = queue_sign_up(&db, 1, Then::Succeed).await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());

        drop(release);
        held.await.unwrap();
        db.write(|tx| sign_up(tx, "ada", "ada")).await.unwrap();

        assert_eq!(count_users(&db).await, 1);
    });
}

#[test]
fn closing_commits_what_is_queued() {
    on_sqlite(|db| async move {
        let (release, held) = hold_the_writer(&db).await;
        let mut tasks = Vec::new();
        for number in 0..10 {
            tasks.push(queue_sign_up(&db, number, Then::Succeed).await);
        }

        drop(release);
        db.close().await;

        held.await.unwrap();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(db.stats().jobs_committed, 11);
    });
}

fn why<T: std::fmt::Debug>(result: Result<T, StorageError>) -> Unavailability {
    match result {
        Err(StorageError::Unavailable { why, .. }) => why,
        other => panic!("not unavailable: {other:?}"),
    }
}

#[test]
fn a_full_disk_is_unavailable_and_over_when_there_is_space_again() {
    on_sqlite(|db| async move {
        db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
        // As many pages as there are, and not one more.
        db.write(|tx| database::execute(tx, "PRAGMA max_page_count = 1"))
            .await
            .unwrap();
        let fill = |number: usize| {
            let db = db.clone();
            async move {
                db.write(move |tx| {
                    let name = format!("{number}-{}", "x".repeat(5000));
                    users::insert(tx, &new_user(None), &name, Vec::new, now())
                })
                .await
            }
        };

        let mut refused = None;
        for number in 0..50 {
            if let Err(error) = fill(number).await {
                refused = Some(error);
                break;
            }
        }
        assert_eq!(
            why(Err::<(), _>(refused.unwrap())),
            Unavailability::Exhausted
        );
        // Reading goes on.
        assert!(count_users(&db).await >= 1);

        db.write(|tx| database::execute(tx, "PRAGMA max_page_count = 1000000"))
            .await
            .unwrap();
        fill(99).await.unwrap();
    });
}

#[test]
fn a_database_that_another_process_locks_is_busy_and_then_works_again() {
    use diesel::connection::SimpleConnection as _;
    on_sqlite(|db| async move {
        let mut other = crate::storage::sqlite::open_writer(db.address()).unwrap();
        db.write(|tx| database::execute(tx, "PRAGMA busy_timeout = 10"))
            .await
            .unwrap();
        other.batch_execute("BEGIN IMMEDIATE").unwrap();

        assert_eq!(
            why(db.write(|tx| sign_up(tx, "ada", "1")).await),
            Unavailability::Busy
        );

        other.batch_execute("ROLLBACK").unwrap();
        db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    });
}

#[test]
fn a_reader_cannot_write() {
    on_sqlite(|db| async move {
        let written = db
            .read(|reader| database::execute(reader, "DELETE FROM users"))
            .await;
        assert_eq!(why(written), Unavailability::ReadOnly);
    });
}

#[test]
fn a_full_queue_refuses_instead_of_waiting_for_ever() {
    let test_db = TestDb::sqlite();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let db = Db::open(&Settings {
            wait_timeout: Duration::from_millis(20),
            ..Settings::new(test_db.url())
        })
        .unwrap();
        db.migrate().unwrap();
        let (release, held) = hold_the_writer(&db).await;
        let waiting: Vec<_> = (0..1024)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { db.write(|_| Ok::<_, StorageError>(())).await })
            })
            .collect();
        queued(&db, 1024).await;

        assert_eq!(
            why(db.write(|_| Ok::<_, StorageError>(())).await),
            Unavailability::Overloaded
        );

        drop(release);
        held.await.unwrap();
        for task in waiting {
            task.await.unwrap().unwrap();
        }
        assert_eq!(db.stats().refused, 1);
        db.close().await;
    });
}

#[test]
fn more_readers_than_connections_wait_and_then_are_refused() {
    let test_db = TestDb::sqlite();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let db = Db::open(&Settings {
            max_connections: 1,
            wait_timeout: Duration::from_millis(50),
            ..Settings::new(test_db.url())
        })
        .unwrap();
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let holding = tokio::spawn({
            let db = db.clone();
            async move {
                db.read(move |_| {
                    started.send(()).unwrap();
                    assert!(released.recv().is_err());
                    Ok::<_, StorageError>(())
                })
                .await
            }
        });
        has_started.await.unwrap();

        assert_eq!(why(db.ping().await), Unavailability::Overloaded);

        drop(release);
        holding.await.unwrap().unwrap();
        db.ping().await.unwrap();
    });
}

#[test]
fn a_database_that_cannot_be_opened_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!(
        "sqlite://{}",
        folder.path().join("no/such/folder.db").display()
    );
    for url in [missing.as_str(), "postgres://127.0.0.1:1/none"] {
        let settings = Settings {
            wait_timeout: Duration::from_millis(200),
            ..Settings::new(url)
        };
        assert_eq!(
            why(Db::open(&settings)),
            Unavailability::CannotConnect,
            "{url}"
        );
    }
}

#[test]
fn killed_connections_cost_no_write_and_no_later_read() {
    on_postgres(|db| async move {
        // Fill the pool, then kill all of it but the killer.
        let holds: Vec<_> = (0..8)
            .map(|number| {
                let db = db.clone();
                tokio::spawn(async move {
                    db.write(move |tx| {
                        sign_up(tx, &format!("user{number}"), &number.to_string())?;
                        database::execute(tx, "SELECT pg_sleep(0.2)")
                    })
                    .await
                })
            })
            .collect();
        for hold in holds {
            hold.await.unwrap().unwrap();
        }
        assert_eq!(db.stats().connections, 8);
        db.read(|reader| {
            database::execute(
                reader,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
        })
        .await
        .unwrap();

        for number in 100..120 {
            db.write(move |tx| sign_up(tx, &format!("user{number}"), &number.to_string()))
                .await
                .unwrap();
            db.ping().await.unwrap();
        }
        assert_eq!(count_users(&db).await, 28);
    });
}

#[test]
fn a_connection_that_dies_in_the_middle_of_the_work_is_replaced_once() {
    on_postgres(|db| async move {
        let runs = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counted = std::sync::Arc::clone(&runs);
        let kill = "SELECT pg_terminate_backend(pg_backend_pid())";
        db.write(move |tx| {
            sign_up(tx, "ada", "1")?;
            if counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
                database::execute(tx, kill)?;
            }
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
        let always = db
            .write(move |tx| {
                sign_up(tx, "eve", "2")?;
                database::execute(tx, kill)
            })
            .await;

        assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 2);
        assert_eq!(why(always), Unavailability::ConnectionLost);
        assert_eq!(count_users(&db).await, 1);
    });
}

#[test]
fn a_deadlock_is_run_again_until_both_succeed() {
    on_postgres(|db| async move {
        let (ada, _) = db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
        let (eve, _) = db.write(|tx| sign_up(tx, "eve", "2")).await.unwrap();
        let touch = |first: UserId, second: UserId| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(move |tx| {
                    users::fill_names(tx, first, "A", "", now())?;
                    database::execute(tx, "SELECT pg_sleep(0.3)")?;
                    users::fill_names(tx, second, "A", "", now())
                })
                .await
            })
        };

        let (one, other) = (touch(ada.id, eve.id), touch(eve.id, ada.id));
        one.await.unwrap().unwrap();
        other.await.unwrap().unwrap();

        assert!(db.stats().reruns >= 1);
    });
}

#[test]
fn a_read_only_server_is_unavailable() {
    on_postgres(|db| async move {
        let written = db
            .write(|tx| {
                database::execute(tx, "SET TRANSACTION READ ONLY")?;
                sign_up(tx, "ada", "1")
            })
            .await;
        assert_eq!(why(written), Unavailability::ReadOnly);
    });
}
