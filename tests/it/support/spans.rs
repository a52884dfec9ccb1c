//! The spans that a test causes, on whatever thread: those that begin on its own thread, and
//! those within them.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::events;

/// A span, and what happened in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    /// The index of the span around it.
    pub(crate) parent: Option<usize>,
    pub(crate) fields: BTreeMap<&'static str, String>,
    /// The messages of the events in it.
    pub(crate) events: Vec<String>,
    pub(crate) is_closed: bool,
}

/// The spans of a test, in the order in which they began.
#[derive(Clone, Default)]
pub(crate) struct Spans(Arc<Mutex<Vec<Span>>>);

/// Marks a span as one of a test.
struct Mark {
    spans: Spans,
    index: usize,
}

thread_local! {
    static WATCHED: RefCell<Option<Spans>> = const { RefCell::new(None) };
    /// The spans that this thread is in, from the outermost on, each with its parent.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The spans that begin on this thread from now on, and those within them.
pub(crate) fn watch() -> Spans {
    events::install();
    let spans = Spans::default();
    WATCHED.set(Some(spans.clone()));
    spans
}

impl Spans {
    pub(crate) fn all(&self) -> Vec<Span> {
        self.with(|spans| spans.clone())
    }

    /// Those of a name.
    pub(crate) fn named(&self, name: &str) -> Vec<Span> {
        self.all().into_iter().filter(|span| span.name == name).collect()
    }

    /// The names from a span to the outermost one around it.
    pub(crate) fn path(&self, span: &Span) -> Vec<&'static str> {
        let all = self.all();
        let parent = |span: &Span| span.parent.map(|parent| all[parent].clone());
        std::iter::successors(Some(span.clone()), parent).map(|span| span.name).collect()
    }

    fn with<T>(&self, f: impl FnOnce(&mut Vec<Span>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Keeps the spans of the tests that watch.
pub(crate) struct Watch;

fn mark<S: for<'a> LookupSpan<'a>>(
    span: Option<&SpanRef<'_, S>>,
    f: impl FnOnce(&mut Span),
) -> Option<()> {
    let span = span?;
    let extensions = span.extensions();
    let Mark { spans, index } = extensions.get::<Mark>()?;
    spans.with(|spans| f(&mut spans[*index]));
    Some(())
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watch {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let of_parent = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            extensions.get::<Mark>().map(|mark| (mark.spans.clone(), Some(mark.index)))
        });
        let of_thread = || WATCHED.with_borrow(|it| it.clone().map(|spans| (spans, None)));
        let Some((spans, parent)) = of_parent.or_else(of_thread) else { return };
        let mut kept = Span { name: attributes.metadata().name(), parent, ..Span::default() };
        attributes.record(&mut Fields(&mut kept.fields));
        let index = spans.with(|all| {
            all.push(kept);
            all.len() - 1
        });
        span.extensions_mut().insert(Mark { spans, index });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        mark(context.span(id).as_ref(), |span| values.record(&mut Fields(&mut span.fields)));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        mark(context.event_span(event).as_ref(), |span| {
            let mut fields = BTreeMap::new();
            event.record(&mut Fields(&mut fields));
            span.events.extend(fields.remove("message"));
        });
    }

    /// A span of a page or of an attempt is entered within those around it, and within nothing
    /// else.
    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let is_ours = matches!(span.name(), "page" | "attempt");
        let ours = |id: &u64| {
            let span = context.span(&Id::from_u64(*id));
            span.is_some_and(|span| matches!(span.name(), "page" | "attempt"))
        };
        ENTERED.with_borrow_mut(|entered| {
            let around = entered.iter().rev().find(|id| ours(id));
            let parent = span.parent().map(|parent| parent.id().into_u64());
            if is_ours
                && let Some(around) = around
                && parent != Some(*around)
            {
                mark(Some(&span), |span| span.events.push("entered within another".to_owned()));
            }
            entered.push(id.into_u64());
        });
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        ENTERED.with_borrow_mut(|entered| {
            let at = entered.iter().rposition(|it| *it == id.into_u64());
            at.map(|at| entered.remove(at))
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        mark(context.span(&id).as_ref(), |span| span.is_closed = true);
    }
}

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}
