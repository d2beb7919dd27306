//! `tests/oidc-provider/server.mjs` as a child process, driven over its standard input and output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::support::node_script;

/// A running provider. Dropping it ends it.
pub(super) struct OidcProvider {
    origin: String,
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl OidcProvider {
    /// Starts one; `None`, having said so, where its packages are not installed.
    pub(super) fn start() -> Option<Self> {
        let mut child = node_script("oidc-provider", "oidc-provider", "server.mjs")?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let commands = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        // What the package itself has to say may come first.
        let origin = loop {
            let line = read_line(&mut answers);
            if let Some(origin) = line.strip_prefix("listening ") {
                break origin.to_owned();
            }
        };
        Some(Self {
            origin,
            child,
            commands,
            answers,
        })
    }

    /// The issuer.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Signs `sub` in at `client_id` and gives the token answer.
    pub(super) fn issue(&mut self, client_id: &str, sub: &str, nonce: Option<&str>) -> Value {
        let tokens = self.tell(&issue(client_id, sub, nonce, true));
        assert!(tokens["id_token"].is_string(), "{tokens}");
        tokens
    }

    /// Signs `sub` in at `client_id` and gives `code`, `code_verifier` and `redirect_uri`.
    pub(super) fn authorize(&mut self, client_id: &str, sub: &str, nonce: Option<&str>) -> Value {
        self.tell(&issue(client_id, sub, nonce, false))
    }

    /// Walks an authorization request of `client_id` as a browser in which `sub` signs in; gives where that ends.
    pub(super) fn visit(
        &mut self,
        url: &str,
        sub: &str,
        client_id: &str,
        redirect_uri: &str,
    ) -> String {
        let answer = self.tell(&json!({
            "do": "visit", "url": url, "login_hint": sub, "client_id": client_id, "redirect_uri": redirect_uri,
        }));
        answer["url"].as_str().unwrap().to_owned()
    }

    /// Revokes the access token of a token answer (RFC 7009).
    pub(super) fn revoke(&mut self, client_id: &str, tokens: &Value) {
        self.tell(&json!({
            "do": "revoke", "client_id": client_id, "access_token": tokens["access_token"],
        }));
    }

    /// Signs with new keys from now on; the old ones are no longer published if `forget`.
    pub(super) fn rotate_keys(&mut self, forget: bool) {
        self.tell(&json!({ "do": "rotate", "forget": forget }));
    }

    /// Sets the provider's clock to so many seconds before or after the real one.
    pub(super) fn set_clock(&mut self, offset_seconds: i64) {
        self.tell(&json!({ "do": "clock", "offset_seconds": offset_seconds }));
    }

    #[track_caller]
    fn tell(&mut self, command: &Value) -> Value {
        writeln!(self.commands.as_ref().unwrap(), "{command}").unwrap();
        let answer: Value = serde_json::from_str(&read_line(&mut self.answers)).unwrap();
        assert!(answer.get("failure").is_none(), "{command}: {answer}");
        answer
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.commands.take());
        drop(self.child.wait());
    }
}

fn issue(client_id: &str, sub: &str, nonce: Option<&str>, redeem: bool) -> Value {
    let mut command =
        json!({ "do": "issue", "client_id": client_id, "sub": sub, "redeem": redeem });
    if let Some(nonce) = nonce {
        command["nonce"] = nonce.into();
    }
    command
}

#[track_caller]
fn read_line(answers: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    let length = answers.read_line(&mut line).unwrap();
    assert!(
        length > 0,
        "the OpenID provider ended; try `node server.mjs` in tests/oidc-provider"
    );
    line.trim_end().to_owned()
}
