use super::{
    ends::{flag, limit},
    found::{Code, Found, Rank},
    seen::{Field, Place, Seen},
    shape::Shape,
};

/// Names with `next` before the name in the query.
const NEXT: &[&str] = &[
    "nextcursor",
    "nextpagetoken",
    "nextpagecursor",
    "nextcontinuationtoken",
    "nextmarker",
    "nextafter",
    "nextbookmark",
    "nextoffset",
    "nextstart",
    "nextskip",
];
/// Names that mean a cursor beside records only. The query has them too.
const SAME: &[&str] = &[
    "after",
    "bookmark",
    "continue",
    "continuation",
    "continuationtoken",
    "cursor",
    "marker",
    "nexttoken",
    "offset",
    "paginationtoken",
    "startingafter",
];
const HEADERS: &[(&str, &str)] = &[
    ("nextcursor", "cursor"),
    ("cursor", "cursor"),
    ("nextpagetoken", "page_token"),
    ("nexttoken", "next_token"),
    ("continuation", "continuation"),
    ("continuationtoken", "continuationToken"),
    ("mscontinuationtoken", "continuationToken"),
    ("nextpage", "page"),
];

/// Cursors in the body.
pub(super) fn next_cursors(seen: &Seen<'_>) -> Vec<Found> {
    // Those are the cursors of connections.
    let fields = seen.fields.iter().filter(|field| field.object_word() != "pageinfo");
    let found = fields.filter_map(|field| next_cursor(seen, field));
    found.take(super::MOST).collect()
}

fn next_cursor(seen: &Seen<'_>, field: &Field<'_>) -> Option<Found> {
    let place = sent(field, seen)?;
    let is_count = matches!(
        &*field.word,
        "offset" | "nextpage" | "nextoffset" | "nextstart" | "nextskip" | "next"
    );
    let (rank, has_next) = match field.value {
        Shape::Number(_) if field.word == "offset" => return None,
        Shape::Number(_) if is_count => (Rank::NumberCursor, true),
        Shape::Text | Shape::Link | Shape::Number(_) => (Rank::Cursor, true),
        Shape::Object(_) if field.word == "lastevaluatedkey" => (Rank::Cursor, true),
        Shape::Nothing if !is_link_elsewhere(seen, field) => (Rank::Ended, false),
        _ => return None,
    };
    let at = field.at();
    let is_scroll = field.word == "scrollid";
    let end = flag(seen, &field.object, has_next).filter(|_| !is_scroll);
    let mut code = place.code(&field.place()).limit(limit(seen, &field.object)).end(end.as_ref());
    if is_scroll {
        code = code.check("the next requests of a scroll may go to another path").check(
            "read with `repeated_cursor(RepeatedCursor::Continue)`, and stop at an empty page",
        );
    }
    Some(Found {
        rank,
        style: "NextCursor",
        reason: if has_next {
            format!("{at:?} holds a cursor")
        } else {
            format!("{at:?} is the place of a cursor, and this page has none")
        },
        records: seen.records_at(),
        code: code.records(seen),
    })
}

/// Whether the place of a next page is that of a link, since the one before has one.
fn is_link_elsewhere(seen: &Seen<'_>, field: &Field<'_>) -> bool {
    seen.fields.iter().any(|it| {
        it.object == field.object && it.word.starts_with("prev") && matches!(it.value, Shape::Link)
    })
}

/// Where a cursor goes in the next request.
enum Sent {
    Query(String),
    Header(String),
    Body(&'static str),
}

impl Sent {
    fn code(&self, place: &Place) -> Code {
        let at = format!("NextCursor::at({place})");
        match self {
            Self::Query(name) => Code::get(format!("{at}.into_query({name:?})")).guessed(name),
            Self::Header(name) => Code::get(format!("{at}.into_header({name:?})"))
                .check(format!("the name of the header, {name:?}, is a guess")),
            Self::Body(pointer) => Code::post(format!("{at}.into_body({pointer:?})"))
                .check(format!("the place in the body, {pointer:?}, is a guess")),
        }
    }
}

/// Where the cursor probably goes in the next request.
fn sent(field: &Field<'_>, seen: &Seen<'_>) -> Option<Sent> {
    let name = field.name.trim_matches(|it: char| !it.is_ascii_alphanumeric());
    let has_words = |words: &[&str]| seen.near(&field.object, words, |_| true).is_some();
    let name = match &*field.word {
        "scrollid" => return Some(Sent::Body("/scroll_id")),
        "lastevaluatedkey" => return Some(Sent::Body("/ExclusiveStartKey")),
        "nextcursor" if matches!(field.value, Shape::Link) => return None,
        word if NEXT.contains(&word) => without_next(name)?,
        "aftercursor" | "endcursor" => "after".to_owned(),
        _ if !seen.has_records() || matches!(field.value, Shape::Link) => return None,
        "next" if matches!(field.value, Shape::Number(_)) && has_words(&["offset"]) => {
            "offset".to_owned()
        }
        "next" if matches!(field.value, Shape::Number(_)) && has_words(&["page"]) => {
            "page".to_owned()
        }
        "next" => "cursor".to_owned(),
        "nextpage" | "nextpagenumber" => "page".to_owned(),
        word if SAME.contains(&word) => name.to_owned(),
        _ => return None,
    };
    Some(Sent::Query(name))
}

/// `pageToken` of `nextPageToken`, and `page_token` of `next_page_token`.
fn without_next(name: &str) -> Option<String> {
    let is_small = name.starts_with(|first: char| first.is_ascii_lowercase());
    let name = name.get("next".len()..)?;
    let name = name.trim_start_matches(|first: char| !first.is_ascii_alphanumeric());
    let mut letters = name.chars();
    let first = letters.next()?;
    if !is_small {
        return Some(name.to_owned());
    }
    Some(format!("{}{}", first.to_ascii_lowercase(), letters.as_str()))
}

/// A cursor in a header.
pub(super) fn header_cursor(seen: &Seen<'_>) -> Option<Found> {
    let found = |name: &str, rank, place: Sent| {
        let place_in_answer = Place::Header(name.to_owned());
        let end = flag(seen, "", true);
        Found {
            rank,
            style: "NextCursor",
            reason: format!("{} holds a cursor", place_in_answer.name()),
            records: seen.records_at(),
            code: place
                .code(&place_in_answer)
                .limit(limit(seen, ""))
                .end(end.as_ref())
                .records(seen),
        }
    };
    // Cosmos DB takes it back in the header.
    if let Some((name, _)) = seen.header(&["mscontinuation"]) {
        return Some(found(name, Rank::Cursor, Sent::Header(name.to_owned())));
    }
    HEADERS.iter().find_map(|(word, query)| {
        let (name, text) = seen.header(&[word])?;
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let rank = if is_number { Rank::NumberCursor } else { Rank::Cursor };
        Some(found(name, rank, Sent::Query((*query).to_owned())))
    })
}
