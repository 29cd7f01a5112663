//! The envelope around successful responses.

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::request::{RequestId, now};
use crate::response::Timestamp;

/// A success in the style of auth, users, reactions, follows, comments and blocks (contract §1).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Envelope<T> {
    /// Always true.
    success: bool,
    /// What was asked for.
    data: T,
    /// When it was answered.
    timestamp: Timestamp,
    /// The name of the request, as in the header `X-Request-Id`.
    request_id: String,
}

/// Answers with an [`Envelope`] around `T`.
pub(crate) struct Enveloped<T>(pub(crate) T, pub(crate) StatusCode);

impl<T> Enveloped<T> {
    pub(crate) fn ok(data: T) -> Self {
        Self(data, StatusCode::OK)
    }

    pub(crate) fn created(data: T) -> Self {
        Self(data, StatusCode::CREATED)
    }
}

impl<T: Serialize> Responder for Enveloped<T> {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
        HttpResponse::build(self.1).json(Envelope {
            success: true,
            data: self.0,
            timestamp: now(request).into(),
            request_id: request_id.unwrap_or_default(),
        })
    }
}

/// A sentence for a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    pub(crate) message: &'static str,
}
