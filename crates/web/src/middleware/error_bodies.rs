//! Gives every error response the same form of body.

use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap};
use actix_web::web::Data;
use actix_web::{Error, HttpRequest};

use super::refusals::Refusals;
use crate::error::{ApiError, ErrorChain};
use crate::request::{RequestId, now};
use crate::response::problem;

/// Writes the body of an error response. An [`ApiError`] has none of its own, since its
/// [`error_response`](actix_web::ResponseError::error_response) does not know the request id. Bodies of the framework's
/// own errors are replaced.
pub(super) fn with_error_body(response: ServiceResponse, id: &RequestId) -> ServiceResponse {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || is_page(response.headers()) {
        return response;
    }
    let (request, response) = response.into_parts();
    let now = now(&request);
    let mut error_response = match response.error().and_then(Error::as_error::<ApiError>) {
        Some(error) => {
            report(error, status, &request);
            problem::error_response(error, id, now)
        }
        None => problem::status_response(status, id, now),
    };
    for (name, value) in response.headers() {
        let is_set = *name == ALLOW && error_response.headers().contains_key(ALLOW);
        if name != CONTENT_TYPE && !is_set {
            error_response.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, error_response)
}

/// Whether the response is a page for browsers, which says itself what is wrong.
fn is_page(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Counts a refusal, and logs a failure that is a fault of this server.
fn report(error: &ApiError, status: StatusCode, request: &HttpRequest) {
    if Refusals::is_refusal(status) {
        if let Some(refusals) = request.app_data::<Data<Refusals>>() {
            refusals.record(status, error);
        }
    } else if status.is_server_error() {
        tracing::error!(error = %ErrorChain(error), "Request failed");
    }
}
