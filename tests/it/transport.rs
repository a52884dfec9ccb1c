//! The seam to the network.

use std::{
    future::ready,
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use crate::support::CREDENTIAL;
use bytes::Bytes;
use futures::TryStreamExt;
use http::{Method, Request, Response};
use pagestream::{
    Error, ErrorKind, PaginatorExt, Reqwest, Transport,
    alloy::Action,
    testing::{Alloy, Server},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, interval, sleep, timeout},
};

/// `{"data":[1,2,3]}`, compressed.
const GZIP: [u8; 36] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 73, 44, 73, 84, 178, 138, 54, 212, 49, 210, 49,
    142, 173, 5, 0, 207, 63, 79, 9, 16, 0, 0, 0,
];

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Reads what has come, or `false` at the end.
async fn read_some(stream: &TcpStream, into: &mut Vec<u8>) -> bool {
    loop {
        stream.readable().await.unwrap();
        match stream.try_read_buf(into) {
            Ok(read) => return read > 0,
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
}

/// Answers one request with these bytes and closes; gives what was asked, as
/// its head and its body of `body` bytes.
async fn serve(body: usize, answer: impl AsRef<[u8]> + Send + 'static) -> (SocketAddr, Asked) {
    let (listener, address) = listen().await;
    let asked = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        let head = loop {
            assert!(read_some(&stream, &mut asked).await, "a request cut short");
            let head = asked.windows(4).position(|it| it == b"\r\n\r\n");
            if let Some(head) = head.filter(|head| asked.len() >= head + 4 + body) {
                break head;
            }
        };
        let mut stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.write_all(answer.as_ref()).unwrap();
        let body = asked.split_off(head + 4);
        asked.truncate(head);
        (String::from_utf8(asked).unwrap(), body)
    });
    (address, asked)
}

type Asked = JoinHandle<(String, Vec<u8>)>;

fn post(address: SocketAddr, body: &'static str) -> Request<Bytes> {
    Request::builder()
        .method(Method::POST)
        .uri(format!("http://{address}/a/path?q=1"))
        .header("authorization", "Bearer secret")
        .header("x-api-version", "2025-09")
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap()
}

fn echo(request: Request<Bytes>) -> impl Future<Output = Result<Response<Bytes>, Error>> {
    ready(Ok(Response::new(request.into_body())))
}

#[tokio::test]
async fn a_closure_is_a_transport() {
    let status = 207;
    let transport = move |request: Request<Bytes>| async move {
        assert_eq!(request.uri().path(), "/there");
        Ok::<_, Error>(Response::builder().status(status).body(request.into_body()).unwrap())
    };
    let request = Request::builder().uri("/there").body(Bytes::from("hello")).unwrap();
    let response = transport.send(request).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.body()[..]), (207, &b"hello"[..]));
}

#[tokio::test]
async fn a_function_is_a_transport() {
    let response = echo.send(Request::new(Bytes::from("hello"))).await.unwrap();
    assert_eq!(response.body(), "hello");
}

