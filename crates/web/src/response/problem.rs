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
use crate::response::codes::{ErrorCode, ProblemCode};
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

impl ProblemCode {
    fn from_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Authentication,
            403 => Self::PermissionDenied,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::RequestTimeout,
            409 => Self::Conflict,
            412 => Self::PreconditionFailed,
            413 => Self::PayloadTooLarge,
            414 => Self::UriTooLong,
            415 => Self::UnsupportedMediaType,
            416 => Self::RangeNotSatisfiable,
            422 => Self::Validation,
            429 => Self::RateLimitExceeded,
            431 => Self::HeadersTooLarge,
            503 => Self::Unavailable,
            400..500 => Self::BusinessLogic,
            _ => Self::Internal,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::BusinessLogic => "Bad request",
            Self::Authentication => "Not authenticated",
            Self::PermissionDenied => "Permission denied",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::RequestTimeout => "Request timeout",
            Self::AlreadyExists => "Already exists",
            Self::Conflict => "Conflict",
            Self::PreconditionFailed => "Precondition failed",
            Self::PayloadTooLarge => "Payload too large",
            Self::UriTooLong => "URI too long",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::RangeNotSatisfiable => "Range not satisfiable",
            Self::Validation => "Validation error",
            Self::RateLimitExceeded => "Rate limit exceeded",
            Self::HeadersTooLarge => "Headers too large",
            Self::Internal => "Internal error",
            Self::Unavailable => "Unavailable",
        }
    }
}

/// Builds the response to a request that failed with an error of this crate.
pub(crate) fn error_response(error: &ApiError, id: &RequestId, now: DateTime<Utc>) -> HttpResponse {
    let status = error.status_code();
    let code = match error {
        ApiError::UseCase(Error::AlreadyExists { .. }) => ProblemCode::AlreadyExists,
        _ => ProblemCode::from_status(status),
    };
    let problem = Problem::new(status, code, &error.to_string(), details(error), id, now);
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
        let code = ProblemCode::from_status(status);
        let detail = if status.is_server_error() {
            "something went wrong on our side"
        } else {
            code.title()
        };
        let is_bad_request = status == StatusCode::BAD_REQUEST;
        let details = if is_bad_request { json!({ "constraint": null }) } else { json!({}) };
        Self::new(status, code, detail, details, id, now)
    }

    fn new(
        status: StatusCode,
        code: ProblemCode,
        detail: &str,
        details: Value,
        id: &RequestId,
        now: DateTime<Utc>,
    ) -> Self {
        let detail = capitalize(detail);
        Self {
            kind: format!("urn:grateful:problem:{}", code.code()),
            title: code.title(),
            status: status.as_u16(),
            success: false,
            message: detail.clone(),
            error: ProblemError { code: code.code(), message: detail.clone(), details },
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
                json!({ "resource": resource.code(), "action": action })
            }
            Error::NotFound { resource, id: Some(id) } => {
                json!({ "resource": resource.code(), "id": id })
            }
            Error::NotFound { resource, id: None }
            | Error::AlreadyExists { resource, .. }
            | Error::Conflict { resource, .. } => json!({ "resource": resource.code() }),
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
