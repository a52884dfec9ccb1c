use crate::{
    error::{Error, ErrorKind},
    http::{PageRequest, header_name},
    json::Pointer,
    opaque_cursor::OpaqueCursor,
};

/// Where a request has the cursor.
#[derive(Clone, Debug)]
pub(super) enum CursorPlace {
    /// The value of this name in the query.
    Query(String),
    /// The same, where the service gives it percent-encoded.
    EncodedQuery(String),
    /// At this JSON pointer of the body; `None` if it is none.
    Body(String, Option<Pointer>),
    /// The header of this name.
    Header(String),
}

impl CursorPlace {
    pub(super) fn body(pointer: impl Into<String>) -> Self {
        let text = pointer.into();
        let pointer = Pointer::parse(&text);
        Self::Body(text, pointer)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Query(name) | Self::EncodedQuery(name) if name.is_empty() => {
                Err(Error::new(ErrorKind::Configuration, "a cursor in the query needs a name"))
            }
            Self::Query(_) | Self::EncodedQuery(_) => Ok(()),
            Self::Body(text, Some(_)) if !text.is_empty() => Ok(()),
            Self::Body(text, _) => {
                let message = format!(
                    "invalid JSON pointer {text:?} into the body of the request: expected a slash \
                     before each key, such as \"/page/after\""
                );
                Err(Error::new(ErrorKind::Configuration, message))
            }
            Self::Header(name) => header_name(name).map(drop),
        }
    }

    pub(super) fn set(
        &self,
        cursor: &OpaqueCursor,
        request: &mut PageRequest<'_>,
    ) -> Result<(), Error> {
        match self {
            Self::Query(name) => request.set_query(name, cursor),
            Self::EncodedQuery(name) => request.set_encoded_query(name, cursor.to_string()),
            Self::Body(_, Some(pointer)) => request.set_body_at(pointer.clone(), cursor)?,
            Self::Body(text, None) => request.set_body(text, cursor)?,
            Self::Header(name) => request.set_header(name, cursor)?,
        }
        Ok(())
    }
}
