use std::{
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
    time::Duration,
};

use super::{
    failures::Failures,
    monitor::{Observe, Progress},
    reading::Reading,
};
use crate::{
    checkpoint::Checkpoint,
    cursor::Cursor,
    error::{Error, ErrorKind},
    waiting_count::WaitingCount,
};

/// How long a monitor waits for a reading that works.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What a stream and its monitors share.
///
/// The code of a user works on the reading: it packs cursors, compares and serializes
/// them. It may panic, and it may ask a monitor. So no lock is held while it runs: who
/// works on the reading takes it out and brings it back. While a stream has no monitor,
/// nobody else can ask, and the stream works on the reading without taking it out.
pub(super) struct Shared<C> {
    slot: Mutex<Slot<C>>,
    brought_back: Condvar,
    failures: Mutex<Failures>,
    /// How many records of the page being delivered are delivered.
    delivered: AtomicUsize,
    waiting: WaitingCount,
}

enum Slot<C> {
    Here(Box<Reading<C>>),
    /// Somebody works on it.
    Taken {
        by: ThreadId,
        /// How far it was.
        progress: Box<Progress>,
    },
}

impl<C: Cursor> Shared<C> {
    pub(super) fn new(reading: Reading<C>, failures: Failures) -> Self {
        Self {
            slot: Mutex::new(Slot::Here(Box::new(reading))),
            brought_back: Condvar::new(),
            failures: Mutex::new(failures),
            delivered: AtomicUsize::new(0),
            waiting: WaitingCount::default(),
        }
    }

    pub(super) fn waiting(&self) -> &WaitingCount {
        &self.waiting
    }

    /// Counts records of the page being delivered as delivered. Only the stream writes, so
    /// a plain load and store do.
    #[inline]
    pub(super) fn count(&self, records: usize) {
        let delivered = self.delivered.load(Ordering::Relaxed);
        self.delivered.store(delivered + records, Ordering::Relaxed);
    }

    /// Takes the reading out, to work on it.
    ///
    /// # Errors
    ///
    /// This thread has it already, so that to wait for it deadlocks; or somebody keeps it
    /// for longer than `patience`.
    fn take(&self, patience: Option<Duration>) -> Result<Taken<'_, C>, Error> {
        let mut slot = lock(&self.slot);
        loop {
            match &*slot {
                Slot::Here(_) => break,
                Slot::Taken { by, .. } if *by == thread::current().id() => return Err(deadlock()),
                Slot::Taken { .. } => {}
            }
            let Some(patience) = patience else {
                slot = self.brought_back.wait(slot).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.brought_back.wait_timeout(slot, patience);
            let (again, result) = waited.unwrap_or_else(PoisonError::into_inner);
            if result.timed_out() {
                return Err(deadlock());
            }
            slot = again;
        }
        let progress = match &*slot {
            Slot::Here(reading) => Box::new(reading.progress(self.delivered())),
            Slot::Taken { progress, .. } => progress.clone(),
        };
        let taken = Slot::Taken { by: thread::current().id(), progress };
        match mem::replace(&mut *slot, taken) {
            Slot::Here(reading) => Ok(Taken { shared: self, reading: Some(reading) }),
            Slot::Taken { .. } => Err(deadlock()),
        }
    }

    fn delivered(&self) -> usize {
        self.delivered.load(Ordering::Relaxed)
    }
}

/// No code of a user runs while this lock is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn deadlock() -> Error {
    Error::new(
        ErrorKind::Contract,
        "waiting for a checkpoint deadlocks here: the reading is in the middle of a step, and \
         runs this code itself; ask the monitor from outside of the paginator's methods and its \
         cursors",
    )
}

/// A reading that was taken out. It is brought back when this is dropped.
struct Taken<'a, C> {
    shared: &'a Shared<C>,
    reading: Option<Box<Reading<C>>>,
}

impl<C> Drop for Taken<'_, C> {
    fn drop(&mut self) {
        if let Some(reading) = self.reading.take() {
            *lock(&self.shared.slot) = Slot::Here(reading);
            self.shared.brought_back.notify_all();
        }
    }
}

