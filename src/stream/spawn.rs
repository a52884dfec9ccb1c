#[cfg(feature = "tokio")]
use std::panic::resume_unwind;

use futures::future::BoxFuture;
#[cfg(feature = "tokio")]
use futures::future::select;
#[cfg(feature = "tokio")]
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::JoinSet,
};

#[cfg(feature = "tokio")]
use crate::clock;
use crate::waiting_count::WaitingCounter;

/// Spawns a request on the runtime, where it goes on while the consumer of the stream is
/// busy, even if it blocks its thread; and where pages are decoded meanwhile. Where no
/// runtime has another thread to do so, and where the runtime is shut down meanwhile, who
/// polls the stream makes the request.
pub(super) fn spawn<T: Send + 'static>(
    request: impl Fn() -> BoxFuture<'static, T> + Send + 'static,
    counter: &WaitingCounter,
) -> BoxFuture<'static, T> {
    #[cfg(feature = "tokio")]
    if let Some(runtime) = runtime_with_threads() {
        return on_runtime(request, counter, &runtime);
    }
    let _ = counter;
    request()
}

#[cfg(feature = "tokio")]
fn runtime_with_threads() -> Option<Handle> {
    let runtime = Handle::try_current().ok()?;
    (runtime.runtime_flavor() == RuntimeFlavor::MultiThread).then_some(runtime)
}

#[cfg(feature = "tokio")]
fn on_runtime<T: Send + 'static>(
    request: impl Fn() -> BoxFuture<'static, T> + Send + 'static,
    counter: &WaitingCounter,
    runtime: &Handle,
) -> BoxFuture<'static, T> {
    // Dropping the set drops the request.
    let mut task = JoinSet::new();
    task.spawn_on(counter.another().counting(request()), runtime);
    // What a worker spawned last waits for that worker alone; what it spawned before is
    // there for the others too. So something must be the last.
    runtime.spawn(async {});
    Box::pin(async move {
        match task.join_next().await {
            Some(Ok(output)) => output,
            Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime was shut down.
            Some(Err(_)) | None => request().await,
        }
    })
}

/// How long a detached request may take to come to its end.
#[cfg(feature = "tokio")]
const LONGEST_DETACHED: std::time::Duration = std::time::Duration::from_secs(10);

/// Lets a request that nobody needs come to its end on the runtime, if there is one. To drop
/// it would cost its connection, where a connection carries one request at a time.
pub(super) fn detach<T: Send + 'static>(request: BoxFuture<'static, T>) {
    #[cfg(feature = "tokio")]
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async { select(request, clock::sleep(LONGEST_DETACHED)).await });
        return;
    }
    drop(request);
}
