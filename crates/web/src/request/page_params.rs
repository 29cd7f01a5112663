//! The paging parameters, for the OpenAPI document.

use utoipa::IntoParams;

/// Which part of a list of posts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents what `Parameters` reads")]
pub(crate) struct PageParams20 {
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// The number of items to skip.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<u32>,
    /// The cursor from the `next` link of the previous page.
    cursor: Option<String>,
}

/// Which part of a list of what was made of a post.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents what `Parameters` reads")]
pub(crate) struct PageParams100 {
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 100)]
    limit: Option<u32>,
    /// The number of items to skip.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<u32>,
    /// The cursor from the `next` link of the previous page.
    cursor: Option<String>,
}
