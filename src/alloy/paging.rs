use super::wire::Pagination;
use crate::error::{Error, ErrorKind};

/// What a response without a paging object means; a `null` in its place is the
/// same as none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WithoutPagination {
    /// An error: the service said neither that there is more nor that this is
    /// the end.
    #[default]
    Error,
    /// The only page. Choose it for an action that does not page.
    SinglePage,
}

/// Where a page leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The offset of the next page; `None` at the end.
    pub(super) next: Option<u64>,
    /// The positions between this page's records and the next page.
    pub(super) skipped: u64,
}

/// Judges the paging object of a page of `records` records at `offset`. The end
/// is where the service says so, and nowhere else; its limit, the number of
/// records and any total decide nothing.
pub(super) fn judge(
    offset: u64,
    records: u64,
    pagination: Option<&Pagination>,
    without: WithoutPagination,
) -> Result<Step, Error> {
    let end = Step { next: None, skipped: 0 };
    let Some(pagination) = pagination else {
        return match without {
            WithoutPagination::SinglePage => Ok(end),
            WithoutPagination::Error => Err(contradiction(
                "the response has no paging object: if the action does not page, say so to the \
                 builder; if the object lies elsewhere, say where",
            )),
        };
    };
    match pagination.has_more {
        Some(false) => return Ok(end),
        None => return Err(contradiction("the paging object does not say whether there is more")),
        Some(true) => {}
    }
    let Some(next) = &pagination.next_offset else {
        return Err(contradiction(
            "the service says that there is more, and gives no `nextOffset`",
        ));
    };
    let Some(next) = next.as_u64() else {
        let message = "there is more, and `nextOffset` is no whole number from 0 on";
        return Err(Error::new(ErrorKind::Decode, message));
    };
    if next <= offset {
        let message =
            format!("the service leads from offset {offset} to {next}, which is no advance");
        return Err(Error::new(ErrorKind::Loop, message));
    }
    let covered = offset.saturating_add(records);
    if next < covered {
        return Err(contradiction(format!(
            "the service leads from offset {offset} to {next} though it gave {records} records, so \
             that some would come twice"
        )));
    }
    Ok(Step { next: Some(next), skipped: next - covered })
}

fn contradiction(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Contradiction, message)
}
