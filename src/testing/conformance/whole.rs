use std::fmt::Debug;

use futures::future::try_join;

use super::{
    reading::Reading,
    suite::{Plan, Suite, WINDOWS},
    violation::{Rule, Violation, ensure},
};
use crate::paginator::Paginator;

/// The windows with which a whole reading is made.
const ALL_WINDOWS: [usize; 6] = [1, 2, 3, 4, 8, 16];

const DROPPING: &str = ", where each `next()` is dropped while it waits";

/// Whole readings: all records come, with every window, by records and by pages.
impl<P, B> Suite<'_, P, B>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    pub(super) async fn check_whole_readings(&mut self) -> Result<(), Violation> {
        self.check_names()?;
        self.learn().await?;
        for window in ALL_WINDOWS {
            for (by_pages, view) in [(false, ""), (true, "read by pages, ")] {
                for (drops_next, how) in [(false, ""), (true, DROPPING)] {
                    let plan = Plan { window, by_pages, drops_next, ..Plan::default() };
                    self.check_whole(&plan).await.map_err(|violation| {
                        violation.at(format!("{view}with a window of {window}{how}"))
                    })?;
                }
            }
        }
        for window in WINDOWS {
            self.check_streams_side_by_side(window).await?;
        }
        Ok(())
    }

    /// Checks that `start` and `identity` return the same each time.
    fn check_names(&self) -> Result<(), Violation> {
        let (one, other) = ((self.build)(), (self.build)());
        for (when, again) in [("called twice", &one), ("of two builds", &other)] {
            let (first, second) = (one.start(), again.start());
            ensure(first == second, Rule::Start, || {
                format!("{when}: `start` gives {first:?}, and then {second:?}")
            })?;
            let (first, second) = (one.identity(), again.identity());
            ensure(first == second, Rule::Identity, || {
                format!("{when}: `identity` gives {first:?}, and then {second:?}")
            })?;
            ensure(!first.is_empty(), Rule::Identity, || {
                "`identity` is empty, so the paginator has no checkpoints".to_owned()
            })?;
        }
        Ok(())
    }

    /// Learns from two readings where the pages end and which ids fail.
    async fn learn(&mut self) -> Result<(), Violation> {
        let how = "with a window of 1";
        let plan = Plan { window: 1, ..Plan::default() };
        let first = self.read(&plan).await.map_err(|violation| violation.at(how))?;
        self.failures.clone_from(&first.failures);
        self.failures.sort_unstable();
        self.check_content(&[&first]).map_err(|violation| violation.at(how))?;

        let how = "read by pages";
        let plan = Plan { by_pages: true, ..plan };
        let pages = self.read(&plan).await.map_err(|violation| violation.at(how))?;
        self.check_content(&[&pages]).map_err(|violation| violation.at(how))?;
        let (came, counted) = (pages.pieces.len(), first.progress.pages);
        ensure(came as u64 == counted, Rule::Count, || {
            format!("{came} pages came, and {counted} are counted when it is read by records")
        })?;
        self.pages = pages.pieces;
        Ok(())
    }

    async fn check_whole(&self, plan: &Plan<'_>) -> Result<(), Violation> {
        let reading = self.read(plan).await?;
        self.check_content(&[&reading])?;
        ensure(reading.checkpoint.is_finished(), Rule::Checkpoint, || {
            "it ended, and its checkpoint says that something remains".to_owned()
        })?;
        let plan = Plan { from: Some(&reading.checkpoint), ..plan.clone() };
        let more = self.read(&plan).await?;
        ensure(more.items() == 0 && more.fetches == 0, Rule::Checkpoint, || {
            let (items, fetches) = (more.items(), more.fetches);
            format!("resumed after its end, it made {fetches} requests and gave {items} items")
        })
    }

    /// Reads two streams of one paginator. They wait before and after each fetch,
    /// so their fetches take turns.
    async fn check_streams_side_by_side(&self, window: usize) -> Result<(), Violation> {
        let probe = self.probe(None);
        let plan = Plan { window, ..Plan::default() };
        let read = async |which: &str| -> Result<Reading<P::Record>, Violation> {
            let at = |violation: Violation| {
                violation.at(format!(
                    "the {which} of two streams of one paginator, with a window of {window}"
                ))
            };
            let reading = self.read_probe(&probe, &plan).await.map_err(at)?;
            self.check_content(&[&reading]).map_err(at)?;
            Ok(reading)
        };
        try_join(read("first"), read("second")).await?;
        Ok(())
    }
}
