use std::collections::VecDeque;

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    cursor::{Cursor, text_of, to_json},
    error::{Error, ErrorKind},
    page::Page,
    paginator::Paginator,
};

/// How many waiting cursors are shown to the inner paginator's `pack`, so that
/// translating them does not cost more the more there are.
const SHOWN_TO_PACK: usize = 64;

/// A paginator without its type: [`PaginatorExt::boxed`](crate::PaginatorExt::boxed).
///
/// ```
/// use futures::{TryStreamExt, stream};
/// use pagestream::{BoxPaginator, Page, PaginatorExt, from_fn};
///
/// # futures::executor::block_on(async {
/// let numbered = from_fn(1_u64, |page| async move {
///     Ok(Page::new(vec![format!("page {page}")], (page < 3).then_some(page + 1)))
/// });
/// let linked = from_fn(None, |_: Option<String>| async { Ok(Page::last(vec!["link".to_owned()])) });
///
/// let all: Vec<BoxPaginator<String>> = vec![numbered.boxed(), linked.boxed()];
/// let records = stream::select_all(all.iter().map(|paginator| paginator.records()));
/// assert_eq!(records.try_collect::<Vec<_>>().await?.len(), 4);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
pub type BoxPaginator<R> = Box<dyn Paginator<Record = R, Cursor = Value>>;

/// A paginator whose cursors are written as JSON.
#[derive(Debug)]
pub(crate) struct Erased<P>(P);

impl<P> Erased<P> {
    pub(crate) fn new(paginator: P) -> Self {
        Self(paginator)
    }
}

#[async_trait]
impl<P: Paginator> Paginator for Erased<P> {
    type Record = P::Record;
    type Cursor = Value;

    fn start(&self) -> Value {
        // A cursor that can't be written as JSON becomes one that can't be read
        // back, and so an error of the first `fetch`.
        to_json(&self.0.start()).unwrap_or_default()
    }

    async fn fetch(&self, cursor: Value) -> Result<Page<P::Record, Value>, Error> {
        let cursor = restore(&cursor)?;
        self.0.fetch(cursor).await?.try_map_next(|cursor| to_json(&cursor))
    }

    fn identity(&self) -> String {
        self.0.identity()
    }

    fn pack(&self, waiting: &mut VecDeque<Value>, halvings: u32) {
        let shown = waiting.iter().take(SHOWN_TO_PACK).map(restore);
        let Ok(mut inner) = shown.collect::<Result<VecDeque<P::Cursor>, _>>() else { return };
        let (shown, before) = (inner.len(), inner.clone());
        self.0.pack(&mut inner, halvings);
        if inner == before {
            return;
        }
        let Ok(packed) = inner.iter().map(to_json).collect::<Result<Vec<_>, _>>() else { return };
        waiting.drain(..shown);
        for cursor in packed.into_iter().rev() {
            waiting.push_front(cursor);
        }
    }

    fn narrow(&self, cursor: &Value, units: &[usize]) -> Value {
        restore::<P::Cursor>(cursor)
            .and_then(|inner| to_json(&self.0.narrow(&inner, units)))
            .unwrap_or_else(|_| cursor.clone())
    }

    fn ids(&self, cursor: &Value, unit: usize) -> Vec<String> {
        restore(cursor).map_or_else(|_| Vec::new(), |inner| self.0.ids(&inner, unit))
    }

    fn pass_over(&self, cursor: &Value) -> Option<Vec<Value>> {
        let left = self.0.pass_over(&restore(cursor).ok()?)?;
        left.iter().map(to_json).collect::<Result<_, _>>().ok()
    }

    fn predict(&self, before: &Value, at: &Value, total: Option<u64>) -> Option<Value> {
        let (before, at) = (restore(before).ok()?, restore(at).ok()?);
        to_json(&self.0.predict(&before, &at, total)?).ok()
    }

    fn is_full(&self, cursor: &Value, halvings: u32) -> bool {
        restore(cursor).is_ok_and(|inner| self.0.is_full(&inner, halvings))
    }

    fn split_cursor(&self, cursor: &Value, parts: usize, total: Option<u64>) -> Vec<Value> {
        let split = restore(cursor).and_then(|inner| {
            self.0.split_cursor(&inner, parts, total).iter().map(to_json).collect::<Result<_, _>>()
        });
        split.unwrap_or_else(|_| vec![cursor.clone()])
    }
}

fn restore<C: Cursor>(cursor: &Value) -> Result<C, Error> {
    let restored = match text_of(cursor) {
        Some(text) => serde_json::from_str(text),
        None => C::deserialize(cursor),
    };
    restored.map_err(|error| {
        Error::new(ErrorKind::Contract, "a cursor does not come back from JSON as it went")
            .with_source(error)
    })
}
