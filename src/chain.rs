use std::{
    collections::VecDeque,
    fmt::{self, Debug, Formatter},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, ErrorKind},
    keys::key,
    pack_front::pack_front,
    page::Page,
    paginator::Paginator,
};

/// Several paginators as one, with one checkpoint: the contacts of several accounts, or
/// several types of objects.
///
/// With one request at a time, they are read one after the other. With a
/// [window](crate::Read::window) they are read side by side, and their pages come in the order
/// of the requests. A fatal error of one ends the reading of all.
///
/// It leaves no place for [later](crate::Checkpoint::later), and has no total. Its first page is
/// empty: it leads to the beginning of each of them.
///
/// They are of one type; [`boxed`](crate::PaginatorExt::boxed) makes them so. The identity is
/// made of theirs, so a checkpoint fits the same ones in the same order.
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{Page, PaginatorExt, chain, from_fn};
///
/// # futures::executor::block_on(async {
/// let account = |name: &'static str| {
///     let pages = from_fn(1_u64, move |page| async move {
///         Ok(Page::new(vec![format!("{name} {page}")], (page < 2).then_some(page + 1)))
///     });
///     pages.identified_by(name).boxed()
/// };
/// let all = chain([account("north"), account("south")]);
/// let records: Vec<String> = all.records().try_collect().await?;
/// assert_eq!(records, ["north 1", "north 2", "south 1", "south 2"]);
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
pub fn chain<P: Paginator>(paginators: impl IntoIterator<Item = P>) -> Chain<P> {
    Chain { paginators: paginators.into_iter().collect() }
}

/// Several paginators as one: [`chain`].
#[derive(Clone)]
#[must_use = "a paginator does nothing until it is read"]
pub struct Chain<P> {
    paginators: Vec<P>,
}

/// Where a reading of several paginators goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainCursor<C> {
    /// At the beginning of each of these. No request is made for it, though it counts as one, and
    /// as an empty page.
    Begin {
        /// The index of the first one.
        first: usize,
        /// The index behind the last one.
        end: usize,
    },
    /// Within the one with this index.
    Within {
        /// The index of the paginator.
        index: usize,
        /// The cursor of that paginator.
        at: C,
    },
}

impl<P: Paginator> Chain<P> {
    /// The paginator of a cursor, with its own cursor.
    fn within<'a>(&self, cursor: &'a ChainCursor<P::Cursor>) -> Option<(usize, &P, &'a P::Cursor)> {
        let ChainCursor::Within { index, at } = cursor else { return None };
        Some((*index, self.paginators.get(*index)?, at))
    }
}

#[async_trait]
impl<P: Paginator> Paginator for Chain<P> {
    type Record = P::Record;
    type Cursor = ChainCursor<P::Cursor>;

    fn start(&self) -> Self::Cursor {
        ChainCursor::Begin { first: 0, end: self.paginators.len() }
    }

    async fn fetch(&self, cursor: Self::Cursor) -> Result<Page<P::Record, Self::Cursor>, Error> {
        let (index, at) = match cursor {
            ChainCursor::Begin { first, end } => {
                let these = self.paginators.iter().enumerate().take(end).skip(first);
                let begins = these.map(|(index, it)| ChainCursor::Within { index, at: it.start() });
                return Ok(Page::new(Vec::new(), begins).making_headway());
            }
            ChainCursor::Within { index, at } => (index, at),
        };
        let paginator = self.paginators.get(index).ok_or_else(|| {
            Error::new(ErrorKind::Contract, "the cursor is of a paginator that is not in the chain")
        })?;
        let page = paginator.fetch(at).await?.map_next(|at| ChainCursor::Within { index, at });
        // A place for later of some of them would leave out the others.
        Ok(page.with_later(None).without_total().marked_by(key(&index)))
    }

    fn identity(&self) -> String {
        let identities = self.paginators.iter().map(Paginator::identity).collect::<Vec<_>>();
        if identities.iter().any(String::is_empty) {
            return String::new();
        }
        format!("all of: {}", identities.join(", "))
    }

    /// The cursors at the front of one paginator are packed as it packs them.
    fn pack(&self, waiting: &mut VecDeque<Self::Cursor>, halvings: u32) {
        let Some((first, paginator, _)) = waiting.front().and_then(|it| self.within(it)) else {
            return;
        };
        let own = |cursor| match cursor {
            ChainCursor::Within { index, at } if index == first => Ok(at),
            other => Err(other),
        };
        let pack = |own: &mut VecDeque<_>| paginator.pack(own, halvings);
        pack_front(waiting, own, pack, |at| ChainCursor::Within { index: first, at });
    }

    fn narrow(&self, cursor: &Self::Cursor, units: &[usize]) -> Self::Cursor {
        let narrowed = self.within(cursor).map(|(index, paginator, at)| ChainCursor::Within {
            index,
            at: paginator.narrow(at, units),
        });
        narrowed.unwrap_or_else(|| cursor.clone())
    }

    fn ids(&self, cursor: &Self::Cursor, unit: usize) -> Vec<String> {
        let own = self.within(cursor);
        own.map_or_else(Vec::new, |(_, paginator, at)| paginator.ids(at, unit))
    }

    fn pass_over(&self, cursor: &Self::Cursor) -> Option<Vec<Self::Cursor>> {
        let (index, paginator, at) = self.within(cursor)?;
        let left = paginator.pass_over(at)?.into_iter();
        Some(left.map(|at| ChainCursor::Within { index, at }).collect())
    }

    /// Totals are not known here, so nothing is predicted beyond what one paginator says.
    fn predict(
        &self,
        before: &Self::Cursor,
        at: &Self::Cursor,
        _: Option<u64>,
    ) -> Option<Self::Cursor> {
        let (index, paginator, at) = self.within(at)?;
        let (_, _, before) = self.within(before).filter(|(before, ..)| *before == index)?;
        let at = paginator.predict(before, at, None)?;
        Some(ChainCursor::Within { index, at })
    }

    fn is_full(&self, cursor: &Self::Cursor, halvings: u32) -> bool {
        self.within(cursor).is_none_or(|(_, paginator, at)| paginator.is_full(at, halvings))
    }

    /// Into runs of paginators; and where there are more parts than these, each of them by
    /// itself.
    fn split_cursor(
        &self,
        cursor: &Self::Cursor,
        parts: usize,
        total: Option<u64>,
    ) -> Vec<Self::Cursor> {
        if let Some((index, paginator, at)) = self.within(cursor) {
            let split = paginator.split_cursor(at, parts, total).into_iter();
            return split.map(|at| ChainCursor::Within { index, at }).collect();
        }
        let ChainCursor::Begin { first, end } = *cursor else { return vec![cursor.clone()] };
        let count = end.saturating_sub(first);
        if count == 0 || parts <= 1 {
            return vec![cursor.clone()];
        }
        if parts < count {
            let run = count.div_ceil(parts);
            let begins = (first..end).step_by(run);
            return begins
                .map(|it| ChainCursor::Begin { first: it, end: end.min(it + run) })
                .collect();
        }
        let these = self.paginators.iter().enumerate().take(end).skip(first);
        let split = these.flat_map(|(index, it)| {
            let own = it.split_cursor(&it.start(), parts / count, None).into_iter();
            own.map(move |at| ChainCursor::Within { index, at })
        });
        split.collect()
    }
}

impl<P: Debug> Debug for Chain<P> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("paginators", &self.paginators).finish()
    }
}
