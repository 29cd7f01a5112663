//! Errors of requests and their status codes.

use std::fmt;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use grateful_application::{Error, Resource};
use grateful_domain::ValidationError;

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The error of a use case.
    UseCase(Error),
    /// No route has this path.
    UnknownRoute,
    /// The path has routes, but none for this method.
    MethodNotAllowed(&'static [Method]),
    /// The body is larger than this number of bytes.
    BodyTooLarge(usize),
    /// The body has another type than these, or a content encoding.
    UnsupportedMediaType(&'static [&'static str]),
    /// The requested range is outside the file, which has this number of bytes.
    RangeNotSatisfiable(u64),
    /// The client took too long to send the request.
    RequestTimeout,
    /// The request target is too long.
    UriTooLong,
    /// The headers are too large.
    HeadersTooLarge,
}

impl From<Error> for ApiError {
    /// Names the header that the application does not know.
    fn from(error: Error) -> Self {
        Self::UseCase(match error {
            Error::IdempotencyKeyReused => {
                ValidationError::field("Idempotency-Key", "was used for another request before")
                    .into()
            }
            Error::Conflict { resource: resource @ Resource::IdempotencyKey, .. } => {
                let reason = "A request with this Idempotency-Key is still being processed";
                Error::Conflict { resource, reason }
            }
            error => error,
        })
    }
}

impl From<ValidationError> for ApiError {
    fn from(invalid: ValidationError) -> Self {
        Self::UseCase(invalid.into())
    }
}

impl fmt::Display for ApiError {
    /// The `detail` of the response.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UseCase(error) => error.fmt(f),
            Self::UnknownRoute => f.write_str("This path does not exist"),
            Self::MethodNotAllowed(_) => f.write_str("This path does not support that method"),
            Self::BodyTooLarge(limit) => write!(f, "The body must be at most {limit} bytes"),
            Self::UnsupportedMediaType(supported) => {
                write!(
                    f,
                    "The body must be sent as {}, without a Content-Encoding",
                    supported.join(" or ")
                )
            }
            Self::RangeNotSatisfiable(size) => write!(f, "The file has only {size} bytes"),
            Self::RequestTimeout => f.write_str("The request took too long to arrive"),
            Self::UriTooLong => f.write_str("The URI of the request is too long"),
            Self::HeadersTooLarge => f.write_str("The headers of the request are too large"),
        }
    }
}

/// Displays an error with all its causes. A JSON log shows only the outermost message of an error value.
pub(crate) struct ErrorChain<'e>(pub(crate) &'e dyn std::error::Error);

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.0.source().map_or(Ok(()), |cause| write!(f, ": {}", ErrorChain(cause)))
    }
}

impl std::error::Error for ApiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::UseCase(error) => error.source(),
            _ => None,
        }
    }
}

impl ResponseError for ApiError {
    /// Matches without `_`, so that a new variant does not compile without a status.
    fn status_code(&self) -> StatusCode {
        match self {
            Self::UseCase(error) => match error {
                Error::Invalid(_) | Error::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
                Error::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
                Error::Forbidden { .. } => StatusCode::FORBIDDEN,
                Error::NotFound { .. } => StatusCode::NOT_FOUND,
                Error::AlreadyExists { .. } | Error::Conflict { .. } => StatusCode::CONFLICT,
                Error::RuleViolation { .. } => StatusCode::BAD_REQUEST,
                Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
                Error::Stale { .. } => StatusCode::PRECONDITION_FAILED,
                Error::Unavailable(_) | Error::Contended(_) => StatusCode::SERVICE_UNAVAILABLE,
                Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::UnknownRoute => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RangeNotSatisfiable(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    /// Has no body: the body needs the request id, so the `error_bodies` middleware writes it, and logs the failure.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
