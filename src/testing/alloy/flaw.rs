use super::{Envelope, Pagination, Parameters};

/// What an [`Alloy`](super::Alloy) does wrong on a page: its data and its paging
/// object contradict the request, each other, or the page before.
///
/// A full last page that says it is the last is no flaw: the service has one where
/// its records are a multiple of the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlloyFlaw {
    /// It gives so many records at most, and goes on behind them: a clamped limit
    /// on every page, a short page on one. 0 is taken as 1.
    Clamped(u64),
    /// It gives all the records from the offset on, whatever the limit.
    Unlimited,
    /// It gives no record, and goes on a limit further: as behind a filter. On every
    /// page that is an endless reading.
    Empty,
    /// It answers as for offset 0, with the paging object of the first page.
    IgnoredOffset,
    /// It gives the records of the first page, and goes on as if they were others.
    SameRecords,
    /// It says that there is more, at this offset: the one that was asked for, one
    /// below it, one among the records that it gave, or one far beyond.
    LeadsTo(u64),
    /// It says that there is more, and not where.
    NoNextOffset,
    /// It says that there is no more, and where that is.
    NextOffsetAtEnd,
    /// It has no paging object.
    NoPagination,
    /// It has no data.
    NoData,
    /// It says that there are so many records in all: by the offset, a total that
    /// shrinks or grows.
    Total(u64),
}

impl AlloyFlaw {
    /// The page that a service of this flaw gives; `page` is that of a good one.
    pub(super) fn page(self, asked: Parameters, page: impl Fn(Parameters) -> Envelope) -> Envelope {
        let Parameters { limit, offset } = asked;
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
                Envelope { data: page(Parameters { limit, offset: 0 }).data, ..page(asked) }
            }
            Self::LeadsTo(next) => with(page(asked), |pagination| *pagination = more(Some(next))),
            Self::NoNextOffset => with(page(asked), |pagination| *pagination = more(None)),
            Self::NextOffsetAtEnd => with(page(asked), |pagination| {
                pagination.has_more = false;
                pagination.next_offset = Some(offset.saturating_add(limit));
            }),
            Self::NoPagination => Envelope { pagination: None, ..page(asked) },
            Self::NoData => Envelope { data: None, ..page(asked) },
            Self::Total(total) => with(page(asked), |pagination| pagination.total = Some(total)),
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
