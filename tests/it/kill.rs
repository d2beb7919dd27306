//! Power cuts: whatever is killed and whenever, what was answered is there, and nothing is half there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use serde_json::{Value, json};

use crate::support::{Backend, Place, Process, database, in_place};

const FAKE: &str = "[providers.fake]\n[log]\nlevel = \"info\"\n";
/// How many clients sign people up at once.
const CLIENTS: usize = 6;

/// How often the server is killed.
fn kills() -> usize {
    std::env::var_os("LATCHKEY_TEST_KILLS")
        .map_or(50, |kills| kills.to_str().unwrap().parse().unwrap())
}

/// A sign-up or association that was answered with 201: the uid, and the user's id.
type Acknowledged = Arc<Mutex<Vec<(String, i64)>>>;

/// Signs people up as fast as possible, and associates a second account with every third, until the server is gone.
async fn load(server: Arc<Process>, name: String, acknowledged: Acknowledged) {
    for person in 0.. {
        let sub = format!("{name}-{person}");
        let Some(answer) = hand_in(&server, &sub, None).await else {
            return;
        };
        let user = answer.assert_outcome("signed_up");
        let user_id = user["id"].as_i64().unwrap();
        acknowledged.lock().unwrap().push((sub.clone(), user_id));
        if person % 3 == 0 {
            let second = format!("{sub}-second");
            let Some(answer) = hand_in(&server, &second, Some(answer.bearer())).await else {
                return;
            };
            answer.assert_outcome("associated");
            acknowledged.lock().unwrap().push((second, user_id));
        }
    }
}

/// A fresh access token of `sub`, handed in; `None` if the connection broke.
async fn hand_in(
    server: &Process,
    sub: &str,
    bearer: Option<String>,
) -> Option<crate::support::Answer> {
    let mint = server.post("/fake/mint", &json!({ "sub": sub }));
    let minted = server.try_send(mint).await?;
    assert_eq!(minted.status, 200, "{:?}", minted.body);
    let mut request = server.post("/social_sign_up/", &minted.body);
    if let Some(bearer) = bearer {
        request = request.bearer_auth(bearer);
    }
    server.try_send(request).await
}

/// Everything that was acknowledged is stored, with the user it was acknowledged for.
fn assert_stored(place: &Place, acknowledged: &[(String, i64)]) {
    let stored: std::collections::BTreeSet<String> = database::texts(
        place.url(),
        "SELECT uid || ' ' || CAST(user_id AS TEXT) AS text FROM social_auth",
    )
    .into_iter()
    .collect();
    for (uid, user_id) in acknowledged {
        assert!(
            stored.contains(&format!("{uid} {user_id}")),
            "{uid} was lost"
        );
    }
}

in_place!(
    a_killed_server_has_lost_nothing_and_left_nothing_half,
    |place| {
        let acknowledged = Acknowledged::default();
        let mut server = Arc::new(place.serve(FAKE));
        for kill in 0..kills() {
            let before = acknowledged.lock().unwrap().len();
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let name = format!("{kill}-{client}");
                    tokio::spawn(load(Arc::clone(&server), name, Arc::clone(&acknowledged)))
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(30 + rand::random::<u64>() % 120)).await;
            server.signal("KILL");
            for client in clients {
                client.await.unwrap();
            }

            server = Arc::new(place.serve(FAKE));

            database::assert_sound(place.url());
            let acknowledged: Vec<_> = acknowledged.lock().unwrap()[before..].to_vec();
            assert_stored(&place, &acknowledged);
            // The last of each kill is the one that is most likely to be lost.
            if let Some((uid, user_id)) = acknowledged.last() {
                let answer = server.hand_in_of(uid).await;
                assert_eq!(answer.assert_outcome("signed_in")["id"], *user_id);
            }
        }

        let acknowledged = acknowledged.lock().unwrap().clone();
        assert!(
            acknowledged.len() >= kills(),
            "hardly anything was acknowledged: {}",
            acknowledged.len()
        );
        assert_stored(&place, &acknowledged);
        for (uid, user_id) in acknowledged.iter().rev().take(100) {
            let answer = server.hand_in_of(uid).await;
            assert_eq!(answer.assert_outcome("signed_in")["id"], *user_id);
        }
    }
);

/// Hands in until told to stop; every answer is a success or says honestly that the database is unavailable.
async fn load_with_outages(
    server: Arc<Process>,
    name: String,
    acknowledged: Acknowledged,
    stop: Flag,
) -> usize {
    let mut unavailable = 0;
    let mut person = 0;
    while !stop.is_up() {
        let sub = format!("{name}-{person}");
        let answer = hand_in(&server, &sub, None).await.unwrap();
        if answer.status == 503 {
            answer.assert_refused(503, "unavailable");
            unavailable += 1;
            // The same hand-in again, as a client would: it may or may not have been stored.
            continue;
        }
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        let user_id = answer.body["id"].as_i64().unwrap();
        acknowledged.lock().unwrap().push((sub, user_id));
        person += 1;
    }
    unavailable
}

/// A flag that goes up once.
#[derive(Clone, Default)]
struct Flag(Arc<AtomicBool>);

impl Flag {
    fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_up(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_of_postgres_that_are_killed_cost_no_acknowledged_sign_up_and_no_restart() {
    let Some(place) = Place::new(Backend::Postgres) else {
        return;
    };
    let server = Arc::new(place.serve(FAKE));
    let acknowledged = Acknowledged::default();
    let stop = Flag::default();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (server, acknowledged) = (Arc::clone(&server), Arc::clone(&acknowledged));
            let name = client.to_string();
            tokio::spawn(load_with_outages(server, name, acknowledged, stop.clone()))
        })
        .collect();

    let url = place.url().to_owned();
    let killed = tokio::task::spawn_blocking(move || {
        for _ in 0..kills() {
            std::thread::sleep(Duration::from_millis(30 + rand::random::<u64>() % 120));
            PgConnection::establish(&url)
                .unwrap()
                .batch_execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                )
                .unwrap();
        }
    });
    killed.await.unwrap();
    stop.raise();
    for client in clients {
        client.await.unwrap();
    }

    server.ready().await;
    server
        .hand_in_of("afterwards")
        .await
        .assert_outcome("signed_up");
    database::assert_sound(place.url());
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(!acknowledged.is_empty());
    assert_stored(&place, &acknowledged);
    let ready: Value = server.get("/readyz", None).await.body;
    assert_eq!(ready["status"], "ready");
}
