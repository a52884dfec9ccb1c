//! A connector for each style, to a made-up service: `cargo run --example connectors`.
//!
//! Each file is one connector. Take the one that looks like your API.

mod connection;
mod keyset;
mod link_header;
mod next_cursor;
mod next_link;
mod offset;
mod page_number;
mod service;
mod single_page;
mod ties;

use futures::TryStreamExt;
use pagestream::{Error, Paginator, PaginatorExt};

use service::Record;

/// Reads all of it, with a window of 8.
async fn read(
    name: &str,
    list: Result<impl Paginator<Record = Record>, Error>,
) -> Result<(), Error> {
    let list = list?;
    let records: Vec<Record> = list.read().window(8).records().try_collect().await?;
    let in_order = records.iter().zip(0..).all(|(record, id)| record.id == id);
    println!("{name:12} {} records, in order: {in_order}", records.len());
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    read("offset", offset::offset()).await?;
    read("page_number", page_number::page_number()).await?;
    read("next_cursor", next_cursor::next_cursor()).await?;
    read("next_link", next_link::next_link()).await?;
    read("link_header", link_header::link_header()).await?;
    read("keyset", keyset::keyset()).await?;
    read("ties", ties::ties()).await?;
    read("connection", connection::connection()).await?;
    read("single_page", single_page::single_page()).await?;
    Ok(())
}