/// How the stream works on the reading during a poll.
pub(super) struct Access<'a, C> {
    way: Way<'a, C>,
    failures: &'a Mutex<Failures>,
    delivered: &'a AtomicUsize,
}

enum Way<'a, C> {
    /// There is no monitor.
    Alone(&'a mut Reading<C>),
    Shared(&'a Shared<C>),
}

impl<'a, C: Cursor> Access<'a, C> {
    /// # Errors
    ///
    /// The stream is polled by code that works on its own reading.
    pub(super) fn new(shared: &'a mut Arc<Shared<C>>) -> Result<Self, Error> {
        // Who asks for a monitor needs the stream, which is being polled.
        if Arc::strong_count(shared) == 1 {
            let Some(Shared { slot, failures, delivered, .. }) = Arc::get_mut(shared) else {
                return Err(deadlock());
            };
            let slot = slot.get_mut().unwrap_or_else(PoisonError::into_inner);
            let Slot::Here(reading) = slot else { return Err(deadlock()) };
            return Ok(Self { way: Way::Alone(reading), failures, delivered });
        }
        drop(shared.take(None)?);
        Ok(Self {
            way: Way::Shared(shared),
            failures: &shared.failures,
            delivered: &shared.delivered,
        })
    }

    /// Works on the reading. If `work` panics, the reading is not whole any more.
    #[inline]
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Reading<C>, Counts<'_>) -> T) -> T {
        let counts = Counts { failures: self.failures, delivered: self.delivered };
        let mut taken;
        let reading = match &mut self.way {
            Way::Alone(reading) => reading,
            Way::Shared(shared) => {
                taken = shared.take(None).expect(NOT_TAKEN);
                taken.reading()
            }
        };
        let was_whole = mem::replace(&mut reading.is_whole, false);
        let output = work(reading, counts);
        reading.is_whole = was_whole;
        output
    }

    /// Looks at the reading.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Reading<C>, Counts<'_>) -> T) -> T {
        let counts = Counts { failures: self.failures, delivered: self.delivered };
        match &self.way {
            Way::Alone(reading) => look(reading, counts),
            Way::Shared(shared) => look(shared.take(None).expect(NOT_TAKEN).reading(), counts),
        }
    }

    pub(super) fn set_aside(&self, error: Error) {
        lock(self.failures).set_aside(error);
    }
}

const NOT_TAKEN: &str = "who took the reading on this thread has brought it back";

impl<C> Taken<'_, C> {
    fn reading(&mut self) -> &mut Reading<C> {
        self.reading.as_mut().expect("it is there until the drop")
    }
}

/// What is counted beside the reading.
#[derive(Clone, Copy)]
pub(super) struct Counts<'a> {
    failures: &'a Mutex<Failures>,
    delivered: &'a AtomicUsize,
}

impl Counts<'_> {
    /// How many records of the page being delivered are delivered.
    #[inline]
    pub(super) fn delivered(self) -> usize {
        self.delivered.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_delivered(self, records: usize) {
        self.delivered.store(records, Ordering::Relaxed);
    }

    pub(super) fn ids_failed(self, ids: &[String]) {
        lock(self.failures).delivered(ids);
    }

    pub(super) fn failed_ids(self) -> Vec<String> {
        lock(self.failures).ids().to_vec()
    }
}

impl<C: Cursor> Observe for Shared<C> {
    fn progress(&self) -> Progress {
        let mut progress = match &*lock(&self.slot) {
            Slot::Here(reading) => reading.progress(self.delivered()),
            Slot::Taken { progress, .. } => Progress::clone(progress),
        };
        if progress.stop.is_none() {
            progress.throttled = self.waiting.get();
        }
        progress
    }

    fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let mut taken = self.take(Some(LONGEST_WAIT))?;
        let failed_ids = lock(&self.failures).ids().to_vec();
        taken.reading().checkpoint(self.delivered(), failed_ids)
    }

    fn failed_ids(&self) -> Vec<String> {
        lock(&self.failures).distinct_ids()
    }

    fn take_failures(&self) -> Vec<Error> {
        lock(&self.failures).take_set_aside()
    }
}
