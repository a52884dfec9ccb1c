//! What an export keeps between its runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use pagestream_datafusion::Part;
use serde::{Deserialize, Serialize};

const STATE: &str = "export.json";

/// What is left to do.
#[derive(Serialize, Deserialize)]
pub(crate) struct State {
    /// The number of the run, so that each has file names of its own.
    pub(crate) run: u32,
    /// The parts that this run reads.
    pub(crate) parts: Vec<Part>,
    /// Files of the run before whose parts were cut. They are whole as far as they go, and get
    /// their names once this state is kept: before that, their rest would be lost.
    pub(crate) cut: Vec<String>,
}

impl State {
    /// What the last run left, if there was one.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        let text = match fs::read_to_string(folder.join(STATE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut state = serde_json::from_str::<Self>(&text)?;
        state.finish_cut(folder)?;
        // Parts that were done before a crash.
        let files = Files { folder: folder.to_owned(), run: state.run };
        let mut part = 0..;
        state.parts.retain(|_| part.next().is_some_and(|part| !files.is_done(part)));
        Ok(Some(state))
    }

    /// Keeps it whole, or not at all.
    pub(crate) fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let temporary = folder.join(format!("{STATE}.tmp"));
        let file = fs::File::create(&temporary)?;
        serde_json::to_writer(&file, self)?;
        file.sync_all()?;
        Ok(fs::rename(temporary, folder.join(STATE))?)
    }

    /// Gives the files of parts that were cut their names.
    pub(crate) fn finish_cut(&self, folder: &Path) -> anyhow::Result<()> {
        for name in &self.cut {
            match fs::rename(folder.join(format!("{name}.tmp")), folder.join(name)) {
                // It has its name already.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                renamed => renamed?,
            }
        }
        Ok(())
    }
}

/// The files of a run.
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    pub(crate) run: u32,
}

impl Files {
    pub(crate) fn name(&self, part: usize) -> String {
        format!("run-{}-part-{part:03}.parquet", self.run)
    }

    pub(crate) fn temporary(&self, part: usize) -> PathBuf {
        self.folder.join(format!("{}.tmp", self.name(part)))
    }

    pub(crate) fn finish(&self, part: usize) -> io::Result<()> {
        fs::rename(self.temporary(part), self.folder.join(self.name(part)))
    }

    fn is_done(&self, part: usize) -> bool {
        self.folder.join(self.name(part)).exists()
    }
}
