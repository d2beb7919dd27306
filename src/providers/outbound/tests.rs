use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use reqwest::header::CACHE_CONTROL;

use super::answer::max_age_seconds;
use super::*;

/// A loopback server that reads request heads and answers each with the bytes of a script.
struct Server {
    origin: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<std::sync::Mutex<Vec<String>>>,
}

/// What a server does after it read a request.
#[derive(Clone)]
enum Step {
    /// Writes this and keeps the connection.
    Answer(Vec<u8>),
    /// Writes this and closes.
    Cut(Vec<u8>),
    /// Writes the first part at once, the second byte by byte with a pause after each.
    Drip(Vec<u8>, Vec<u8>, Duration),
}

impl Server {
    async fn start(script: impl Fn(usize) -> Step + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            origin: format!("http://{}", listener.local_addr().unwrap()),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, requests) = (
            Arc::clone(&server.connections),
            Arc::clone(&server.requests),
        );
        let script = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&requests)));
            }
        });
        server
    }

    async fn answering(answer: &str) -> Self {
        let answer = answer.as_bytes().to_vec();
        Self::start(move |_| Step::Answer(answer.clone())).await
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.origin)).unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<impl Fn(usize) -> Step>,
    requests: Arc<std::sync::Mutex<Vec<String>>>,
) {
    while let Some(request) = read_request(&mut stream).await {
        let number = {
            let mut requests = requests.lock().unwrap();
            requests.push(request);
            requests.len() - 1
        };
        let done = match script(number) {
            Step::Answer(bytes) => stream.write_all(&bytes).await,
            Step::Cut(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Step::Drip(first, rest, pause) => drip(&mut stream, &first, &rest, pause).await,
        };
        if done.is_err() {
            return;
        }
    }
}

async fn drip(
    stream: &mut TcpStream,
    first: &[u8],
    rest: &[u8],
    pause: Duration,
) -> std::io::Result<()> {
    stream.write_all(first).await?;
    for byte in rest {
        stream.write_all(&[*byte]).await?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// Head and body as text, or nothing at the end of the connection.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let seen = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = seen.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(seen);
            }
        }
        let count = stream.read(&mut buffer).await.ok()?;
        if count == 0 {
            return None;
        }
        text.extend_from_slice(&buffer[..count]);
    }
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn outbound(change: impl FnOnce(&mut OutboundSettings)) -> Outbound {
    let mut settings = OutboundSettings::default();
    change(&mut settings);
    Outbound::new(settings).unwrap()
}

fn capped(max_answer_bytes: usize) -> Outbound {
    outbound(|settings| settings.max_answer_bytes = max_answer_bytes)
}

