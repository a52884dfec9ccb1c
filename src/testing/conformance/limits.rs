use std::{collections::BTreeSet, fmt::Debug};

use super::{
    positions::positions,
    suite::{Limit, Plan, Suite, WINDOWS},
    violation::{Rule, Violation, ensure},
};
use crate::{paginator::Paginator, stream::StopReason};

/// Readings that a limit ends, at every page border and next to it.
impl<P, B> Suite<'_, P, B>
where
    P: Paginator,
    P::Record: PartialEq + Debug,
    B: Fn() -> P,
{
    pub(super) async fn check_limits(&self) -> Result<(), Violation> {
        let (some, pages) = (self.options.few_positions(), self.pages.len());
        let borders = self.borders();
        let borders = positions(pages, some, &[]).into_iter().filter_map(|page| borders.get(page));
        let near = borders.flat_map(|&border| [border.saturating_sub(1), border, border + 1]);
        let expected = self.options.expected.len();
        let records = near.chain([0, 1, expected, expected + 1]).collect::<BTreeSet<_>>();
        let pages = positions(pages + 1, some, &[]);
        for window in WINDOWS {
            for &records in &records {
                self.check_limit(Limit::Records(records as u64), window).await?;
            }
            for &pages in &pages {
                self.check_limit(Limit::Pages(pages as u64), window).await?;
                self.check_limit(Limit::Requests(pages as u64), window).await?;
            }
        }
        Ok(())
    }

    async fn check_limit(&self, limit: Limit, window: usize) -> Result<(), Violation> {
        let name = match limit {
            Limit::Records(records) => format!("max_records({records})"),
            Limit::Pages(pages) => format!("max_pages({pages})"),
            Limit::Requests(requests) => format!("max_requests({requests})"),
        };
        let limited = format!("with `{name}` and a window of {window}");
        let at = |violation: Violation| violation.at(&limited);

        let plan = Plan { window, limit: Some(limit), ..Plan::default() };
        let reading = self.read(&plan).await.map_err(at)?;
        let progress = &reading.progress;
        let (reached, most, reason) = match limit {
            Limit::Records(most) => (progress.records, most, StopReason::MaxRecords),
            Limit::Pages(most) => (progress.pages, most, StopReason::MaxPages),
            Limit::Requests(most) => (progress.requests, most, StopReason::MaxRequests),
        };
        // If the limit is at the end of the data, the end is the reason.
        let is_over = reading.checkpoint.is_finished();
        // Unless an empty page that said so came in the moment when the limit was reached.
        let is_tie = is_over && reached == most && progress.stop == Some(reason);
        let due = if is_over && !is_tie { StopReason::End } else { reason };
        let is_reached = reached == most || (is_over && reached < most);
        ensure(is_reached && progress.stop == Some(due), Rule::Limit, || {
            let stop = progress.stop;
            format!("it ended at {reached} for the reason {stop:?}, expected {due:?}")
        })
        .map_err(at)?;
        let then = |violation: Violation| at(violation.at("and then resumed"));
        self.resume(&reading, &reading.end(), window, false).await.map_err(then)
    }
}
