use std::{
    borrow::Cow,
    fmt::{self, Debug, Display, Formatter},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, Uri};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{
    graphql,
    limit::{Limit, LimitPlace},
    template::{Template, header_name},
};
use crate::{
    error::{Error, ErrorKind},
    json::{Overlay, Pointer},
    transport::percent_encoded,
};

/// The request for one page, into which a [style](crate::rest::Style) puts a position.
pub struct PageRequest<'t> {
    template: &'t Template,
    limit: Option<u64>,
    /// Names and values, percent-encoded.
    query: Vec<(String, String)>,
    is_alone: bool,
    headers: HeaderMap,
    body: Vec<(Pointer, Box<RawValue>)>,
    link: Option<String>,
}

impl<'t> PageRequest<'t> {
    pub(crate) fn new(template: &'t Template, limit: Option<u64>) -> Self {
        Self {
            template,
            limit,
            query: Vec::new(),
            is_alone: false,
            headers: HeaderMap::new(),
            body: Vec::new(),
            link: None,
        }
    }

    /// How many records it asks for at most. `None` if the request does not say.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Asks for fewer or more records. Only where the request says how many
    /// ([`RequestBuilder::limit`](super::RequestBuilder::limit)).
    pub fn set_limit(&mut self, records: u64) {
        self.limit = self.limit.map(|_| records);
    }

    /// Sets a name of the query to a value. The value is percent-encoded. It replaces what the
    /// request has under this name.
    pub fn set_query(&mut self, name: &str, value: impl Display) {
        self.set_encoded_query(name, percent_encoded(&value.to_string()));
    }

    /// Sets a name of the query to a value that is percent-encoded already, and goes out as it
    /// is.
    pub fn set_encoded_query(&mut self, name: &str, value: impl Into<String>) {
        let name = percent_encoded(name);
        self.query.retain(|(other, _)| *other != name);
        self.query.push((name, value.into()));
    }

    /// Leaves out all else of the query, the limit too, and what was set so far: for a service
    /// that wants a cursor alone.
    pub fn only_position(&mut self) {
        self.is_alone = true;
        self.query.clear();
    }

    /// Sets a field of the JSON body, at a pointer such as `/page/after`. What is raw JSON goes
    /// out as it came.
    ///
    /// # Errors
    ///
    /// The pointer is none, or the value is no JSON.
    pub fn set_body(&mut self, pointer: &str, value: &impl Serialize) -> Result<(), Error> {
        let pointer = Pointer::parse(pointer).ok_or_else(|| {
            let message = format!("invalid JSON pointer {pointer:?} into the body");
            Error::new(ErrorKind::Configuration, message)
        })?;
        self.set_body_at(pointer, value)
    }

    /// The same at a pointer that is known to be one.
    pub(crate) fn set_body_at(
        &mut self,
        pointer: Pointer,
        value: &impl Serialize,
    ) -> Result<(), Error> {
        let value = to_raw_value(value).map_err(|error| {
            Error::new(ErrorKind::Contract, "a position can't be written as JSON")
                .with_source(error)
        })?;
        self.body.push((pointer, value));
        Ok(())
    }

    /// Sets a header.
    ///
    /// # Errors
    ///
    /// The name or the value is none of a header.
    pub fn set_header(&mut self, name: &str, value: impl Display) -> Result<(), Error> {
        let value = HeaderValue::from_str(&value.to_string()).map_err(|_| {
            let message = format!("a position can't be sent in the header {name}");
            Error::new(ErrorKind::Decode, message)
        })?;
        self.headers.insert(header_name(name)?, value);
        Ok(())
    }

    /// Follows a link that [`Answer::link`](crate::rest::Answer::link) gave. It is the whole
    /// address, so nothing of the query is added.
    pub fn set_link(&mut self, link: impl Into<String>) {
        self.link = Some(link.into());
    }

    /// Sends it. Gives the address too, to which a relative link is relative.
    pub(crate) async fn send(mut self) -> Result<(Response<Bytes>, Uri), Error> {
        let service = &self.template.service;
        let uri = self.uri()?;
        let mut headers = Cow::Borrowed(&self.template.headers);
        if !self.headers.is_empty() {
            headers.to_mut().extend(std::mem::take(&mut self.headers));
        }
        let body = self.body()?;
        let response = service.endpoint.send(&self.template.method, &uri, &headers, &body).await?;
        if self.template.is_graphql
            && let Some(error) = graphql::fatal(&response)
        {
            return Err(service.endpoint.clean(error));
        }
        Ok((response, uri))
    }

    fn uri(&mut self) -> Result<Uri, Error> {
        let Template { address, query, service, limit, .. } = self.template;
        let text = match self.link.take() {
            Some(link) if link.starts_with('/') => {
                service.links.home().map(|home| format!("{home}{link}"))
            }
            Some(link) => Some(link),
            None => {
                if let (Some(Limit { place: LimitPlace::Query(name), .. }), Some(records), false) =
                    (limit, self.limit, self.is_alone)
                {
                    let name = percent_encoded(name);
                    if !self.query.iter().any(|(other, _)| *other == name) {
                        self.query.insert(0, (name, records.to_string()));
                    }
                }
                let own = query.iter().filter(|(name, _)| {
                    !self.is_alone && !self.query.iter().any(|(other, _)| other == name)
                });
                let pairs = own.chain(&self.query);
                let pairs = pairs.map(|(name, value)| format!("{name}={value}"));
                let query = pairs.collect::<Vec<_>>().join("&");
                if query.is_empty() {
                    return Ok(address.clone());
                }
                Some(format!("{address}?{query}"))
            }
        };
        text.and_then(|text| text.parse().ok()).ok_or_else(|| {
            Error::new(ErrorKind::Contradiction, "a position of the service makes no address")
        })
    }

    fn body(&mut self) -> Result<Bytes, Error> {
        if let (Some(pointer), Some(records)) = (&self.template.limit_pointer, self.limit) {
            let records = to_raw_value(&records).map_err(|error| {
                Error::new(ErrorKind::Contract, "a limit can't be written").with_source(error)
            })?;
            self.body.insert(0, (pointer.clone(), records));
        }
        let own = self.template.body.as_ref();
        if own.is_none() && self.body.is_empty() {
            return Ok(Bytes::new());
        }
        let others = self.body.iter().map(|(pointer, value)| (pointer, &**value));
        let body = serde_json::to_vec(&Overlay::new(own, others)).map_err(|error| {
            Error::new(ErrorKind::Contract, "a request can't be written as JSON").with_source(error)
        })?;
        Ok(body.into())
    }
}

impl Debug for PageRequest<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageRequest")
            .field("address", &self.template.address)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
