//! Databases that go away, stand still, fill up or refuse to write.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::postgres::{empty_database, server_url};
use crate::support::proxy::Proxy;
use crate::support::{Backend, Place, Process, database, in_place, skip};

const FAKE: &str = "[providers.fake]\n";
/// Longest wait for the news that the database is away, with some room for a busy machine.
const HONEST: Duration = Duration::from_secs(4);

/// Hands in until the database is back; every answer before that is honest.
async fn recovered(server: &mut Process) {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let answer = server.hand_in_of("afterwards").await;
        if answer.status == 201 {
            break;
        }
        answer.assert_refused(503, "unavailable");
        assert!(
            Instant::now() < deadline,
            "it does not recover: {}",
            server.output()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.ready().await;
    assert!(server.is_running());
    assert!(!server.output().contains("panicked"), "{}", server.output());
}

/// Twenty hand-ins, a `GET /me` and a refresh at once are all refused as `unavailable`, and soon.
async fn assert_unavailable(server: &Process, bearer: &str) {
    let body = server.mint(&json!({ "sub": "nobody" })).await;
    let started = Instant::now();

    let answers = join_all((0..20).map(|_| server.hand_in(&body))).await;
    let hand_ins = started.elapsed();
    for answer in answers {
        answer.assert_refused(503, "unavailable");
    }
    let started = Instant::now();
    let me = server.get("/me", Some(bearer)).await;
    let reads = started.elapsed();

    me.assert_refused(503, "unavailable");
    assert!(
        hand_ins < HONEST && reads < HONEST,
        "{hand_ins:?}, {reads:?}"
    );
}

async fn readiness(server: &Process) -> u16 {
    let started = Instant::now();
    let status = server.get("/readyz", None).await.status;
    assert!(started.elapsed() < HONEST, "{:?}", started.elapsed());
    status
}

fn nobody_signed_up(place: &Place) {
    let sql = "SELECT count(*) AS number FROM social_auth WHERE uid = 'nobody'";
    assert_eq!(database::number(place.url(), sql), 0);
    database::assert_sound(place.url());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_stands_still_is_unavailable_and_then_works_again() {
    let Some(place) = Place::new(Backend::Postgres) else {
        return;
    };
    let (proxy, url) = Proxy::of_database(place.url());
    let mut server = place.serve_at(&url, FAKE);
    let bearer = server.hand_in_of("ada").await.bearer();
    proxy.freeze();

    assert_unavailable(&server, &bearer).await;
    assert_eq!(readiness(&server).await, 503);
    assert_eq!(server.get("/healthz", None).await.status, 200);

    proxy.restore();
    recovered(&mut server).await;
    // What was on its way when it froze was never acknowledged; it may have been stored since, but only whole.
    database::assert_sound(place.url());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_cut_off_is_unavailable_and_then_works_again() {
    let Some(place) = Place::new(Backend::Postgres) else {
        return;
    };
    let (proxy, url) = Proxy::of_database(place.url());
    let mut server = place.serve_at(&url, FAKE);
    let bearer = server.hand_in_of("ada").await.bearer();
    proxy.cut();

    assert_unavailable(&server, &bearer).await;
    assert_eq!(readiness(&server).await, 503);

    proxy.restore();
    recovered(&mut server).await;
    nobody_signed_up(&place);
}

/// Ends all other connections to the database.
const END_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_takes_no_connections_is_unavailable_and_then_works_again() {
    let Some(place) = Place::new(Backend::Postgres) else {
        return;
    };
    let mut server = place.serve(FAKE);
    let bearer = server.hand_in_of("ada").await.bearer();
    // Not through the database itself, which must be left alone for this.
    let mut admin = PgConnection::establish(&server_url()).unwrap();
    let name = place.url().rsplit('/').next().unwrap();
    admin
        .batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        .unwrap();
    admin
        .batch_execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .unwrap();

    assert_unavailable(&server, &bearer).await;
    assert_eq!(readiness(&server).await, 503);

    admin
        .batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
        .unwrap();
    recovered(&mut server).await;
    nobody_signed_up(&place);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_only_reads_refuses_hand_ins_and_still_serves_reads() {
    let Some(place) = Place::new(Backend::Postgres) else {
        return;
    };
    let mut server = place.serve(FAKE);
    let bearer = server.hand_in_of("ada").await.bearer();
    let mut admin = PgConnection::establish(place.url()).unwrap();
    let name = place.url().rsplit('/').next().unwrap();
    admin
        .batch_execute(&format!(
            "ALTER DATABASE {name} SET default_transaction_read_only = on"
        ))
        .unwrap();
    admin.batch_execute(END_ALL).unwrap();

    let refused = server.hand_in_of("nobody").await;
    let me = server.get("/me", Some(&bearer)).await;

    refused.assert_refused(503, "unavailable");
    assert_eq!((me.status, readiness(&server).await), (200, 200));
    admin
        .batch_execute(&format!(
            "SET default_transaction_read_only = off; ALTER DATABASE {name} RESET default_transaction_read_only"
        ))
        .unwrap();
    admin.batch_execute(END_ALL).unwrap();
    recovered(&mut server).await;
    nobody_signed_up(&place);
}

in_place!(
    a_database_that_somebody_else_locks_is_unavailable_and_then_works_again,
    |place| {
        let mut server = place.serve(FAKE);
        server.hand_in_of("ada").await.assert_outcome("signed_up");
        let body = server.mint(&json!({ "sub": "nobody" })).await;
        let lock = lock_everything(place.url());
        let started = Instant::now();

        let refused = server.hand_in(&body).await;

        refused.assert_refused(503, "unavailable");
        assert!(
            started.elapsed() < Duration::from_secs(8),
            "{:?}",
            started.elapsed()
        );
        drop(lock);
        recovered(&mut server).await;
        nobody_signed_up(&place);
    }
);

/// Keeps everyone else from writing until it is dropped.
fn lock_everything(url: &str) -> Box<dyn std::any::Any + Send> {
    if url.starts_with("sqlite") {
        let mut connection =
            SqliteConnection::establish(url.trim_start_matches("sqlite://")).unwrap();
        connection.batch_execute("BEGIN IMMEDIATE").unwrap();
        Box::new(connection)
    } else {
        let mut connection = PgConnection::establish(url).unwrap();
        connection
            .batch_execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
            .unwrap();
        Box::new(connection)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_that_may_not_grow_is_unavailable_and_then_works_again() {
    let place = Place::new(Backend::Sqlite).unwrap();
    // The signal of a file that is too large is ignored, so that writing fails as on a broken disk.
    let ignoring = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    let mut server =
        Process::spawn(place.serve_command(&ignoring, "127.0.0.1:0", place.url(), FAKE))
            .listening();
    let bearer = server.hand_in_of("ada").await.bearer();
    if !limit(&server, "--fsize=1:") {
        return skip("no prlimit: files cannot be limited");
    }

    for _ in 0..3 {
        let refused = server.hand_in_of("nobody").await;
        refused.assert_refused(503, "unavailable");
    }
    assert_eq!(server.get("/me", Some(&bearer)).await.status, 200);
    // Reads work, so that the instance is still of use.
    assert_eq!(readiness(&server).await, 200);

    assert!(limit(&server, "--fsize=unlimited:"));
    recovered(&mut server).await;
    nobody_signed_up(&place);
}

/// Sets a limit of a running process.
fn limit(server: &Process, limit: &str) -> bool {
    Command::new("prlimit")
        .args(["--pid", &server.id().to_string(), limit])
        .status()
        .is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_sqlite_is_unavailable_and_then_works_again() {
    let place = Place::new(Backend::Sqlite).unwrap();
    let disk = place.folder().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = format!(
        "mount -t tmpfs -o size=2m none {} && exec \"$@\"",
        disk.display()
    );
    let wrapper = ["unshare", "-Urm", "sh", "-c", &mount, "sh"];
    if !is_possible(&wrapper) {
        return skip("no user namespaces here: a small disk cannot be mounted");
    }
    let url = format!("sqlite://{}", disk.join("latchkey.db").display());
    let mut server =
        Process::spawn(place.serve_command(&wrapper, "127.0.0.1:0", &url, FAKE)).listening();
    server.hand_in_of("ada").await.assert_outcome("signed_up");
    // The disk as the server sees it.
    let seen = format!("/proc/{}/root{}", server.id(), disk.display());
    let filler = format!("{seen}/filler");
    drop(std::fs::write(&filler, vec![0; 4 << 20]));

    // The log may still have room of its own, for a while.
    let mut refusals = 0;
    for person in 0..300 {
        let answer = server.hand_in_of(&format!("person-{person}")).await;
        if answer.status == 503 {
            answer.assert_refused(503, "unavailable");
            refusals += 1;
        } else {
            answer.assert_outcome("signed_up");
        }
    }
    assert!(refusals > 0, "the disk was not full");
    assert_eq!(readiness(&server).await, 200);

    std::fs::remove_file(&filler).unwrap();
    recovered(&mut server).await;
    // SQLite would follow `seen` to the same path on our own disk.
    for name in ["latchkey.db", "latchkey.db-wal"] {
        std::fs::copy(format!("{seen}/{name}"), place.folder().join(name)).unwrap();
    }
    database::assert_sound(place.url());
    let stored = database::number(place.url(), "SELECT count(*) AS number FROM users");
    assert_eq!(stored, 300 - refusals + 2);
}

fn is_possible(wrapper: &[&str]) -> bool {
    Command::new(wrapper[0])
        .args(&wrapper[1..])
        .arg("true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Two servers with the same keys and address on one database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_on_one_server_ends_on_the_other_at_once() {
    let Some(place) = Place::new(Backend::Postgres) else {
        return;
    };
    let toml = "[server]\npublic_url = \"https://id.example.org\"\n[providers.fake]\n";
    let (one, other) = (place.serve(toml), place.serve(toml));

    let ada = one.hand_in_of("ada").await;
    let bob = one.hand_in_of("bob").await;
    for bearer in [ada.bearer(), bob.bearer()] {
        assert_eq!(other.get("/me", Some(&bearer)).await.status, 200);
    }
    // Ada's refresh token is used on one server, and a stale copy of it long after on the other: the session ends everywhere.
    let grant = json!({ "grant_type": "refresh_token", "refresh_token": ada.body["token"]["refresh_token"] });
    assert_eq!(one.send(one.post("/oauth/token", &grant)).await.status, 200);
    database::execute(
        place.url(),
        "UPDATE sessions SET rotated_at = rotated_at - interval '1 minute'",
    );
    assert_eq!(
        other.send(other.post("/oauth/token", &grant)).await.status,
        400
    );
    database::execute(
        place.url(),
        &format!(
            "UPDATE users SET is_active = false WHERE id = {}",
            bob.body["id"]
        ),
    );

    for server in [&one, &other] {
        for bearer in [ada.bearer(), bob.bearer()] {
            server
                .get("/me", Some(&bearer))
                .await
                .assert_refused(401, "invalid_bearer");
        }
    }
}

async fn four_at_once(place: Place) {
    let starting: Vec<Process> = (0..4)
        .map(|_| Process::spawn(place.serve_command(&[], "127.0.0.1:0", place.url(), FAKE)))
        .collect();
    let servers: Vec<Process> = starting.into_iter().map(Process::listening).collect();

    for server in &servers {
        server.ready().await;
    }
    for (number, server) in servers.iter().enumerate() {
        server
            .hand_in_of(&number.to_string())
            .await
            .assert_outcome("signed_up");
    }

    database::assert_sound(place.url());
    assert_eq!(
        database::number(place.url(), "SELECT count(*) AS number FROM users"),
        4
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_servers_start_at_once_on_no_database_with_sqlite() {
    for _ in 0..5 {
        four_at_once(Place::new(Backend::Sqlite).unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_servers_start_at_once_on_an_empty_database_with_postgres() {
    for _ in 0..5 {
        let Some(database) = empty_database() else {
            return;
        };
        four_at_once(Place::with(Some(database))).await;
    }
}

#[test]
fn a_database_that_is_not_there_at_the_start_is_named_with_the_remedy() {
    let place = Place::new(Backend::Sqlite).unwrap();
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("postgres://postgres@127.0.0.1:{port}/nothing");

    let ran = place.run(&["serve", "--bind", "127.0.0.1:0", "--database-url", &url]);

    ran.failed_with(&["the database cannot be used", "database.url"]);
}
