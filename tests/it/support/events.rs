//! What is logged on the thread of a test, by whomever.
//!
//! The subscriber is one for the whole process: one of a thread alone misses an event
//! whose call site another test came by first. It keeps what comes on a thread
//! that listens.

use std::{
    cell::RefCell,
    fmt::{Debug, Write},
    sync::Once,
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

use super::spans::Watch;

/// An event or a span, of any level and crate.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) target: &'static str,
    pub(crate) level: Level,
    /// The name and each field: `name message=it failed status=429`.
    pub(crate) text: String,
}

thread_local! {
    static HEARD: RefCell<Option<Vec<Heard>>> = const { RefCell::new(None) };
}

/// Listens on this thread from now on, and forgets what was heard before.
pub(crate) fn listen() {
    install();
    HEARD.set(Some(Vec::new()));
}

/// Sets the subscriber of the process.
pub(crate) fn install() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Log).with(Watch);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        tracing::callsite::rebuild_interest_cache();
    });
}

/// What came since this thread listens.
pub(crate) fn heard() -> Vec<Heard> {
    HEARD.with_borrow(|heard| heard.clone().expect("the thread listens"))
}

struct Log;

fn keep(metadata: &'static Metadata<'static>, record: impl FnOnce(&mut Fields)) {
    if !HEARD.try_with(|heard| heard.borrow().is_some()).unwrap_or_default() {
        return;
    }
    let mut fields = Fields(metadata.name().to_owned());
    record(&mut fields);
    let heard = Heard { target: metadata.target(), level: *metadata.level(), text: fields.0 };
    HEARD.with_borrow_mut(|all| all.as_mut().expect("the thread listens").push(heard));
}

impl<S: Subscriber> Layer<S> for Log
where
    S: for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        keep(event.metadata(), |fields| event.record(fields));
    }

    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        keep(span.metadata(), |fields| span.record(fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(metadata) = context.metadata(id) {
            keep(metadata, |fields| values.record(fields));
        }
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}