fn in_ms(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

async fn get(outbound: &Outbound, url: Url) -> Result<Answer, Outage> {
    outbound
        .send(OutboundRequest::new(Method::Get, url), in_ms(5000))
        .await
}

async fn outage(server: &Server) -> Outage {
    get(&capped(100), server.url("/")).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_comes_with_status_body_and_age() {
    let server = Server::answering(&http(
        "404 Not Found",
        "Cache-Control: public, Max-Age=60\r\n",
        "{\"a\":1}",
    ))
    .await;

    let answer = get(&capped(100), server.url("/a?b=c")).await.unwrap();

    assert_eq!(answer.status, 404);
    assert_eq!(answer.body, b"{\"a\":1}");
    assert_eq!(answer.max_age_seconds, Some(60));
    let sent = &server.requests()[0];
    assert!(sent.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("accept: application/json\r\n"), "{sent}");
    let agent = concat!("user-agent: latchkey/", env!("CARGO_PKG_VERSION"), "\r\n");
    assert!(sent.contains(agent), "{sent}");
    for absent in ["accept-encoding", "cookie", "referer"] {
        assert!(!sent.contains(absent), "{sent}");
    }
}

#[tokio::test]
async fn a_post_carries_its_headers_and_body() {
    let server = Server::answering(&http("200 OK", "", "{}")).await;
    let request = OutboundRequest {
        headers: vec![
            ("Accept".into(), "text/plain".into()),
            ("Authorization".into(), "Bearer secret".into()),
        ],
        body: Some(("application/x-www-form-urlencoded", b"code=1&x=2".to_vec())),
        ..OutboundRequest::new(Method::Post, server.url("/token"))
    };

    capped(100).send(request, in_ms(5000)).await.unwrap();

    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /token HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("accept: text/plain\r\n"), "{sent}");
    assert!(!sent.contains("accept: application/json"), "{sent}");
    assert!(sent.contains("authorization: Bearer secret\r\n"), "{sent}");
    assert!(
        sent.contains("content-type: application/x-www-form-urlencoded\r\n"),
        "{sent}"
    );
    assert!(sent.ends_with("\r\n\r\ncode=1&x=2"), "{sent}");
}

#[tokio::test]
async fn fifty_calls_take_one_connection() {
    let server = Server::answering(&http("200 OK", "", "{}")).await;
    let outbound = capped(100);

    for _ in 0..50 {
        get(&outbound.clone(), server.url("/")).await.unwrap();
    }

    assert_eq!((server.connections(), server.requests().len()), (1, 50));
}

#[tokio::test]
async fn a_compressed_answer_is_handed_on_as_it_is() {
    let body = "\u{1f}not really gzip";
    let server = Server::answering(&http("200 OK", "Content-Encoding: gzip\r\n", body)).await;

    let answer = get(&capped(100), server.url("/")).await.unwrap();

    assert_eq!(answer.body, body.as_bytes());
}

#[tokio::test]
async fn every_redirect_is_an_outage_and_is_not_followed() {
    for status in [
        "301 Moved",
        "302 Found",
        "304 Not Modified",
        "307 T",
        "308 P",
    ] {
        let server = Server::answering(&http(status, "Location: /elsewhere\r\n", "")).await;

        assert_eq!(outage(&server).await, Outage::Redirect, "{status}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_says_come_back_later_is_an_outage() {
    for (status, header, code, retry_after_seconds) in [
        ("500 X", "", 500, None),
        ("503 X", "Retry-After: 7\r\n", 503, Some(7)),
        ("429 X", "Retry-After: 0\r\n", 429, Some(1)),
        ("408 X", "Retry-After: 86400\r\n", 408, Some(300)),
        (
            "599 X",
            "Retry-After: 99999999999999999999999\r\n",
            599,
            Some(300),
        ),
        ("503 X", "Retry-After: -5\r\n", 503, None),
        (
            "503 X",
            "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n",
            503,
            None,
        ),
    ] {
        let server = Server::answering(&http(status, header, "{}")).await;

        let outage = outage(&server).await;

        let expected = Outage::Status {
            code,
            retry_after_seconds,
        };
        assert_eq!(outage, expected, "{status} {header}");
        assert_eq!(outage.retry_after_seconds(), retry_after_seconds);
    }
}

#[tokio::test]
async fn an_answer_over_the_cap_is_refused_however_it_comes() {
    let body = "x".repeat(101);
    let announced = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n").await;
    let chunked = Server::start(|_| {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        Step::Answer(
            [
                head,
                b"3c\r\n".to_vec(),
                vec![b'x'; 60],
                b"\r\n3c\r\n".to_vec(),
                vec![b'x'; 60],
            ]
            .concat(),
        )
    })
    .await;
    let until_the_end = Server::start(move |_| {
        Step::Cut(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}").into_bytes())
    })
    .await;

    for server in [announced, chunked, until_the_end] {
        assert_eq!(outage(&server).await, Outage::TooLarge);
    }
    let fits = Server::answering(&http("200 OK", "", &"x".repeat(100))).await;
    assert_eq!(
        get(&capped(100), fits.url("/")).await.unwrap().body.len(),
        100
    );
}

#[tokio::test]
async fn a_slow_drip_of_head_or_body_ends_at_the_deadline() {
    let pause = Duration::from_millis(20);
    let answer = http("200 OK", "", &"x".repeat(60));
    let (head, body) = answer.split_at(answer.len() - 60);
    let (head, body) = (head.as_bytes().to_vec(), body.as_bytes().to_vec());
    let head_again = head.clone();
    let head = Server::start(move |_| Step::Drip(Vec::new(), head.clone(), pause)).await;
    let body = Server::start(move |_| Step::Drip(head_again.clone(), body.clone(), pause)).await;

    for server in [head, body] {
        let before = Instant::now();
        let request = OutboundRequest::new(Method::Get, server.url("/"));

        let result = capped(100).send(request, in_ms(150)).await;

        assert_eq!(result.unwrap_err(), Outage::Timeout);
        assert!(before.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_truncated_body_is_a_broken_connection() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"a\":1}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{\"a\":1}\r\n",
    ] {
        let server = Server::start(|_| Step::Cut(answer.as_bytes().to_vec())).await;

        assert_eq!(outage(&server).await, Outage::Connect, "{answer}");
        assert_eq!(server.requests().len(), 1, "an answer had begun");
    }
}

#[tokio::test]
async fn nonsense_instead_of_http_is_an_outage() {
    for answer in ["", "\0\0\0\0", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\n"] {
        let server = Server::start(|_| Step::Cut(answer.as_bytes().to_vec())).await;

        assert_eq!(outage(&server).await, Outage::Connect, "{answer:?}");
        assert!(server.requests().len() <= 2, "at most one retry");
    }
    let unknown = Server::answering(&http("999 X", "", "{}")).await;
    assert_eq!(
        outage(&unknown).await,
        Outage::Malformed("an unknown status")
    );
}

#[tokio::test]
async fn nobody_listening_is_a_failed_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);

    assert_eq!(get(&capped(100), url).await.unwrap_err(), Outage::Connect);
}

#[tokio::test]
async fn a_kept_connection_that_ends_is_retried_once_for_get_only() {
    // The second request of all is read and then left without an answer.
    let script = |number| match number {
        1 => Step::Cut(Vec::new()),
        _ => Step::Answer(http("200 OK", "", "{}").into_bytes()),
    };
    for (method, requests) in [(Method::Get, 3), (Method::Post, 2)] {
        let server = Server::start(script).await;
        let outbound = capped(100);
        let send =
            |method| outbound.send(OutboundRequest::new(method, server.url("/")), in_ms(5000));

        send(Method::Get).await.unwrap();
        let second = send(method).await;

        assert_eq!(second.is_ok(), method == Method::Get);
        assert_eq!(server.requests().len(), requests);
    }
}

#[tokio::test]
async fn a_connection_that_always_breaks_is_tried_twice_at_most() {
    let server = Server::start(|_| Step::Cut(Vec::new())).await;

    assert_eq!(outage(&server).await, Outage::Connect);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced_even_for_a_post() {
    let server = Server::start(|number| match number {
        0 => Step::Cut(http("200 OK", "", "{}").into_bytes()),
        _ => Step::Answer(http("200 OK", "", "{}").into_bytes()),
    })
    .await;
    let outbound = capped(100);

    get(&outbound, server.url("/")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let request = OutboundRequest::new(Method::Post, server.url("/"));
    outbound.send(request, in_ms(5000)).await.unwrap();

    assert_eq!((server.connections(), server.requests().len()), (2, 2));
}

#[test]
fn each_runtime_has_its_own_connections() {
    let runtime = || {
        runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let (ours, other) = (runtime(), runtime());
    let server = ours.block_on(Server::answering(&http("200 OK", "", "{}")));
    let outbound = capped(100);

    let url = server.url("/");
    ours.block_on(get(&outbound, url.clone())).unwrap();
    std::thread::scope(|scope| {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let calls = scope.spawn(|| {
            other.block_on(async {
                get(&outbound, url.clone()).await.unwrap();
                get(&outbound, url.clone()).await.unwrap();
            });
            stop.send(()).unwrap();
        });
        ours.block_on(stopped).unwrap();
        calls.join().unwrap();
    });

    assert_eq!((server.connections(), server.requests().len()), (2, 3));
}

#[tokio::test]
async fn a_rewritten_request_arrives_with_host_path_and_query_untouched() {
    let server = Server::answering(&http("200 OK", "", "{}")).await;
    let outbound = outbound(|settings| settings.provider_origin = Some(server.url("/")));
    let url = "https://api.example.com:8443/v2/me%2F?fields=id%2Cname&b=a+b%20c&&x";

    get(&outbound, Url::parse(url).unwrap()).await.unwrap();

    let sent = &server.requests()[0];
    let line = "GET /api.example.com:8443/v2/me%2F?fields=id%2Cname&b=a+b%20c&&x HTTP/1.1\r\n";
    assert!(sent.starts_with(line), "{sent}");
}

#[test]
fn requests_go_where_the_settings_say() {
    let origin = Some("http://127.0.0.1:9009");
    let nested = Some("http://127.0.0.1:9009/mock/");
    let not_https = Err(Outage::Malformed("an address that is not https"));
    let credentials = Err(Outage::Malformed("an address with credentials"));
    let direct = |url: &str| Ok(Target::Direct(Url::parse(url).unwrap()));
    let local = |url: &str| Ok(Target::Local(Url::parse(url).unwrap()));
    for (origin, url, expected) in [
        (
            None,
            "https://a.example/x?y",
            direct("https://a.example/x?y"),
        ),
        (None, "http://a.example/x", not_https.clone()),
        (
            None,
            "http://127.0.0.2:81/x",
            local("http://127.0.0.2:81/x"),
        ),
        (None, "http://[::1]/x", local("http://[::1]/x")),
        (None, "http://localhost:81/", local("http://localhost:81/")),
        (
            None,
            "https://localhost:81/",
            local("https://localhost:81/"),
        ),
        (None, "http://localhost.example/", not_https.clone()),
        (None, "http://10.0.0.1/", not_https.clone()),
        (None, "ftp://127.0.0.1/", not_https.clone()),
        (
            None,
            "file:///etc/passwd",
            Err(Outage::Malformed("an address without a host")),
        ),
        (None, "https://u:p@a.example/", credentials.clone()),
        (origin, "https://u@a.example/", credentials),
        (
            None,
            "https://fake.example/me?a=b",
            local("http://127.0.0.1:8000/fake/me?a=b"),
        ),
        (
            origin,
            "https://FAKE.example/",
            local("http://127.0.0.1:8000/fake/"),
        ),
        (
            origin,
            "https://a.example/x?y=%41",
            local("http://127.0.0.1:9009/a.example/x?y=%41"),
        ),
        (
            origin,
            "https://a.example",
            local("http://127.0.0.1:9009/a.example/"),
        ),
        (
            origin,
            "https://a.example:444/x",
            local("http://127.0.0.1:9009/a.example:444/x"),
        ),
        (
            origin,
            "https://a.example:443/x",
            local("http://127.0.0.1:9009/a.example/x"),
        ),
        (
            nested,
            "https://a.example/x",
            local("http://127.0.0.1:9009/mock/a.example/x"),
        ),
        (origin, "http://a.example/x", not_https),
        (
            origin,
            "http://127.0.0.1:7/x",
            local("http://127.0.0.1:7/x"),
        ),
    ] {
        let outbound = outbound(|settings| {
            settings.provider_origin = origin.map(|origin| Url::parse(origin).unwrap());
            let base = Url::parse("http://127.0.0.1:8000/fake/").unwrap();
            settings.host_routes = vec![("Fake.example".into(), base)];
        });

        let target = outbound.shared.target(Url::parse(url).unwrap());

        assert_eq!(target, expected, "{url} with {origin:?}");
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_refused() {
    for (name, value) in [("a b", "x"), ("a", "x\r\nevil: 1"), ("a", "x\0")] {
        let request = OutboundRequest {
            headers: vec![(name.into(), value.into())],
            ..OutboundRequest::new(Method::Get, Url::parse("http://127.0.0.1:1/").unwrap())
        };

        let result = capped(100).send(request, in_ms(100)).await;

        assert_eq!(
            result.unwrap_err(),
            Outage::Malformed("a header that cannot be sent")
        );
    }
}

#[test]
fn ages_are_read_as_the_rfc_says() {
    for (header, expected) in [
        ("max-age=3600", Some(3600)),
        ("public, MAX-AGE = \"5\"", Some(5)),
        ("max-age=1, max-age=9", Some(1)),
        ("max-age=99999999999999999999", Some(u64::MAX)),
        ("max-age=-1", None),
        ("max-age=", None),
        ("s-maxage=9", None),
        ("max-age=9, no-store", Some(0)),
        ("no-cache", Some(0)),
        ("private", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(header));

        assert_eq!(max_age_seconds(&headers), expected, "{header}");
    }
}

/// A certificate for `localhost` that nobody signed but itself, and its key: made for these tests, used nowhere else.
const SELF_SIGNED: &str = "MIIBljCCATugAwIBAgIUUZN6V1q70PfoxUAyPLDCXyRSoTEwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0\
MCAXDTI2MTEyMzIyMjYwNFoYDzIxMjYxMDMwMjIyNjA0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATCDcvEfwfb\
dMY7k/je02bjpbUKL7HsoYkM/oKtLf09yiJhVRqc+NdmzDUarnTD1GmXTvDvb0oYgjvIYa97Ayoyo2kwZzAdBgNVHQ4EFgQUCoE7D6J9fM6lpisemK9wyVVv\
MA8wHwYDVR0jBBgwFoAUCoE7D6J9fM6lpisemK9wyVVvMA8wDwYDVR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwIDSQAw\
RgIhAOFsQCJZrwcCB8VrECyeh1s6ArLL/6T2qUmjleuuFYY6AiEAzO8BmEvLq+xgcrmdP4z/3gb2hayiyvzp92eQ+vUp9iQ=";
const SELF_SIGNED_KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiY0ZrXf/ryBuK2fcPGO5KqhQJNLyLsivIqF8RwO3poyh\
RANCAATCDcvEfwfbdMY7k/je02bjpbUKL7HsoYkM/oKtLf09yiJhVRqc+NdmzDUarnTD1GmXTvDvb0oYgjvIYa97Ayoy";

/// Takes one TLS connection and tells how the handshake ended.
fn self_signed_server(listener: &std::net::TcpListener) -> Result<(), rustls::Error> {
    use base64::Engine as _;
    let decode = |text| {
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap()
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![decode(SELF_SIGNED).into()],
            rustls::pki_types::PrivatePkcs8KeyDer::from(decode(SELF_SIGNED_KEY)).into(),
        )
        .unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
    while tls.is_handshaking() {
        if tls.wants_write() {
            tls.write_tls(&mut stream).unwrap();
        } else if tls.read_tls(&mut stream).unwrap() == 0 {
            return Err(rustls::Error::HandshakeNotComplete);
        } else {
            tls.process_new_packets()?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let handshake = std::thread::spawn(move || self_signed_server(&listener));
    let url = Url::parse(&format!("https://localhost:{port}/")).unwrap();

    let outage = get(&capped(100), url).await.unwrap_err();

    assert_eq!(outage, Outage::Connect);
    assert!(matches!(
        handshake.join().unwrap(),
        Err(rustls::Error::AlertReceived(_))
    ));
}
