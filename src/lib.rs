#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    all(feature = "hubspot", feature = "alloy", feature = "reqwest"),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(all(feature = "hubspot", feature = "alloy", feature = "reqwest")),
    doc = "Every paginated API as one `Stream`."
)]

mod chain;
mod checkpoint;
mod clock;
mod cursor;
mod cycle_detector;
mod erased;
mod error;
mod ext;
mod from_fn;
mod frontier;
#[cfg(all(
    any(doc, doctest),
    feature = "hubspot",
    feature = "alloy",
    feature = "reqwest",
    feature = "testing"
))]
pub mod guide;
#[cfg(feature = "rest")]
pub mod http;
#[cfg(feature = "rest")]
mod json;
mod keyed;
mod keys;
mod known_keys;
mod map;
mod nest;
mod opaque_cursor;
mod pack_front;
mod page;
mod paginator;
mod recent_set;
mod repeated_cursor;
mod replay;
mod retry;
#[cfg(feature = "tracing")]
mod send_count;
mod split;
mod stream;
mod transport;
#[cfg_attr(
    not(feature = "rate-limit"),
    allow(dead_code, reason = "only a rate limiter makes a request wait")
)]
mod waiting_count;

#[cfg(feature = "alloy")]
pub mod alloy;
#[cfg(feature = "hubspot")]
pub mod hubspot;
#[cfg(feature = "rest")]
pub mod rest;
#[cfg(feature = "testing")]
pub mod testing;

pub use async_trait::async_trait;

#[cfg(feature = "rest")]
pub use secrecy::{ExposeSecret, SecretString};

#[cfg(feature = "reqwest")]
pub use self::transport::Reqwest;
#[cfg(feature = "rest")]
pub use self::transport::{Credentials, SharedCredentials};
#[cfg(feature = "rate-limit")]
pub use self::transport::{RateLimited, RateLimiter};
pub use self::{
    chain::{Chain, ChainCursor, chain},
    checkpoint::Checkpoint,
    cursor::Cursor,
    erased::BoxPaginator,
    error::{Error, ErrorKind, ServiceError},
    ext::PaginatorExt,
    from_fn::{FromFn, from_fn},
    keyed::Keyed,
    map::Map,
    nest::{ChildrenAlone, Nest, NestCursor, Nested, NestedRecords, ParentsToo},
    opaque_cursor::OpaqueCursor,
    page::{Page, Unit},
    paginator::Paginator,
    repeated_cursor::RepeatedCursor,
    retry::Retry,
    stream::{
        Batch, Batches, ChangedPage, Monitor, Pages, Progress, Read, Records, Source, StopReason,
        Wait, WaitReason,
    },
    transport::{Transport, retry_after},
};
