use super::{
    ends::{flag, limit, total},
    found::{Code, Found, Rank},
    seen::{Field, Place, Seen},
    shape::Shape,
};

const OFFSETS: &[&str] = &["offset", "startat", "skip", "start", "startindex"];
const NEXT_OFFSETS: &[&str] =
    &["nextoffset", "nextstart", "nextstartat", "nextskip", "nextpagestart"];
const PAGES: &[&str] = &["page", "currentpage", "pagenumber", "pageindex", "pageno"];
const PAGE_COUNTS: &[&str] =
    &["totalpages", "pagecount", "pagestotal", "numpages", "numberofpages", "totalpagecount"];
const LAST_PAGES: &[&str] = &["lastpage", "maxpage"];
const PAGE_COUNT_HEADERS: &[&str] = &[
    "totalpages",
    "pagecount",
    "pagescount",
    "pages",
    "wptotalpages",
    "paginationpagecount",
    "paginationtotalpages",
];

fn is_number(value: &Shape) -> bool {
    matches!(value, Shape::Number(_))
}

/// An offset in the body.
pub(super) fn offset(seen: &Seen<'_>) -> Option<Found> {
    if !seen.has_records() {
        return None;
    }
    let offset = seen.with_words(OFFSETS).find(|it| is_number(it.value));
    let next = seen
        .with_words(NEXT_OFFSETS)
        .find(|it| is_number(it.value) || matches!(it.value, Shape::Nothing));
    let field = offset.or(next)?;
    let end = flag(
        seen,
        &field.object,
        next.is_some_and(|next| is_number(next.value)) || offset.is_some(),
    );
    let total = total(seen, &field.object);
    let limit = limit(seen, &field.object);
    if end.is_none() && total.is_none() && (offset.is_none() || limit.is_none()) {
        return None;
    }
    let name = offset.map_or("offset", |offset| offset.name);
    let mut code = Code::get(format!("Offset::query({name:?})")).limit(limit).guessed(name);
    code = match (&end, &total) {
        (Some(_), _) => code.end(end.as_ref()),
        (None, Some(total)) => code.total(total),
        (None, None) => until_empty(code),
    };
    // Without an end of another kind, the last page would have to give a next offset too.
    if let Some(next) = next.filter(|next| {
        let is_over = flag(seen, &next.object, false).is_some();
        end.is_some() && (is_over || is_number(next.value))
    }) {
        code = code.style(&format!(".next_at({:?})", next.at()));
    }
    if offset.is_some_and(|it| it.word.starts_with("start") && matches!(it.value, Shape::Number(1)))
    {
        code = code.check("offsets count from 0 here; if yours count from 1, write a `Style`");
    }
    let reason = match offset {
        Some(field) => format!("{:?} holds an offset", field.at()),
        None => format!("{:?} is the place of the next offset", field.at()),
    };
    Some(counted("Offset", reason, seen, shown_total(code.records(seen), end.is_some(), total)))
}

/// A number of a page, or a count of pages.
pub(super) fn page_number(seen: &Seen<'_>) -> Option<Found> {
    let header = seen.number_in_header(PAGE_COUNT_HEADERS).map(|(place, _)| place);
    let count = seen.with_words(PAGE_COUNTS).find(|it| is_number(it.value));
    let last = seen.with_words(LAST_PAGES).find(|it| is_number(it.value));
    let counts = count.or(last);
    let near = counts.and_then(|counts| {
        let number = seen.near(&counts.object, &["number"], is_number);
        let number = number.filter(|number| number.object == counts.object);
        seen.near(&counts.object, PAGES, is_number).or(number)
    });
    let page = near.or_else(|| seen.with_words(PAGES).find(|it| is_number(it.value)));
    let counts = counts.or(page);
    let object = counts.map_or("", |field| &field.object);
    // A number that is called so is no page of a list without them.
    let is_paged = seen.has_records() && counts.is_some() || header.is_some();
    if !is_paged {
        return None;
    }
    let pages = seen.near(object, &["pages"], is_number).filter(|_| page.is_some());
    let end = flag(seen, object, true);
    let total = total(seen, object);
    let limit = limit(seen, object);
    let name = page_name(page);
    let code = Code::get(format!("PageNumber::query({name:?})")).limit(limit).guessed(name);
    let code = first_page(code, page);
    let page_count = header.or_else(|| count.or(pages).map(Field::place));
    let (reason, code, has_other_end) = if let Some(place) = page_count {
        let reason = format!("{} holds the number of pages", place.name());
        (reason, code.style(&format!(".pages_at({place})")), true)
    } else if let Some(last) = last {
        let at = last.at();
        let reason = format!("{at:?} holds the number of the last page");
        (reason, code.style(&format!(".last_page_at({at:?})")), true)
    } else {
        let page = page?;
        let reason = format!("{:?} holds the number of the page", page.at());
        match (&end, &total) {
            (Some(_), _) => (reason, code.end(end.as_ref()), true),
            (None, Some(total)) => (reason, code.total(total), false),
            (None, None) if limit.is_some() => (reason, until_empty(code), false),
            (None, None) => return None,
        }
    };
    Some(counted("PageNumber", reason, seen, shown_total(code.records(seen), has_other_end, total)))
}

fn until_empty(code: Code) -> Code {
    code.check("nothing here says which page is the last, so an empty one is the end")
        .style(".until_empty()")
}

/// The name in the query of a number of a page.
fn page_name<'s>(number: Option<&Field<'s>>) -> &'s str {
    match number {
        Some(field) if !matches!(&*field.word, "currentpage" | "number") => field.name,
        _ => "page",
    }
}

fn first_page(code: Code, number: Option<&Field<'_>>) -> Code {
    match number.map(|field| field.value) {
        Some(Shape::Number(0)) => code.style(".first(0)"),
        Some(Shape::Number(1)) => code,
        _ => code.check("pages count from 1 here; if yours count from 0, call `first(0)`"),
    }
}

/// The total helps to split a list, also where it is not what ends it.
fn shown_total(code: Code, has_other_end: bool, total: Option<Place>) -> Code {
    match total.filter(|_| has_other_end) {
        Some(total) => code.then(format!(".total_at({total})")),
        None => code,
    }
}

fn counted(style: &'static str, reason: String, seen: &Seen<'_>, code: Code) -> Found {
    let records = seen.records_at();
    Found { rank: Rank::Counts, style, reason, records, code }
}
