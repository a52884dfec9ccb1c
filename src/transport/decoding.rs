use std::str::Utf8Error;

#[cfg(feature = "hubspot")]
use bytes::Bytes;

type Decoded<T> = Result<serde_json::Result<T>, Utf8Error>;

/// A larger body is decoded where it holds up no other task.
#[cfg(all(feature = "hubspot", feature = "tokio"))]
const LARGE: usize = 1024 * 1024;

/// Decodes a body; its text is checked once for all that is read from it.
pub(super) fn decode<T>(
    body: &[u8],
    decode: impl FnOnce(&str) -> serde_json::Result<T>,
) -> Decoded<T> {
    std::str::from_utf8(body).map(decode)
}

/// The same; a large body on a thread for blocking work, where a runtime has such.
/// 50 MB take half a second.
#[cfg(feature = "hubspot")]
#[cfg_attr(not(feature = "tokio"), allow(clippy::unused_async, reason = "nothing to wait for"))]
pub(super) async fn decode_apart<T: Send + 'static>(
    body: &Bytes,
    with: impl FnOnce(&str) -> serde_json::Result<T> + Send + 'static,
) -> Decoded<T> {
    #[cfg(feature = "tokio")]
    if body.len() >= LARGE
        && let Ok(runtime) = tokio::runtime::Handle::try_current()
    {
        let body = body.clone();
        return match runtime.spawn_blocking(move || decode(&body, with)).await {
            Ok(decoded) => decoded,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is shutting down.
            Err(_) => std::future::pending().await,
        };
    }
    decode(body, with)
}
