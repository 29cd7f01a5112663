//! The paging parameters that [`QueryParameters::page`](crate::request::QueryParameters::page) reads, for the OpenAPI
//! document. The number is the default limit.

use utoipa::IntoParams;

/// Paging parameters of lists with 20 items by default.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "OpenAPI documentation of what `QueryParameters` reads")]
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

/// Paging parameters of lists with 50 items by default.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "OpenAPI documentation of what `QueryParameters` reads")]
pub(crate) struct PageParams50 {
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// The number of items to skip.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<u32>,
    /// The cursor from the `next` link of the previous page.
    cursor: Option<String>,
}

/// Paging parameters of lists with 100 items by default.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "OpenAPI documentation of what `QueryParameters` reads")]
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
