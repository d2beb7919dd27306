//! A provider on loopback that answers as scripted, or misbehaves.
//!
//! It stands behind `development.provider_origin`, so one of it plays every provider at once: a request to
//! `https://graph.facebook.com/v24.0/me?fields=id` arrives as `GET /graph.facebook.com/v24.0/me?fields=id` and is answered by
//! the script for `GET graph.facebook.com/v24.0/me`. It runs on threads of its own, so that
//! nothing a test does to its runtime delays an answer.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::issuer_keys::issuer_keys;

/// A scripted provider. Dropping it ends it.
pub(crate) struct MockProvider {
    state: Arc<State>,
    address: SocketAddr,
}

#[derive(Default)]
struct State {
    script: Mutex<Script>,
    requests: Mutex<Vec<RecordedRequest>>,
    ended: AtomicBool,
}

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, Answer>,
    misbehaviours: BTreeMap<String, Misbehaviour>,
    everywhere: Option<Misbehaviour>,
}

/// An answer as it goes over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Status.
    pub(crate) status: u16,
    /// Headers beside `Content-Length`.
    pub(crate) headers: Vec<(String, String)>,
    /// Body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// JSON with this status.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    /// Any body.
    pub(crate) fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }
}

/// What goes wrong with an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Misbehaviour {
    /// Another status, with `{}`.
    Status(u16),
    /// 429 and when to come back.
    RateLimited {
        /// `Retry-After`.
        retry_after_seconds: u64,
    },
    /// Nothing for so long.
    Silence(Duration),
    /// The answer byte by byte, with a pause before each.
    Drip(Duration),
    /// The connection ends without an answer.
    HangUp,
    /// The connection ends in the middle of the body.
    CutOff,
    /// A login page with status 200.
    Html,
    /// A body of this size: good JSON with padding.
    Oversize(usize),
    /// A redirect to here.
    Redirect(String),
    /// These bytes as the body, with status 200.
    Body(Vec<u8>),
    /// Half of the good body, with a `Content-Length` that fits.
    Truncated,
    /// The good body with an invalid byte in its first text.
    InvalidUtf8,
    /// The good object with every member twice.
    DuplicateKeys,
    /// The good object with an array this deep in it.
    Nested(usize),
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct RecordedRequest {
    /// `GET graph.facebook.com/v24.0/me`
    pub(crate) endpoint: String,
    /// The query as sent, without `?`.
    pub(crate) query: String,
    /// Names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    /// Body.
    pub(crate) body: Vec<u8>,
    /// Whether a script knew the endpoint.
    pub(crate) expected: bool,
}

impl RecordedRequest {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    /// The parameters of the query and of a form body, decoded.
    pub(crate) fn params(&self) -> BTreeMap<String, String> {
        let form = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let body: &[u8] = if form { &self.body } else { b"" };
        url::form_urlencoded::parse(self.query.as_bytes())
            .chain(url::form_urlencoded::parse(body))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    /// Whether `text` stands in the query, the headers or the body.
    pub(crate) fn carries(&self, text: &str) -> bool {
        self.params().values().any(|value| value.contains(text))
            || self.headers.iter().any(|(_, value)| value.contains(text))
            || String::from_utf8_lossy(&self.body).contains(text)
    }
}

impl MockProvider {
    /// Starts one on a free port. Endpoints without a script answer 404.
    pub(crate) async fn start() -> Self {
        Self::start_at(0).await
    }

    /// Starts one on this port.
    pub(crate) async fn start_at(port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await;
        let listener: TcpListener = listener.unwrap().into_std().unwrap();
        listener.set_nonblocking(false).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.ended.load(Ordering::Acquire) {
                    return;
                }
                let shared = Arc::clone(&shared);
                if let Ok(stream) = stream {
                    std::thread::spawn(move || serve(&shared, &stream));
                }
            }
        });
        Self { state, address }
    }

    /// What `development.provider_origin` is to be.
    pub(crate) fn origin(&self) -> Url {
        Url::parse(&format!("http://{}", self.address)).unwrap()
    }

    /// Answers requests to `endpoint` (`METHOD host/path`) with JSON and status 200.
    #[track_caller]
    pub(crate) fn answer(&self, endpoint: &str, body: &Value) {
        self.answer_with(endpoint, Answer::json(200, body));
    }

    /// Answers requests to `endpoint` with `answer`.
    #[track_caller]
    pub(crate) fn answer_with(&self, endpoint: &str, answer: Answer) {
        assert!(
            ["GET ", "POST ", "DELETE "]
                .iter()
                .any(|method| endpoint.starts_with(method)),
            "{endpoint} is no endpoint"
        );
        let mut script = self.state.script.lock().unwrap();
        script.answers.insert(endpoint.to_owned(), answer);
    }

    /// Publishes the keys of [`issuer_keys`] at `endpoint`.
    pub(crate) fn publish_keys(&self, endpoint: &str) {
        self.answer(endpoint, &issuer_keys().jwks());
    }

    /// Misbehaves at every endpoint.
    pub(crate) fn misbehave(&self, misbehaviour: Misbehaviour) {
        self.state.script.lock().unwrap().everywhere = Some(misbehaviour);
    }

    /// Misbehaves at one endpoint.
    pub(crate) fn misbehave_at(&self, endpoint: &str, misbehaviour: Misbehaviour) {
        let mut script = self.state.script.lock().unwrap();
        script
            .misbehaviours
            .insert(endpoint.to_owned(), misbehaviour);
    }

    /// Misbehaves no more.
    pub(crate) fn behave(&self) {
        let mut script = self.state.script.lock().unwrap();
        script.misbehaviours.clear();
        script.everywhere = None;
    }

    /// What has arrived so far, in order.
    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests.lock().unwrap().clone()
    }

    /// How many requests to `endpoint` have arrived so far.
    pub(crate) fn count(&self, endpoint: &str) -> usize {
        let requests = self.state.requests.lock().unwrap();
        requests
            .iter()
            .filter(|request| request.endpoint == endpoint)
            .count()
    }
}

