use std::{io, net::SocketAddr};

use tokio::{net::TcpListener, task::JoinHandle};

use super::{connection, service::Service};

/// A [`Service`] over HTTP, on a free port of the loopback interface. It stops when it
/// is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accept: JoinHandle<()>,
}

impl Server {
    /// Starts the server on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// The error of the operating system if it gives no port.
    pub async fn start(service: impl Service) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let accept = tokio::spawn(async move {
            // The connections end with the server.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let _ = stream.set_nodelay(true);
                connections.spawn(connection::serve(stream, service.clone()));
            }
        });
        Ok(Self { address, accept })
    }

    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same address as a base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accept.abort();
    }
}
