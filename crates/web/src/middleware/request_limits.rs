//! Size limits of every request.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use actix_web::middleware::Next;

use crate::WebConfig;
use crate::error::ApiError;

/// Rejects requests that are too large or have an encoded body. The server never decompresses a body: 850 bytes of
/// brotli can expand to a gigabyte (RUSTSEC-2026-0447).
pub(crate) async fn request_limits(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match check_limits(&request) {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(error) => Ok(request.error_response(error)),
    }
}

fn check_limits(request: &ServiceRequest) -> Result<(), ApiError> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if WebConfig::MAX_URI_BYTES < target {
        Err(ApiError::UriTooLong)
    } else if WebConfig::MAX_HEADERS_BYTES < header_bytes(request.headers()) {
        Err(ApiError::HeadersTooLarge)
    } else if is_encoded(request.headers()) {
        Err(ApiError::UnsupportedMediaType(&["application/json"]))
    } else {
        Ok(())
    }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).any(|encoding| encoding.as_bytes() != b"identity")
}
