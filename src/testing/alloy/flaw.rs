use super::{Envelope, Pagination, Parameters};

/// What an [`Alloy`](super::Alloy) does wrong on a page: its data and its paging object
/// contradict the request, each other, or the page before.
///
/// A full last page is no flaw. The service has one if the number of its records is a
/// multiple of the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlloyFlaw {
    /// It has at most this many records, and goes on after them. On every page this is a
    /// clamped limit, on one page a short page. 0 is the same as 1.
    Clamped(u64),
    /// It has all records from the offset on, whatever the limit.
    Unlimited,
    /// It has no record, and the next page is one limit further, as with a filter. On
    /// every page this is an endless reading.
    Empty,
    /// It is the first page, with the paging object of the first page.
    IgnoredOffset,
    /// It has the records of the first page, but the paging object of its own page.
    SameRecords,
    /// It says that the next page is at this offset. The offset may be the requested one,
    /// a smaller one, one inside of this page, or one far after it.
    NextOffset(u64),
    /// It says that there is a next page, and not at which offset.
    NoNextOffset,
    /// It says that it is the last page, and has an offset of a next page.
    NextOffsetAtEnd,
    /// It has no paging object.
    NoPagination,
    /// It has no data.
    NoData,
    /// It has this total number of records. Depending on the offset, the total shrinks or
    /// grows.
    Total(u64),
}

impl AlloyFlaw {
    /// The page of a service with this flaw. `page` is the page of a correct service.
    pub(super) fn page(
        self,
        requested: Parameters,
        page: impl Fn(Parameters) -> Envelope,
    ) -> Envelope {
        let Parameters { limit, offset } = requested;
        match self {
            Self::Clamped(most) => page(Parameters { limit: limit.min(most.max(1)), offset }),
            Self::Unlimited => page(Parameters { limit: u64::MAX, offset }),
            Self::Empty => {
                let data = Some(Vec::new());
                let pagination = Some(more(Some(offset.saturating_add(limit))));
                Envelope { data, pagination }
            }
            Self::IgnoredOffset => page(Parameters { limit, offset: 0 }),
            Self::SameRecords => {
                Envelope { data: page(Parameters { limit, offset: 0 }).data, ..page(requested) }
            }
            Self::NextOffset(next) => {
                with(page(requested), |pagination| *pagination = more(Some(next)))
            }
            Self::NoNextOffset => with(page(requested), |pagination| *pagination = more(None)),
            Self::NextOffsetAtEnd => with(page(requested), |pagination| {
                pagination.has_more = false;
                pagination.next_offset = Some(offset.saturating_add(limit));
            }),
            Self::NoPagination => Envelope { pagination: None, ..page(requested) },
            Self::NoData => Envelope { data: None, ..page(requested) },
            Self::Total(total) => {
                with(page(requested), |pagination| pagination.total = Some(total))
            }
        }
    }
}

fn more(next_offset: Option<u64>) -> Pagination {
    Pagination { has_more: true, next_offset, total: None }
}

fn with(mut page: Envelope, change: impl FnOnce(&mut Pagination)) -> Envelope {
    page.pagination.as_mut().map(change);
    page
}
