//! All or nothing, and what is run again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::*;

on_both! {
    an_error_leaves_nothing_behind
    a_swallowed_failure_is_not_committed
    a_restart_runs_the_work_again_from_nothing
    restarts_are_bounded
    a_panic_is_an_error_and_the_next_write_works
    a_reader_cannot_outlive_a_closed_database
    a_ping_answers
}

async fn an_error_leaves_nothing_behind(db: Db) {
    let result = db
        .write(|tx| {
            sign_up(tx, "ada", "1")?;
            Err::<(), _>(StorageError::Corrupt("test"))
        })
        .await;

    assert!(
        matches!(result, Err(StorageError::Corrupt("test"))),
        "{result:?}"
    );
    assert_eq!(
        (count_users(&db).await, count(&db, "social_auth").await),
        (0, 0)
    );
}

async fn a_swallowed_failure_is_not_committed(db: Db) {
    let result = db
        .write(|tx| {
            sign_up(tx, "ada", "1")?;
            let failed = associate(tx, UserId(4711), "2");
            assert!(failed.is_err());
            Ok::<_, StorageError>(())
        })
        .await;

    assert!(matches!(result, Err(StorageError::Query(_))), "{result:?}");
    assert_eq!(count_users(&db).await, 0);
}

async fn a_restart_runs_the_work_again_from_nothing(db: Db) {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let (user, _) = db
        .write(move |tx| {
            let signed_up = sign_up(tx, "ada", "1")?;
            match counted.fetch_add(1, Relaxed) {
                0 | 1 => Err(StorageError::Restart),
                _ => Ok(signed_up),
            }
        })
        .await
        .unwrap();

    assert_eq!((runs.load(Relaxed), user.username.as_str()), (3, "ada"));
    assert_eq!((count_users(&db).await, db.stats().reruns), (1, 2));
}

async fn restarts_are_bounded(db: Db) {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let result = db
        .write(move |_| {
            counted.fetch_add(1, Relaxed);
            Err::<(), _>(StorageError::Restart)
        })
        .await;

    assert!(
        matches!(result, Err(StorageError::Unavailable { .. })),
        "{result:?}"
    );
    assert_eq!(runs.load(Relaxed), 5);
}

async fn a_panic_is_an_error_and_the_next_write_works(db: Db) {
    let result = db
        .write(|tx| {
            sign_up(tx, "ada", "1")?;
            assert!(tx.failure().is_some(), "a panic that a test asked for");
            Ok::<_, StorageError>(())
        })
        .await;
    let read = db
        .read(|reader| {
            assert!(
                reader.failure().is_some(),
                "another panic that a test asked for"
            );
            Ok::<_, StorageError>(())
        })
        .await;

    assert!(matches!(result, Err(StorageError::Panicked)), "{result:?}");
    assert!(matches!(read, Err(StorageError::Panicked)), "{read:?}");
    db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    assert_eq!(count_users(&db).await, 1);
}

async fn a_reader_cannot_outlive_a_closed_database(db: Db) {
    db.close().await;

    let written = db.write(|tx| sign_up(tx, "ada", "1")).await;
    let read = db.ping().await;

    for error in [written.map(|_| ()), read] {
        assert!(
            matches!(error, Err(StorageError::Unavailable { .. })),
            "{error:?}"
        );
    }
}

async fn a_ping_answers(db: Db) {
    db.ping().await.unwrap();
    assert!(db.stats().connections >= 1);
}
