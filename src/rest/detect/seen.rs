use std::{
    cmp::Reverse,
    collections::VecDeque,
    fmt::{self, Display, Formatter},
};

use http::HeaderMap;

use super::shape::Shape;

/// The names that lists of records usually have.
const USUAL_LISTS: &[&str] =
    &["results", "data", "items", "records", "values", "value", "entries", "nodes", "edges"];
/// The names of lists that stand beside the records.
const SIDE_LISTS: &[&str] = &[
    "aggregations",
    "breadcrumbs",
    "columns",
    "errors",
    "facets",
    "fields",
    "filters",
    "headers",
    "included",
    "includes",
    "links",
    "notices",
    "schema",
    "sort",
    "warnings",
];
/// The names of objects that say something about the page.
const ABOUT_PAGES: &[&str] = &[
    "cursor",
    "cursors",
    "info",
    "links",
    "listinfo",
    "meta",
    "metadata",
    "next",
    "nextpage",
    "page",
    "pageinfo",
    "pager",
    "pages",
    "paging",
    "pagination",
    "responsemetadata",
    "resultinfo",
];

/// What one response has in it, by its places.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    headers: &'a HeaderMap,
    /// The fields of all objects that are in no list, the nearest to the root first.
    pub(super) fields: Vec<Field<'a>>,
    /// The list of records.
    pub(super) records: Option<Records>,
}

/// A field of an object.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    /// The name in small letters, without what is no letter and no digit.
    pub(super) word: String,
    /// The JSON pointer of the object.
    pub(super) object: String,
    pub(super) value: &'a Shape,
}

/// A list of records.
#[derive(Clone, Debug)]
pub(super) struct Records {
    /// The JSON pointer of the list.
    pub(super) at: String,
    pub(super) count: usize,
    pub(super) have_ids: bool,
    /// Whether it looks like a list inside of one record.
    pub(super) are_in_record: bool,
    /// Whether it surely is a list of records, also where nothing else speaks of pages.
    pub(super) are_sure: bool,
}

/// Where something is, as code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At this JSON pointer.
    Body(String),
    Header(String),
}

impl<'a> Seen<'a> {
    pub(super) fn new(headers: &'a HeaderMap, body: &'a Shape) -> Self {
        let fields = fields(body);
        let records = records(body, &fields);
        Self { headers, fields, records }
    }

    /// The fields with one of these words.
    pub(super) fn with_words(&self, words: &[&str]) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(move |field| words.contains(&&*field.word))
    }

    /// The field that belongs to an object and has one of these words, the first one rather
    /// than the others: it is in the object, in one around it, or in one about the page.
    pub(super) fn near(
        &self,
        object: &str,
        words: &[&str],
        is_fit: impl Fn(&Shape) -> bool,
    ) -> Option<&Field<'a>> {
        let near = self.with_words(words).filter(|field| is_fit(field.value));
        let near = near.filter_map(|field| {
            let distance = distance(object, &field.object)?;
            Some((words.iter().position(|word| *word == field.word), distance, field))
        });
        near.min_by_key(|(word, distance, _)| (*word, *distance)).map(|(.., field)| field)
    }

    /// The number near an object that has one of these words.
    pub(super) fn number_near(&self, object: &str, words: &[&str]) -> Option<(Place, u64)> {
        let field = self.near(object, words, |it| matches!(it, Shape::Number(_)))?;
        let Shape::Number(number) = field.value else { return None };
        Some((field.place(), *number))
    }

    /// The header with one of these words, without `x-` before it, and its text.
    pub(super) fn header(&self, words: &[&str]) -> Option<(&'a str, &'a str)> {
        let headers = words.iter().flat_map(|word| {
            let found = move |(name, _): &(&http::HeaderName, _)| {
                let name = name.as_str();
                self::word(name.strip_prefix("x-").unwrap_or(name)) == *word
            };
            self.headers.iter().filter(found)
        });
        let mut texts =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?.trim())));
        texts.find(|(_, text)| !text.is_empty())
    }

    /// The whole number in the header with one of these words.
    pub(super) fn number_in_header(&self, words: &[&str]) -> Option<(Place, u64)> {
        let (name, text) = self.header(words)?;
        Some((Place::Header(name.to_owned()), text.parse().ok()?))
    }

    pub(super) fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    pub(super) fn has_records(&self) -> bool {
        self.records.as_ref().is_some_and(|records| !records.are_in_record)
    }

    pub(super) fn records_at(&self) -> Option<String> {
        self.records.as_ref().map(|records| records.at.clone())
    }

    /// The object around the records.
    pub(super) fn around_records(&self) -> &str {
        let at = self.records.as_ref().map_or("", |records| &records.at);
        at.rsplit_once('/').map_or("", |(object, _)| object)
    }
}

