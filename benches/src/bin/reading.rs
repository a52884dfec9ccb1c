//! One reading, as a program of its own whose instructions are counted.
//!
//!     reading stream <reader> <records a page> <pages>
//!     reading decode <decoder> <base URL>

use std::env;

use anyhow::{Context, Result, bail};
use futures::executor::block_on;
use pagestream_bench::{
    clients::{Service, alloy},
    stream::{Memory, Reader},
};

fn main() -> Result<()> {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["stream", reader, per_page, pages] => {
            let reader = Reader::named(reader).context("no such reader")?;
            let memory = Memory { per_page: per_page.parse()?, pages: pages.parse()? };
            println!("{}", block_on(reader.read(memory))?);
        }
        ["decode", name, base_url] => {
            let client = alloy::DECODERS.into_iter().find(|(decoder, _)| *decoder == name);
            let (_, client) = client.context("no such decoder")?;
            let service = Service::new(base_url)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            println!("{}", runtime.block_on(client.read(&service))?.records);
        }
        _ => bail!("what is to be read?"),
    }
    Ok(())
}
