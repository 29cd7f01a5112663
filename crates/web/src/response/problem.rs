//! The body of every error response: RFC 9457, with the members that older clients read (docs/http-api.md#errors).

use actix_web::http::header::{ALLOW, CONTENT_RANGE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use chrono::{DateTime, Utc};
use grateful_application::Error;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::RequestId;
use crate::response::codes::{ALREADY_EXISTS, ErrorCode};
use crate::response::{RateLimitStatus, Timestamp, ceil_seconds};

/// The body of every error response.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The type of the problem, as a URN.
    #[serde(rename = "type")]
    kind: String,
    /// The type of the problem in words.
    title: &'static str,
    /// The status code of the response.
    status: u16,
    /// A message that can be shown to a user.
    detail: String,
    /// Always false.
    success: bool,
    /// Equals `detail`.
    message: String,
    error: ProblemError,
    /// When the response was built.
    timestamp: Timestamp,
    /// The request id, as in the `X-Request-Id` header.
    request_id: String,
}

impl Problem {
    pub(crate) const MEDIA_TYPE: &'static str = "application/problem+json";
}

/// The part of a problem that older clients read.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemError {
    /// The type of the problem.
    #[schema(value_type = ErrorCode)]
    code: &'static str,
    /// Equals `detail`.
    message: String,
    /// Machine-readable details, which depend on the code.
    #[schema(value_type = Object)]
    details: Value,
}

/// The code and title of a problem.
struct ProblemKind {
    code: &'static str,
    title: &'static str,
}

impl ProblemKind {
    fn from_status(status: StatusCode) -> Self {
        let (code, title) = match status.as_u16() {
            401 => ("authentication_error", "Not authenticated"),
            403 => ("permission_denied", "Permission denied"),
            404 => ("not_found", "Not found"),
            405 => ("method_not_allowed", "Method not allowed"),
            408 => ("request_timeout", "Request timeout"),
            409 => ("conflict", "Conflict"),
            412 => ("precondition_failed", "Precondition failed"),
            413 => ("payload_too_large", "Payload too large"),
            414 => ("uri_too_long", "URI too long"),
            415 => ("unsupported_media_type", "Unsupported media type"),
            416 => ("range_not_satisfiable", "Range not satisfiable"),
            422 => ("validation_error", "Validation error"),
            429 => ("rate_limit_exceeded", "Rate limit exceeded"),
            431 => ("headers_too_large", "Headers too large"),
            503 => ("unavailable", "Unavailable"),
            400..500 => ("business_logic_error", "Bad request"),
            _ => ("internal_error", "Internal error"),
        };
        Self { code, title }
    }
}

/// Builds the response to a request that failed with an error of this crate.
pub(crate) fn error_response(error: &ApiError, id: &RequestId, now: DateTime<Utc>) -> HttpResponse {
    let status = error.status_code();
    let kind = match error {
        ApiError::UseCase(Error::AlreadyExists { .. }) => {
            ProblemKind { code: ALREADY_EXISTS, title: "Already exists" }
        }
        _ => ProblemKind::from_status(status),
    };
    let problem = Problem::new(status, &kind, &error.to_string(), details(error), id, now);
    let mut response = problem_response(problem);
    let headers = response.headers_mut();
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => (),
    }
    if let ApiError::UseCase(Error::RateLimited { limit, window, retry_after, policy, .. }) = error
    {
        let status = RateLimitStatus { policy, limit: *limit, window: *window, remaining: 0 };
        status.write_exceeded_to(headers, *retry_after);
    }
    if let ApiError::RangeNotSatisfiable(size) = error
        && let Ok(range) = HeaderValue::from_str(&format!("bytes */{size}"))
    {
        headers.insert(CONTENT_RANGE, range);
    }
    if let ApiError::MethodNotAllowed(methods) = error
        && let Ok(allow) = HeaderValue::from_str(
            &methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", "),
        )
    {
        headers.insert(ALLOW, allow);
    }
    response
}

/// Builds the response to a request that failed in the framework, which gives only a status.
pub(crate) fn status_response(
    status: StatusCode,
    id: &RequestId,
    now: DateTime<Utc>,
) -> HttpResponse {
    problem_response(Problem::for_status(status, id, now))
}

impl Problem {
    /// The problem of a status without further details.
    pub(crate) fn for_status(status: StatusCode, id: &RequestId, now: DateTime<Utc>) -> Self {
        let kind = ProblemKind::from_status(status);
        let detail =
            if status.is_server_error() { "something went wrong on our side" } else { kind.title };
        let is_bad_request = status == StatusCode::BAD_REQUEST;
        let details = if is_bad_request { json!({ "constraint": null }) } else { json!({}) };
        Self::new(status, &kind, detail, details, id, now)
    }

    fn new(
        status: StatusCode,
        kind: &ProblemKind,
        detail: &str,
        details: Value,
        id: &RequestId,
        now: DateTime<Utc>,
    ) -> Self {
        let detail = capitalize(detail);
        Self {
            kind: format!("urn:grateful:problem:{}", kind.code),
            title: kind.title,
            status: status.as_u16(),
            success: false,
            message: detail.clone(),
            error: ProblemError { code: kind.code, message: detail.clone(), details },
            detail,
            timestamp: now.into(),
            request_id: id.to_string(),
        }
    }
}

fn problem_response(problem: Problem) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).content_type(Problem::MEDIA_TYPE).json(problem)
}

fn details(error: &ApiError) -> Value {
    match error {
        ApiError::UseCase(error) => match error {
            Error::Invalid(invalid) => json!({ "fields": invalid.fields() }),
            Error::Forbidden { action, resource, .. } => {
                json!({ "resource": resource.name(), "action": action })
            }
            Error::NotFound { resource, id: Some(id) } => {
                json!({ "resource": resource.name(), "id": id })
            }
            Error::NotFound { resource, id: None }
            | Error::AlreadyExists { resource, .. }
            | Error::Conflict { resource, .. } => json!({ "resource": resource.name() }),
            Error::UnsupportedMediaType { supported } => json!({ "supported": supported }),
            Error::RuleViolation { constraint, .. } => json!({ "constraint": constraint }),
            Error::RateLimited { limit, retry_after, .. } => {
                json!({ "limit": limit, "retry_after": ceil_seconds(*retry_after) })
            }
            _ => json!({}),
        },
        ApiError::UnknownRoute => json!({ "resource": "route" }),
        ApiError::BodyTooLarge(limit) => json!({ "limit_bytes": limit }),
        ApiError::UnsupportedMediaType(supported) => json!({ "supported": supported }),
        _ => json!({}),
    }
}

/// Capitalizes the first letter, since error messages are written as parts of sentences. The name of a field, which
/// ends with a colon, stays as it is.
fn capitalize(message: &str) -> String {
    let mut chars = message.chars();
    match chars.next() {
        Some(first) if !message.split(' ').next().is_some_and(|word| word.ends_with(':')) => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::response::codes::ERROR_CODES;

    #[test]
    fn the_documented_codes_are_those_of_all_error_statuses() {
        let statuses = (400..600).filter_map(|status| StatusCode::from_u16(status).ok());
        let mut codes: BTreeSet<&str> =
            statuses.map(|status| ProblemKind::from_status(status).code).collect();
        codes.insert(ALREADY_EXISTS);

        assert_eq!(BTreeSet::from(ERROR_CODES), codes);
    }
}
