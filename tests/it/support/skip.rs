//! Skipping out loud.

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write as _};

/// Says that the calling test does not run, and why. Fails it instead when `tests/run --forbid-skip` runs the tests.
#[track_caller]
pub(crate) fn skip(reason: &str) {
    assert!(
        env::var_os("LATCHKEY_TEST_FORBID_SKIP").is_none(),
        "skipping is forbidden: {reason}"
    );
    // Straight to standard error: what goes through `eprintln!` is captured and shown only if the test fails.
    drop(writeln!(io::stderr(), "SKIPPED: {reason}"));
    if let Some(path) = env::var_os("LATCHKEY_TEST_SKIP_LOG") {
        // One write, so that the lines of tests that run at the same time stay whole.
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut log| log.write_all(format!("{reason}\n").as_bytes()))
            .unwrap();
    }
}
