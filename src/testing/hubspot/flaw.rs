use super::wire::{FromObject, Next, Paging, ResultRow};

/// What a [`HubSpot`](super::HubSpot) does wrong with a page of an object.
///
/// Results in another order than the inputs are no flaw. They always come so, since the
/// real service promises no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HubSpotFlaw {
    /// Its cursor goes back this many pages, so that they come again and again. 1 is the
    /// requested cursor itself. It works on a page after that number, since the first
    /// page has no cursor, and not on the last page.
    Cycle(usize),
    /// It comes back neither in the results nor in the errors.
    Dropped,
    /// It comes back twice.
    Twice,
    /// It comes back, and with it the id "1", which was not requested.
    Unrequested,
    /// It comes back without its associations.
    NoTo,
    /// It has a link to the next page, but no cursor.
    LinkWithoutAfter,
    /// Its `paging` is null at the end.
    NullPaging,
    /// Its `paging.next` is null at the end.
    NullNext,
    /// It is rejected, and the status of the whole response is 200.
    RejectedWithStatus200,
}

/// The page after a page that is not the last.
pub(super) fn next_page(flaw: Option<HubSpotFlaw>, page: usize) -> usize {
    match flaw {
        Some(HubSpotFlaw::Cycle(pages)) if (1..=page).contains(&pages) => page + 1 - pages,
        _ => page + 1,
    }
}

/// The paging object with a cursor, or without one.
pub(super) fn paging(flaw: Option<HubSpotFlaw>, after: Option<String>) -> Option<Paging> {
    match (flaw, after) {
        (Some(HubSpotFlaw::LinkWithoutAfter), Some(_)) => {
            let link = Some("https://api.hubapi.com/crm/v4/associations?after=1");
            Some(Paging::Next { next: Some(Next { after: None, link }) })
        }
        (_, Some(after)) => {
            Some(Paging::Next { next: Some(Next { after: Some(after), link: None }) })
        }
        (Some(HubSpotFlaw::NullPaging), None) => Some(Paging::Null(())),
        (Some(HubSpotFlaw::NullNext), None) => Some(Paging::Next { next: None }),
        (_, None) => None,
    }
}

/// Adds the row of an object to the results.
pub(super) fn push<'a>(
    flaw: Option<HubSpotFlaw>,
    mut row: ResultRow<'a>,
    results: &mut Vec<ResultRow<'a>>,
) {
    match flaw {
        Some(HubSpotFlaw::Dropped) => return,
        Some(HubSpotFlaw::Twice) => results.push(row.clone()),
        Some(HubSpotFlaw::Unrequested) => {
            results.push(ResultRow { from: FromObject { id: "1" }, ..row.clone() });
        }
        Some(HubSpotFlaw::NoTo) => row.to = None,
        _ => {}
    }
    results.push(row);
}
