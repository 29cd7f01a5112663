//! Limits of every request: sizes, and no encoded body.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};

use crate::WebConfig;
use crate::error::ApiError;

/// Rejects requests whose target or headers are too large. Comes before authentication, which reads the headers.
pub(crate) fn check_size(request: &ServiceRequest) -> Result<(), ApiError> {
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
pub(crate) fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    if is_encoded(headers) {
        Err(ApiError::UnsupportedMediaType(&["application/json"]))
    } else {
        Ok(())
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let is_identity =
        |encoding: &HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    headers.get_all(CONTENT_ENCODING).any(|encoding| !is_identity(encoding))
}
