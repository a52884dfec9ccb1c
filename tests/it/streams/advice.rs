//! What a message advises to do.

use pagestream::{Error, ErrorKind, Page, PaginatorExt, Retry};

use super::item;
use crate::support::from_fn;

/// The error of a second page, as the stream gives it.
fn given(error: impl Fn() -> Error + Send + Sync) -> Error {
    let error = &error;
    let pages = from_fn(0_u64, move |at| async move {
        if at == 0 { Ok(Page::new(vec![0], [1])) } else { Err(error()) }
    });
    let mut records = pages.read().retry(Retry::never()).records();
    item(&mut records).unwrap().unwrap();
    item(&mut records).unwrap().unwrap_err()
}

#[test]
fn each_message_advises_what_helps() {
    let resume = "resume from the checkpoint of this error";
    // What to do first, and whether to resume then.
    let by_kind = [
        (ErrorKind::Transport, "to go on from here", true),
        (ErrorKind::Timeout, "to go on from here", true),
        (ErrorKind::TooLarge, "ask for smaller pages", true),
        (ErrorKind::Status, "to go on from here", true),
        (ErrorKind::Expired, "read from the start", false),
        (ErrorKind::Decode, "correct the type of the records or the service", true),
        (ErrorKind::Contradiction, "when the service is corrected", true),
        (ErrorKind::Loop, "an option that allows it, or read from the start", true),
        (ErrorKind::Rejected, "to go on from here", true),
        (ErrorKind::Changed, "to go on from here", true),
        (ErrorKind::Configuration, "when that is corrected", true),
        (ErrorKind::Contract, "when the paginator is corrected", true),
        (ErrorKind::Other, "to go on from here", true),
    ];
    for (kind, first, resumes) in by_kind {
        let message = given(|| Error::new(kind, "it failed")).to_string();
        assert!(message.starts_with("it failed, at page 2, cursor 1; "), "{message}");
        assert!(message.contains(first), "{kind:?}: {message}");
        assert_eq!(message.contains(resume), resumes, "{kind:?}: {message}");
    }
    let by_status = [
        (307, "correct it", true),
        (400, "correct it", true),
        (401, "renew the credentials", true),
        (403, "permission", true),
        (404, "correct it", true),
        (410, "read from the start", false),
        (413, "ask for smaller pages", true),
        (429, "to go on from here", true),
        (500, "to go on from here", true),
        (503, "to go on from here", true),
    ];
    for (status, first, resumes) in by_status {
        let error = || Error::new(ErrorKind::Status, "it failed").with_status(status);
        let message = given(error).to_string();
        assert!(message.contains(first), "{status}: {message}");
        assert_eq!(message.contains(resume), resumes, "{status}: {message}");
    }
    // A service that refuses for the day takes requests tomorrow.
    let daily = || {
        let error = Error::new(ErrorKind::Status, "it failed").with_status(429);
        error.with_retryable(false)
    };
    assert!(given(daily).to_string().ends_with(&format!("to go on from here, {resume}")));
}

#[test]
fn an_error_without_a_checkpoint_advises_no_resumption() {
    for kind in [ErrorKind::Status, ErrorKind::Expired, ErrorKind::Configuration] {
        assert_eq!(Error::new(kind, "it failed").to_string(), "it failed");
    }
    let page = Page::<(), u64>::last(vec![])
        .with_failure(None, Error::new(ErrorKind::Rejected, "no access to object 7"));
    let partial = page.failures().next().unwrap().to_string();
    assert_eq!(partial, "no access to object 7; the stream goes on with the rest");
}

#[test]
fn a_checkpoint_that_does_not_match_says_which_does() {
    let numbers = super::Numbers::new(7, 2);
    let mut records = numbers.records();
    item(&mut records).unwrap().unwrap();
    let other = super::Numbers::new(8, 2);
    let mut records = other.read().resume(records.checkpoint().unwrap()).records();
    let message = item(&mut records).unwrap().unwrap_err().to_string();
    let advice = "with the same ids and inputs, or read from the start";
    assert!(message.ends_with(advice), "{message}");
}