impl Drop for MockProvider {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::Release);
        // Wakes the listener, which then ends.
        drop(TcpStream::connect(self.address));
    }
}

/// Answers the requests of one connection until either side has enough.
fn serve(state: &State, stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = read_request(&mut reader) {
        let (answer, misbehaviour) = {
            let script = state.script.lock().unwrap();
            let answer = script.answers.get(&request.endpoint).cloned();
            let misbehaviour = script
                .misbehaviours
                .get(&request.endpoint)
                .or(script.everywhere.as_ref())
                .cloned();
            (answer, misbehaviour)
        };
        request.expected = answer.is_some();
        state.requests.lock().unwrap().push(request);
        let answer = answer.unwrap_or_else(|| Answer::raw(404, "text/plain", "no script for this"));
        if write_answer(stream, answer, misbehaviour).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<RecordedRequest> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = RecordedRequest {
        endpoint: format!("{method} {}", path.trim_start_matches('/')),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        expected: false,
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let header = (name.to_ascii_lowercase(), value.trim().to_owned());
        request.headers.push(header);
    }
    let size = request
        .header("content-length")
        .and_then(|size| size.parse().ok())
        .unwrap_or(0);
    request.body = vec![0; size];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn write_answer(
    mut stream: &TcpStream,
    answer: Answer,
    misbehaviour: Option<Misbehaviour>,
) -> std::io::Result<()> {
    let ends = Err(std::io::ErrorKind::ConnectionAborted.into());
    match misbehaviour {
        None => stream.write_all(&wire(&answer)),
        Some(Misbehaviour::HangUp) => ends,
        Some(Misbehaviour::Silence(duration)) => {
            std::thread::sleep(duration);
            ends
        }
        Some(Misbehaviour::Drip(pause)) => {
            for byte in wire(&answer) {
                std::thread::sleep(pause);
                stream.write_all(&[byte])?;
            }
            ends
        }
        Some(Misbehaviour::CutOff) => {
            let bytes = wire(&answer);
            stream.write_all(&bytes[..bytes.len() - answer.body.len() / 2 - 1])?;
            ends
        }
        Some(other) => stream.write_all(&wire(&spoilt(answer, other))),
    }
}

fn wire(answer: &Answer) -> Vec<u8> {
    let status = format!("HTTP/1.1 {} Scripted", answer.status);
    let length = format!("Content-Length: {}", answer.body.len());
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"));
    let mut lines: Vec<String> = [status, length].into_iter().chain(headers).collect();
    lines.push("\r\n".to_owned());
    [lines.join("\r\n").as_bytes(), &answer.body].concat()
}

/// `answer` with something wrong in it.
fn spoilt(answer: Answer, misbehaviour: Misbehaviour) -> Answer {
    let good = String::from_utf8_lossy(&answer.body).into_owned();
    let inside = good
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .unwrap_or(r#""ok":true"#)
        .to_owned();
    let json = |body: Vec<u8>| Answer::raw(answer.status, "application/json", body);
    match misbehaviour {
        Misbehaviour::Status(status) => Answer::raw(status, "application/json", "{}"),
        Misbehaviour::RateLimited {
            retry_after_seconds,
        } => {
            let mut limited = Answer::raw(429, "application/json", "{}");
            limited
                .headers
                .push(("Retry-After".to_owned(), retry_after_seconds.to_string()));
            limited
        }
        Misbehaviour::Html => Answer::raw(
            200,
            "text/html",
            "<!doctype html><title>Sign in</title><form method=post></form>",
        ),
        Misbehaviour::Oversize(size) => {
            let padding = " ".repeat(size.saturating_sub(good.len()));
            json(format!("{good}{padding}").into_bytes())
        }
        Misbehaviour::Redirect(location) => {
            let mut redirect = json(answer.body.clone());
            redirect.status = 302;
            redirect.headers.push(("Location".to_owned(), location));
            redirect
        }
        Misbehaviour::Body(body) => Answer::raw(200, "application/json", body),
        Misbehaviour::Truncated => json(answer.body[..answer.body.len() / 2].to_vec()),
        Misbehaviour::InvalidUtf8 => {
            let mut body = answer.body.clone();
            let at = good.find('"').map_or(0, |quote| quote + 1);
            body.insert(at, 0xFF);
            json(body)
        }
        Misbehaviour::DuplicateKeys => json(format!("{{{inside},{inside}}}").into_bytes()),
        Misbehaviour::Nested(depth) => {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            json(format!(r#"{{{inside},"nested":{open}{close}}}"#).into_bytes())
        }
        Misbehaviour::Silence(_)
        | Misbehaviour::Drip(_)
        | Misbehaviour::HangUp
        | Misbehaviour::CutOff => answer,
    }
}
