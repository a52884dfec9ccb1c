use std::{
    fmt::{self, Debug, Formatter},
    sync::Arc,
};

use super::monitor::StopReason;

type Callback = dyn Fn(Option<StopReason>) + Send + Sync;

/// What is called once when a stream has ended, or is dropped before.
#[derive(Clone, Default)]
pub(super) struct OnEnd(Option<Arc<Callback>>);

impl OnEnd {
    pub(super) fn new(callback: impl Fn(Option<StopReason>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(callback)))
    }

    /// The one call, which happens at the latest when this is dropped.
    pub(super) fn once(self) -> Once {
        Once(self)
    }
}

impl Debug for OnEnd {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnEnd").field(&self.0.is_some()).finish()
    }
}

pub(super) struct Once(OnEnd);

impl Once {
    pub(super) fn call(&mut self, reason: Option<StopReason>) {
        if let Some(callback) = self.0.0.take() {
            callback(reason);
        }
    }
}

impl Drop for Once {
    fn drop(&mut self) {
        self.call(None);
    }
}
