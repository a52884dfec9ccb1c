/// How many refusals in a row, without a page, mean that all of the reading is refused. To
/// find one id of a thousand takes eleven.
const MOST_REFUSALS: u32 = 24;

/// How many units in a row, without a page, may be passed over.
const MOST_PASSED_OVER: u32 = 3;

/// The number of a request that was split.
pub(super) type SplitId = u64;

/// Looks for the units of a request because of which the service refuses all of it: the
/// request is split until they are alone.
#[derive(Debug, Default)]
pub(super) struct Isolation {
    /// Refusals without a page between them.
    refusals: u32,
    /// Units that were passed over without a page between them.
    passed_over: u32,
    /// Whether a page came since the search began.
    has_page: bool,
    /// Whether any page came at all.
    has_any_page: bool,
    splits: Vec<Split>,
    next_id: SplitId,
}

/// A request that was refused and split, of which not all parts are here.
#[derive(Debug)]
struct Split {
    id: SplitId,
    /// The parts that are not here.
    open: usize,
    /// Whether one of its parts was refused too.
    is_refused: bool,
    halvings: u32,
}

impl Isolation {
    /// A request is refused, which may be a part of one that was split. Whether it may be
    /// split, or fail alone.
    pub(super) fn refused(&mut self, part_of: Option<SplitId>) -> bool {
        if self.splits.is_empty() {
            self.has_page = false;
        }
        if let Some(split) = self.split_mut(part_of) {
            split.is_refused = true;
        }
        self.refusals += 1;
        self.refusals <= MOST_REFUSALS
    }

    /// A request that was refused is split into so many parts.
    pub(super) fn split(
        &mut self,
        part_of: Option<SplitId>,
        parts: usize,
        halvings: u32,
    ) -> SplitId {
        self.came(part_of);
        let id = self.next_id;
        self.next_id += 1;
        self.splits.push(Split { id, open: parts, is_refused: false, halvings });
        id
    }

    /// Whether a unit that is alone and refused fails alone, or whether the service may
    /// refuse everything. `is_last` is whether nothing else is to be asked for.
    pub(super) fn fails_alone(&self, is_last: bool) -> bool {
        self.has_page || (is_last && self.has_any_page)
    }

    /// Whether one more unit that the service can't build may be passed over.
    pub(super) fn passes_over(&mut self) -> bool {
        self.passed_over += 1;
        self.passed_over <= MOST_PASSED_OVER
    }

    /// The page of a request came. If all parts of a split are here and none was refused,
    /// the request was too large: how often its size is to be halved.
    #[inline]
    pub(super) fn page_came(&mut self, part_of: Option<SplitId>) -> Option<u32> {
        self.refusals = 0;
        self.passed_over = 0;
        self.has_page = true;
        self.has_any_page = true;
        part_of.and_then(|_| self.came(part_of))
    }

    /// A part is here, or has failed for good.
    pub(super) fn came(&mut self, part_of: Option<SplitId>) -> Option<u32> {
        let split = self.split_mut(part_of)?;
        split.open = split.open.saturating_sub(1);
        let (is_open, is_refused, halvings) = (split.open > 0, split.is_refused, split.halvings);
        if !is_open {
            self.splits.retain(|split| Some(split.id) != part_of);
        }
        (!is_open && !is_refused).then_some(halvings)
    }

    fn split_mut(&mut self, id: Option<SplitId>) -> Option<&mut Split> {
        let id = id?;
        self.splits.iter_mut().find(|split| split.id == id)
    }
}
