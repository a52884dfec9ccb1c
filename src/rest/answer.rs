use std::{
    borrow::Cow,
    cell::{OnceCell, RefCell},
    fmt::{self, Debug, Formatter},
};

use http::{HeaderMap, Uri, header::LINK};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{
    at::{At, Place},
    web_link::targets,
};
use crate::{
    error::{Error, ErrorKind},
    http::Service,
    json::{Fields, Pointer, find, find_keys},
    opaque_cursor::OpaqueCursor,
};

/// The answer to the request for a page, as a [`Style`](super::Style) sees it: headers, the
/// body without the records, and how many records there are.
pub struct Answer<'a> {
    pub(super) service: &'a Service,
    /// To which relative links are relative.
    pub(super) address: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    /// The body, with null where the records were.
    pub(super) document: &'a str,
    /// The text of the list of records.
    pub(super) records_text: &'a [u8],
    pub(super) records: OnceCell<Vec<&'a RawValue>>,
    /// The fields of the object in which something was found last, and where it is.
    pub(super) fields: RefCell<Option<(Vec<String>, Fields<'a>)>>,
    pub(super) count: usize,
    pub(super) limit: Option<u64>,
}

impl<'a> Answer<'a> {
    /// How many records the page has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many records the request asked for at most.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.headers
    }

    /// The records, each as its JSON. They are searched when this is called first.
    #[must_use]
    pub fn records(&self) -> &[&'a RawValue] {
        self.records.get_or_init(|| serde_json::from_slice(self.records_text).unwrap_or_default())
    }

    /// The cursor at this place. `None` if it is missing, null or `""`. 0 is a cursor.
    ///
    /// # Errors
    ///
    /// [`Contradiction`](ErrorKind::Contradiction) if it has a secret of the client in it.
    pub fn cursor(&self, at: &At) -> Result<Option<OpaqueCursor>, Error> {
        let Some(found) = self.found(at)? else { return Ok(None) };
        let cursor = match found {
            Found::Json(json) => serde_json::from_str(json.get()).map_err(|_| unexpected(at))?,
            Found::Header(text) => OpaqueCursor::from(text),
        };
        if cursor.is_empty() {
            return Ok(None);
        }
        self.check_cursor(at, &cursor)?;
        Ok(Some(cursor))
    }

    /// The whole number at this place: a number, or a text of digits. `None` if it is missing
    /// or null.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) for anything else.
    pub fn number(&self, at: &At) -> Result<Option<u64>, Error> {
        self.parsed(at, true, |text| text.parse().ok())
    }

    /// The flag at this place: true or false. `None` if it is missing or null.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) for anything else.
    pub fn flag(&self, at: &At) -> Result<Option<bool>, Error> {
        self.parsed(at, false, |text| text.parse().ok())
    }

    /// The link at this place: absolute, or relative to the address of this page. `None` if it
    /// is missing, null or `""`. It goes into [`PageRequest::set_link`] as it is.
    ///
    /// [`PageRequest::set_link`]: crate::http::PageRequest::set_link
    ///
    /// # Errors
    ///
    /// - [`Decode`](ErrorKind::Decode) if it is no text.
    /// - [`Contradiction`](ErrorKind::Contradiction) if it leads to another origin that the
    ///   client does not allow, from https to http, has a user or a secret in it, or is longer
    ///   than 16 kB.
    pub fn link(&self, at: &At) -> Result<Option<String>, Error> {
        let text = match self.found(at)? {
            None => return Ok(None),
            Some(Found::Header(text)) => text.to_owned(),
            Some(Found::Json(json)) => {
                serde_json::from_str::<String>(json.get()).map_err(|_| unexpected(at))?
            }
        };
        if text.is_empty() {
            return Ok(None);
        }
        self.resolved(at, &text).map(Some)
    }

    /// The link with this relation, such as `next`, in the headers `Link` (RFC 8288).
    ///
    /// # Errors
    ///
    /// - [`Contradiction`](ErrorKind::Contradiction) for two of them that differ, and as for
    ///   [`link`](Self::link).
    /// - [`Decode`](ErrorKind::Decode) for a header that is no list of links.
    pub fn link_with_relation(&self, relation: &str) -> Result<Option<String>, Error> {
        let at = super::header("link");
        let mut found: Option<String> = None;
        for value in self.headers.get_all(LINK) {
            let links = std::str::from_utf8(value.as_bytes()).ok();
            let links = links.and_then(|text| targets(text, relation));
            for target in links.ok_or_else(|| unexpected(&at))? {
                if found.as_ref().is_some_and(|other| *other != target) {
                    let message = format!("the answer has two links of the relation {relation:?}");
                    return Err(Error::new(ErrorKind::Contradiction, message));
                }
                found = Some(target);
            }
        }
        found.map(|target| self.resolved(&at, &target)).transpose()
    }

    /// The value at this place. `None` if it is missing or null.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if it is no `T`.
    pub fn decode<T: DeserializeOwned>(&self, at: &At) -> Result<Option<T>, Error> {
        let decoded = match self.found(at)? {
            None => return Ok(None),
            Some(Found::Json(json)) => serde_json::from_str(json.get()),
            Some(Found::Header(text)) => serde_json::from_str(text),
        };
        decoded.map(Some).map_err(|_| unexpected(at))
    }

    fn resolved(&self, at: &At, link: &str) -> Result<String, Error> {
        let service = self.service;
        let link = service.links.resolve(self.address, link)?;
        let link = match service.endpoint.secret_in_query() {
            Some(name) => without_pair(&link, name),
            None => link,
        };
        self.check_secrets(at, &link)?;
        Ok(link)
    }

    pub(super) fn check_cursor(&self, at: &At, cursor: &OpaqueCursor) -> Result<(), Error> {
        self.check_secrets(at, &cursor.to_string())
    }

    /// A cursor goes into checkpoints and messages.
    fn check_secrets(&self, at: &At, text: &str) -> Result<(), Error> {
        if self.service.endpoint.has_secret(text) {
            let message = format!("the service gives the credentials back as its cursor at {at}");
            return Err(Error::new(ErrorKind::Contradiction, message));
        }
        Ok(())
    }

    fn parsed<T>(
        &self,
        at: &At,
        may_be_text: bool,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let text = match self.found(at)? {
            None => return Ok(None),
            Some(Found::Header(text)) => Cow::Borrowed(text.trim()),
            Some(Found::Json(json)) if may_be_text && json.get().starts_with('"') => {
                Cow::Owned(serde_json::from_str(json.get()).map_err(|_| unexpected(at))?)
            }
            Some(Found::Json(json)) => Cow::Borrowed(json.get()),
        };
        parse(&text).map(Some).ok_or_else(|| unexpected(at))
    }

    /// The value at a pointer. What a style asks for mostly stands in one object, so the fields
    /// of one object are kept.
    fn value(&self, pointer: &Pointer) -> Result<Option<&'a RawValue>, serde_json::Error> {
        let Some((parent, key)) = pointer.parent().filter(|(parent, _)| !parent.is_empty()) else {
            return find(self.document, pointer);
        };
        let mut known = self.fields.borrow_mut();
        if let Some((keys, fields)) = &*known
            && keys[..] == *parent
        {
            return fields.get(key);
        }
        let object = find_keys(self.document, parent)?.filter(|it| it.get().starts_with('{'));
        let Some(object) = object else { return find(self.document, pointer) };
        let fields = Fields::of(object)?;
        let found = fields.get(key);
        *known = Some((parent.to_vec(), fields));
        found
    }

    /// What is at this place, unless it is missing or null.
    fn found(&self, at: &At) -> Result<Option<Found<'_>>, Error> {
        match &at.place {
            Some(Place::Body(pointer)) => {
                let found = self.value(pointer).map_err(|_| unexpected(at))?;
                Ok(found.filter(|found| found.get() != "null").map(Found::Json))
            }
            Some(Place::Header(name)) => self.headers.get(name).map_or(Ok(None), |value| {
                value.to_str().map(|text| Some(Found::Header(text))).map_err(|_| unexpected(at))
            }),
            None => at.check().map(|()| None),
        }
    }
}

enum Found<'a> {
    Json(&'a RawValue),
    Header(&'a str),
}

/// The link without a name of its query and its value.
fn without_pair(link: &str, name: &str) -> String {
    let Some((path, query)) = link.split_once('?') else { return link.to_owned() };
    let pairs = query.split('&').filter(|pair| pair.split('=').next() != Some(name));
    let query = pairs.collect::<Vec<_>>().join("&");
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn unexpected(at: &At) -> Error {
    let message = format!("the answer has something unexpected at {at}");
    Error::new(ErrorKind::Decode, message).with_retryable(false)
}

impl Debug for Answer<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("count", &self.count)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
