//! The envelope around successful responses.

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::request::{RequestId, now};
use crate::response::Timestamp;

/// The body of successful responses of auth, users, reactions, follows, comments and blocks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Envelope<T> {
    /// Always true.
    success: bool,
    /// The requested data.
    data: T,
    /// When the response was built.
    timestamp: Timestamp,
    /// The request id, as in the `X-Request-Id` header.
    request_id: String,
}

impl<T> Envelope<T> {
    pub(crate) fn new(data: T, request: &HttpRequest) -> Self {
        let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
        Self {
            success: true,
            data,
            timestamp: now(request).into(),
            request_id: request_id.unwrap_or_default(),
        }
    }
}

/// A response whose body is an [`Envelope`] around `T`.
pub(crate) struct EnvelopeResponse<T> {
    data: T,
    status: StatusCode,
}

impl<T> EnvelopeResponse<T> {
    pub(crate) fn ok(data: T) -> Self {
        Self { data, status: StatusCode::OK }
    }

    pub(crate) fn created(data: T) -> Self {
        Self { data, status: StatusCode::CREATED }
    }
}

impl<T: Serialize> Responder for EnvelopeResponse<T> {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        HttpResponse::build(self.status).json(Envelope::new(self.data, request))
    }
}

/// A message that can be shown to a user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageView {
    pub(crate) message: &'static str,
}
