//! Cross-origin requests.

use actix_cors::Cors;
use actix_web::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, ACCEPT_RANGES, ALLOW, AUTHORIZATION, CACHE_CONTROL,
    CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, CROSS_ORIGIN_RESOURCE_POLICY, DATE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH,
    IF_RANGE, LINK, RANGE, REFERRER_POLICY, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use crate::WebConfig;
use crate::middleware::ServerTiming;
use crate::request::{LAST_EVENT_ID, RequestId};
use crate::response::{BUFFERING, REPLAYED, RateLimitStatus};

/// The CORS middleware for the configured origins.
pub(crate) fn cors(config: &WebConfig) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(REQUEST_HEADERS)
        .expose_headers(RESPONSE_HEADERS)
        .expose_headers(config.server_timing.then_some(ServerTiming::HEADER))
        .supports_credentials()
        .max_age(3600);
    config.allowed_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// The request headers of docs/http-api.md, and those that browsers may name in a preflight although they need none.
const REQUEST_HEADERS: [HeaderName; 12] = [
    ACCEPT,
    ACCEPT_LANGUAGE,
    AUTHORIZATION,
    CACHE_CONTROL,
    CONTENT_TYPE,
    HeaderName::from_static("idempotency-key"),
    IF_MATCH,
    IF_NONE_MATCH,
    IF_RANGE,
    LAST_EVENT_ID,
    RANGE,
    RequestId::HEADER,
];

/// The headers of all responses. Requests with credentials have no wildcard (Fetch standard, 3.2.3).
const RESPONSE_HEADERS: [HeaderName; 24] = [
    ACCEPT_RANGES,
    ALLOW,
    BUFFERING,
    CACHE_CONTROL,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_SECURITY_POLICY,
    CONTENT_TYPE,
    CROSS_ORIGIN_RESOURCE_POLICY,
    DATE,
    ETAG,
    LINK,
    REFERRER_POLICY,
    RETRY_AFTER,
    RateLimitStatus::HEADER,
    RateLimitStatus::POLICY_HEADER,
    RequestId::HEADER,
    REPLAYED,
    VARY,
    WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
];
