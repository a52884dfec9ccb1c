use std::fmt::Debug;

use super::{
    faults::where_it_failed,
    positions::positions,
    probe::{Fault, FaultKind, Moment, Probe},
    reading::Reading,
    suite::{Plan, Suite, WINDOWS},
    violation::{Rule, Violation, ensure},
};
use crate::paginator::Paginator;

/// Readings in which a fetch panics. The paginator is read on, since only its future is
/// gone.
impl<P, B> Suite<'_, P, B>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    pub(super) async fn check_panics(&self) -> Result<(), Violation> {
        for window in WINDOWS {
            let fetches = self.read(&Plan { window, ..Plan::default() }).await?.fetches;
            for at in positions(fetches.saturating_sub(1), self.options.few_positions(), &[]) {
                for moment in [Moment::Before, Moment::Within, Moment::After] {
                    let fault = Fault { at, kind: FaultKind::Panics, moment };
                    let probe = self.probe(Some(fault));
                    let plan = Plan { window, ..Plan::default() };
                    let checked = self.check_panic(&probe, &plan).await;
                    checked.map_err(|violation| violation.at(fault.position(window)))?;
                }
            }
        }
        Ok(())
    }

    /// Reads through a panic: the reading goes on whole, or ends with an error from which the
    /// same paginator reads the rest.
    pub(super) async fn check_panic(
        &self,
        probe: &Probe<P>,
        plan: &Plan<'_>,
    ) -> Result<(), Violation> {
        let reading = self.read_probe(probe, plan).await?;
        let Some(error) = &reading.error else {
            return self.check_content(&[&reading]);
        };
        ensure(reading.has_panicked, Rule::Failed, || Violation::by(error).to_string())?;
        let mark = where_it_failed(&reading, error)?;
        let plan = Plan { window: plan.window, from: Some(&mark.checkpoint), ..Plan::default() };
        let at = |violation: Violation| {
            violation
                .at(format!("and then the same paginator was resumed {}", self.after(mark.records)))
        };
        let rest: Reading<P::Record> = self.read_probe(probe, &plan).await.map_err(at)?;
        self.check_content(&[&reading, &rest]).map_err(at)
    }
}
