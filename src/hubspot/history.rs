use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::wire::Associated;
use crate::{
    cycle_detector::{CycleDetector, fingerprint},
    keys::key,
    opaque_cursor::OpaqueCursor,
};

/// How many empty pages in a row an id may have.
const MAX_EMPTY_PAGES: u32 = 100;

/// How many of the last cursors and pages of an id are known exactly.
const EXACT: usize = 2_048;

/// What came of an id before its cursor. It finds an id that never ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    /// The cursors before.
    #[serde(default, skip_serializing_if = "CycleDetector::is_empty")]
    pub(super) cycles: CycleDetector,
    /// The digest of the last page that was not empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<u64>,
    /// The empty pages in a row.
    #[serde(default, skip_serializing_if = "is_zero")]
    empty_pages: u32,
    /// The cursors and the pages that came since the reading began, or was resumed.
    #[serde(skip)]
    seen: Seen,
}

/// It says nothing about where to read, so it makes no difference between two cursors.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Vec<u64>>);

impl PartialEq for Seen {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Seen {}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl History {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks a page against the ones before it.
    ///
    /// # Errors
    ///
    /// What is wrong with the id, if it came before.
    pub(super) fn check(&self, to: &[Associated]) -> Result<(), &'static str> {
        // Most ids have one page, which needs no digest.
        let is_first = self.page.is_none() && self.seen.0.is_empty();
        let came = |digest| self.page == Some(digest) || self.seen.0.contains(&digest);
        if !is_first && digest(to).is_some_and(came) {
            Err("gave a page again under another cursor")
        } else {
            Ok(())
        }
    }

    /// What came before `after`, which a page with these associations leads to. `cursor` is
    /// that of the page; the first has none.
    ///
    /// # Errors
    ///
    /// What is wrong with the id, if it goes in a cycle or gives one empty page after the
    /// other.
    pub(super) fn next(
        &self,
        cursor: Option<&OpaqueCursor>,
        to: &[Associated],
        after: &OpaqueCursor,
    ) -> Result<Self, &'static str> {
        let mut next = self.clone();
        let number = fingerprint(&after);
        if let Some(cursor) = cursor {
            let before = fingerprint(&cursor);
            next.cycles = self.cycles.visit(before);
            if before == number || next.cycles.is_cycle(number) || self.seen.0.contains(&number) {
                return Err("has cursors that form a cycle");
            }
        }
        let digest = digest(to);
        next.page = digest.or(self.page);
        next.empty_pages = if to.is_empty() { self.empty_pages.saturating_add(1) } else { 0 };
        if next.empty_pages > MAX_EMPTY_PAGES {
            return Err("gave more than 100 empty pages in a row");
        }
        let seen = Arc::make_mut(&mut next.seen.0);
        seen.extend(digest.into_iter().chain([number]));
        seen.drain(..seen.len().saturating_sub(EXACT));
        Ok(next)
    }
}

/// Stands for the associations of a page that has some.
fn digest(to: &[Associated]) -> Option<u64> {
    (!to.is_empty()).then(|| key(to))
}
