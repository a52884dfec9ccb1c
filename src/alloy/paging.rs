use super::wire::Pagination;
use crate::error::{Error, ErrorKind};

/// What a response without a paging object means. `null` is the same as no object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WithoutPagination {
    /// An error: the service does not say whether there are more records.
    #[default]
    Error,
    /// The only page. Use it for an action that has no pages.
    SinglePage,
}

/// What follows a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The offset of the next page. `None` at the end.
    pub(super) next: Option<u64>,
    /// How many offsets are between the last record of this page and the next page.
    pub(super) skipped: u64,
}

/// Finds the page after a page of `records` records at `offset`, and checks that the
/// paging object makes sense. Only the service's `hasMore` tells the end. The limit,
/// the number of records and the total do not.
pub(super) fn next_step(
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
                "the response has no paging object: if the action has no pages, call \
                 `without_pagination`; if the object is elsewhere, call `pagination_at`",
            )),
        };
    };
    match pagination.has_more {
        Some(false) => return Ok(end),
        None => {
            return Err(contradiction(
                "the paging object has no `hasMore`: expected true or false",
            ));
        }
        Some(true) => {}
    }
    let Some(next) = &pagination.next_offset else {
        return Err(contradiction("missing `nextOffset`: expected one, since `hasMore` is true"));
    };
    let Some(next) = next.as_u64() else {
        let message = "invalid `nextOffset`: expected a whole number of at least 0";
        return Err(Error::new(ErrorKind::Decode, message));
    };
    if next <= offset {
        let message =
            format!("invalid `nextOffset` {next}: expected one above the offset {offset}");
        return Err(Error::new(ErrorKind::Loop, message));
    }
    let covered = offset.saturating_add(records);
    if next < covered {
        return Err(contradiction(format!(
            "invalid `nextOffset` {next}: expected at least {covered}, since the page at offset \
             {offset} has {records} records, and some of them would come twice"
        )));
    }
    Ok(Step { next: Some(next), skipped: next - covered })
}

fn contradiction(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Contradiction, message)
}
