//! A provider that costs next to nothing: a profile with the client id for any access token, and the key set of its id tokens.
//!
//! The token `t-UID` belongs to the person UID. The token `hang` gets no answer.

use std::io::Write as _;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::http;

/// Our client id there.
pub(crate) const CLIENT_ID: &str = "bench-client";
/// Who issues the id tokens.
pub(crate) const ISSUER: &str = "https://bench.example";

/// Answers on a free port, whose number it prints, until it is killed. `jwks` is its key set.
pub(crate) async fn run(jwks: String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    std::io::stdout().flush().unwrap();
    let jwks: &'static str = Box::leak(answer("max-age=3600", &jwks).into_boxed_str());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            // A client that leaves is no failure.
            let _ = serve(stream, jwks).await;
        });
    }
}

async fn serve(mut stream: TcpStream, jwks: &str) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(2048);
    loop {
        buffer.clear();
        let end = loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            if let Some(end) = http::end_of_head(&buffer) {
                break end;
            }
        };
        let head = buffer.get(..end).unwrap_or_default();
        if head.windows(6).any(|window| window == b"/jwks ") {
            stream.write_all(jwks.as_bytes()).await?;
            continue;
        }
        let token = http::header(head, "authorization").and_then(|value| value.split_once(' '));
        let token = token.map_or("", |(_, token)| token);
        if token == "hang" {
            std::future::pending::<()>().await;
        }
        let uid = token.strip_prefix("t-").unwrap_or("nobody");
        stream.write_all(profile(uid).as_bytes()).await?;
    }
}

fn profile(uid: &str) -> String {
    let body = format!(
        r#"{{"client_id":"{CLIENT_ID}","sub":"{uid}","preferred_username":"{uid}","name":"Ada Okafor","email":"{uid}@example.org","email_verified":true,"scope":"profile email","exp":4102444800}}"#
    );
    answer("no-store", &body)
}

fn answer(cache_control: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: {cache_control}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The key that signs the id tokens: RS256, as most providers do.
pub(crate) struct Issuer(RsaKeyPair);

impl Issuer {
    pub(crate) fn new() -> Self {
        Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The key set (RFC 7517 §5).
    pub(crate) fn jwks(&self) -> Value {
        let key: PublicKeyComponents<Vec<u8>> = self.0.public_key().into();
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "bench",
            "n": URL_SAFE_NO_PAD.encode(&key.n), "e": URL_SAFE_NO_PAD.encode(&key.e),
        }]})
    }

    /// An id token of the person `uid`, issued at `now`, in seconds since 1970.
    pub(crate) fn id_token(&self, uid: &str, now: i64) -> String {
        let claims = json!({
            "iss": ISSUER, "aud": CLIENT_ID, "sub": uid, "iat": now, "exp": now + 3600,
            "email": format!("{uid}@example.org"), "email_verified": true, "name": "Ada Okafor",
            "preferred_username": uid,
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "RS256", "kid": "bench", "typ": "JWT"});
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &random,
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
