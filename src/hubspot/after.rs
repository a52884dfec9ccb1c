use super::wire::{self, Paging};
use crate::{
    error::{Error, ErrorKind},
    http::PageRequest,
    opaque_cursor::OpaqueCursor,
    rest::{Answer, At, Next, NextCursor, Style},
};

/// How HubSpot pages a list: by `paging.next.after`.
#[derive(Clone, Debug)]
pub(super) struct After {
    cursor: NextCursor,
}

impl After {
    pub(super) fn new() -> Self {
        Self { cursor: NextCursor::at("/paging/next/after").into_query("after") }
    }
}

impl Style for After {
    type Cursor = Vec<Option<OpaqueCursor>>;

    fn start(&self) -> Self::Cursor {
        self.cursor.start()
    }

    fn apply(&self, cursor: &Self::Cursor, request: &mut PageRequest<'_>) -> Result<(), Error> {
        self.cursor.apply(cursor, request)
    }

    fn next(
        &self,
        cursor: &Self::Cursor,
        answer: &Answer<'_>,
    ) -> Result<Next<Self::Cursor>, Error> {
        // A link without a cursor would be taken for the end.
        let paging = answer.decode::<Paging>(&At::from("/paging"))?;
        if matches!(wire::NextCursor::from(paging), wire::NextCursor::Missing) {
            let message = "the list has a next page, but no cursor to it";
            return Err(Error::new(ErrorKind::Contradiction, message));
        }
        self.cursor.next(cursor, answer)
    }

    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        self.cursor.check(limit)
    }
}
