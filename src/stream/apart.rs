use futures::future::BoxFuture;

/// Runs a request on the runtime, where it goes on while the consumer of the stream
/// is busy, even if it blocks its thread; and where pages are decoded beside it. Where
/// no runtime has another thread to do so, it is left as it is.
#[cfg(feature = "tokio")]
pub(super) fn apart<T: Send + 'static>(request: BoxFuture<'static, T>) -> BoxFuture<'static, T> {
    use std::{future::pending, panic::resume_unwind};

    use tokio::{
        runtime::{Handle, RuntimeFlavor},
        task::JoinSet,
    };

    use crate::gauge::Gauge;

    let runtime = Handle::try_current().ok();
    let is_apart = |runtime: &Handle| runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
    let Some(runtime) = runtime.filter(is_apart) else { return request };
    // Dropping the set drops the request.
    let mut request_alone = JoinSet::new();
    request_alone.spawn_on(Gauge::current().observing(request), &runtime);
    // What a worker spawned last waits for that worker alone; what it spawned before
    // is there for the others too. So something must be the last.
    runtime.spawn(async {});
    Box::pin(async move {
        match request_alone.join_next().await {
            Some(Ok(output)) => output,
            Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime is shutting down.
            Some(Err(_)) | None => pending().await,
        }
    })
}

#[cfg(not(feature = "tokio"))]
pub(super) fn apart<T>(request: BoxFuture<'static, T>) -> BoxFuture<'static, T> {
    request
}

/// How long a request that nobody needs may take to come to its end.
#[cfg(feature = "tokio")]
const LONGEST_DRAIN: std::time::Duration = std::time::Duration::from_secs(10);

/// Lets a request come to its end on the runtime, if there is one. To drop it would
/// cost its connection, where a connection carries one request at a time.
pub(super) fn drain<T: Send + 'static>(request: BoxFuture<'static, T>) {
    #[cfg(feature = "tokio")]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        // The timer belongs to the runtime, too.
        runtime.spawn(async { tokio::time::timeout(LONGEST_DRAIN, request).await });
        return;
    }
    drop(request);
}
