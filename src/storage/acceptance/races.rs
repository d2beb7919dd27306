//! Many at once.

use super::*;
use crate::storage::nonces;

on_both! {
    fifty_sign_ups_of_one_identity_make_one_user
    fifty_sign_ups_under_one_name_all_get_a_user
    one_of_fifty_uses_of_a_nonce_succeeds
    concurrent_merges_of_extra_data_lose_nothing
}

/// What a flow does: find, else sign up, and start again if somebody else was first.
fn find_or_sign_up(tx: &mut Tx<'_>, name: &str, id: &str) -> Result<UserId, StorageError> {
    let found = social_auths::find_with_owner_for_update(tx, &provider("github"), &uid(id))?;
    if let Some((_, owner)) = found {
        return Ok(owner.id);
    }
    let alternatives = || (2..15).map(|number| format!("{name}{number}")).collect();
    let user = users::insert(tx, &new_user(None), name, alternatives, now())?;
    associate(tx, user.id, id)?.ok_or(StorageError::Restart)?;
    Ok(user.id)
}

async fn at_once<T: Send + 'static>(jobs: Vec<impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let tasks: Vec<_> = jobs.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

fn fifty<T, F: Future<Output = T>>(db: &Db, job: impl Fn(Db, usize) -> F) -> Vec<F> {
    (0..50).map(|number| job(db.clone(), number)).collect()
}

async fn fifty_sign_ups_of_one_identity_make_one_user(db: Db) {
    let jobs = fifty(&db, |db, _| async move {
        db.write(|tx| find_or_sign_up(tx, "ada", "42"))
            .await
            .unwrap()
    });

    let ids = at_once(jobs).await;

    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(
        (count_users(&db).await, count(&db, "social_auth").await),
        (1, 1)
    );
}

async fn fifty_sign_ups_under_one_name_all_get_a_user(db: Db) {
    let jobs = fifty(&db, |db, number| async move {
        db.write(move |tx| {
            let seed = u128::MAX / 51 * (number as u128 + 1);
            let others = || crate::domain::username::alternatives("ada", seed);
            let user = users::insert(tx, &new_user(None), "ada", others, now())?;
            associate(tx, user.id, &number.to_string())?.ok_or(StorageError::Restart)
        })
        .await
    });

    for result in at_once(jobs).await {
        result.unwrap();
    }
    assert_eq!(
        (count_users(&db).await, count(&db, "social_auth").await),
        (50, 50)
    );
}

async fn one_of_fifty_uses_of_a_nonce_succeeds(db: Db) {
    db.write(|tx| nonces::insert(tx, &[1; 32], later(60)))
        .await
        .unwrap();
    let jobs = fifty(&db, |db, _| async move {
        db.write(|tx| nonces::consume(tx, &[[1; 32]], now()))
            .await
            .unwrap()
    });

    let used = at_once(jobs)
        .await
        .into_iter()
        .filter(|first| *first)
        .count();
    assert_eq!(used, 1);
}

async fn concurrent_merges_of_extra_data_lose_nothing(db: Db) {
    db.write(|tx| sign_up(tx, "ada", "1")).await.unwrap();
    let jobs = fifty(&db, |db, number| async move {
        db.write(move |tx| {
            let (account, _) =
                social_auths::find_with_owner_for_update(tx, &provider("github"), &uid("1"))?
                    .unwrap();
            let merged = crate::storage::sealing::merge(
                account.extra_data,
                json!({ number.to_string(): 1 }),
            );
            social_auths::update_extra_data(tx, account.id, &merged, None, None, false, now())
        })
        .await
        .unwrap();
    });

    at_once(jobs).await;

    let (account, _) = db
        .read(|r| social_auths::find_with_owner(r, &provider("github"), &uid("1")))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(account.extra_data.as_object().unwrap().len(), 51);
}
