//! A service of one's own, without HTTP: `cargo run --example custom_connector`.
//!
//! A paginator has two methods: where reading begins, and how a page is read. Here the pages are
//! the files of a folder, as an export leaves them.

use std::{collections::BTreeSet, fs, path::PathBuf};

use futures::TryStreamExt;
use pagestream::{Error, ErrorKind, Page, Paginator, PaginatorExt, async_trait};

/// The lines of all files of a folder, file after file.
struct Export {
    folder: PathBuf,
}

impl Export {
    /// The file behind this one, in the order of their names.
    fn after(&self, name: &str) -> Result<Option<String>, Error> {
        let failed = |error| {
            let message = format!("can't list {}", self.folder.display());
            Error::new(ErrorKind::Transport, message).with_source(error)
        };
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            names.insert(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
        }
        Ok(names.into_iter().find(|other| other.as_str() > name))
    }
}

#[async_trait]
impl Paginator for Export {
    type Record = String;
    type Cursor = String;

    /// Before the first file.
    fn start(&self) -> String {
        String::new()
    }

    async fn fetch(&self, name: String) -> Result<Page<String, String>, Error> {
        let next = self.after(&name)?;
        if name.is_empty() {
            return Ok(Page::new(Vec::new(), next));
        }
        let text = fs::read_to_string(self.folder.join(&name)).map_err(|error| {
            Error::new(ErrorKind::Transport, format!("can't read {name}")).with_source(error)
        })?;
        Ok(Page::new(text.lines().map(str::to_owned).collect(), next))
    }

    fn identity(&self) -> String {
        format!("the export in {}", self.folder.display())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("pagestream-export-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    for day in 1..=3 {
        let orders = (1..=4).map(|order| format!("order {day}{order}\n"));
        fs::write(folder.join(format!("2026-01-0{day}.txt")), orders.collect::<String>())?;
    }

    let export = Export { folder: folder.clone() };
    let first = export.read().max_records(5).records();
    let monitor = first.monitor();
    let first: Vec<String> = first.try_collect().await?;
    println!("{} orders, up to {:?}", first.len(), first.last());

    let rest = export.read().resume(monitor.checkpoint()?).records();
    let rest: Vec<String> = rest.try_collect().await?;
    println!("{} more, from {:?}", rest.len(), rest.first());
    fs::remove_dir_all(folder)?;
    Ok(())
}
