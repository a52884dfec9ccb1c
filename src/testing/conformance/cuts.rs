use std::fmt::Debug;

use super::{
    positions::positions,
    reading::{Reading, Until},
    suite::{Plan, Suite, WINDOWS},
    violation::{Rule, Violation, ensure},
};
use crate::{error::Error, paginator::Paginator};

/// Readings that are cut and resumed from a checkpoint, by a paginator that is newly
/// built.
impl<P, B> Suite<'_, P, B>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    pub(super) async fn check_cuts(&self) -> Result<(), Violation> {
        for window in WINDOWS {
            self.check_a_cut_at_each_position(window, false).await?;
            self.check_a_cut_at_each_position(window, true).await?;
            self.check_many_cuts(window).await?;
            self.check_drops(window).await?;
        }
        self.check_mismatch().await
    }

    /// Takes checkpoints in one reading, and reads what remains after each of them.
    async fn check_a_cut_at_each_position(
        &self,
        window: usize,
        by_pages: bool,
    ) -> Result<(), Violation> {
        let marks = if by_pages {
            positions(self.pages.len() + self.failures.len(), self.options.few_positions(), &[])
        } else {
            let items = self.options.expected.len() + self.failures.len();
            positions(items, self.options.positions, &self.borders())
        };
        let plan = Plan { window, by_pages, marks, ..Plan::default() };
        let at = |what: String| {
            let view = if by_pages { ", by pages" } else { "" };
            move |violation: Violation| {
                violation.at(format!("{what}{view}, with a window of {window}"))
            }
        };
        let whole = self.read(&plan).await.map_err(at("read with checkpoints".to_owned()))?;
        for mark in &whole.marks {
            let resumed = format!("resumed {}", self.after(mark.records));
            self.resume(&whole, mark, window, by_pages).await.map_err(at(resumed))?;
        }
        Ok(())
    }

    /// After how many records each page ends.
    pub(super) fn borders(&self) -> Vec<usize> {
        let records = self.pages.iter().scan(0, |records, page| {
            *records += page;
            Some(*records)
        });
        records.collect()
    }

    /// Cuts one reading again and again.
    async fn check_many_cuts(&self, window: usize) -> Result<(), Violation> {
        let items = self.options.expected.len() + self.failures.len();
        let step = items.div_ceil(self.options.positions.max(1)).max(1);
        let position = format!("cut after every {step} records, with a window of {window}");
        let at = |violation: Violation| violation.at(&position);
        let mut parts = Vec::new();
        // Each part but the last has `step` items, so this ends when a reading ends.
        for _ in 0..=2 * self.options.positions + 1_000 {
            let from = parts.last().map(|part: &Reading<_>| &part.checkpoint);
            let until = Until::Items(step);
            let part =
                self.read(&Plan { window, from, until, ..Plan::default() }).await.map_err(at)?;
            let is_over = part.progress.stop.is_some();
            parts.push(part);
            if is_over {
                break;
            }
        }
        self.check_content(&parts.iter().collect::<Vec<_>>()).map_err(at)
    }

    /// Drops a stream with its requests, wherever it waits.
    async fn check_drops(&self, window: usize) -> Result<(), Violation> {
        let at = |waits: usize| {
            move |violation: Violation| {
                violation.at(format!("dropped at wait {}, with a window of {window}", waits + 1))
            }
        };
        let whole = Plan { window, ..Plan::default() };
        let waits = self.read(&whole).await?.waits;
        for waits in positions(waits, self.options.few_positions(), &[]) {
            let plan = Plan { until: Until::Waits(waits), ..whole.clone() };
            let reading = self.read(&plan).await.map_err(at(waits))?;
            self.resume(&reading, &reading.end(), window, false).await.map_err(at(waits))?;
        }
        Ok(())
    }

    /// Checks that a checkpoint of another identity is a mismatch.
    async fn check_mismatch(&self) -> Result<(), Violation> {
        let plan = Plan { window: 1, until: Until::Items(0), ..Plan::default() };
        let mut checkpoint = self.read(&plan).await?.checkpoint;
        checkpoint.identity.push_str(", and something else");

        let plan = Plan { window: 1, from: Some(&checkpoint), ..Plan::default() };
        let probe = self.probe(None);
        let reading = self.run(&probe, &plan).await?;
        let is_mismatch = reading.error.as_ref().is_some_and(Error::is_checkpoint);
        ensure(is_mismatch && reading.items() + probe.fetches() == 0, Rule::Checkpoint, || {
            let (items, fetches, error) = (reading.items(), probe.fetches(), &reading.error);
            format!(
                "the checkpoint of another identity gave {items} items with {fetches} requests, \
                 and the error {error:?}"
            )
        })
    }
}
