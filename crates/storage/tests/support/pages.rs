//! Helpers for paged lists.

use grateful_domain::{Limit, Page, PageRequest, PageStart};

/// Requests the first page with this limit.
pub(crate) fn first_page(limit: i64) -> PageRequest {
    PageRequest::first(Limit::parse(limit).unwrap())
}

/// Reads a list to its end in pages of `limit` items, continuing each page at the cursor of the previous one.
pub(crate) async fn collect_pages<T>(
    limit: i64,
    mut list: impl AsyncFnMut(PageRequest) -> Page<T>,
) -> Vec<T> {
    let mut request = first_page(limit);
    let mut items = Vec::new();
    loop {
        let page = list(request).await;
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        items.extend(page.items);
        match page.next {
            Some(position) => request.start = PageStart::After(position),
            None => return items,
        }
    }
}
