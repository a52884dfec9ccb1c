use std::{
    ops::Range,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{
    answer::Answer,
    cursor_place::CursorPlace,
    style::{Next, Style, forward_to_style},
};
use crate::{
    error::{Error, ErrorKind},
    http::PageRequest,
    opaque_cursor::OpaqueCursor,
};

/// A list of a span of time, read in slices, one after the other. Each slice is read in the inner
/// style.
///
/// **When your API looks like this:** `?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z`, and a
/// long span is slow, capped or refused.
///
/// A slice includes its begin and excludes its end, which is the begin of the next one. So there is
/// no gap and no overlap. Times are in UTC. The last slice may be shorter.
///
/// A reading can be [split](crate::PaginatorExt::split) into parts of whole slices, so that slices
/// are read side by side. The total is not known.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use pagestream::rest::{NextCursor, TimeSlices};
///
/// let year = Duration::from_secs(365 * 24 * 60 * 60);
/// let to = SystemTime::UNIX_EPOCH + 56 * year;
/// let day = Duration::from_secs(24 * 60 * 60);
/// let orders = NextCursor::at("/next").into_query("cursor");
/// let orders = TimeSlices::new(orders, to - year..to, day).query("created_from", "created_to");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TimeSlices<S> {
    style: S,
    span: Range<SystemTime>,
    step: Duration,
    places: Option<[CursorPlace; 2]>,
    format: Format,
    includes_end: bool,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Rfc3339,
    Date,
    Seconds,
    Milliseconds,
}

/// A cursor of [`TimeSlices`]. Times are milliseconds since 1970, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlicePosition<C> {
    /// Where the slice begins.
    from: u64,
    /// Where the last slice ends.
    end: u64,
    /// Where the page is within the slice.
    at: C,
}

impl<S> TimeSlices<S> {
    /// The span of time, in slices of this length. Both are whole milliseconds.
    pub fn new(style: S, span: Range<SystemTime>, step: Duration) -> Self {
        let (places, format) = (None, Format::Rfc3339);
        Self { style, span, step, places, format, includes_end: false }
    }

    /// The times are the values of these names in the query.
    pub fn query(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.places = Some([CursorPlace::Query(from.into()), CursorPlace::Query(to.into())]);
        self
    }

    /// The times are in the body, at JSON pointers such as `/filter/from`.
    pub fn body(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.places = Some([CursorPlace::body(from), CursorPlace::body(to)]);
        self
    }

    /// Times are dates, such as `2026-01-31`. The span and its slices are whole days.
    pub fn dates(mut self) -> Self {
        self.format = Format::Date;
        self
    }

    /// Times are whole seconds since 1970. By default they are as in
    /// `2026-01-31T08:15:00Z` (RFC 3339), also in whole seconds.
    pub fn unix_seconds(mut self) -> Self {
        self.format = Format::Seconds;
        self
    }

    /// Times are whole milliseconds since 1970.
    pub fn unix_milliseconds(mut self) -> Self {
        self.format = Format::Milliseconds;
        self
    }

    /// Say this if the service includes the end that it is asked for. Then each slice asks for an
    /// end that is a little earlier: by a day with [`dates`](Self::dates), otherwise by a second or
    /// a millisecond.
    pub fn including_end(mut self) -> Self {
        self.includes_end = true;
        self
    }

