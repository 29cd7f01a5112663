//! Lists, part by part.

use grateful_domain::{Limit, Page, PageRequest, PageStart};

/// The first `limit` entries of a list.
pub(crate) fn first(limit: i64) -> PageRequest {
    PageRequest::first(Limit::parse(limit).unwrap())
}

/// Everything in a list, in parts of `limit` entries that are each continued by the place where the last one ended.
pub(crate) async fn walk<T>(
    limit: i64,
    mut list: impl AsyncFnMut(PageRequest) -> Page<T>,
) -> Vec<T> {
    let mut page = first(limit);
    let mut met = Vec::new();
    loop {
        let slice = list(page).await;
        assert!(slice.items.len() <= usize::try_from(limit).unwrap());
        met.extend(slice.items);
        match slice.next {
            Some(place) => page.start = PageStart::After(place),
            None => return met,
        }
    }
}
