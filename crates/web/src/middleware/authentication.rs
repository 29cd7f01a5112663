//! Finds out who asks, before anything of their request is read.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use grateful_application::{App, Error as Refusal, sessions};
use grateful_domain::Session;

use crate::access::{Access, access_to};
use crate::error::ApiError;
use crate::request::{MatchedRoute, bearer_token};

/// Lets pass whoever the route lets pass, and puts their session where handlers find it.
pub(crate) async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Looked up once: it tries the pattern of every route. From here on the path is in its one spelling.
    let route = request.match_pattern().map(MatchedRoute);
    if let Some(route) = route.clone() {
        request.extensions_mut().insert(route);
    }
    match identify(&request, route).await {
        Ok(session) => {
            if let Some(session) = session {
                request.extensions_mut().insert(session);
            }
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(error) => Ok(request.error_response(error)),
    }
}

async fn identify(
    request: &ServiceRequest,
    route: Option<MatchedRoute>,
) -> Result<Option<Session>, ApiError> {
    // A path that leads nowhere does so for everybody.
    let Some(MatchedRoute(pattern)) = route else { return Ok(None) };
    let token_was_sent = request.headers().contains_key(AUTHORIZATION);
    match (access_to(request.method(), &pattern), token_was_sent) {
        (Access::Public, _) | (Access::Optional, false) => Ok(None),
        (Access::Required, false) => {
            Err(Refusal::Unauthenticated("Authentication is required").into())
        }
        (Access::Optional | Access::Required, true) => open(request).await.map(Some),
    }
}

async fn open(request: &ServiceRequest) -> Result<Session, ApiError> {
    let malformed = Refusal::Unauthenticated("The Authorization header must be a Bearer token");
    let token = bearer_token(request.request()).ok_or(malformed)?;
    let app = request.app_data::<Data<App>>().ok_or_else(|| Refusal::Internal("no App".into()))?;
    Ok(sessions::authenticate(app, &token).await?)
}
