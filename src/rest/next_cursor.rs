use super::{
    answer::Answer,
    at::At,
    cursor_place::CursorPlace,
    end::{End, contradiction, end_setters},
    style::{Next, Style},
};
use crate::{
    error::{Error, ErrorKind},
    http::PageRequest,
    opaque_cursor::OpaqueCursor,
};

/// Pages by a cursor that each answer gives.
///
/// **When your API looks like this:** the answer has `next_cursor`, `nextPageToken`,
/// `paging.next.after`, or a header with one; the next request sends it back.
///
/// A cursor that is missing, null or `""` is the end. 0 is a cursor. If the service also has a
/// flag, name it ([`more_at`](Self::more_at), [`done_at`](Self::done_at)). Then the flag tells the
/// end. If it says that there is more, and there is no cursor, that is an error.
///
/// A cursor can't be predicted, so a [window](crate::Read::window) asks for one page ahead.
///
/// ```
/// use pagestream::rest::NextCursor;
///
/// let slack = NextCursor::at("/response_metadata/next_cursor").into_query("cursor");
/// let notion = NextCursor::at("/next_cursor").into_body("/start_cursor").more_at("/has_more");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct NextCursor {
    parts: Vec<Part>,
    end: Option<End>,
    is_alone: bool,
}

/// One of the values of a cursor.
#[derive(Clone, Debug)]
struct Part {
    at: At,
    place: Option<CursorPlace>,
    /// Whether it is for a later reading.
    is_for_later: bool,
}

impl NextCursor {
    /// The cursor is at this place of an answer: a JSON pointer, or a
    /// [`header`](super::header).
    pub fn at(at: impl Into<At>) -> Self {
        let part = Part { at: at.into(), place: None, is_for_later: false };
        Self { parts: vec![part], end: None, is_alone: false }
    }

    /// Another value that goes along with the cursor. The first one says whether there is a
    /// next page; the others may be missing.
    pub fn and(mut self, at: impl Into<At>) -> Self {
        self.parts.push(Part { at: at.into(), place: None, is_for_later: false });
        self
    }

    /// The last answer has a token for a later reading at this place, such as `/nextSyncToken`.
    /// Behind this call, say where the token goes in a request. All requests of the later reading
    /// carry it: [`Checkpoint::later`](crate::Checkpoint::later).
    ///
    /// You do not need this method if a flag tells the end, and the last answer has a cursor all
    /// the same. That cursor is left for later by itself.
    ///
    /// ```
    /// use pagestream::rest::NextCursor;
    ///
    /// let calendar = NextCursor::at("/nextPageToken")
    ///     .into_query("pageToken")
    ///     .later_at("/nextSyncToken")
    ///     .into_query("syncToken");
    /// ```
    pub fn later_at(mut self, at: impl Into<At>) -> Self {
        self.parts.push(Part { at: at.into(), place: None, is_for_later: true });
        self
    }

    /// It goes into the query, as the value of this name. It is percent-encoded.
    pub fn into_query(self, name: impl Into<String>) -> Self {
        self.into_place(CursorPlace::Query(name.into()))
    }

    /// It goes into the query as it is: the service gives it percent-encoded.
    pub fn into_query_encoded(self, name: impl Into<String>) -> Self {
        self.into_place(CursorPlace::EncodedQuery(name.into()))
    }

    /// It goes into the body, at a JSON pointer such as `/page/after`, exactly as it came.
    pub fn into_body(self, pointer: impl Into<String>) -> Self {
        self.into_place(CursorPlace::body(pointer))
    }

    /// It goes into the header of this name.
    pub fn into_header(self, name: impl Into<String>) -> Self {
        self.into_place(CursorPlace::Header(name.into()))
    }

    fn into_place(mut self, place: CursorPlace) -> Self {
        if let Some(part) = self.parts.last_mut() {
            part.place = Some(place);
        }
        self
    }

    end_setters!(more_at, done_at);

    /// Sends the cursor alone, without the limit and the rest of the query, for a service that
    /// wants it so. By default all of the query is sent along with the cursor.
    pub fn alone(mut self) -> Self {
        self.is_alone = true;
        self
    }
}

impl NextCursor {
    /// The cursor that an answer gives. What a later reading asks with stays what it is.
    fn following(&self, before: &Values, answer: &Answer<'_>) -> Result<Values, Error> {
        let values = self.parts.iter().enumerate().map(|(index, part)| {
            if part.is_for_later {
                return Ok(before.get(index).cloned().flatten());
            }
            answer.cursor(&part.at)
        });
        values.collect()
    }

    /// What the last answer leaves for a later reading.
    fn later(&self, before: &Values, answer: &Answer<'_>) -> Result<Option<Values>, Error> {
        if !self.parts.iter().any(|part| part.is_for_later) {
            let cursor = self.following(before, answer)?;
            return Ok(cursor.first().is_some_and(Option::is_some).then_some(cursor));
        }
        let values = self
            .parts
            .iter()
            .map(|part| if part.is_for_later { answer.cursor(&part.at) } else { Ok(None) });
        let values = values.collect::<Result<Values, Error>>()?;
        Ok(values.iter().any(Option::is_some).then_some(values))
    }
}

/// A value for each place.
type Values = Vec<Option<OpaqueCursor>>;

impl Style for NextCursor {
    /// A value for each place. None at all at the start.
    type Cursor = Values;

    fn start(&self) -> Self::Cursor {
        Vec::new()
    }

    fn apply(&self, cursor: &Self::Cursor, request: &mut PageRequest<'_>) -> Result<(), Error> {
        if self.is_alone && matches!(cursor.first(), Some(Some(_))) {
            request.only_position();
        }
        for (part, value) in self.parts.iter().zip(cursor) {
            if let (Some(place), Some(value)) = (&part.place, value) {
                place.set(value, request)?;
            }
        }
        Ok(())
    }

    fn next(
        &self,
        before: &Self::Cursor,
        answer: &Answer<'_>,
    ) -> Result<Next<Self::Cursor>, Error> {
        if let Some(end) = &self.end
            && end.is_told(answer)?
        {
            return Ok(Next::end().with_later(self.later(before, answer)?));
        }
        let cursor = self.following(before, answer)?;
        match (cursor.first(), &self.end) {
            (Some(Some(_)), _) => Ok(Next::at(cursor)),
            (_, None) => Ok(Next::end().with_later(self.later(before, answer)?)),
            (_, Some(_)) => Err(contradiction(format!(
                "missing cursor at {}: expected one, since the service says that there is more",
                self.parts[0].at
            ))),
        }
    }

    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        for Part { at, place, .. } in &self.parts {
            at.check()?;
            let place = place.as_ref().ok_or_else(|| {
                let message = format!(
                    "missing place of the cursor at {at} in a request: call `into_query`, \
                     `into_body` or `into_header`"
                );
                Error::new(ErrorKind::Configuration, message)
            })?;
            place.check()?;
        }
        self.end.as_ref().map_or(Ok(()), |end| end.check(limit))
    }
}