    fn step(&self) -> u64 {
        u64::try_from(self.step.as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// The value of a time in a request.
    fn written(&self, milliseconds: u64) -> OpaqueCursor {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
        let rfc3339 = || humantime::format_rfc3339_seconds(time).to_string();
        match self.format {
            Format::Rfc3339 => OpaqueCursor::from(&*rfc3339()),
            Format::Date => OpaqueCursor::from(rfc3339().get(..10).unwrap_or_default()),
            Format::Seconds => OpaqueCursor::from(milliseconds / 1_000),
            Format::Milliseconds => OpaqueCursor::from(milliseconds),
        }
    }
}

impl Format {
    /// The smallest difference between two times, in milliseconds.
    fn unit(self) -> u64 {
        match self {
            Self::Rfc3339 | Self::Seconds => 1_000,
            Self::Date => 24 * 60 * 60 * 1_000,
            Self::Milliseconds => 1,
        }
    }
}

/// Milliseconds since 1970. A time before that is the beginning, which `check` refuses.
fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl<S: Style> Style for TimeSlices<S> {
    type Cursor = SlicePosition<S::Cursor>;

    fn start(&self) -> Self::Cursor {
        let (from, end) = (milliseconds(self.span.start), milliseconds(self.span.end));
        SlicePosition { from, end, at: self.style.start() }
    }

    fn apply(&self, cursor: &Self::Cursor, request: &mut PageRequest<'_>) -> Result<(), Error> {
        let to = cursor.from.saturating_add(self.step()).min(cursor.end);
        let to = if self.includes_end { to.saturating_sub(self.format.unit()) } else { to };
        for (place, time) in self.places.iter().flatten().zip([cursor.from, to]) {
            place.set(&self.written(time), request)?;
        }
        self.style.apply(&cursor.at, request)
    }

    fn next(
        &self,
        cursor: &Self::Cursor,
        answer: &Answer<'_>,
    ) -> Result<Next<Self::Cursor>, Error> {
        let next = self.style.next(&cursor.at, answer)?;
        let makes_headway = next.makes_headway || next.cursor.is_none();
        let following = if let Some(at) = next.cursor {
            Some(SlicePosition { at, ..*cursor })
        } else {
            let from = cursor.from.saturating_add(self.step());
            let at = self.style.start();
            (from < cursor.end).then_some(SlicePosition { from, end: cursor.end, at })
        };
        let following = following.map_or_else(Next::end, Next::at);
        let following = following.leaving_out(next.left_out).with_skipped(next.skipped);
        Ok(Next { makes_headway, ..following })
    }

    fn check(&self, limit: Option<u64>) -> Result<(), Error> {
        self.style.check(limit)?;
        let invalid = |message: &'static str| Err(Error::new(ErrorKind::Configuration, message));
        let Some(places) = &self.places else {
            return invalid("missing place of the times in a request: call `query` or `body`");
        };
        places.iter().try_for_each(CursorPlace::check)?;
        if self.span.start < SystemTime::UNIX_EPOCH || self.span.start >= self.span.end {
            return invalid(
                "invalid span of time: expected one that begins in 1970 or later, and ends \
                            behind its beginning",
            );
        }
        let unit = u128::from(self.format.unit());
        let since =
            |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let times = [since(self.span.start), since(self.span.end), self.step];
        let is_whole = |it: &Duration| it.as_nanos().is_multiple_of(unit * 1_000_000);
        if self.step.is_zero() || !times.iter().all(is_whole) {
            return invalid(
                "invalid slices: expected times and a length in whole units of how times \
                            are written (days, seconds or milliseconds), since the rest would be lost",
            );
        }
        Ok(())
    }

    forward_to_style!();

    /// Into runs of slices. The first one keeps the place within its slice.
    fn split(
        &self,
        cursor: &Self::Cursor,
        _: Option<u64>,
        parts: usize,
        _: Option<u64>,
    ) -> Vec<Self::Cursor> {
        let slices = cursor.end.saturating_sub(cursor.from).div_ceil(self.step());
        let run = slices.div_ceil(u64::try_from(parts).unwrap_or(u64::MAX).max(1)).max(1);
        let length = run.saturating_mul(self.step());
        let mut split = vec![cursor.clone()];
        while let Some(last) = split.last_mut()
            && let Some(from) = last.from.checked_add(length).filter(|it| *it < last.end)
        {
            let end = std::mem::replace(&mut last.end, from);
            split.push(SlicePosition { from, end, at: self.style.start() });
        }
        split
    }
}
