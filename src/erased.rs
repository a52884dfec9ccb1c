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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use async_trait::async_trait;
    use serde_json::json;

    use super::Erased;
    use crate::{error::Error, page::Page, paginator::Paginator};

    /// Each of its methods gives something else than the default.
    struct Ranges;

    type Range = (u64, u64);

    #[async_trait]
    impl Paginator for Ranges {
        type Record = u64;
        type Cursor = Range;

        fn start(&self) -> Range {
            (0, 8)
        }

        async fn fetch(&self, (from, to): Range) -> Result<Page<u64, Range>, Error> {
            let page = Page::new(vec![from], [(from + 1, to), (from + 2, to)]);
            Ok(page.with_later((9, 9)).with_total(8))
        }

        fn identity(&self) -> String {
            "ranges".to_owned()
        }

        fn pack(&self, waiting: &mut VecDeque<Range>, halvings: u32) {
            waiting.push_back((u64::from(halvings), 0));
        }

        fn predict(&self, before: &Range, at: &Range, total: Option<u64>) -> Option<Range> {
            Some((before.0 + at.0, total?))
        }

        fn is_full(&self, cursor: &Range, halvings: u32) -> bool {
            cursor.0 == u64::from(halvings)
        }

        fn split_cursor(&self, cursor: &Range, parts: usize, total: Option<u64>) -> Vec<Range> {
            vec![*cursor, (parts as u64, total.unwrap_or(0))]
        }

        fn narrow(&self, cursor: &Range, units: &[usize]) -> Range {
            (cursor.0, units.len() as u64)
        }

        fn pass_over(&self, cursor: &Range) -> Option<Vec<Range>> {
            (cursor.0 > 0).then(|| vec![(cursor.0 + 1, cursor.1)])
        }

        fn ids(&self, cursor: &Range, unit: usize) -> Vec<String> {
            vec![format!("{cursor:?} {unit}")]
        }
    }

    #[test]
    fn a_boxed_paginator_answers_as_the_one_inside() {
        let boxed = Erased::new(Ranges);
        let (at, next) = (json!([3, 8]), json!([4, 8]));
        assert_eq!(boxed.start(), json!([0, 8]));
        assert_eq!(boxed.identity(), "ranges");
        assert_eq!(boxed.predict(&at, &next, Some(9)), Some(json!([7, 9])));
        assert_eq!(boxed.predict(&at, &next, None), None);
        assert!(boxed.is_full(&at, 3) && !boxed.is_full(&at, 2));
        assert_eq!(boxed.split_cursor(&at, 2, Some(9)), [at.clone(), json!([2, 9])]);
        assert_eq!(boxed.narrow(&at, &[5, 6]), json!([3, 2]));
        assert_eq!(boxed.pass_over(&at), Some(vec![next]));
        assert_eq!(boxed.pass_over(&json!([0, 8])), None);
        assert_eq!(boxed.ids(&at, 1), ["(3, 8) 1"]);

        let mut waiting = VecDeque::from([at.clone()]);
        boxed.pack(&mut waiting, 7);
        assert_eq!(waiting, [at, json!([7, 0])]);
    }

    #[test]
    fn a_page_of_a_boxed_paginator_is_that_of_the_one_inside() {
        let page = futures::executor::block_on(Erased::new(Ranges).fetch(json!([3, 8])));
        let page = page.unwrap();
        assert_eq!(page.records(), [3]);
        assert_eq!(page.next(), [json!([4, 8]), json!([5, 8])]);
        assert_eq!((page.later.as_deref(), page.total()), (Some(&json!([9, 9])), Some(8)));
    }

    #[test]
    fn a_cursor_that_does_not_come_back_changes_nothing_and_is_an_error() {
        let boxed = Erased::new(Ranges);
        let other = json!("x");
        assert_eq!(boxed.split_cursor(&other, 2, None), vec![other.clone()]);
        assert_eq!(boxed.predict(&other, &other, Some(1)), None);
        assert!(!boxed.is_full(&other, 0));
        let error = futures::executor::block_on(boxed.fetch(other)).map(drop).unwrap_err();
        assert!(error.to_string().contains("does not come back"), "{error}");
    }
}
