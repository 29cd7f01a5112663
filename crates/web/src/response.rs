//! What responses have in common: the envelope, lists, errors, entity tags and replays.

pub(crate) mod codes;
mod etag;
mod head_only;
mod json;
pub(crate) mod problem;
mod rate_limit_headers;
mod timestamp;

use actix_web::http::header::{CROSS_ORIGIN_RESOURCE_POLICY, HeaderName};

pub(crate) use self::etag::{content_etag, post_etag};
pub(crate) use self::head_only::HeadOnly;
pub(crate) use self::json::{
    Envelope, JsonResponse, MessageView, Pagination, REPLAYED, RecordedJson, stored_body,
};
pub(crate) use self::problem::Problem;
pub(crate) use self::rate_limit_headers::{RateLimitStatus, ceil_seconds};
pub(crate) use self::timestamp::Timestamp;

/// Whether proxies buffer a response.
pub(crate) const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The header that lets pages of other origins show an image (docs/http-api.md#root).
pub(crate) const CROSS_ORIGIN: (HeaderName, &str) = (CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin");
