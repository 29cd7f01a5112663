//! 405 for methods that a path does not support.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

use crate::error::ApiError;
use crate::openapi::ROUTES;
use crate::request::MatchedRoute;

/// Responds with 405 if the path does not support the method. The router would instead try the next pattern that
/// matches the path: `DELETE /posts/{id}` for `DELETE /posts/feed`.
pub(crate) async fn allowed_methods(
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
