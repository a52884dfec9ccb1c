use serde_json::Value;

use crate::{
    checkpoint::{Checkpoint, PendingRequest},
    cursor::{from_json, to_json},
    error::Error,
    paginator::Paginator,
};

impl Checkpoint {
    /// Splits what is left to read into parts that other tasks, processes or machines can read.
    /// Each part is a checkpoint to resume from. There are as many as `parts`, or fewer. Together
    /// they read exactly the rest, each record once. So you can divide a part that is too large,
    /// or hand on the rest of one that is late.
    ///
    /// The reading that made this checkpoint must not go on. What it reads would be read twice.
    ///
    /// It needs the paginator that made the checkpoint, which knows what can be split
    /// ([`Paginator::split_cursor`]). [`PaginatorExt::split`](crate::PaginatorExt::split) says what
    /// that is, and what `total` is for. Cursors that only the service knows stay one part. So does
    /// a list that is read again after a [restart](crate::Read::restarts), until its place is
    /// found. If a page was delivered in part, one of the parts reads it again.
    ///
    /// The first part takes over the counts of this checkpoint and the ids that failed. The others
    /// begin at 0. So the sums over all parts are those of the reading. The keys for
    /// [`deduplicate`](crate::Read::deduplicate) go into each part. A part does not know what the
    /// others read from then on.
    ///
    /// ```
    /// use futures::{StreamExt, TryStreamExt, stream};
    /// use pagestream::{PaginatorExt, hubspot::Associations, testing::HubSpot};
    ///
    /// # futures::executor::block_on(async {
    /// let service = HubSpot::new(1).objects(100);
    /// let associations = Associations::builder("deals", "companies")
    ///     .ids(service.ids())
    ///     .batch_size(10)
    ///     .token("pat-na1-...")
    ///     .transport(service)
    ///     .build()?;
    ///
    /// // A reading of 200 associations that takes too long.
    /// let mut records = associations.records();
    /// for _ in 0..25 {
    ///     records.next().await;
    /// }
    /// let checkpoint = records.checkpoint()?;
    /// drop(records);
    ///
    /// let parts = checkpoint.split(&associations, 4, None)?;
    /// assert_eq!(parts.len(), 4);
    /// let read = |part| associations.read().resume(part).records();
    /// let rest: Vec<_> = stream::iter(parts).map(read).flatten_unordered(None).try_collect().await?;
    /// assert_eq!(rest.len(), 175);
    /// # Ok::<(), pagestream::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Checkpoint`](crate::ErrorKind::Checkpoint) if it is of another paginator.
    /// - [`Contract`](crate::ErrorKind::Contract) if a cursor can't be written as JSON, and if the
    ///   paginator has no [identity](Paginator::identity).
    pub fn split<P>(
        &self,
        paginator: &P,
        parts: usize,
        total: impl Into<Option<u64>>,
    ) -> Result<Vec<Self>, Error>
    where
        P: Paginator + ?Sized,
    {
        let identity = paginator.identity();
        if identity.is_empty() {
            return Err(Error::without_identity());
        }
        Error::check_identity(&self.identity, &identity)?;
        if self.keys.as_ref().is_some_and(|keys| keys.state.passes_over) {
            return Ok(vec![self.clone()]);
        }
        let (parts, total) = (parts.max(1), total.into());
        let split = |cursor| split(paginator, cursor, parts, total);
        let mut dealt = Dealt { most: parts, next: 0, parts: Vec::new() };
        for request in &self.requests {
            if request.replay.is_some() {
                dealt.least().requests.push(request.clone());
                continue;
            }
            let mut cursor = from_json(request.cursor.clone())?;
            if let Some(units) = &request.units {
                cursor = paginator.narrow(&cursor, units);
            }
            match &mut split(cursor)?[..] {
                [_] => dealt.least().requests.push(request.clone()),
                pieces => dealt.deal(pieces),
            }
        }
        for cursor in &self.waiting {
            dealt.deal(&mut split(from_json(cursor.clone())?)?);
        }
        Ok(self.in_parts(dealt.parts))
    }

    /// The checkpoints of parts that are not empty.
    fn in_parts(&self, parts: Vec<Part>) -> Vec<Self> {
        if parts.len() <= 1 {
            return vec![self.clone()];
        }
        let of = |index: usize, Part { requests, waiting }: Part| {
            let begin = if index == 0 {
                self.clone()
            } else {
                Self {
                    keys: self.keys.clone(),
                    cycles: self.cycles,
                    ..Self::at_start(self.identity.clone(), Value::Null)
                }
            };
            Self { requests, waiting, is_part: true, ..begin }
        };
        parts.into_iter().enumerate().map(|(index, part)| of(index, part)).collect()
    }
}

/// The pieces of a cursor, as a checkpoint of a part holds them.
fn split<P: Paginator + ?Sized>(
    paginator: &P,
    cursor: P::Cursor,
    parts: usize,
    total: Option<u64>,
) -> Result<Vec<Value>, Error> {
    let pieces = paginator.split_cursor(&cursor, parts, total);
    let pieces = if pieces.is_empty() { vec![cursor] } else { pieces };
    pieces.iter().map(to_json).collect()
}

/// What one part reads.
#[derive(Default)]
struct Part {
    requests: Vec<PendingRequest>,
    waiting: Vec<Value>,
}

/// Parts to which pieces are dealt like cards. Each has something.
struct Dealt {
    /// How many there may be.
    most: usize,
    /// Whose turn it is.
    next: usize,
    parts: Vec<Part>,
}

impl Dealt {
    /// One piece to each part in turn, beginning behind the part that got the last one. A cursor
    /// that was not split goes to the part that has least.
    fn deal(&mut self, pieces: &mut [Value]) {
        if let [piece] = pieces {
            self.least().waiting.push(piece.take());
            return;
        }
        for piece in pieces {
            self.part(self.next).waiting.push(piece.take());
            self.next = (self.next + 1) % self.most;
        }
    }

    fn least(&mut self) -> &mut Part {
        let length = self.parts.len();
        let least =
            |index: &usize| self.parts[*index].requests.len() + self.parts[*index].waiting.len();
        let index =
            if length < self.most { length } else { (0..length).min_by_key(least).unwrap_or(0) };
        self.part(index)
    }

    fn part(&mut self, index: usize) -> &mut Part {
        if index >= self.parts.len() {
            self.parts.resize_with(index + 1, Part::default);
        }
        &mut self.parts[index]
    }
}
