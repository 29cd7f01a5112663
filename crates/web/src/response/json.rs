//! Successful JSON responses.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LINK};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use grateful_application::RecordedResponse;
use grateful_domain::{Page, PageRequest, PageStart};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::cursors::{ListKey, encode};
use crate::request::{RequestId, now};
use crate::response::Timestamp;

/// A response with a JSON body, bare or in an [`Envelope`], and a `Link` to the next page of a list (RFC 8288).
pub(crate) struct JsonResponse<T> {
    body: T,
    is_enveloped: bool,
    status: StatusCode,
    next_cursor: Option<String>,
    is_replay: bool,
}

impl<T> JsonResponse<T> {
    /// 200 with `body` as it is.
    pub(crate) fn bare(body: T) -> Self {
        let status = StatusCode::OK;
        Self { body, is_enveloped: false, status, next_cursor: None, is_replay: false }
    }

    /// 200 with `data` in an envelope.
    pub(crate) fn enveloped(data: T) -> Self {
        Self::bare(data).in_envelope()
    }

    /// Puts the body in an envelope.
    pub(crate) fn in_envelope(self) -> Self {
        Self { is_enveloped: true, ..self }
    }

    /// Makes the status 201.
    pub(crate) fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }

    /// Links to the page of the same list that starts at a cursor, if there is one.
    pub(crate) fn with_next(self, next_cursor: Option<String>) -> Self {
        Self { next_cursor, ..self }
    }

    /// 200 with an object in an envelope. `body` builds it from the items of a page and the pagination metadata. `total`
    /// is the number of items in the whole list.
    pub(crate) fn with_pagination<D: Into<V>, V>(
        page: Page<D>,
        list: ListKey,
        request: PageRequest,
        total: i64,
        body: impl FnOnce(Vec<V>, Pagination) -> T,
    ) -> Self {
        let offset = match request.start {
            PageStart::Offset(offset) => offset.into(),
            PageStart::After(_) => 0,
        };
        let (limit, has_more) = (request.limit.into(), page.next.is_some());
        let pagination = Pagination { total_count: total, limit, offset, has_more };
        let JsonResponse { body: items, next_cursor, .. } = JsonResponse::list(page, list);
        Self::enveloped(body(items, pagination)).with_next(next_cursor)
    }
}

impl<V> JsonResponse<Vec<V>> {
    /// 200 with the items of a page as an array.
    pub(crate) fn list<D: Into<V>>(page: Page<D>, list: ListKey) -> Self {
        let next = page.next.map(|position| encode(list, position));
        Self::bare(page.items.into_iter().map(Into::into).collect()).with_next(next)
    }
}

/// A response with a stored body.
pub(crate) type RecordedJson = JsonResponse<Option<Box<RawValue>>>;

impl RecordedJson {
    /// 200 with the body of the first response to an idempotent request. Only the data of an envelope is stored: the
    /// envelope has the timestamp and the request id of this request, not of the first.
    pub(crate) fn recorded(response: RecordedResponse) -> Self {
        let (body, is_replay) = match response {
            RecordedResponse::New(body) => (body, false),
            RecordedResponse::Replayed(body) => (body, true),
        };
        Self { is_replay, ..Self::bare(serde_json::from_slice(&body).ok()) }
    }
}

/// Marks the response to a repeated request.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Serializes a body to be stored for replays.
pub(crate) fn stored_body(view: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(view).unwrap_or_default()
}

impl<T: Serialize> Responder for JsonResponse<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(link) = self.next_cursor.and_then(|cursor| next_link(request, &cursor)) {
            response.insert_header((LINK, link));
        }
        if self.is_replay {
            response.insert_header((REPLAYED, "true"));
        }
        // Static, so that it is not put together for each response.
        response.insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        if self.is_enveloped {
            response.json(Envelope::new(self.body, request))
        } else {
            response.json(self.body)
        }
    }
}

/// The body of successful responses of auth, users, reactions, follows, comments and blocks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Envelope<T> {
    /// Always true.
    success: bool,
    /// The requested data.
    data: T,
    /// When the response was built.
    timestamp: Timestamp,
    /// The request id, as in the `X-Request-Id` header.
    request_id: String,
}

impl<T> Envelope<T> {
    fn new(data: T, request: &HttpRequest) -> Self {
        let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
        Self {
            success: true,
            data,
            timestamp: now(request).into(),
            request_id: request_id.unwrap_or_default(),
        }
    }
}

/// A message that can be shown to a user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageView {
    pub(crate) message: &'static str,
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
