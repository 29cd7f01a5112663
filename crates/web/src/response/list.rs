//! Pages of lists, and links to the next page.

use actix_web::http::header::{HeaderValue, LINK};
use actix_web::{HttpRequest, HttpResponse, Responder};
use grateful_domain::{ListKind, Page, PageRequest, PageStart};
use serde::Serialize;
use utoipa::ToSchema;

use crate::response::Enveloped;

/// A part of a list, with a link to the next one (RFC 8288) where the list goes on.
pub(crate) struct Paged<T> {
    items: Vec<T>,
    next: Option<String>,
    style: Style,
}

/// Whether a list comes in an [`Envelope`].
enum Style {
    Bare,
    Enveloped,
}

impl<T> Paged<T> {
    pub(crate) fn bare<D: Into<T>>(slice: Page<D>, list: ListKind) -> Self {
        Self::new(slice, list, Style::Bare)
    }

    pub(crate) fn enveloped<D: Into<T>>(slice: Page<D>, list: ListKind) -> Self {
        Self::new(slice, list, Style::Enveloped)
    }

    /// A part that is continued by a cursor of its own kind.
    pub(crate) fn bare_until<D: Into<T>>(items: Vec<D>, next: Option<String>) -> Self {
        Self { items: items.into_iter().map(Into::into).collect(), next, style: Style::Bare }
    }

    fn new<D: Into<T>>(slice: Page<D>, list: ListKind, style: Style) -> Self {
        let items = slice.items.into_iter().map(Into::into).collect();
        Self { items, next: slice.next.map(|place| place.to_cursor(list)), style }
    }
}

impl<T: Serialize> Responder for Paged<T> {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let response = match self.style {
            Style::Bare => HttpResponse::Ok().json(self.items),
            Style::Enveloped => Enveloped::ok(self.items).respond_to(request),
        };
        going_on_at(self.next, response, request)
    }
}

/// How a part of a list stands in the whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pagination {
    total_count: i64,
    limit: i64,
    offset: i64,
    has_more: bool,
}

/// A part of a list that says so itself, in an [`Envelope`], with a link to the next one.
pub(crate) struct Linked<V> {
    view: V,
    next: Option<String>,
}

impl<V> Linked<V> {
    /// `view` makes the body of the entries and of how they stand in the list, which has `total` of them.
    pub(crate) fn new<D: Into<T>, T>(
        slice: Page<D>,
        list: ListKind,
        page: PageRequest,
        total: i64,
        view: impl FnOnce(Vec<T>, Pagination) -> V,
    ) -> Self {
        let offset = match page.start {
            PageStart::Offset(offset) => offset.into(),
            PageStart::After(_) => 0,
        };
        let part = Pagination {
            total_count: total,
            limit: page.limit.into(),
            offset,
            has_more: slice.next.is_some(),
        };
        let entries = slice.items.into_iter().map(Into::into).collect();
        Self { view: view(entries, part), next: slice.next.map(|place| place.to_cursor(list)) }
    }
}

impl<V: Serialize> Responder for Linked<V> {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        going_on_at(self.next, Enveloped::ok(self.view).respond_to(request), request)
    }
}

/// The answer with a link to where the list goes on, if it does.
fn going_on_at(
    cursor: Option<String>,
    mut response: HttpResponse,
    request: &HttpRequest,
) -> HttpResponse {
    if let Some(link) = cursor.and_then(|cursor| next_link(request, &cursor)) {
        response.headers_mut().insert(LINK, link);
    }
    response
}

/// The same request, going on at `cursor`.
fn next_link(request: &HttpRequest, cursor: &str) -> Option<HeaderValue> {
    let kept = |pair: &&str| {
        !pair.is_empty() && !pair.starts_with("cursor=") && !pair.starts_with("offset=")
    };
    let mut pairs: Vec<&str> = request.query_string().split('&').filter(kept).collect();
    let next = format!("cursor={cursor}");
    pairs.push(&next);
    HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", request.path(), pairs.join("&"))).ok()
}
