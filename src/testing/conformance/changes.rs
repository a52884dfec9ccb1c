use std::fmt::Debug;

use super::{
    positions::positions,
    probe::{Fault, FaultKind, Moment},
    reading::{Mark, Reading},
    suite::{Plan, Suite, WINDOWS},
    violation::{Rule, Violation, compare},
};
use crate::{error::ErrorKind, paginator::Paginator, replay::KEPT_KEYS};

/// Readings that are cut in a page, and resumed after the first record of that page was
/// deleted, or moved. A checkpoint keeps the keys of a few records, so no other move is found.
impl<P, B> Suite<'_, P, B>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    pub(super) async fn check_changes(&self) -> Result<(), Violation> {
        let items = self.options.expected.len() + self.failures.len();
        let marks = positions(items, self.options.few_positions(), &self.borders());
        for window in WINDOWS {
            let plan = Plan { window, marks: marks.clone(), ..Plan::default() };
            let reading = self.read(&plan).await?;
            for mark in &reading.marks {
                let is_near = self.in_page(mark) <= KEPT_KEYS;
                let moves = is_near.then_some(FaultKind::Moves);
                for kind in [FaultKind::Deletes].into_iter().chain(moves) {
                    let fault = Fault { at: 0, kind, moment: Moment::After };
                    let checked = self.check_change(&reading, mark, window, fault).await;
                    checked.map_err(|violation| {
                        let (resumed, fault) = (self.after(mark.records), fault.position(window));
                        violation.at(format!("resumed {resumed}, {fault}"))
                    })?;
                }
            }
        }
        Ok(())
    }

    /// How many records of its page came before a mark.
    fn in_page(&self, mark: &Mark) -> usize {
        let borders = self.borders();
        let before = borders.iter().rfind(|border| **border <= mark.records);
        mark.records - before.unwrap_or(&0)
    }

    async fn check_change(
        &self,
        reading: &Reading<P::Record>,
        mark: &Mark,
        window: usize,
        fault: Fault,
    ) -> Result<(), Violation> {
        let probe = self.probe(Some(fault));
        let plan = Plan { window, from: Some(&mark.checkpoint), ..Plan::default() };
        let remaining = self.run(&probe, &plan).await?;
        let error = remaining.error.as_ref();
        let is_fatal = error.is_some_and(|error| error.kind() == ErrorKind::Changed);
        if !is_fatal {
            probe.check_error(error)?;
        }
        let is_told = is_fatal || remaining.failures.iter().any(|it| it.starts_with("Changed"));

        let delivered = &reading.records[..mark.records];
        let came = delivered.iter().chain(&remaining.records).collect::<Vec<_>>();
        let deleted = probe.deleted();
        let counts = |deleted: &P::Record| {
            let came = came.iter().filter(|record| **record == deleted).count();
            came < self.options.expected.iter().filter(|record| *record == deleted).count()
        };
        let is_ordered = self.options.is_ordered && fault.kind != FaultKind::Moves;
        let is_whole = match deleted.as_ref().filter(|deleted| counts(deleted)) {
            None => compare(&came, &self.options.expected, is_ordered),
            // It is lost for good, and nothing else.
            Some(deleted) => {
                let all = came.iter().copied().chain([deleted]).collect::<Vec<_>>();
                compare(&all, &self.options.expected, false)
            }
        };
        match is_whole {
            Err(violation) if !(is_told && violation.rule() == Rule::Lost) => Err(violation),
            _ => Ok(()),
        }
    }
}
