use super::wire::{FromObject, Next, Paging, ResultRow};

/// What a [`HubSpot`](super::HubSpot) does wrong with a page of an object.
///
/// That its results stand in another order than the inputs is no flaw: they always
/// do, as the real service promises none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HubSpotFlaw {
    /// Its cursor leads back, so that the last so many pages come again and again; 1
    /// is the cursor that was asked for. The first page has no cursor, so it takes a
    /// page beyond that number, and one that leads on.
    Cycle(usize),
    /// It comes back neither in the results nor in the errors.
    Dropped,
    /// It comes back twice.
    Twice,
    /// It comes back, and beside it the id "1", which nobody asked for.
    Unrequested,
    /// It comes back without its associations.
    NoTo,
    /// It says that there is more, with a link and no cursor.
    LinkWithoutAfter,
    /// Its `paging` is null where it has no more.
    NullPaging,
    /// Its `paging.next` is null where it has no more.
    NullNext,
    /// It is refused, and the status of the whole response is 200.
    RejectedWithStatus200,
}

/// The page behind a page that is not the last.
pub(super) fn next_page(flaw: Option<HubSpotFlaw>, page: usize) -> usize {
    match flaw {
        Some(HubSpotFlaw::Cycle(pages)) if (1..=page).contains(&pages) => page + 1 - pages,
        _ => page + 1,
    }
}

/// The paging object that leads to a cursor, or to none.
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

/// Puts the row of an object into the results.
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
