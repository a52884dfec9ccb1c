//! How a search is read to its end, past the 10,000 results that HubSpot gives of one.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    filter::Filter,
    sort_key::SortKey,
    wire::{NextCursor, ObjectId, Paging},
};
use crate::{
    error::{Error, ErrorKind},
    http::PageRequest,
    json::{Pointer, find},
    rest::{Answer, At, Next, Style},
};

/// The property that is an object's id.
const ID: &str = "hs_object_id";

/// Each page begins anew above what came before. HubSpot's own `after` is an offset: objects
/// that come and go would shift the others, and it ends at 10,000.
#[derive(Clone, Debug)]
pub(super) struct SearchStyle {
    /// An object is found if it fulfils all filters of one of these groups.
    pub(super) groups: Vec<Vec<Filter>>,
    /// By id, unless there is one.
    pub(super) sort: Option<Sort>,
}

/// The property that objects are sorted by.
#[derive(Clone, Debug)]
pub(super) struct Sort {
    pub(super) property: String,
    pub(super) descends: bool,
}

/// Where the reading of a [`Search`](super::Search) goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchPosition(Place);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Place {
    /// By id.
    ById { above: Option<ObjectId>, of: Part },
    /// By the sort property: behind a key, or from it on.
    ByKey { bound: Option<Bound> },
}

/// The objects that are read by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Part {
    All,
    /// Those with one key: more than fit into a page.
    With {
        key: SortKey,
        seen: Vec<ObjectId>,
    },
    /// Those without the sort property.
    Without,
}

/// A key of the sort property.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bound {
    key: SortKey,
    /// Whether objects with this key are to come.
    includes_key: bool,
    /// Those with this key that came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seen: Vec<ObjectId>,
}

#[derive(Deserialize)]
struct Row {
    id: ObjectId,
}

impl Sort {
    /// As a request has it.
    pub(super) fn written(&self) -> Value {
        written(&self.property, self.descends)
    }
}

fn written(property: &str, descends: bool) -> Value {
    let direction = if descends { "DESCENDING" } else { "ASCENDING" };
    json!({"propertyName": property, "direction": direction})
}

impl SearchPosition {
    fn by_id(above: Option<ObjectId>, of: Part) -> Self {
        Self(Place::ById { above, of })
    }

    fn by_key(bound: Option<Bound>) -> Self {
        Self(Place::ByKey { bound })
    }
}

impl Style for SearchStyle {
    type Cursor = SearchPosition;

    fn start(&self) -> SearchPosition {
        match &self.sort {
            None => SearchPosition::by_id(None, Part::All),
            Some(_) => SearchPosition::by_key(None),
        }
    }

    fn apply(&self, at: &SearchPosition, request: &mut PageRequest<'_>) -> Result<(), Error> {
        let (property, descends) =
            self.sort.as_ref().map_or((ID, false), |sort| (&*sort.property, sort.descends));
        let mut filters = Vec::new();
        let sorted_by = match &at.0 {
            Place::ById { above, of } => {
                match of {
                    Part::All => {}
                    Part::With { key, .. } => filters.push(Filter::equals(property, key)),
                    Part::Without => filters.push(Filter::has_not(property)),
                }
                filters.extend(above.as_ref().map(|id| Filter::greater_than(ID, id)));
                (ID, false)
            }
            Place::ByKey { bound } => {
                filters.push(match bound {
                    None => Filter::has(property),
                    Some(bound) => bound.filter(property, descends),
                });
                (property, descends)
            }
        };
        let of_group = |group: &Vec<Filter>| json!({"filters": group.iter().chain(&filters).collect::<Vec<_>>()});
        let groups = if self.groups.is_empty() && !filters.is_empty() {
            vec![of_group(&Vec::new())]
        } else {
            self.groups.iter().map(of_group).collect()
        };
        request.set_body("/filterGroups", &groups)?;
        let (property, descends) = sorted_by;
        request.set_body("/sorts", &[written(property, descends)])
    }

    fn next(
        &self,
        at: &SearchPosition,
        answer: &Answer<'_>,
    ) -> Result<Next<SearchPosition>, Error> {
        let ids = answer.records().iter().enumerate().map(|(index, record)| {
            let row = serde_json::from_str::<Row>(record.get());
            row.map(|row| row.id).map_err(|_| {
                contradiction(format!("the record at index {index} of the page has no id"))
            })
        });
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let paging = answer.decode::<Paging>(&At::from("/paging"))?;
        let has_more = !matches!(NextCursor::from(paging), NextCursor::End);
        if has_more && ids.is_empty() {
            let message = "the page has no objects, and the service says that there are more";
            return Err(contradiction(message));
        }
        let is_start = *at == self.start();
        let next = match &at.0 {
            Place::ById { above, of } => by_id(above.as_ref(), of, &ids, has_more)?,
            Place::ByKey { bound } => {
                let keys = self.keys(answer)?;
                self.by_key(bound.as_ref(), &ids, &keys, has_more)?
            }
        };
        // What is left beyond a bound is not what there is in all.
        let total = answer.number(&At::from("/total")).ok().flatten();
        Ok(next.with_total(total.filter(|_| is_start)))
    }
}

