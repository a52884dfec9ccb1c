use crate::{
    error::{Error, ErrorKind},
    json::Pointer,
};

/// How many records a page has at most, and where the request says so.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) place: LimitPlace,
    pub(crate) records: u64,
}

#[derive(Clone, Debug)]
pub(crate) enum LimitPlace {
    Query(String),
    Body(String),
}

impl Limit {
    /// The pointer at which it is in the body.
    pub(crate) fn pointer(&self) -> Result<Option<Pointer>, Error> {
        match &self.place {
            LimitPlace::Query(_) => Ok(None),
            LimitPlace::Body(text) => Pointer::parse(text).map(Some).ok_or_else(|| {
                let message = format!("invalid JSON pointer {text:?} of the limit");
                Error::new(ErrorKind::Configuration, message)
            }),
        }
    }
}
