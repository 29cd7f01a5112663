//! Pages of lists, and links to the next page.

use actix_web::http::header::{HeaderValue, LINK};
use actix_web::{HttpRequest, HttpResponse, Responder};
use grateful_domain::{ListKey, Page, PageRequest, PageStart};
use serde::Serialize;
use utoipa::ToSchema;

use crate::response::EnvelopeResponse;

/// A page of a list as the body of a response, with a `Link` to the next page (RFC 8288) if there is one.
pub(crate) struct ListResponse<B> {
    body: B,
    next: Option<String>,
    style: BodyStyle,
}

/// Whether the body of a response is in an [`Envelope`](crate::response::Envelope).
pub(crate) enum BodyStyle {
    Bare,
    Envelope,
}

impl<T> ListResponse<Vec<T>> {
    /// The items as a bare array.
    pub(crate) fn bare<D: Into<T>>(page: Page<D>, list: ListKey) -> Self {
        Self::new(page, list, BodyStyle::Bare)
    }

    /// The items as an array in an envelope.
    pub(crate) fn enveloped<D: Into<T>>(page: Page<D>, list: ListKey) -> Self {
        Self::new(page, list, BodyStyle::Envelope)
    }

    /// The items as a bare array, with a cursor that is already encoded.
    pub(crate) fn bare_with_cursor(items: Vec<T>, next: Option<String>) -> Self {
        Self { body: items, next, style: BodyStyle::Bare }
    }

    fn new<D: Into<T>>(page: Page<D>, list: ListKey, style: BodyStyle) -> Self {
        let body = page.items.into_iter().map(Into::into).collect();
        Self { body, next: page.next.map(|position| position.to_cursor(list)), style }
    }
}

impl<B> ListResponse<B> {
    /// An object in an envelope. `body` builds it from the items and the pagination metadata. `total` is the number of
    /// items in the whole list.
    pub(crate) fn with_pagination<D: Into<T>, T>(
        page: Page<D>,
        list: ListKey,
        request: PageRequest,
        total: i64,
        body: impl FnOnce(Vec<T>, Pagination) -> B,
    ) -> Self {
        let offset = match request.start {
            PageStart::Offset(offset) => offset.into(),
            PageStart::After(_) => 0,
        };
        let pagination = Pagination {
            total_count: total,
            limit: request.limit.into(),
            offset,
            has_more: page.next.is_some(),
        };
        let items = page.items.into_iter().map(Into::into).collect();
        Self {
            body: body(items, pagination),
            next: page.next.map(|position| position.to_cursor(list)),
            style: BodyStyle::Envelope,
        }
    }
}

impl<B: Serialize> Responder for ListResponse<B> {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = match self.style {
            BodyStyle::Bare => HttpResponse::Ok().json(self.body),
            BodyStyle::Envelope => EnvelopeResponse::ok(self.body).respond_to(request),
        };
        if let Some(link) = self.next.and_then(|cursor| next_link(request, &cursor)) {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}

/// Pagination metadata.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pagination {
    total_count: i64,
    limit: i64,
    offset: i64,
    has_more: bool,
}

/// Links to this request, with `cursor` in place of its own `cursor` and `offset`.
fn next_link(request: &HttpRequest, cursor: &str) -> Option<HeaderValue> {
    let is_kept = |pair: &&str| {
        !pair.is_empty() && !pair.starts_with("cursor=") && !pair.starts_with("offset=")
    };
    let mut pairs: Vec<&str> = request.query_string().split('&').filter(is_kept).collect();
    let cursor = format!("cursor={cursor}");
    pairs.push(&cursor);
    HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", request.path(), pairs.join("&"))).ok()
}
