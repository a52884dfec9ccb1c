use std::{
    fmt::{self, Debug, Formatter},
    panic::resume_unwind,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use super::{
    probe::Panicked,
    violation::{Rule, Violation},
};
use crate::{checkpoint::Checkpoint, stream::Monitor};

/// Stands for the code of a user that a paginator calls while it fetches: a transport, a
/// token source, a rate limiter. [`check_hooks`](super::Conformance::check_hooks) gives it.
#[derive(Clone)]
pub struct Hook(Arc<State>);

struct State {
    action: Action,
    calls: AtomicUsize,
    monitor: OnceLock<Monitor>,
    checkpoints: Mutex<Vec<Checkpoint>>,
    violation: OnceLock<Violation>,
}

/// What a hook does when it is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Action {
    Nothing,
    /// It asks for the progress and for a checkpoint. They have to come within this time.
    Ask(Duration),
    /// It panics at this call, from 0.
    Panic(usize),
}

impl Hook {
    pub(super) fn new(action: Action) -> Self {
        Self(Arc::new(State {
            action,
            calls: AtomicUsize::new(0),
            monitor: OnceLock::new(),
            checkpoints: Mutex::default(),
            violation: OnceLock::new(),
        }))
    }

    /// Does what the code of a user may do: it asks for a checkpoint of the reading, or it
    /// panics. Call it where the paginator calls such code, in the future of
    /// [`fetch`](crate::Paginator::fetch).
    pub fn call(&self) {
        let call = self.0.calls.fetch_add(1, Ordering::Relaxed);
        match self.0.action {
            // Unlike `panic!`, it writes nothing.
            Action::Panic(at) if at == call => resume_unwind(Box::new(Panicked)),
            Action::Nothing | Action::Panic(_) => {}
            Action::Ask(timeout) => {
                if let Some(monitor) = self.0.monitor.get() {
                    self.ask(monitor.clone(), timeout);
                }
            }
        }
    }

    fn ask(&self, monitor: Monitor, timeout: Duration) {
        if self.0.violation.get().is_some() {
            return;
        }
        // On a thread of its own, so that a lock that is held is found and not waited for.
        let (sender, answer) = mpsc::channel();
        thread::spawn(move || {
            let _ = (monitor.progress(), sender.send(monitor.checkpoint()));
        });
        let what = match answer.recv_timeout(timeout) {
            Ok(Ok(checkpoint)) => {
                let mut checkpoints = self.checkpoints_mut();
                return checkpoints.push(checkpoint);
            }
            Ok(Err(error)) => format!("it got no checkpoint: {error}"),
            Err(_) => format!(
                "it got no checkpoint within {timeout:?}: the paginator holds a lock while it \
                 calls the hook"
            ),
        };
        let _ = self.0.violation.set(Violation::new(Rule::Hook, what)); // the first one counts
    }

    /// How often it was called.
    pub(super) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::Relaxed)
    }

    pub(super) fn attach(&self, monitor: &Monitor) {
        let _ = self.0.monitor.set(monitor.clone()); // a second reading asks for nothing
    }

    /// The checkpoints that it got.
    pub(super) fn checkpoints(&self) -> Result<Vec<Checkpoint>, Violation> {
        match self.0.violation.get() {
            Some(violation) => Err(violation.clone()),
            None => Ok(std::mem::take(&mut self.checkpoints_mut())),
        }
    }

    fn checkpoints_mut(&self) -> std::sync::MutexGuard<'_, Vec<Checkpoint>> {
        self.0.checkpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Debug for Hook {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook")
            .field("action", &self.0.action)
            .field("calls", &self.calls())
            .finish_non_exhaustive()
    }
}
