use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use super::monitor::Progress;

type Callback = dyn Fn(&Progress) + Send + Sync;

/// What is called as a reading makes progress.
#[derive(Clone, Default)]
pub(super) struct OnProgress(Option<Arc<Callback>>);

impl OnProgress {
    pub(super) fn new(callback: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(callback)))
    }

    /// The callback, if there is one.
    pub(super) fn callback(&self) -> Option<Arc<Callback>> {
        self.0.clone()
    }
}

impl Debug for OnProgress {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnProgress").field(&self.0.is_some()).finish()
    }
}
