use std::{collections::BTreeSet, fmt::Debug};

use super::{
    hook::{Action, Hook},
    positions::positions,
    probe::Probe,
    reading::{Mark, Reading},
    suite::{Plan, Suite, WINDOWS},
    violation::{Rule, Violation, ensure},
};
use crate::paginator::Paginator;

/// Readings in which the code of a user that the paginator calls asks for checkpoints, and
/// panics.
impl<P, B> Suite<'_, P, B>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    pub(super) async fn check_hooks(&self, build: &impl Fn(Hook) -> P) -> Result<(), Violation> {
        for window in WINDOWS {
            let calls = self.check_asking(build, window).await.map_err(|violation| {
                violation.at(format!("a hook asks for a checkpoint, with a window of {window}"))
            })?;
            for call in positions(calls.saturating_sub(1), self.options.few_positions(), &[]) {
                let hook = Hook::new(Action::Panic(call));
                let probe = self.probe_of(build(hook.clone()), None);
                let plan = Plan { window, hook: Some(&hook), ..Plan::default() };
                self.check_panic(&probe, &plan).await.map_err(|violation| {
                    let call = call + 1;
                    violation.at(format!(
                        "where a hook panics at call {call}, with a window of {window}"
                    ))
                })?;
            }
        }
        Ok(())
    }

    /// Resumes a reading at the checkpoints that a hook got in it. Gives how often the hook
    /// was called.
    async fn check_asking(
        &self,
        build: &impl Fn(Hook) -> P,
        window: usize,
    ) -> Result<usize, Violation> {
        let hook = Hook::new(Action::Ask(self.options.timeout));
        let probe: Probe<P> = self.probe_of(build(hook.clone()), None);
        let plan = Plan { window, hook: Some(&hook), ..Plan::default() };
        let reading = self.read_probe(&probe, &plan).await;
        // What the hook found is told first: it is why a reading stalls.
        let checkpoints = hook.checkpoints()?;
        let reading: Reading<P::Record> = reading?;
        self.check_content(&[&reading])?;
        ensure(!checkpoints.is_empty(), Rule::Hook, || "it was never called".to_owned())?;
        let tried: BTreeSet<usize> =
            positions(checkpoints.len() - 1, self.options.few_positions(), &[]);
        for checkpoint in tried.into_iter().map(|index| &checkpoints[index]) {
            // Both came in this reading, so they are no large numbers.
            let [records, failures] = [checkpoint.records, checkpoint.failures]
                .map(|count| usize::try_from(count).unwrap_or(usize::MAX));
            let mark = Mark { records, failures, checkpoint: checkpoint.clone() };
            let at =
                |violation: Violation| violation.at(format!("resumed {}", self.after(records)));
            self.resume(&reading, &mark, window, false).await.map_err(at)?;
        }
        Ok(hook.calls())
    }
}