#[tokio::test]
async fn an_error_of_a_closure_comes_back_as_it_was() {
    let transport = |_: Request<Bytes>| {
        ready(Err::<Response<Bytes>, _>(Error::other(io::Error::other("my own"))))
    };
    let error = transport.send(Request::new(Bytes::new())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    assert_eq!(error.downcast_ref::<io::Error>().unwrap().to_string(), "my own");
}

#[tokio::test]
async fn a_shared_transport_without_its_type_is_a_transport() {
    fn is_transport(transport: impl Transport + Clone + 'static) -> impl Transport {
        transport
    }
    let shared: Arc<dyn Transport> = Arc::new(echo);
    let response = is_transport(shared).send(Request::new(Bytes::from("hello"))).await.unwrap();
    assert_eq!(response.body(), "hello");
}

#[tokio::test]
async fn a_request_goes_out_as_it_is_and_the_response_comes_back_whole() {
    let answer = "HTTP/1.1 207 Multi-Status\r\nx-limit: 9\r\ncontent-length: 5\r\n\r\nhello";
    let (address, asked) = serve(12, answer).await;
    let response = Reqwest::new().unwrap().send(post(address, r#"{"limit":50}"#)).await.unwrap();
    assert_eq!(response.status(), 207);
    assert_eq!(response.headers()["x-limit"], "9");
    assert_eq!(response.body(), "hello");

    let (head, body) = asked.await.unwrap();
    assert_eq!(body, br#"{"limit":50}"#);
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /a/path?q=1 HTTP/1.1"));
    let headers = lines.map(str::to_ascii_lowercase).collect::<Vec<_>>();
    for header in ["authorization: bearer secret", "x-api-version: 2025-09", "content-length: 12"] {
        assert!(headers.iter().any(|it| it == header), "{header} in {headers:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_given_back_and_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let (other, elsewhere) = listen().await;
        let answer = format!(
            "HTTP/1.1 {status} Moved\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
        );
        let (address, asked) = serve(2, answer).await;
        let client = Reqwest::new().unwrap();
        let response = tokio::select! {
            response = client.send(post(address, "{}")) => response.unwrap(),
            _ = other.accept() => panic!("{status} was followed"),
        };
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["location"], format!("http://{elsewhere}/"));
        asked.await.unwrap();

        // A connection would be waiting to be accepted.
        let accepted = other.into_std().unwrap().accept();
        assert_eq!(accepted.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn a_connection_that_nobody_accepts_is_an_error_of_the_transport() {
    let (listener, address) = listen().await;
    drop(listener);
    let error = Reqwest::new().unwrap().send(post(address, "{}")).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Transport, None));
    assert!(error.is_retryable());
    let cause = error.downcast_ref::<io::Error>().unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::ConnectionRefused);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("secret") && !shown.contains("/a/path"), "{shown}");
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_an_error_of_the_transport() {
    let answers = [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n",
        "HTTP/1.1 503 Busy\r\ncontent-length: 100\r\n\r\n",
    ];
    for answer in answers {
        is_an_error_of_the_transport(answer).await;
    }
}

#[tokio::test]
async fn a_response_that_is_no_http_is_an_error_of_the_transport() {
    for answer in ["", "HTTP/1.1 200 OK\r\n", "SSH-2.0-OpenSSH_9.9\r\n\r\n"] {
        is_an_error_of_the_transport(answer).await;
    }
}

async fn is_an_error_of_the_transport(answer: &'static str) {
    let (address, asked) = serve(2, answer).await;
    let error = Reqwest::new().unwrap().send(post(address, "{}")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{answer}");
    assert!(error.is_retryable());
    asked.await.unwrap();
}

#[tokio::test]
async fn a_response_of_any_status_is_no_error() {
    for status in [201, 400, 401, 404, 429, 500, 503] {
        let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 4\r\n\r\nwhat");
        let (address, asked) = serve(2, answer).await;
        let response = Reqwest::new().unwrap().send(post(address, "{}")).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (status, &b"what"[..]));
        asked.await.unwrap();
    }
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n";
    [format!("{head}content-length: {length}\r\n\r\n").as_bytes(), body].concat()
}

#[tokio::test]
async fn a_compressed_body_is_asked_for_and_unpacked() {
    let (address, asked) = serve(2, gzipped(&GZIP)).await;
    let response = Reqwest::new().unwrap().send(post(address, "{}")).await.unwrap();
    assert_eq!(response.body(), r#"{"data":[1,2,3]}"#);
    let (head, _) = asked.await.unwrap();
    let accepted = head.lines().find_map(|line| line.strip_prefix("accept-encoding: "));
    assert!(accepted.unwrap().split(',').any(|it| it.trim() == "gzip"), "{accepted:?}");
}

#[tokio::test]
async fn a_compressed_body_that_is_cut_short_is_an_error_of_the_transport() {
    let (address, asked) = serve(2, gzipped(&GZIP[..20])).await;
    let error = Reqwest::new().unwrap().send(post(address, "{}")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    asked.await.unwrap();
}

#[tokio::test]
async fn a_body_that_is_not_compressed_as_its_header_says_is_an_error_that_says_so_and_no_retry() {
    let mut corrupt = GZIP;
    corrupt[12] ^= 0xff;
    let plain: [&[u8]; 3] =
        [br#"{"data":[1,2,3]}"#, b"<!DOCTYPE html><title>Sign in</title>", &corrupt];
    for body in plain {
        let (address, asked) = serve(2, gzipped(body)).await;
        let error = Reqwest::new().unwrap().send(post(address, "{}")).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Decode, false), "{error:?}");
        assert!(error.to_string().contains("content-encoding"), "{error}");
        asked.await.unwrap();
    }
    // An empty body needs no unpacking.
    let (address, asked) = serve(2, gzipped(b"")).await;
    let response = Reqwest::new().unwrap().send(post(address, "{}")).await.unwrap();
    assert!(response.body().is_empty());
    asked.await.unwrap();
}

#[tokio::test]
async fn a_request_that_can_not_be_sent_is_an_error() {
    // No host to send it to.
    let request = Request::builder().uri("/a/path").body(Bytes::new()).unwrap();
    let error = Reqwest::new().unwrap().send(request).await.unwrap_err();
    assert!(!error.is_retryable(), "{error:?}");
}

// ---- Bounds

/// A deadline that a test can wait for.
const SHORT: Duration = Duration::from_millis(200);

/// Longer than any test should take.
const LONG: Duration = Duration::from_secs(10);

/// Answers each connection with the first piece at once, and then with the other again
/// and again, each after a while, until nobody listens.
async fn trickle(first: &'static [u8], again: &'static [u8], after: Duration) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut asked = Vec::new();
            tokio::spawn(async move {
                while !asked.ends_with(b"\r\n\r\n{}") && read_some(&stream, &mut asked).await {}
                let mut pieces = interval(after.max(Duration::from_millis(1)));
                let mut piece = first;
                loop {
                    pieces.tick().await;
                    if !write_all(&stream, piece).await {
                        break;
                    }
                    piece = again;
                }
            });
        }
    });
    address
}

/// Whether all of it could be written.
async fn write_all(stream: &TcpStream, mut piece: &[u8]) -> bool {
    while !piece.is_empty() {
        if stream.writable().await.is_err() {
            return false;
        }
        match stream.try_write(piece) {
            Ok(written) => piece = &piece[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
    }
    true
}

/// The error of a request, and how long it took.
async fn error_of(transport: Reqwest, address: SocketAddr) -> (Error, Duration) {
    let start = Instant::now();
    let response = timeout(LONG, transport.send(post(address, "{}")));
    let error = response.await.expect("it ends").unwrap_err();
    (error, start.elapsed())
}

async fn ends_at_the_deadline(address: SocketAddr) {
    let (error, took) = error_of(Reqwest::new().unwrap().deadline(SHORT), address).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable() && error.to_string().contains("200ms"), "{error}");
    assert!(took >= SHORT && took < 10 * SHORT, "{took:?}");
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{";

#[tokio::test]
async fn a_body_that_trickles_ends_at_the_deadline() {
    let address = trickle(HEAD, b" ", Duration::from_millis(20)).await;
    ends_at_the_deadline(address).await;
}

#[tokio::test]
async fn a_body_that_stalls_ends_at_the_deadline() {
    ends_at_the_deadline(trickle(HEAD, b"", LONG).await).await;
}

#[tokio::test]
async fn headers_that_trickle_end_at_the_deadline() {
    let address = trickle(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", Duration::from_millis(20)).await;
    ends_at_the_deadline(address).await;
}

#[tokio::test]
async fn a_service_that_never_answers_ends_at_the_deadline() {
    ends_at_the_deadline(trickle(b"", b"", LONG).await).await;
}

#[tokio::test]
async fn a_service_that_accepts_no_connection_ends_at_the_deadline() {
    let (_listener, address) = listen().await;
    ends_at_the_deadline(address).await;
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_large_is_not_waited_for() {
    let answers: [&[u8]; 3] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\ncontent-length: 9223372036854775807\r\n\r\n0",
    ];
    for answer in answers {
        let address = trickle(answer, b"", LONG).await;
        let (error, took) = error_of(Reqwest::new().unwrap().max_body(10), address).await;
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.is_too_large() && !error.is_retryable());
        assert!(error.to_string().contains("10 bytes"), "{error}");
        assert!(took < LONG / 2, "{took:?}");
    }
}

#[tokio::test]
async fn a_body_without_end_stops_at_the_limit() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let address = trickle(head, b"a\r\n0123456789\r\n", Duration::ZERO).await;
    let (error, _) = error_of(Reqwest::new().unwrap().max_body(95), address).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_body_of_just_the_limit_comes_through() {
    for limit in [16, 17, usize::MAX] {
        // It is the unpacked body that counts.
        let (address, asked) = serve(2, gzipped(&GZIP)).await;
        let transport = Reqwest::new().unwrap().max_body(limit);
        let response = transport.send(post(address, "{}")).await.unwrap();
        assert_eq!(response.body().len(), 16);
        asked.await.unwrap();
    }
    let (address, asked) = serve(2, gzipped(&GZIP)).await;
    let (error, _) = error_of(Reqwest::new().unwrap().max_body(15), address).await;
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    asked.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_reset_in_a_body_is_an_error_of_the_transport() {
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        read_some(&stream, &mut asked).await;
        assert!(write_all(&stream, HEAD).await);
        sleep(Duration::from_millis(20)).await; // so that the head is read before the reset
        stream.set_zero_linger().unwrap();
    });
    let (error, took) = error_of(Reqwest::new().unwrap(), address).await;
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.is_retryable());
    assert!(took < LONG / 2);
    let cause = error.downcast_ref::<io::Error>().unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_consumer_that_is_slow_does_not_use_up_the_deadline() {
    #[derive(serde::Deserialize)]
    struct Contact {
        id: u64,
    }

    let service = Alloy::new(1).records(60).latency(Duration::from_millis(5));
    let server = Server::start(service.clone()).await.unwrap();
    let contacts = Action::<Contact>::builder("hubspot", "listContacts")
        .api_key("a-key")
        .credential_id(CREDENTIAL)
        .limit(20)
        .base_url(server.base_url())
        .transport(Reqwest::new().unwrap().deadline(Duration::from_secs(5)))
        .build()
        .unwrap();
    let mut stream = contacts.read().window(2).records();
    let monitor = stream.monitor();
    let mut ids = Vec::new();
    while let Some(contact) = stream.try_next().await.unwrap() {
        ids.push(contact.id);
        if contact.id % 20 == 0 {
            // Behind the first page, the third may be here as early as the second.
            assert!(contact.id > 0 || monitor.progress().in_flight == 1);
            // The hours pass while the next page is on its way, and nobody asks for it.
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(3 * 60 * 60)).await;
            tokio::time::resume();
        }
    }
    assert!(ids.into_iter().eq(0..60));
    assert_eq!((monitor.progress().retries, service.requests()), (0, 3));
}

#[test]
fn a_transport_can_be_sent_and_shared() {
    fn is<T: Send + Sync + Clone + 'static>(_: &T) {}
    is(&Reqwest::new().unwrap());
    is(&(Arc::new(echo) as Arc<dyn Transport>));
}

// ---- TLS, which is a feature

/// The default transport is made when the paginator is built.
#[cfg(not(any(
    feature = "rustls",
    feature = "rustls-ring",
    feature = "rustls-no-provider",
    feature = "native-tls"
)))]
#[tokio::test]
async fn https_without_a_tls_feature_is_an_error_that_says_what_to_add() {
    let associations =
        pagestream::hubspot::Associations::builder("deals", "companies").ids([1]).token("a-token");
    let action = Action::<serde_json::Value>::builder("hubspot", "listContacts").api_key("a-key");
    let action = action.credential_id("68d9876543210fedcba98765");
    let request = Request::post("https://127.0.0.1:1/").body(Bytes::new()).unwrap();
    for error in [
        associations.clone().build().unwrap_err(),
        associations.base_url("HTTPS://localhost").build().unwrap_err(),
        action.build().unwrap_err(),
        Reqwest::new().unwrap().send(request).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let advice = "add a TLS feature: cargo add pagestream --features rustls";
        assert!(error.to_string().contains(advice), "{error}");
        assert!(!error.is_retryable());
    }
}