impl Field<'_> {
    pub(super) fn at(&self) -> String {
        format!("{}/{}", self.object, escaped(self.name))
    }

    pub(super) fn place(&self) -> Place {
        Place::Body(self.at())
    }

    /// The word of the object that the field is in.
    pub(super) fn object_word(&self) -> String {
        word(self.object.rsplit('/').next().unwrap_or_default())
    }
}

/// As code.
impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(pointer) => write!(f, "{pointer:?}"),
            Self::Header(name) => write!(f, "header({name:?})"),
        }
    }
}

impl Place {
    /// As it is called in a sentence.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Body(pointer) => format!("{pointer:?}"),
            Self::Header(name) => format!("the header {name:?}"),
        }
    }
}

fn fields(body: &Shape) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut objects = VecDeque::from([(String::new(), body)]);
    while let Some((object, value)) = objects.pop_front() {
        let Shape::Object(found) = value else { continue };
        for (name, value) in found {
            let field = Field { name, word: word(name), object: object.clone(), value };
            if let Shape::Object(_) = value {
                objects.push_back((field.at(), value));
            }
            fields.push(field);
        }
    }
    fields
}

/// The longest list of objects, the nearest to the root.
fn records(body: &Shape, fields: &[Field<'_>]) -> Option<Records> {
    if let Shape::List(list) = body {
        let (count, have_ids) = (list.count, list.have_ids);
        let at = String::new();
        return Some(Records { at, count, have_ids, are_in_record: false, are_sure: true });
    }
    let has_id = fields.iter().any(|field| field.object.is_empty() && field.word == "id");
    let lists = fields.iter().filter_map(|field| {
        let Shape::List(list) = field.value else { return None };
        let at = field.at();
        let usual = USUAL_LISTS.iter().position(|word| *word == field.word);
        let kind = match (list.are_objects, list.count, usual) {
            (true, ..) => 0,
            (_, 0, Some(_)) => 1,
            (_, 1.., _) => 2,
            _ => 3,
        };
        let is_beside = at.split('/').any(|name| SIDE_LISTS.contains(&&*word(name)));
        let depth = at.matches('/').count();
        let rank = (is_beside, kind, Reverse(list.count), depth, usual.unwrap_or(usize::MAX));
        let are_in_record = has_id && usual.is_none();
        let are_sure = !are_in_record && (usual.is_some() || list.are_objects && !is_beside);
        let (count, have_ids) = (list.count, list.have_ids);
        Some((rank, Records { at, count, have_ids, are_in_record, are_sure }))
    });
    lists.min_by_key(|(rank, _)| *rank).map(|(_, records)| records)
}

/// How far an object is from what is said in another one. `None` if that says nothing about it.
fn distance(object: &str, said_in: &str) -> Option<usize> {
    let depth = |pointer: &str| pointer.matches('/').count();
    if let Some(below) = object.strip_prefix(said_in)
        && (below.is_empty() || below.starts_with('/'))
    {
        return Some(depth(below));
    }
    let (around, name) = said_in.rsplit_once('/')?;
    let is_about = ABOUT_PAGES.contains(&&*word(name));
    let below = object.strip_prefix(around)?;
    (is_about && (below.is_empty() || below.starts_with('/'))).then(|| depth(below) + 1)
}

/// A key of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

pub(super) fn word(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}
