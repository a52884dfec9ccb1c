//! A slow service of numbers, and its connector.

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use datafusion::arrow::datatypes::Schema;
use http::{Request as HttpRequest, Response};
use pagestream::{
    Error, Reqwest, Transport, async_trait,
    http::Client,
    rest::{List, Offset},
    testing::{Server, Service},
};
use pagestream_datafusion::{Connector, Environment, Request, schema_of};
use serde::{Deserialize, Serialize};

pub(crate) const PAGES: u64 = 100;
pub(crate) const PAGE: u64 = 1_000;
pub(crate) const LATENCY: Duration = Duration::from_millis(50);

#[derive(Serialize, Deserialize)]
pub(crate) struct Number {
    pub(crate) id: u64,
    pub(crate) name: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) total: u64,
    pub(crate) items: Vec<Number>,
}

/// It counts its pages. `/requests` says how many were asked for, at once.
#[derive(Clone, Default)]
struct NumberService(Arc<AtomicU64>);

impl Service for NumberService {
    fn respond(&self, request: &HttpRequest<Bytes>) -> Response<Bytes> {
        if request.uri().path() == "/requests" {
            return Response::new(self.0.load(Ordering::SeqCst).to_string().into());
        }
        let query = request.uri().query().unwrap_or_default();
        let number = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(it, _)| *it == name).and_then(|(_, value)| value.parse().ok())
        };
        let from = number("offset").unwrap_or(0);
        let to = (from + number("limit").unwrap_or(PAGE)).min(PAGES * PAGE);
        let items = (from..to).map(|id| Number { id, name: format!("number {id}") }).collect();
        let body = serde_json::to_vec(&Answer { total: PAGES * PAGE, items });
        self.0.fetch_add(1, Ordering::SeqCst);
        Response::new(body.unwrap_or_default().into())
    }

    fn latency(&self) -> Duration {
        LATENCY
    }
}

/// Serves until the process that started this one is gone.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let server = Server::start(NumberService::default()).await?;
    println!("{}", server.base_url());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

/// How many pages were asked for.
pub(crate) async fn requests(url: &str) -> anyhow::Result<u64> {
    let request = HttpRequest::get(format!("{url}/requests")).body(Bytes::new())?;
    let answer = Reqwest::new()?.send(request).await?;
    Ok(std::str::from_utf8(answer.body())?.parse()?)
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Numbers {
    pub(crate) url: String,
}

pub(crate) fn list(url: &str) -> Result<List<Number, Offset>, Error> {
    let pages = Client::builder(url).build()?.get("/numbers").limit("limit", PAGE);
    pages.pages(Offset::query("offset").total_at("/total")).records_at("/items").build()
}

#[async_trait]
impl Connector for Numbers {
    const NAME: &'static str = "numbers";
    type Paginator = List<Number, Offset>;

    fn schema(&self) -> Result<Schema, Error> {
        schema_of::<Number>()
    }

    fn paginator(&self, _: &Request, _: &Environment) -> Result<Self::Paginator, Error> {
        list(&self.url)
    }

    async fn total(&self, _: &Self::Paginator) -> Result<Option<u64>, Error> {
        Ok(Some(PAGES * PAGE))
    }
}
