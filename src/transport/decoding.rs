use std::str::Utf8Error;
#[cfg(feature = "tokio")]
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

type Decoded<T> = Result<serde_json::Result<T>, Utf8Error>;

/// From this size on, a body is decoded on another thread.
#[cfg(feature = "tokio")]
const LARGE: usize = 1024 * 1024;

/// Decodes a body, and checks once that it is UTF-8. Inside of a tokio runtime, a large
/// body is decoded on a thread for blocking work, so that it stops no other task: 50 MB
/// take half a second.
#[cfg_attr(not(feature = "tokio"), allow(clippy::unused_async, reason = "nothing to wait for"))]
pub(super) async fn decode<T: Send + 'static>(
    body: &Bytes,
    with: impl FnOnce(&str) -> serde_json::Result<T> + Send + 'static,
) -> Decoded<T> {
    #[cfg(feature = "tokio")]
    if body.len() >= LARGE
        && let Ok(runtime) = tokio::runtime::Handle::try_current()
    {
        let task = Arc::new(Mutex::new(Some(with)));
        let take =
            |task: &Mutex<Option<_>>| task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (body_there, task_there) = (body.clone(), Arc::clone(&task));
        let decoded = runtime
            .spawn_blocking(move || take(&task_there).map(|with| decode_here(&body_there, with)));
        return match decoded.await {
            Ok(Some(decoded)) => decoded,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime was shut down before it began.
            Ok(None) | Err(_) => match take(&task) {
                Some(with) => decode_here(body, with),
                None => std::future::pending().await,
            },
        };
    }
    decode_here(body, with)
}

fn decode_here<T>(body: &[u8], with: impl FnOnce(&str) -> serde_json::Result<T>) -> Decoded<T> {
    std::str::from_utf8(body).map(with)
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use std::thread::{self, ThreadId};

    use futures::FutureExt;

    use super::{LARGE, decode};

    /// On which thread a body is decoded, and how much of it.
    async fn decoded(bytes: usize) -> (ThreadId, usize) {
        let body = vec![b' '; bytes].into();
        decode(&body, |text| Ok((thread::current().id(), text.len()))).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_large_body_is_decoded_on_another_thread() {
        let (thread, bytes) = decoded(LARGE).await;
        assert_eq!(bytes, LARGE);
        assert_ne!(thread, thread::current().id());
    }

    #[tokio::test]
    async fn a_small_body_is_decoded_where_it_is() {
        assert_eq!(decoded(LARGE - 1).await, (thread::current().id(), LARGE - 1));
    }

    #[test]
    fn a_large_body_without_a_runtime_is_decoded_where_it_is() {
        assert_eq!(decoded(LARGE).now_or_never(), Some((thread::current().id(), LARGE)));
    }

    #[tokio::test]
    #[should_panic = "of the decoder"]
    async fn a_panic_of_a_decoder_on_another_thread_is_one_here() {
        let _ = decode(&vec![b' '; LARGE].into(), |_| -> serde_json::Result<()> {
            panic!("of the decoder")
        })
        .await;
    }
}
