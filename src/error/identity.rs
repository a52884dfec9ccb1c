//! What is wrong with the paginator of a checkpoint.

use super::{Error, ErrorKind};

impl Error {
    /// A checkpoint of a paginator that has no identity.
    pub(crate) fn without_identity() -> Self {
        Self::new(
            ErrorKind::Contract,
            "this paginator has no identity, so its checkpoints could be taken for those of \
             another reading: implement `Paginator::identity`, or call `identified_by` for one \
             made by `from_fn`",
        )
    }

    /// # Errors
    ///
    /// A checkpoint of this reading is none of the paginator with this identity.
    pub(crate) fn check_identity(reading: &str, identity: &str) -> Result<(), Self> {
        if reading == identity {
            return Ok(());
        }
        let message = format!(
            "the checkpoint is of a reading of {reading:?}, and this paginator reads {identity:?}: \
             resume it with the paginator that made it, with the same ids and inputs, or read from \
             the start"
        );
        Err(Self::new(ErrorKind::Checkpoint, message))
    }
}
