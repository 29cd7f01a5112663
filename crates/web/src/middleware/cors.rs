//! Cross-origin requests.

use actix_cors::Cors;
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LINK, RETRY_AFTER,
};

use crate::WebConfig;
use crate::middleware::ServerTiming;
use crate::request::RequestId;
use crate::response::RateLimitStatus;

/// The CORS middleware for the configured origins.
pub(crate) fn cors(config: &WebConfig) -> Cors {
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_MATCH,
            IF_NONE_MATCH,
            IDEMPOTENCY_KEY,
            RequestId::HEADER,
        ])
        .expose_headers([
            ETAG,
            LINK,
            RETRY_AFTER,
            RequestId::HEADER,
            RateLimitStatus::HEADER,
            RateLimitStatus::POLICY_HEADER,
        ])
        .expose_headers(config.server_timing.then_some(ServerTiming::HEADER))
        .supports_credentials()
        .max_age(3600);
    config.allowed_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
