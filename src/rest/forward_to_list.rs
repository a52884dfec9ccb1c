/// Makes a paginator of a vendor's type `Name<T>` whose one field, `list`, is a list in a style
/// with these cursors.
macro_rules! forward_to_list {
    ($paginator:ident, $cursor:ty) => {
        #[async_trait::async_trait]
        impl<T: serde::de::DeserializeOwned + Send + 'static> $crate::paginator::Paginator
            for $paginator<T>
        {
            type Record = T;
            /// A position, and how many records to ask for.
            type Cursor = $crate::rest::Position<$cursor>;

            fn start(&self) -> Self::Cursor {
                self.list.start()
            }

            // The future itself, where `async` would put a box around it.
            fn fetch<'life0, 'async_trait>(
                &'life0 self,
                cursor: Self::Cursor,
            ) -> futures::future::BoxFuture<
                'async_trait,
                Result<$crate::page::Page<T, Self::Cursor>, $crate::error::Error>,
            >
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                self.list.fetch(cursor)
            }

            $crate::paginator::forward_to!(Self, self => self.list);
        }

        impl<T> Clone for $paginator<T> {
            fn clone(&self) -> Self {
                Self { list: self.list.clone() }
            }
        }

        impl<T> std::fmt::Debug for $paginator<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($paginator)).field(&self.list).finish()
            }
        }
    };
}
pub(crate) use forward_to_list;
