/// Makes a paginator of a type whose one field is a list.
macro_rules! forward_to_list {
    ($paginator:ident, $cursor:ty) => {
        #[async_trait]
        impl<T: DeserializeOwned + Send + 'static> Paginator for $paginator<T> {
            type Record = T;
            type Cursor = Position<$cursor>;

            fn start(&self) -> Self::Cursor {
                self.list.start()
            }

            // The future itself, where `async` would put a box around it.
            fn fetch<'life0, 'async_trait>(
                &'life0 self,
                cursor: Self::Cursor,
            ) -> BoxFuture<'async_trait, Result<Page<T, Self::Cursor>, Error>>
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                self.list.fetch(cursor)
            }

            forward_to!(Self, self => self.list);
        }

        impl<T> Clone for $paginator<T> {
            fn clone(&self) -> Self {
                Self { list: self.list.clone() }
            }
        }

        impl<T> Debug for $paginator<T> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($paginator)).field(&self.list).finish()
            }
        }
    };
}
pub(super) use forward_to_list;
