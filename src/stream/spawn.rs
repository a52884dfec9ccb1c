use futures::future::BoxFuture;

use crate::waiting_count::WaitingCounter;

/// Spawns a request on the runtime, where it goes on while the consumer of the stream is
/// busy, even if it blocks its thread; and where pages are decoded meanwhile. Where no
/// runtime has another thread to do so, the request is given back as it is.
#[cfg(feature = "tokio")]
pub(super) fn spawn<T: Send + 'static>(
    request: BoxFuture<'static, T>,
    counter: &WaitingCounter,
) -> BoxFuture<'static, T> {
    use std::{future::pending, panic::resume_unwind};

    use tokio::{
        runtime::{Handle, RuntimeFlavor},
        task::JoinSet,
    };

    let runtime = Handle::try_current().ok();
    let has_threads = |runtime: &Handle| runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
    let Some(runtime) = runtime.filter(has_threads) else { return request };
    // Dropping the set drops the request.
    let mut task = JoinSet::new();
    task.spawn_on(counter.another().counting(request), &runtime);
    // What a worker spawned last waits for that worker alone; what it spawned before is
    // there for the others too. So something must be the last.
    runtime.spawn(async {});
    Box::pin(async move {
        match task.join_next().await {
            Some(Ok(output)) => output,
            Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime is shutting down.
            Some(Err(_)) | None => pending().await,
        }
    })
}

#[cfg(not(feature = "tokio"))]
pub(super) fn spawn<T>(
    request: BoxFuture<'static, T>,
    _: &WaitingCounter,
) -> BoxFuture<'static, T> {
    request
}

/// How long a detached request may take to come to its end.
#[cfg(feature = "tokio")]
const LONGEST_DETACHED: std::time::Duration = std::time::Duration::from_secs(10);

/// Lets a request that nobody needs come to its end on the runtime, if there is one. To drop
/// it would cost its connection, where a connection carries one request at a time.
pub(super) fn detach<T: Send + 'static>(request: BoxFuture<'static, T>) {
    #[cfg(feature = "tokio")]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        // The timer belongs to the runtime, too.
        runtime.spawn(async { tokio::time::timeout(LONGEST_DETACHED, request).await });
        return;
    }
    drop(request);
}
