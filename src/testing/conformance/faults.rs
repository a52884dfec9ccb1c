use std::fmt::Debug;

use super::{
    positions::positions,
    probe::{Fault, FaultKind, Moment},
    reading::{Mark, Reading},
    suite::{Plan, Suite, WINDOWS},
    violation::{Rule, Violation, ensure},
};
use crate::{error::Error, paginator::Paginator};

const KINDS: [FaultKind; 4] =
    [FaultKind::Retryable, FaultKind::Fatal, FaultKind::TooLarge, FaultKind::Throttled];

/// Readings in which one fetch fails, before the page was fetched or after it.
impl<P, B> Suite<'_, P, B>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    pub(super) async fn check_faults(&self) -> Result<(), Violation> {
        for window in WINDOWS {
            let fetches = self.read(&Plan { window, ..Plan::default() }).await?.fetches;
            for number in positions(fetches.saturating_sub(1), self.options.few_positions(), &[]) {
                for kind in KINDS {
                    for moment in [Moment::Before, Moment::After] {
                        let fault = Fault { at: number, kind, moment };
                        let checked = self.check_fault(fault, window).await;
                        checked.map_err(|violation| violation.at(fault.position(window)))?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn check_fault(&self, fault: Fault, window: usize) -> Result<(), Violation> {
        let plan = Plan { window, fault: Some(fault), ..Plan::default() };
        let reading = self.read(&plan).await?;
        let Some(error) = &reading.error else {
            // With a window, two readings may make different requests. So a reading may
            // not need the one that failed.
            let is_met = reading.has_met_fault && window == 1;
            let is_due = is_met && fault.kind == FaultKind::Fatal;
            ensure(!is_due, Rule::Error, || "the fatal error was not delivered".to_owned())?;
            let (retries, due) = (reading.progress.retries, fault.times() as u64);
            ensure(retries == due || (retries < due && !is_met), Rule::Count, || {
                format!("a request was made again {due} times, and {retries} retries are counted")
            })?;
            return self.check_content(&[&reading]);
        };
        let is_due = matches!(fault.kind, FaultKind::Fatal | FaultKind::TooLarge);
        ensure(is_due, Rule::Error, || format!("the error was delivered: {error}"))?;
        let mark = where_it_failed(&reading, error)?;
        self.resume(&reading, &mark, window, false).await.map_err(|violation| {
            violation.at(format!("resumed from the error {}", self.after(mark.records)))
        })
    }
}

pub(super) fn where_it_failed<R>(reading: &Reading<R>, error: &Error) -> Result<Mark, Violation> {
    let checkpoint = error.checkpoint().cloned().ok_or_else(|| {
        Violation::new(Rule::Error, format!("the error carries no checkpoint: {error}"))
    })?;
    Ok(Mark { checkpoint, ..reading.end() })
}
