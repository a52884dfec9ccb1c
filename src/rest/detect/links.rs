use http::header::LINK;

use super::{
    super::web_link::targets,
    ends::flag,
    found::{Code, Found, Rank},
    seen::{Field, Seen},
    shape::Shape,
};

const NEXT: &[&str] = &[
    "next",
    "nextlink",
    "nexturl",
    "nexturi",
    "nexthref",
    "nextpage",
    "nextpageurl",
    "nextpageuri",
    "nextpagelink",
    "nextrecordsurl",
    "nextresultsurl",
    "odatanextlink",
];
/// Names in an object that is called `next`.
const IN_NEXT: &[&str] = &["href", "link", "uri", "url"];

/// The headers `Link`.
pub(super) fn link_header(seen: &Seen<'_>) -> Option<Found> {
    let values = seen.headers().get_all(LINK);
    let has = |relation: &str| {
        let texts = values.iter().filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
        let mut links = texts.filter_map(|text| targets(text, relation));
        links.any(|links| !links.is_empty())
    };
    let is_next = has("next");
    let is_paged = is_next || ["prev", "previous", "first", "last"].into_iter().any(has);
    is_paged.then(|| Found {
        rank: if is_next { Rank::LinkHeader } else { Rank::Ended },
        style: "LinkHeader",
        reason: if is_next {
            "the header \"link\" has a link of the relation \"next\"".to_owned()
        } else {
            "the header \"link\" leads to other pages, and to none behind this one".to_owned()
        },
        records: seen.records_at(),
        code: Code::get("LinkHeader::new()").records(seen),
    })
}

/// Links in the body.
pub(super) fn next_links(seen: &Seen<'_>) -> Vec<Found> {
    let named = seen.fields.iter().filter_map(|field| Some((field, rank(field)?)));
    let is_there = |(field, _): &(&Field<'_>, Rank)| {
        let may_be_null = NEXT.contains(&&*field.word) && seen.has_records();
        matches!(field.value, Shape::Link) || matches!(field.value, Shape::Nothing) && may_be_null
    };
    named
        .filter(is_there)
        .take(super::MOST)
        .map(|(field, rank)| next_link(seen, field, rank))
        .collect()
}

fn rank(field: &Field<'_>) -> Option<Rank> {
    if NEXT.contains(&&*field.word) {
        return Some(Rank::Link);
    }
    let is_in_next = matches!(&*field.object_word(), "next" | "nextpage");
    match &*field.word {
        "href" if is_in_next => Some(Rank::Link),
        word if is_in_next && IN_NEXT.contains(&word) => Some(Rank::OtherLink),
        _ => None,
    }
}

fn next_link(seen: &Seen<'_>, field: &Field<'_>, rank: Rank) -> Found {
    let at = field.at();
    let is_null = matches!(field.value, Shape::Nothing);
    let end = flag(seen, &field.object, !is_null);
    Found {
        rank: if is_null { Rank::Ended } else { rank },
        style: "NextLink",
        reason: if is_null {
            format!("{at:?} is the place of a link, and this page has none")
        } else {
            format!("{at:?} holds a link")
        },
        records: seen.records_at(),
        code: Code::get(format!("NextLink::at({at:?})")).end(end.as_ref()).records(seen),
    }
}
