use super::{
    failures::Failures, monitor::Progress, page_check::PageCheck, read::KNOWN_KEYS,
    reading::Reading,
};
use crate::{
    checkpoint::Checkpoint,
    cursor::{Cursor, from_json},
    error::{Error, ErrorKind},
    frontier::{Config, Frontier},
    known_keys::{KnownKeys, SavedKeys},
    paginator::Paginator,
};

impl<C: Cursor> Reading<C> {
    /// A reading from the start, or from a checkpoint. Where the checkpoint does not match,
    /// the start, and why.
    pub(super) fn open<P>(
        paginator: &P,
        config: Config,
        known_keys: Option<usize>,
        checkpoint: Option<Checkpoint>,
    ) -> (Self, Failures, Option<Error>)
    where
        P: Paginator<Cursor = C> + ?Sized,
    {
        let (mut reading, saved, failures, mismatch) = Self::begin(paginator, config, checkpoint);
        let is_new = reading.counts.records == 0;
        reading.known_keys = match (known_keys, saved) {
            (Some(most), Some(saved)) => Some(Box::new(KnownKeys::restore(most, &saved))),
            (Some(most), None) => Some(Box::new(KnownKeys::new(most, is_new))),
            // They are needed until the place is found.
            (None, Some(saved)) if saved.state.passes_over => {
                Some(Box::new(KnownKeys::restore(saved.keys.len(), &saved)))
            }
            // They are needed to the end, and more are kept: what is new may stand before them.
            (None, Some(saved)) if saved.state.leaves_out_known => {
                let most = saved.keys.len().max(KNOWN_KEYS);
                Some(Box::new(KnownKeys::restore(most, &saved)))
            }
            (None, _) => None,
        };
        (reading, failures, mismatch)
    }

    fn begin<P>(
        paginator: &P,
        config: Config,
        mut checkpoint: Option<Checkpoint>,
    ) -> (Self, Option<SavedKeys>, Failures, Option<Error>)
    where
        P: Paginator<Cursor = C> + ?Sized,
    {
        let saved = checkpoint.as_mut().and_then(|checkpoint| checkpoint.keys.take());
        let identity = paginator.identity();
        let resumed = checkpoint
            .map(|checkpoint| Self::resume(paginator, &identity, config.clone(), checkpoint));
        match resumed {
            Some(Ok((reading, failures))) => (reading, saved, failures, None),
            resumed => {
                let frontier = Frontier::new(config, [paginator.start()]);
                let mismatch = resumed.and_then(Result::err);
                let reading = Self::new(frontier, identity, Progress::default());
                (reading, None, Failures::default(), mismatch)
            }
        }
    }

    fn new(frontier: Frontier<C>, identity: String, counts: Progress) -> Self {
        Self {
            frontier,
            identity,
            counts,
            page: None,
            rare: None,
            page_check: PageCheck::new(None),
            later: Vec::new(),
            known_keys: None,
            counted_before: 0,
            is_part: false,
            is_whole: true,
        }
    }

    fn resume<P>(
        paginator: &P,
        identity: &str,
        config: Config,
        checkpoint: Checkpoint,
    ) -> Result<(Self, Failures), Error>
    where
        P: Paginator<Cursor = C> + ?Sized,
    {
        if identity.is_empty() {
            let message = "this paginator has no identity, so it can't be told whether the \
                           checkpoint is its own: implement `Paginator::identity`, or call \
                           `identified_by` for one made by `from_fn`";
            return Err(Error::new(ErrorKind::Checkpoint, message));
        }
        Error::check_identity(&checkpoint.identity, identity)?;
        let requests = checkpoint.requests.into_iter().map(|request| {
            let mut cursor = from_json(request.cursor)?;
            if let Some(units) = &request.units {
                cursor = paginator.narrow(&cursor, units);
            }
            Ok((cursor, request.replay))
        });
        let requests = requests.collect::<Result<Vec<_>, Error>>()?;
        let waiting = checkpoint.waiting.into_iter().map(from_json);
        let waiting = waiting.collect::<Result<Vec<_>, Error>>()?;
        let frontier = Frontier::resume(config, requests, waiting, checkpoint.cycles);
        let counts = Progress {
            pages: checkpoint.pages,
            records: checkpoint.records,
            failures: checkpoint.failures,
            skipped: checkpoint.skipped,
            repeated: checkpoint.repeated,
            ..Progress::default()
        };
        let mut reading = Self::new(frontier, checkpoint.identity, counts);
        reading.page_check = PageCheck::new(checkpoint.digest);
        reading.is_part = checkpoint.is_part;
        reading.counted_before = checkpoint.counted_before;
        let later = checkpoint.later.into_iter().map(from_json);
        reading.later = later.collect::<Result<_, Error>>()?;
        Ok((reading, Failures::new(checkpoint.failed)))
    }
}
