use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use datafusion::common::{Result, exec_err};
use pagestream::Monitor;

use crate::{error::engine_error, part::Part, request::Request};

/// How far the partitions of a scan are read, where they were begun.
#[derive(Clone, Default)]
pub(crate) struct Positions(Arc<Mutex<HashMap<usize, Position>>>);

/// How far a partition is read.
#[derive(Clone, Default)]
struct Position {
    /// How many of its parts were begun.
    begun: usize,
    /// The last of these, and what sees it.
    current: Option<(Request, Monitor)>,
    /// Whether rows were read that no batch has.
    has_lost_rows: bool,
}

impl Positions {
    /// The position of a partition that is read from now on.
    pub(crate) fn begin(&self, partition: usize) -> PartitionPosition {
        let position = PartitionPosition { positions: self.clone(), partition };
        position.update(|position| *position = Position::default());
        position
    }

    /// What is left of the parts of a partition.
    pub(crate) fn unread(&self, partition: usize, parts: Vec<Part>) -> Result<Vec<Part>> {
        let position = self.with(|positions| positions.get(&partition).cloned());
        let Position { begun, current, has_lost_rows } = position.unwrap_or_default();
        if has_lost_rows {
            return exec_err!(
                "partition {partition} failed behind rows that were read already: read it again \
                 from the start"
            );
        }
        let mut unread = Vec::new();
        if let Some((request, monitor)) = current {
            let checkpoint = monitor.checkpoint();
            let checkpoint = checkpoint.map_err(engine_error)?;
            if !checkpoint.is_finished() {
                unread.push(Part { request, checkpoint });
            }
        }
        unread.extend(parts.into_iter().skip(begun));
        Ok(unread)
    }

    fn with<T>(&self, f: impl FnOnce(&mut HashMap<usize, Position>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How far one partition is read: the side that reads it.
pub(crate) struct PartitionPosition {
    positions: Positions,
    partition: usize,
}

impl PartitionPosition {
    /// The next part is read from now on.
    pub(crate) fn begin_part(&self, request: Request, monitor: Monitor) {
        self.update(|position| {
            position.begun += 1;
            position.current = Some((request, monitor));
        });
    }

    /// Rows were read, and are in no batch.
    pub(crate) fn lose_rows(&self) {
        self.update(|position| position.has_lost_rows = true);
    }

    fn update(&self, f: impl FnOnce(&mut Position)) {
        self.positions.with(|positions| f(positions.entry(self.partition).or_default()));
    }
}
