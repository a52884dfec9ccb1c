//! What is seen of a reading from outside.

use std::{cell::RefCell, collections::BTreeSet, error::Error as _, fmt::Debug, time::Duration};

use crate::support::events::heard;
use futures::StreamExt;
use pagestream::{Error, ErrorKind, Read, Retry, Source};

/// The part of each token that is written in the same way in JSON, HTML and a URL.
pub(super) const CORE: &str = "0c0ffee05ec2ba5e";

pub(super) const TOKENS: [&str; 2] =
    ["pat-na1-0c0ffee05ec2ba5e", r#"sk/"a\b"+0c0ffee05ec2ba5e==&<'>"#];

pub(super) const ID: u64 = 515_690_208_000;

thread_local! {
    /// The kinds of errors that were seen on this thread, and so by its tests.
    pub(super) static KINDS: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Everything that was seen, and which kinds of errors.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) texts: Vec<String>,
    pub(super) kinds: Vec<ErrorKind>,
}

impl Seen {
    pub(super) fn see(&mut self, what: &impl Debug) {
        self.texts.push(format!("{what:?} {what:#?}"));
    }

    pub(super) fn error(&mut self, error: &Error) {
        self.kinds.push(error.kind());
        KINDS.with_borrow_mut(|kinds| kinds.insert(format!("{:?}", error.kind())));
        self.see(error);
        self.see(error.service_error());
        self.see(&error.ids());
        self.see(&error.checkpoint());
        self.texts.extend(error.cursor().map(str::to_owned));
        self.texts.push(serde_json::to_string(&error.checkpoint()).unwrap());
        self.texts.push(error.to_string());
        let mut source = error.source();
        while let Some(error) = source {
            self.texts.push(format!("{error} {error:?} {error:#?}"));
            source = error.source();
        }
    }

    /// Reads to the end, and looks at everything on the way.
    pub(super) async fn read<S: Source + Debug>(&mut self, read: Read<S>) {
        self.see(&read);
        // Two attempts, so that there are events, and they come soon.
        let retry = Retry::default().max_attempts(2).first_delay(Duration::ZERO);
        let retry = retry.max_throttled(Duration::ZERO);
        let mut stream = read.retry(retry).records();
        let monitor = stream.monitor();
        while let Some(item) = stream.next().await {
            if let Err(error) = item {
                self.error(&error);
            }
            self.see(&stream);
            self.see(&monitor);
        }
        self.see(&monitor.failed_ids());
        let checkpoint = monitor.checkpoint().unwrap();
        self.texts.push(serde_json::to_string(&checkpoint).unwrap());
        self.see(&checkpoint);
        self.see(&monitor.take_failures());
    }

    pub(super) fn assert_hides_the_token(&self) {
        for text in &self.texts {
            assert!(!text.contains(CORE), "{text}");
        }
        for event in heard() {
            assert!(!event.text.contains(CORE), "{event:?}");
        }
    }
}
