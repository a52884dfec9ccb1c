use std::{
    fmt::{self, Debug, Formatter},
    hash::{Hash, Hasher},
    sync::Arc,
};

use twox_hash::XxHash64;

/// A number that stands for a record, or for what tells it apart from others. It is the
/// same in each process, since checkpoints contain it.
pub(crate) fn key(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = XxHash64::with_seed(0);
    value.hash(&mut hasher);
    hasher.finish()
}

/// The keys of a page's records, in their order.
#[derive(Clone)]
pub(crate) enum Keys {
    Known(Arc<[u64]>),
    /// They are computed when somebody asks, which is when a checkpoint is made or a page
    /// is read again. No reading that is never cut pays for them.
    #[cfg_attr(not(feature = "rest"), allow(dead_code, reason = "only styles have them"))]
    OnDemand(Arc<dyn Fn() -> Vec<u64> + Send + Sync>),
}

impl Keys {
    pub(crate) fn get(&self) -> Arc<[u64]> {
        match self {
            Self::Known(keys) => Arc::clone(keys),
            Self::OnDemand(keys) => keys().into(),
        }
    }

    /// The keys of records that belong to something with this key: those of others are not
    /// the same.
    pub(crate) fn marked_by(self, mark: u64) -> Self {
        match self {
            Self::Known(keys) => keys.iter().map(|it| key(&(mark, it))).collect(),
            Self::OnDemand(keys) => {
                Self::OnDemand(Arc::new(move || keys().iter().map(|it| key(&(mark, it))).collect()))
            }
        }
    }

    /// How many there are, where they are known.
    pub(crate) fn known(&self) -> Option<usize> {
        match self {
            Self::Known(keys) => Some(keys.len()),
            Self::OnDemand(_) => None,
        }
    }
}

impl FromIterator<u64> for Keys {
    fn from_iter<I: IntoIterator<Item = u64>>(keys: I) -> Self {
        Self::Known(keys.into_iter().collect())
    }
}

impl Debug for Keys {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(keys) => f.debug_tuple("Known").field(&keys.len()).finish(),
            Self::OnDemand(_) => f.write_str("OnDemand"),
        }
    }
}
