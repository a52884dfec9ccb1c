//! What a record costs in instructions, counted by callgrind: in a stream in memory,
//! and from a response over HTTP. The server is in this process, which is not counted.

use std::time::Duration;

use anyhow::Result;
use pagestream_bench::{
    clients::alloy::DECODERS,
    contacts::Contacts,
    figures::{Figures, Measure},
    instructions,
    server::Server,
    stream::Reader,
};

const READING: &str = env!("CARGO_BIN_EXE_reading");

fn in_memory(figures: &mut Figures) -> Result<()> {
    const TABLE: &str = "**A record in memory, instructions** above the loop by hand";
    for per_page in [10, 50, 500] {
        let count = |reader: Reader| {
            instructions::of_a_record(READING, 100_000, |records| {
                let pages = records / per_page;
                let [per_page, pages] = [per_page, pages].map(|count| count.to_string());
                vec!["stream".to_owned(), reader.to_string(), per_page, pages]
            })
        };
        let by_hand = count(Reader::ByHand)?;
        println!("the loop by hand itself: {by_hand:.1} instructions");
        for reader in Reader::ALL {
            let above = if reader == Reader::ByHand { 0.0 } else { count(reader)? - by_hand };
            let column = format!("{per_page} records a page");
            figures.add(TABLE, reader, column, Measure::Instructions(above));
        }
    }
    Ok(())
}

fn over_http(figures: &mut Figures) -> Result<()> {
    const RECORDS: u32 = 10_000;
    let start = |records: u32| Server::start(Contacts::new(records.into()), |_| Duration::ZERO);
    let (once, twice) = (start(RECORDS)?, start(2 * RECORDS)?);
    let mut counts = Vec::new();
    for (name, _) in DECODERS {
        let count = instructions::of_a_record(READING, RECORDS, |records| {
            let server = if records == RECORDS { &once } else { &twice };
            vec!["decode".to_owned(), name.to_owned(), server.base_url()]
        })?;
        counts.push(count);
    }
    let bytes = Contacts::new(RECORDS.into()).bytes_of_a_record()?;
    let table = format!("**A record over HTTP**, {bytes:.0} bytes of JSON, 50 a page");
    let [_, by_slice, by_text, _] = counts[..] else { anyhow::bail!("four are compared") };
    for ((_, client), count) in DECODERS.iter().zip(counts) {
        figures.add(&table, client, "instructions", Measure::Instructions(count));
        let ratio = Measure::Ratio(count / by_slice);
        figures.add(&table, client, "in times of `from_slice`", ratio);
        figures.add(&table, client, "in times of `from_str`", Measure::Ratio(count / by_text));
    }
    Ok(())
}

fn main() -> Result<()> {
    let mut figures = Figures::new()?;
    in_memory(&mut figures)?;
    over_http(&mut figures)?;
    figures.save("instructions")
}
