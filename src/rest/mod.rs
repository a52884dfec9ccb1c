//! The styles in which HTTP APIs page, and the paginator that is made of one.
//!
//! A style is a way to page. A request of a [`Client`](crate::http::Client) and a style together
//! are a paginator, a [`List`]: [`pages`](crate::http::RequestBuilder::pages).
//!
//! | your API looks like this | style | reads several pages ahead, splits |
//! |---|---|---|
//! | `?offset=200&limit=100`, `startAt`, `skip` | [`Offset`] | both |
//! | `?page=3&per_page=50` | [`PageNumber`] | both |
//! | `"next_cursor": "..."`, `"nextPageToken"`, a header with a token | [`NextCursor`] | no |
//! | `"next": "https://..."`, `"@odata.nextLink"` | [`NextLink`] | no |
//! | `Link: <https://...>; rel="next"` | [`LinkHeader`] | no |
//! | `?starting_after=ch_17`, `?updated_since=2026-01-01` | [`Keyset`] | no |
//! | GraphQL: `pageInfo { hasNextPage endCursor }` | [`Connection`] | no |
//! | all in one answer | [`SinglePage`] | no |
//! | one of these, but it stops after 10,000 results | [`Capped`] around it | no |
//! | one of these, `?from=2026-01-01&to=2026-01-02` | [`TimeSlices`] around it | splits |
//! | anything else | your own [`Style`] | as you say |
//!
//! [`detect`] tells from one answer of your API which of them fit.
//!
//! With a [window](crate::Read::window) of 2 or more, each style asks for the next page while you
//! work on this one. `Offset` and `PageNumber` have as many requests on their way as the window
//! allows.
//!
//! ```
//! use futures::TryStreamExt;
//! use pagestream::{PaginatorExt, http::Client, rest::NextCursor};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct User {
//!     name: String,
//! }
//!
//! # futures::executor::block_on(async {
//! # let service = |request: http::Request<bytes::Bytes>| async move {
//! #     let body = match request.uri().query() {
//! #         Some("limit=2") => r#"{"users": [{"name": "Ada"}, {"name": "Grace"}], "next": "b=="}"#,
//! #         Some("limit=2&cursor=b%3D%3D") => r#"{"users": [{"name": "Mary"}], "next": null}"#,
//! #         _ => "{}",
//! #     };
//! #     Ok::<_, pagestream::Error>(http::Response::new(body.into()))
//! # };
//! let client = Client::builder("https://api.example.com").bearer("k-...");
//! # let client = client.transport(service);
//! let users = client
//!     .build()?
//!     .get("/users")
//!     .limit("limit", 2)
//!     .pages(NextCursor::at("/next").into_query("cursor"))
//!     .records_at("/users")
//!     .build::<User>()?;
//!
//! let users: Vec<User> = users.records().try_collect().await?;
//! assert_eq!(users[2].name, "Mary");
//! # Ok::<(), pagestream::Error>(()) }).unwrap();
//! ```

mod answer;
mod at;
mod builder;
mod capped;
mod connection;
mod cursor_place;
mod decoded;
mod detect;
mod end;
#[cfg(any(feature = "hubspot", feature = "alloy"))]
mod forward_to_list;
mod interval;
mod keyset;
mod link_header;
mod list;
mod next_cursor;
mod next_link;
mod offset;
mod page_number;
mod position;
mod single_page;
mod style;
mod time_slices;
mod web_link;

#[cfg(any(feature = "hubspot", feature = "alloy"))]
pub(crate) use self::forward_to_list::forward_to_list;
pub use self::{
    answer::Answer,
    at::{At, header},
    builder::ListBuilder,
    capped::{Capped, CappedPosition},
    connection::Connection,
    detect::{Detected, detect},
    interval::Interval,
    keyset::{Bound, Keyset},
    link_header::LinkHeader,
    list::List,
    next_cursor::NextCursor,
    next_link::NextLink,
    offset::Offset,
    page_number::{PageInterval, PageNumber},
    position::Position,
    single_page::SinglePage,
    style::{Next, Style},
    time_slices::{SlicePosition, TimeSlices},
};
