//! Limits of every request: sizes, and no encoded body.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use actix_web::middleware::Next;

use crate::WebConfig;
use crate::error::ApiError;

/// Rejects requests whose target or headers are too large. Comes before authentication, which reads the headers.
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
    } else {
        Ok(())
    }
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Rejects requests with an encoded body. The server never decompresses a body: 850 bytes of brotli can expand to a
/// gigabyte (RUSTSEC-2026-0447). Comes after authentication, like everything that looks at the body.
pub(crate) async fn plain_bodies(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if is_encoded(request.headers()) {
        let error = ApiError::UnsupportedMediaType(&["application/json"]);
        return Ok(request.error_response(error));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let is_identity =
        |encoding: &HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    headers.get_all(CONTENT_ENCODING).any(|encoding| !is_identity(encoding))
}
