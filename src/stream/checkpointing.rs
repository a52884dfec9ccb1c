use super::reading::Reading;
use crate::{
    checkpoint::{Checkpoint, PendingRequest, Version},
    cursor::{Cursor, to_checkpoint},
    error::{Error, ErrorKind},
};

impl<C: Cursor> Reading<C> {
    /// The checkpoint, where so many records of the page being delivered are delivered.
    ///
    /// # Errors
    ///
    /// A cursor that can't be written as JSON, a state that a panic left incomplete, and a
    /// paginator without an identity.
    pub(super) fn checkpoint(
        &self,
        delivered: usize,
        failed_ids: Vec<String>,
    ) -> Result<Checkpoint, Error> {
        if self.identity.is_empty() {
            return Err(Error::without_identity());
        }
        if self.frontier.has_stateful_cursors() {
            return Err(Error::new(
                ErrorKind::Contract,
                "the cursors of this reading have a state in the service \
                 (`RepeatedCursor::Continue`), so nobody can go on from a checkpoint: read it to \
                 its end, or from the start",
            ));
        }
        if !self.is_whole {
            return Err(Error::new(
                ErrorKind::Contract,
                "a panic in the paginator's code left the state incomplete, so a checkpoint may \
                 lack records: resume from an earlier one",
            ));
        }
        // A page that is delivered whole is not asked for again, so it counts as ended.
        let position = self.position(delivered);
        let ended = self.page.filter(|_| self.frontier.is_delivered(position));
        let so_far = self.progress(delivered);
        let requests = self.frontier.remaining(position).into_iter().map(|remaining| {
            let cursor = to_checkpoint(remaining.cursor)?;
            Ok(PendingRequest { cursor, units: remaining.units, replay: remaining.replay })
        });
        Ok(Checkpoint {
            version: Version,
            identity: self.identity.clone(),
            pages: if ended.is_some() { so_far.pages } else { self.counts.pages },
            records: so_far.records,
            failures: self.counts.failures,
            skipped: if ended.is_some() { so_far.skipped } else { self.counts.skipped },
            repeated: so_far.repeated,
            counted_before: self.counted_before,
            is_part: self.is_part,
            keys: self.known_keys.as_ref().map(|known| {
                let keys = self.left_out().map(|left_out| left_out.delivered_keys(position));
                known.saved(&keys.unwrap_or_default())
            }),
            requests: requests.collect::<Result<_, Error>>()?,
            waiting: self.frontier.waiting().map(to_checkpoint).collect::<Result<_, Error>>()?,
            later: self
                .later
                .iter()
                .chain(
                    self.rare
                        .as_ref()
                        .filter(|_| ended.is_some())
                        .and_then(|it| it.later.as_deref()),
                )
                .map(to_checkpoint)
                .collect::<Result<_, Error>>()?,
            failed: failed_ids,
            cycles: self.frontier.cycle_detector(),
            digest: ended.map_or(self.page_check.last_digest(), |page| page.digest),
        })
    }
}
