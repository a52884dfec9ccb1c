use super::{
    found::Flag,
    seen::{Place, Seen},
    shape::Shape,
};

const MORE: &[&str] = &[
    "hasmore",
    "hasnext",
    "hasnextpage",
    "hasmoreitems",
    "hasmoreresults",
    "hasmorerecords",
    "more",
    "moreavailable",
    "morerecords",
    "moreresults",
    "istruncated",
    "truncated",
];
const DONE: &[&str] =
    &["islast", "islastpage", "lastpage", "last", "isdone", "done", "endofstream", "finished"];
const TOTALS: &[&str] = &[
    "total",
    "totalcount",
    "totalresults",
    "totalrecords",
    "totalitems",
    "totalelements",
    "totalsize",
    "recordstotal",
    "numfound",
    "odatacount",
    "count",
];
const TOTAL_HEADERS: &[&str] =
    &["totalcount", "total", "wptotal", "paginationtotalcount", "totalitems", "totalrecords"];
const LIMITS: &[&str] = &[
    "limit",
    "perpage",
    "pagesize",
    "pagelimit",
    "pagelen",
    "maxresults",
    "itemsperpage",
    "resultsperpage",
    "take",
    "size",
];

/// The flag that says whether there is more, near an object. One that contradicts what is
/// there is none.
pub(super) fn flag(seen: &Seen<'_>, object: &str, has_next: bool) -> Option<Flag> {
    let is_flag = |value: &Shape| matches!(value, Shape::Flag(_));
    let more = seen.near(object, MORE, is_flag).map(|field| (field, true));
    let (field, is_more) =
        more.or_else(|| seen.near(object, DONE, is_flag).map(|field| (field, false)))?;
    let says_more = matches!(field.value, Shape::Flag(flag) if *flag == is_more);
    (has_next || !says_more).then(|| Flag { place: field.place(), is_more })
}

/// How many records there are in all. A number that may count those of the page alone must be
/// larger than that.
pub(super) fn total(seen: &Seen<'_>, object: &str) -> Option<Place> {
    let count = seen.records.as_ref().map_or(0, |records| records.count as u64);
    let (place, _) = seen
        .number_near(object, TOTALS.split_last().map_or(&[], |(_, sure)| sure))
        .or_else(|| seen.number_near(object, TOTALS).filter(|(_, total)| *total > count))
        .or_else(|| seen.number_in_header(TOTAL_HEADERS))?;
    Some(place)
}

/// The same, if it is more than this page has.
pub(super) fn larger_total(seen: &Seen<'_>) -> Option<Place> {
    let records = seen.records.as_ref().filter(|_| seen.has_records())?;
    let is_larger = |(_, total): &(Place, u64)| *total > records.count as u64;
    let total = seen.number_near(seen.around_records(), TOTALS).filter(is_larger);
    let total = total.or_else(|| seen.number_in_header(TOTAL_HEADERS).filter(is_larger));
    total.map(|(place, _)| place)
}

/// What the limit is called near an object.
pub(super) fn limit<'s>(seen: &'s Seen<'_>, object: &str) -> Option<&'s str> {
    let near = seen.near(object, LIMITS, |value| matches!(value, Shape::Number(_)));
    let name = near.map(|field| field.name);
    name.or_else(|| seen.number_in_header(&["perpage"]).map(|_| "per_page"))
}
