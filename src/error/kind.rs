/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request or the response did not arrive.
    Transport,
    /// The service took too long.
    Timeout,
    /// The page is too large for the service, or its body is larger than the client allows.
    TooLarge,
    /// The service answered with a status that is not a success.
    Status,
    /// The service no longer knows the cursor.
    Expired,
    /// The body is not what the service documents.
    Decode,
    /// The service contradicts itself.
    Contradiction,
    /// The cursors of the service form a cycle.
    Loop,
    /// The service rejected some ids of a batch.
    Rejected,
    /// The place of a checkpoint was not found, since the data has changed: in a page that was
    /// read again, or in a list after a restart.
    Changed,
    /// A checkpoint mismatch: this reading can't resume from the checkpoint.
    Checkpoint,
    /// The configuration is invalid: a builder got something that can't work.
    Configuration,
    /// A paginator, or other code that this crate calls, broke the
    /// [contract](crate::Paginator#contract).
    Contract,
    /// An error of the paginator's own.
    Other,
}
