//! What the system denies the process: files, room for its log, time.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;

use crate::support::{Backend, Place, Process, database, skip};

const FAKE: &str = "[providers.fake]\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_stops_nobody() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        return skip("no /dev/full: a log on a full disk cannot be tried");
    };
    let place = Place::new(Backend::Sqlite).unwrap();
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let bind = format!("127.0.0.1:{port}");
    let command = place.serve_command(&[], &bind, place.url(), FAKE);

    let mut server = Process::silent(command, Stdio::from(full), port);
    server.ready().await;

    for person in 0..20 {
        let answer = server.hand_in_of(&person.to_string()).await;
        answer.assert_outcome("signed_up");
    }
    assert!(server.is_running());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_runs_out_of_files_recovers() {
    let place = Place::new(Backend::Sqlite).unwrap();
    let mut server = place.serve(FAKE);
    let body = server.mint(&serde_json::json!({ "sub": "ada" })).await;
    server.hand_in(&body).await.assert_outcome("signed_up");
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.id())).map_or(0, Iterator::count);
    let id = server.id().to_string();
    let limit = |files: usize| {
        Command::new("prlimit")
            .args(["--pid", &id, &format!("--nofile={files}:")])
            .status()
            .is_ok_and(|status| status.success())
    };
    if open == 0 || !limit(open + 4) {
        return skip("no prlimit: files cannot be limited");
    }

    // More connections than files: those that are not served wait or break, and none gets a wrong answer.
    let attempts = join_all((0..40).map(|_| {
        let request = server
            .post("/social_sign_up/", &body)
            .timeout(Duration::from_secs(3));
        server.try_send(request)
    }))
    .await;
    for answer in attempts.into_iter().flatten() {
        assert!([201, 503].contains(&answer.status), "{:?}", answer.body);
    }

    assert!(limit(4096) || limit(open + 256));
    server.ready().await;
    server.hand_in(&body).await.assert_outcome("signed_in");
    assert!(server.is_running());
    database::assert_sound(place.url());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stood_still_goes_on() {
    let place = Place::new(Backend::Sqlite).unwrap();
    let server = place.serve(FAKE);
    let body = server.mint(&serde_json::json!({ "sub": "ada" })).await;
    server.hand_in(&body).await.assert_outcome("signed_up");
    server.signal("STOP");

    let continued = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.signal("CONT");
    };
    let (answers, ()) = tokio::join!(join_all((0..20).map(|_| server.hand_in(&body))), continued);

    for answer in answers {
        answer.assert_outcome("signed_in");
    }
}
