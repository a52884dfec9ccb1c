use std::fmt::{self, Display, Formatter};

use crate::{
    error::{Error, ErrorKind},
    http::header_name,
    json::Pointer,
};

/// Where something is in an answer: at a JSON pointer (RFC 6901) of its body, such as
/// `/paging/next/after`, or in a header.
///
/// A text is a pointer. [`header`] is a header.
#[derive(Clone, Debug)]
pub struct At {
    text: String,
    pub(super) place: Option<Place>,
}

#[derive(Clone, Debug)]
pub(super) enum Place {
    Body(Pointer),
    Header(http::HeaderName),
}

/// In the header of this name, such as `x-total-pages`.
///
/// ```
/// use pagestream::rest::{PageNumber, header};
///
/// let pages = PageNumber::query("page").pages_at(header("x-total-pages"));
/// ```
#[must_use]
pub fn header(name: &str) -> At {
    At { text: name.to_owned(), place: header_name(name).ok().map(Place::Header) }
}

impl<T: Into<String>> From<T> for At {
    fn from(pointer: T) -> Self {
        let text = pointer.into();
        Self { place: Pointer::parse(&text).map(Place::Body), text }
    }
}

impl At {
    /// # Errors
    ///
    /// It is neither a JSON pointer nor the name of a header.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.place.as_ref().map(drop).ok_or_else(|| {
            let message = format!(
                "invalid place {:?} in an answer: expected a JSON pointer with a slash before \
                 each key, such as \"/data\", and no ~ but in ~0 and ~1; or the name of a header",
                self.text
            );
            Error::new(ErrorKind::Configuration, message)
        })
    }
}

/// For messages.
impl Display for At {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(Place::Header(name)) => write!(f, "header {name:?}"),
            _ => write!(f, "{:?}", self.text),
        }
    }
}
