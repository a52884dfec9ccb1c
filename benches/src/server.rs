//! A service over HTTP on the loopback interface, on a thread of its own, so that a
//! client has all other threads.

use std::{
    convert::Infallible,
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Result;
use bytes::Bytes;
use futures_timer::Delay;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use pagestream::Transport;
use tokio::sync::oneshot;

/// How long the answer to a request takes.
pub type Latency = Arc<dyn Fn(&Request<Bytes>) -> Duration + Send + Sync>;

/// A service that runs until this is dropped.
pub struct Server {
    address: SocketAddr,
    requests: Arc<AtomicU64>,
    _stop: oneshot::Sender<Infallible>,
}

impl Server {
    /// Serves what answers requests, each after a latency.
    pub fn start(
        service: impl Transport + 'static,
        latency: impl Fn(&Request<Bytes>) -> Duration + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let requests = Arc::new(AtomicU64::new(0));
        let shared = Shared {
            service: Arc::new(service),
            latency: Arc::new(latency),
            requests: Arc::clone(&requests),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let (stop, stopped) = oneshot::channel::<Infallible>();
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    served = serve(listener, shared) => served,
                    _ = stopped => Ok(()),
                }
            })
        });
        Ok(Self { address, requests, _stop: stop })
    }

    /// Where it listens, as a base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests it got since this was asked last.
    #[must_use]
    pub fn take_requests(&self) -> u64 {
        self.requests.swap(0, Ordering::Relaxed)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What all connections share.
#[derive(Clone)]
struct Shared {
    service: Arc<dyn Transport>,
    latency: Latency,
    requests: Arc<AtomicU64>,
}

async fn serve(listener: TcpListener, shared: Shared) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let shared = shared.clone();
        let respond = service_fn(move |request| shared.clone().respond(request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), respond));
    }
}

impl Shared {
    async fn respond(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
        let request = Request::from_parts(parts, body);
        let latency = (self.latency)(&request);
        if !latency.is_zero() {
            // tokio's own timer is right to a millisecond only.
            Delay::new(latency).await;
        }
        let response = self.service.send(request).await.unwrap_or_else(|error| {
            let mut response = Response::new(Bytes::from(error.to_string()));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        });
        Ok(response.map(Full::new))
    }
}