/// `.ci/tls` runs it with each of these features.
#[cfg(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls"))]
#[tokio::test]
async fn with_a_tls_feature_https_begins_with_a_handshake_that_offers_http_2() {
    let associations =
        pagestream::hubspot::Associations::builder("deals", "companies").ids([1]).token("a-token");
    associations.build().map(drop).unwrap();

    let (listener, address) = listen().await;
    let hello = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut hello = Vec::new();
        // The last two bytes of a record's head say how long the record is.
        let is_whole = |hello: &[u8]| match hello {
            [_, _, _, high, low, record @ ..] => {
                record.len() >= usize::from(u16::from_be_bytes([*high, *low]))
            }
            _ => false,
        };
        while !is_whole(&hello) && read_some(&stream, &mut hello).await {}
        hello
    });
    let request = Request::post(format!("https://{address}/")).body(Bytes::new()).unwrap();
    let error = Reqwest::new().unwrap().send(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");

    let hello = hello.await.unwrap();
    // A handshake of TLS, and its application protocols.
    assert_eq!(hello[..2], [22, 3], "{hello:?}");
    let offered = b"\x02h2\x08http/1.1";
    assert!(hello.windows(offered.len()).any(|it| it == offered), "{hello:?}");
}

/// `.ci/tls` runs it with this feature alone.
#[cfg(all(
    feature = "rustls-no-provider",
    not(any(feature = "rustls", feature = "rustls-ring", feature = "native-tls"))
))]
#[test]
fn without_a_provider_rustls_is_an_error_and_no_panic() {
    let error = Reqwest::new().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("install"), "{error}");
}

#[tokio::test]
async fn a_client_of_the_users_own_is_a_transport() {
    let (address, asked) = serve(0, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
    let client = reqwest::Client::builder().user_agent("my-connector/1.0").build().unwrap();
    let transport = Reqwest::from_client(client).max_body(5);
    let response = transport.send(post(address, "")).await.unwrap();
    assert_eq!(response.body(), "hello");
    assert!(asked.await.unwrap().0.contains("user-agent: my-connector/1.0"));
}
