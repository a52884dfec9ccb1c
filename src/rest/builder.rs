use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use serde::de::DeserializeOwned;

use super::{
    at::At,
    decoded::{Layout, Options},
    list::{List, Reader},
    style::Style,
};
use crate::{
    error::{Error, ErrorKind},
    http::{RequestBuilder, Template},
    json::{Pointer, RecordKey},
};

/// Builds a [`List`]: [`RequestBuilder::pages`].
#[must_use = "call `build` to make a paginator of it"]
pub struct ListBuilder<S> {
    request: RequestBuilder,
    style: S,
    records: Option<String>,
    options: Options,
    total: Option<At>,
    key: Option<String>,
    ignored_fields: Vec<String>,
    identity: Option<String>,
}

impl RequestBuilder {
    /// Makes a paginator of this request, for a service that pages in this style: one of
    /// [`rest`](crate::rest), or your own.
    pub fn pages<S: Style>(self, style: S) -> ListBuilder<S> {
        ListBuilder {
            request: self,
            style,
            records: None,
            options: Options::default(),
            total: None,
            key: None,
            ignored_fields: Vec::new(),
            identity: None,
        }
    }
}

impl<S: Style> ListBuilder<S> {
    /// Where the records are in an answer, as a JSON pointer such as `/data/items`. By default the
    /// whole answer is the list. Some styles know the place themselves.
    pub fn records_at(mut self, pointer: impl Into<String>) -> Self {
        self.records = Some(pointer.into());
        self
    }

    /// The answer has one record, and no list.
    pub fn one_record(mut self) -> Self {
        self.options.is_one_record = true;
        self
    }

    /// An answer without a list is an empty page. By default it is an error. A list that is
    /// null is always empty.
    pub fn missing_is_empty(mut self) -> Self {
        self.options.missing_is_empty = true;
        self
    }

    /// A list that is null is an error.
    #[cfg(feature = "alloy")]
    pub(crate) fn null_is_missing(mut self) -> Self {
        self.options.null_is_missing = true;
        self
    }

    /// Where an answer says how many records there are. The [`Progress`](crate::Progress) shows it,
    /// and [`check_total`](crate::Read::check_total) checks it. It does not tell the end.
    pub fn total_at(mut self, at: impl Into<At>) -> Self {
        self.total = Some(at.into());
        self
    }

    /// Ends the reading at a record that does not fit its type. By default it is a partial
    /// error, and all others come.
    pub fn bad_records_are_fatal(mut self) -> Self {
        self.options.bad_records_are_fatal = true;
        self
    }

    /// Accepts a page with the same records as a page before it. By default that is an error, since
    /// it mostly means that the service ignores the position, or began again.
    pub fn accept_repeated_pages(mut self) -> Self {
        self.options.accepts_repeated_pages = true;
        self
    }

    /// Where a record has its key, as a JSON pointer into the record, such as `/id`. Records
    /// are compared by it, to find the place in a page that is read again, and to notice a
    /// page that comes twice. By default they are compared by their text.
    pub fn key_at(mut self, pointer: impl Into<String>) -> Self {
        self.key = Some(pointer.into());
        self
    }

    /// Fields that are left out when records are compared by their text, wherever they are in a
    /// record. Name those that change at each request, such as its time. None by default.
    pub fn ignore_fields(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.ignored_fields.extend(names.into_iter().map(Into::into));
        self
    }

    /// Adds to the [identity](crate::Paginator::identity) what tells this list apart from others,
    /// such as the name of the account. By default the identity is made of the method, the path,
    /// the query, the headers and the body of the request, without the credentials and the limit.
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        self.identity = Some(identity.into());
        self
    }

    /// Builds the paginator. `T` is a record: a type of your own, or a
    /// [`serde_json::Value`].
    ///
    /// # Errors
    ///
    /// [`Configuration`](ErrorKind::Configuration):
    ///
    /// - if the path has no slash first, a query, or a parameter without a value,
    /// - if a header or a JSON pointer is invalid,
    /// - if the limit is 0,
    /// - if the style was not told what it must know, such as how the list ends.
    pub fn build<T: DeserializeOwned + Send + 'static>(self) -> Result<List<T, S>, Error> {
        let text = self.records.or_else(|| self.style.records_at()).unwrap_or_default();
        let pointer = pointer(&text)?;
        if let Some(at) = &self.total {
            at.check()?;
        }
        let template = Template::new(self.request)?;
        self.style.check(template.limit.as_ref().map(|limit| limit.records))?;
        let key = self.key.as_deref().map(self::pointer).transpose()?;
        let mut identity = template.identity.clone();
        if let Some(own) = self.identity {
            identity = format!("{identity} for {own}");
        }
        Ok(List::new(Reader {
            template,
            style: self.style,
            layout: Arc::new(Layout { pointer, text, options: self.options }),
            total: self.total,
            record_key: Arc::new(RecordKey::new(key, self.ignored_fields)),
            identity,
        }))
    }
}

fn pointer(text: &str) -> Result<Pointer, Error> {
    Pointer::parse(text).ok_or_else(|| {
        let message = format!(
            "invalid JSON pointer {text:?}: expected a slash before each key, such as \"/data\", \
             and no ~ but in ~0 and ~1"
        );
        Error::new(ErrorKind::Configuration, message)
    })
}

impl<S: Debug> Debug for ListBuilder<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListBuilder")
            .field("request", &self.request)
            .field("style", &self.style)
            .finish_non_exhaustive()
    }
}
