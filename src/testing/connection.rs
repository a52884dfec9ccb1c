//! One connection of a server. Hyper sends complete responses. A broken response is
//! written without hyper, as the last one of its connection.

use std::{
    fmt::Write as _,
    future::poll_fn,
    io::{self, Read as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    HeaderValue, Request, Response,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    faults::{Break, Delivery, FaultPosition, Transfer, sleep},
    service::Service,
};

/// A response to send broken.
type Broken = (Response<Bytes>, Break);

/// Serves a connection to its end.
pub(super) async fn serve(stream: TcpStream, service: impl Service) {
    let taken = Arc::new(Mutex::new(None::<Broken>));
    let respond = service_fn(|request| {
        let (service, taken) = (service.clone(), Arc::clone(&taken));
        Box::pin(respond(service, taken, request))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), respond);
    // Only the client needs to know how it ended.
    let _ = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let mut stream = connection.into_parts().io.into_inner();
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
    let _ = match taken {
        Some((response, how)) => write(stream, &response, how).await,
        None => stream.shutdown().await,
    };
}

/// Responds over hyper. A broken response is put into `taken`, and an error makes hyper
/// release the connection.
async fn respond<S: Service>(
    service: S,
    taken: Arc<Mutex<Option<Broken>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    sleep(service.latency()).await;
    let mut response = service.respond(&Request::from_parts(parts, body));
    let delivery = Delivery::of(&mut response);
    sleep(delivery.wait).await;
    match delivery.transfer {
        Transfer::Complete => {}
        Transfer::Compressed { bytes } => compress(&mut response, bytes)?,
        Transfer::Broken(how) => {
            *taken.lock().unwrap_or_else(PoisonError::into_inner) = Some((response, how));
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    }
    Ok(response.map(Full::new))
}

/// Compresses a body, filled up with spaces to a length. The spaces are never all in
/// memory.
fn compress(response: &mut Response<Bytes>, bytes: u64) -> io::Result<()> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(response.body())?;
    let missing = bytes.saturating_sub(response.body().len() as u64);
    io::copy(&mut io::repeat(b' ').take(missing), &mut encoder)?;
    *response.body_mut() = encoder.finish()?.into();
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Ok(())
}

/// Writes a response up to where it breaks.
async fn write(mut stream: TcpStream, response: &Response<Bytes>, how: Break) -> io::Result<()> {
    let (head, body) = (head(response), response.body());
    let half_of_body = [&head, &body[..body.len() / 2]].concat();
    let up_to = |position| match position {
        FaultPosition::BeforeHeaders => &[],
        FaultPosition::InHeaders => &head[..head.len() / 2],
        FaultPosition::InBody => &half_of_body[..],
    };
    match how {
        Break::Reset(position) => {
            stream.write_all(up_to(position)).await?;
            // Closing it sends a reset.
            stream.set_zero_linger()
        }
        Break::Truncated => {
            stream.write_all(&half_of_body).await?;
            stream.shutdown().await
        }
        Break::Stalled(position) => {
            stream.write_all(up_to(position)).await?;
            // It stays open until the client closes it.
            while stream.read(&mut [0; 64]).await? > 0 {}
            Ok(())
        }
        Break::Trickling { pause } => {
            stream.write_all(&head).await?;
            trickle(&mut stream, body, pause).await?;
            stream.shutdown().await
        }
    }
}

async fn trickle(stream: &mut TcpStream, body: &[u8], pause: Duration) -> io::Result<()> {
    for byte in body {
        sleep(pause).await;
        stream.write_all(std::slice::from_ref(byte)).await?;
    }
    Ok(())
}

/// A head that promises the whole body.
fn head(response: &Response<Bytes>) -> Vec<u8> {
    let status = response.status();
    let mut text = String::new();
    let _ = write!(text, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n", response.body().len());
    let mut head = text.into_bytes();
    for (name, value) in response.headers().iter().filter(|(name, _)| *name != CONTENT_LENGTH) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}
