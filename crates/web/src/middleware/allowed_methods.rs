//! Refuses methods that a path does not have.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

use crate::error::ApiError;
use crate::openapi::ROUTES;
use crate::request::MatchedRoute;

/// Refuses a method that the path does not have. The routes would hand it on to the next pattern that fits:
/// `DELETE /posts/feed` to `DELETE /posts/{id}`.
pub(crate) async fn require_method(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let methods = request
        .extensions()
        .get::<MatchedRoute>()
        .and_then(|MatchedRoute(pattern)| ROUTES.methods(pattern));
    match methods {
        Some(methods) if !methods.contains(request.method()) => {
            Ok(request.error_response(ApiError::MethodNotAllowed(methods.to_vec())))
        }
        _ => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}
