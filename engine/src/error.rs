use datafusion::common::DataFusionError;
use pagestream::Error;

/// An error as one of the engine.
///
/// One that may pass is an I/O error: Ballista runs such a task again, perhaps elsewhere, and no
/// other.
pub(crate) fn engine_error(error: Error) -> DataFusionError {
    if error.is_retryable() {
        DataFusionError::IoError(std::io::Error::other(error))
    } else {
        DataFusionError::External(Box::new(error))
    }
}
