use std::fmt::Debug;

use super::{
    positions::positions,
    reading::{Mark, Reading},
    suite::{Plan, Suite, WINDOWS},
    violation::{Rule, Violation, compare, ensure},
};
use crate::{checkpoint::Checkpoint, error::Error, paginator::Paginator};

/// Readings whose rest is split into parts, each of which is read by itself.
impl<P, B> Suite<'_, P, B>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    /// Takes checkpoints in one reading, and splits each of them into 2 to 9 parts.
    pub(super) async fn check_parts(&self) -> Result<(), Violation> {
        for window in WINDOWS {
            let items = self.options.expected.len() + self.failures.len();
            let marks = positions(items, self.options.positions, &self.borders());
            let plan = Plan { window, marks, ..Plan::default() };
            let whole = self.read(&plan).await?;
            for (number, mark) in whole.marks.iter().enumerate() {
                let parts = 2 + (number + window) % 8;
                let at = |violation: Violation| {
                    let after = self.after(mark.records);
                    violation.at(format!("in {parts} parts {after}, with a window of {window}"))
                };
                self.read_in_parts(&whole, mark, parts, window).await.map_err(at)?;
            }
        }
        Ok(())
    }

    async fn read_in_parts(
        &self,
        whole: &Reading<P::Record>,
        mark: &Mark,
        parts: usize,
        window: usize,
    ) -> Result<(), Violation> {
        let mut split = self.split(&mark.checkpoint, parts)?;
        let counted = split.iter().map(Checkpoint::records).sum::<u64>();
        ensure(counted == mark.checkpoint.records(), Rule::Count, || {
            let before = mark.checkpoint.records();
            format!("{before} records are counted before the split, and {counted} in the parts")
        })?;
        if split.len() == 1 {
            // It is resumed as a whole elsewhere.
            return Ok(());
        }
        // One part is split once more.
        if let Some(last) = split.pop() {
            split.extend(self.split(&last, 2)?);
        }
        let mut came = whole.records[..mark.records].iter().collect::<Vec<_>>();
        let mut failures = whole.failures[..mark.failures].to_vec();
        let mut readings = Vec::new();
        for part in split.iter().rev() {
            readings.push(self.read(&Plan { window, from: Some(part), ..Plan::default() }).await?);
        }
        for reading in readings.iter().rev() {
            came.extend(&reading.records);
            failures.extend_from_slice(&reading.failures);
        }
        compare(&came, &self.options.expected, false)?;
        self.same_failures(failures)
    }

    fn split(&self, checkpoint: &Checkpoint, parts: usize) -> Result<Vec<Checkpoint>, Violation> {
        let total = self.options.expected.len() as u64;
        let split = checkpoint.split(&self.probe(None), parts, total);
        let split = split.map_err(|error: Error| {
            Violation::new(Rule::Checkpoint, format!("a checkpoint can't be split: {error}"))
        })?;
        ensure(split.len() <= parts, Rule::Count, || {
            format!("{} parts were made of one, and at most {parts} asked for", split.len())
        })?;
        Ok(split)
    }
}
