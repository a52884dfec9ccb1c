//! Connections over HTTP, as bytes.

use std::{io, time::Duration};

use pagestream::{
    ErrorKind, Reqwest, Transport,
    testing::{Fault, FaultPosition, Faults, HubSpot, Server},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{BODY, Numbers, POSITIONS, first, met_over_http, request, value};

/// A connection on which the numbers were asked for.
async fn asked(fault: Fault) -> (Server, TcpStream) {
    let server = Server::start(first(fault)).await.unwrap();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    (server, stream)
}

/// What came on a connection, and how it ended.
async fn came(fault: Fault) -> (String, io::Result<usize>) {
    let (_server, mut stream) = asked(fault).await;
    let mut bytes = Vec::new();
    let end = loop {
        match stream.read_buf(&mut bytes).await {
            Ok(1..) => {}
            end => break end,
        }
    };
    (String::from_utf8(bytes).unwrap(), end)
}

/// Whether this is the head of the answer, and what stands behind it.
fn behind_head(text: &str) -> Option<&str> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let length = format!("content-length: {}", BODY.len());
    assert!(head.lines().any(|line| line == length), "{head}");
    assert!(head.lines().any(|line| line == "content-type: application/json"), "{head}");
    Some(body)
}

/// Whether this is what comes up to a position.
fn assert_comes_up_to(position: FaultPosition, text: &str) {
    match position {
        FaultPosition::BeforeHeaders => assert_eq!(text, ""),
        FaultPosition::InHeaders => {
            assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
            assert_eq!(behind_head(text), None);
        }
        _ => assert_eq!(behind_head(text), Some(&BODY[..BODY.len() / 2])),
    }
}

#[tokio::test]
async fn a_reset_goes_over_the_wire_at_its_position() {
    for position in POSITIONS {
        let (text, end) = came(Fault::reset(position)).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset, "{position:?}");
        assert_comes_up_to(position, &text);
    }
}

#[tokio::test]
async fn a_truncated_body_ends_the_connection_before_its_length() {
    let (text, end) = came(Fault::truncated()).await;
    assert_eq!(end.unwrap(), 0);
    assert_comes_up_to(FaultPosition::InBody, &text);
}

#[tokio::test]
async fn a_stalled_connection_stays_open_and_says_nothing_more() {
    for position in POSITIONS {
        // As much as before a reset.
        let (expected, _) = came(Fault::reset(position)).await;
        let (_server, mut stream) = asked(Fault::stalled(position)).await;
        let mut bytes = vec![0; expected.len()];
        stream.read_exact(&mut bytes).await.unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        let more = timeout(Duration::from_millis(50), stream.read(&mut [0])).await;
        assert!(more.is_err(), "{position:?}: {more:?}");
    }
}

#[tokio::test]
async fn a_trickling_body_comes_whole_a_byte_at_a_time() {
    let (start, pause) = (Instant::now(), Duration::from_millis(2));
    let (text, end) = came(Fault::trickling(pause)).await;
    assert_eq!((end.unwrap(), behind_head(&text)), (0, Some(BODY)));
    assert!(start.elapsed() >= pause * u32::try_from(BODY.len()).unwrap());
}

#[tokio::test]
async fn a_bomb_is_small_on_the_wire_and_huge_behind_it() {
    const HUGE: u64 = 16 << 20;
    let (_server, mut stream) = asked(Fault::gzip_bomb(HUGE)).await;
    let mut bytes = vec![0; 1 << 16];
    let mut length = 0;
    let begins = loop {
        length += stream.read(&mut bytes[length..]).await.unwrap();
        let head = bytes[..length].windows(4).position(|it| it == b"\r\n\r\n");
        if let Some(head) = head {
            break String::from_utf8(bytes[..head].to_vec()).unwrap();
        }
    };
    assert!(begins.lines().any(|line| line == "content-encoding: gzip"), "{begins}");
    let on_the_wire = begins.lines().find_map(|line| line.strip_prefix("content-length: "));
    let on_the_wire = on_the_wire.unwrap().parse::<u64>().unwrap();
    assert!(on_the_wire * 500 < HUGE, "{on_the_wire}");

    // One that fits is the answer, with spaces behind it.
    let response = met_over_http(Fault::gzip_bomb(1 << 20)).await.unwrap();
    assert_eq!(response.body().len(), 1 << 20);
    assert_eq!(value(&response), serde_json::from_str::<Value>(BODY).unwrap());
}

#[tokio::test]
async fn behind_a_broken_connection_the_server_goes_on() {
    let faults = [Fault::reset(FaultPosition::InBody), Fault::truncated(), Fault::status(503)];
    let server = Server::start(Faults::script((1..).zip(faults)).on(Numbers)).await.unwrap();
    let (client, url) = (Reqwest::new().unwrap(), server.base_url());
    let mut met = Vec::new();
    for _ in 0..5 {
        let status = client.send(request(&url)).await.map(|response| response.status().as_u16());
        met.push(status.map_err(|error| error.kind()));
    }
    let lost = Err(ErrorKind::Transport);
    assert_eq!(met, [lost, lost, Ok(503), Ok(200), Ok(200)]);
}

#[tokio::test(start_paused = true)]
async fn faults_around_a_service_with_faults_keep_both() {
    let inner = [
        Fault::reset(FaultPosition::InBody),
        Fault::late(Duration::from_secs(3)),
        Fault::status(503),
        Fault::halved(),
    ];
    let inner = Faults::script((1..).zip(inner)).on(HubSpot::new(1));
    let outer = [(2, Fault::late(Duration::from_secs(4))), (5, Fault::status(401))];
    let both = Faults::script(outer).on(inner);

    let error = both.send(request("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let start = Instant::now();
    assert_eq!(both.send(request("/")).await.unwrap().status(), 404);
    assert_eq!(start.elapsed().as_secs(), 7);
    assert_eq!(both.send(request("/")).await.unwrap().status(), 503);
    let halved = both.send(request("/")).await.unwrap();
    assert!(serde_json::from_slice::<Value>(halved.body()).is_err());
    let rejected = both.send(request("/")).await.unwrap();
    assert_eq!(value(&rejected)["category"], "INVALID_AUTHENTICATION");
}