impl SearchStyle {
    /// The keys of the objects of a page.
    fn keys(&self, answer: &Answer<'_>) -> Result<Vec<SortKey>, Error> {
        let property = self.sort.as_ref().map_or(ID, |sort| &sort.property);
        let escaped = property.replace('~', "~0").replace('/', "~1");
        let pointer = Pointer::parse(&format!("/properties/{escaped}"));
        let keys = answer.records().iter().enumerate().map(|(index, record)| {
            let found = pointer.as_ref().and_then(|it| find(record.get(), it).ok().flatten());
            let text = found.and_then(|it| serde_json::from_str::<String>(it.get()).ok());
            text.as_deref().and_then(SortKey::of).ok_or_else(|| {
                contradiction(format!(
                    "the record at index {index} of the page has no number and no time as its {property:?}, by \
                     which the search is sorted: sort by another property, or by none"
                ))
            })
        });
        keys.collect()
    }

    /// What follows a page by the sort property.
    fn by_key(
        &self,
        bound: Option<&Bound>,
        ids: &[ObjectId],
        keys: &[SortKey],
        has_more: bool,
    ) -> Result<Next<SearchPosition>, Error> {
        let descends = self.sort.as_ref().is_some_and(|sort| sort.descends);
        let mut before = bound.map(|bound| &bound.key);
        let mut may_be_equal = bound.is_none_or(|bound| bound.includes_key);
        for key in keys {
            let order = before.map_or(Ordering::Less, |before| before.cmp(key));
            let order = if descends { order.reverse() } else { order };
            let is_behind = before.is_none() || order.is_lt() || may_be_equal && order.is_eq();
            if !is_behind {
                return Err(not_sorted(self.sort.as_ref().map_or(ID, |sort| &sort.property)));
            }
            (before, may_be_equal) = (Some(key), true);
        }
        let seen = bound.map_or(&[][..], |bound| &bound.seen);
        let left_out = came(ids, seen);
        let Some(last) = keys.last().filter(|_| has_more) else {
            let without = SearchPosition::by_id(None, Part::Without);
            return Ok(Next::at(without).leaving_out(left_out));
        };
        let ties = keys.iter().rev().take_while(|key| key.cmp(&last).is_eq()).count();
        let mut with_key = ids.iter().rev().take(ties).cloned().collect::<Vec<_>>();
        let next = if ties == keys.len() {
            // Others with this key are behind the page, or are to come.
            with_key.extend(seen.iter().filter(|id| !ids.contains(id)).cloned());
            SearchPosition::by_id(None, Part::With { key: last.clone(), seen: with_key })
        } else {
            let bound = Bound { key: last.clone(), includes_key: true, seen: with_key };
            SearchPosition::by_key(Some(bound))
        };
        Ok(Next::at(next).leaving_out(left_out))
    }
}

/// What follows a page by id.
fn by_id(
    above: Option<&ObjectId>,
    of: &Part,
    ids: &[ObjectId],
    has_more: bool,
) -> Result<Next<SearchPosition>, Error> {
    let mut last = above;
    for id in ids {
        if last.is_some_and(|last| last >= id) {
            return Err(not_sorted(ID));
        }
        last = Some(id);
    }
    let last = last.cloned();
    let next = match of {
        _ if has_more => Next::at(SearchPosition::by_id(last, of.clone())),
        // A later search gets what was created since.
        Part::All => Next::end().with_later(SearchPosition::by_id(last, Part::All)),
        Part::Without => Next::end(),
        Part::With { key, .. } => {
            let bound = Bound { key: key.clone(), includes_key: false, seen: Vec::new() };
            Next::at(SearchPosition::by_key(Some(bound)))
        }
    };
    Ok(match of {
        Part::With { seen, .. } => next.leaving_out(came(ids, seen)),
        Part::All | Part::Without => next,
    })
}

impl Bound {
    fn filter(&self, property: &str, descends: bool) -> Filter {
        match (self.includes_key, descends) {
            (true, false) => Filter::at_least(property, &self.key),
            (false, false) => Filter::greater_than(property, &self.key),
            (true, true) => Filter::at_most(property, &self.key),
            (false, true) => Filter::less_than(property, &self.key),
        }
    }
}

/// The indices of those that came before.
fn came(ids: &[ObjectId], seen: &[ObjectId]) -> Vec<usize> {
    let came = ids.iter().enumerate().filter(|(_, id)| seen.contains(id));
    came.map(|(index, _)| index).collect()
}

fn not_sorted(property: &str) -> Error {
    contradiction(format!("the objects of the page are not sorted by {property:?}"))
}

fn contradiction(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Contradiction, message)
}
