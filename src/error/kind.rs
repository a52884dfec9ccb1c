/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request or the response did not arrive.
    Transport,
    /// The service took too long.
    Timeout,
    /// The page is too large for the service, or for the bound on a body.
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
    /// A resumed reading read a page again, and it has fewer records than before.
    Changed,
    /// A checkpoint mismatch: this reading can't resume from the checkpoint.
    Checkpoint,
    /// The configuration is invalid: a builder got something that can't work.
    Configuration,
    /// A paginator broke the [contract](crate::Paginator#contract).
    Contract,
    /// An error of the paginator's own.
    Other,
}
