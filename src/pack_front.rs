use std::collections::VecDeque;

/// Packs the cursors at the front that belong to one list among several: `own` takes them
/// apart, or gives back one of another list, and `whole` puts them together again.
pub(crate) fn pack_front<T, C>(
    waiting: &mut VecDeque<T>,
    own: impl Fn(T) -> Result<C, T>,
    pack: impl FnOnce(&mut VecDeque<C>),
    whole: impl Fn(C) -> T,
) {
    let mut of_list = VecDeque::new();
    while let Some(front) = waiting.pop_front() {
        match own(front) {
            Ok(cursor) => of_list.push_back(cursor),
            Err(other) => {
                waiting.push_front(other);
                break;
            }
        }
    }
    pack(&mut of_list);
    for cursor in of_list.into_iter().rev() {
        waiting.push_front(whole(cursor));
    }
}
