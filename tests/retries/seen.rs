//! Retries are seen: in the progress, and as events.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
    thread::ThreadId,
    time::Duration,
};

use futures::StreamExt;
use pagestream::{PaginatorExt, testing::Alloy};
use tokio::time::timeout;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

use crate::{
    outcome::drain,
    pages::{Pages, SECOND, busy, fails},
    vendors::{Faulty, answer, contacts},
};

#[tokio::test(start_paused = true)]
async fn the_progress_counts_retries_and_what_waits_for_one() {
    let pages = Pages::chain(3, fails(2, 2, || busy().with_retry_after(10 * SECOND)));
    let mut stream = pages.records();
    let monitor = stream.monitor();
    for _ in 0..2 {
        stream.next().await.unwrap().unwrap();
        assert_eq!((monitor.progress().retries, monitor.progress().delayed), (0, 0));
    }
    for retries in 1..=2 {
        assert!(timeout(5 * SECOND, stream.next()).await.is_err());
        let progress = monitor.progress();
        assert_eq!((progress.retries, progress.delayed, progress.in_flight), (retries, 1, 0));
        assert_eq!(progress.requests, 1 + retries);
        tokio::time::advance(Duration::from_millis(5_050)).await;
        let _ = timeout(Duration::from_millis(20), stream.next()).await;
    }
    while let Some(record) = stream.next().await {
        record.unwrap();
    }
    let progress = monitor.progress();
    assert_eq!((progress.retries, progress.delayed, progress.requests), (2, 0, 5));
}

/// Keeps the events of this crate on one thread, as text. It listens for the whole
/// process: what listens on its thread alone misses an event whose place in the code
/// another test came by first.
#[derive(Clone)]
struct Events {
    thread: ThreadId,
    texts: Arc<Mutex<Vec<String>>>,
}

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let is_ours = metadata.target().starts_with("pagestream");
        if is_ours && std::thread::current().id() == self.thread {
            let mut fields = Fields(String::new());
            event.record(&mut fields);
            assert_eq!(*metadata.level(), Level::WARN);
            self.texts.lock().unwrap().push(fields.0);
        }
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn each_retry_is_an_event_that_says_why_and_when() {
    let events = Events { thread: std::thread::current().id(), texts: Arc::default() };
    let subscriber = tracing_subscriber::registry().with(events.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let service = Faulty::new(Alloy::new(1).records(30), |n, _| match n {
        1 => Some(answer(429, &[("retry-after", "7")], r#"{"message":"slowly"}"#)),
        3 => Some(answer(413, &[], "")),
        6 => Some(answer(400, &[], "")),
        _ => None,
    });
    let outcome = drain(contacts(&service).records()).await;
    assert_eq!(outcome.monitor.progress().retries, 2);
    assert_eq!(outcome.error().status(), Some(400));

    let events = events.texts.lock().unwrap();
    assert_eq!(events.len(), 2, "one for each retry, and none for what is given out: {events:?}");
    for field in [
        "message=a page failed and is asked for again",
        "error=the service answered with an error: \"slowly\" (status 429), at page 1, cursor",
        "\"offset\":0",
        "kind=Status",
        "status=429",
        "delay_ms=7000",
        "smaller=false",
    ] {
        assert!(events[0].contains(field), "{field} in {}", events[0]);
    }
    for field in ["status=413", "delay_ms=0", "smaller=true", "at page 2, cursor", "\"offset\":10"]
    {
        assert!(events[1].contains(field), "{field} in {}", events[1]);
    }
}
