//! Authenticates the caller before the body is read.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest as _, HttpMessage};
use grateful_application::notifications::{self, StreamTicket};
use grateful_application::{App, Error as UseCaseError, sessions};
use grateful_domain::Session;

use crate::access::{Access, access_to};
use crate::error::ApiError;
use crate::request::{HeadMarker, MatchedRoute, QueryParameters, StreamParams, bearer_token};

/// Checks the token or ticket that the route requires, and stores the session in the request's extensions, where
/// extractors find it. Uses up the ticket, except for `HEAD`, which opens no stream.
pub(crate) async fn authentication(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Matched once, since matching tries the pattern of every route. The path is normalized at this point.
    let route = request.match_pattern().map(MatchedRoute);
    if let Some(route) = route.clone() {
        request.extensions_mut().insert(route);
    }
    match authenticate(&request, route).await {
        Ok(session) => {
            if let Some(session) = session {
                request.extensions_mut().insert(session);
            }
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(error) => Ok(request.error_response(error)),
    }
}

async fn authenticate(
    request: &ServiceRequest,
    route: Option<MatchedRoute>,
) -> Result<Option<Session>, ApiError> {
    // An unknown path is 404, with or without a token.
    let Some(MatchedRoute(pattern)) = route else { return Ok(None) };
    let has_token = request.headers().contains_key(AUTHORIZATION);
    match (access_to(request.method(), &pattern), has_token) {
        (Access::Public, _) | (Access::Optional, false) => Ok(None),
        (Access::Required, false) => {
            Err(UseCaseError::Unauthenticated("Authentication is required").into())
        }
        (Access::TokenOrTicket, false) => find_session_of_ticket(request).await.map(Some),
        (Access::Optional | Access::TokenOrTicket | Access::Required, true) => {
            find_session(request).await.map(Some)
        }
    }
}

async fn find_session(request: &ServiceRequest) -> Result<Session, ApiError> {
    let malformed =
        UseCaseError::Unauthenticated("The Authorization header must be a Bearer token");
    let token = bearer_token(request.request()).ok_or(malformed)?;
    Ok(sessions::authenticate(app(request)?, &token).await?)
}

async fn find_session_of_ticket(request: &ServiceRequest) -> Result<Session, ApiError> {
    let QueryParameters(parameters) =
        QueryParameters::<StreamParams>::extract(request.request()).into_inner()?;
    let missing = UseCaseError::Unauthenticated("Authentication is required");
    let ticket = parameters.ticket.into_text().ok_or(missing)?;
    let unknown = UseCaseError::Unauthenticated("The ticket is invalid, used, or has expired");
    let ticket = StreamTicket::parse(&ticket).ok_or(unknown)?;
    let app = app(request)?;
    Ok(if request.extensions().contains::<HeadMarker>() {
        notifications::check_ticket(app, &ticket).await?
    } else {
        notifications::redeem_ticket(app, &ticket).await?
    })
}

fn app(request: &ServiceRequest) -> Result<&App, ApiError> {
    let app = request.app_data::<Data<App>>().map(Data::get_ref);
    app.ok_or_else(|| UseCaseError::Internal("no App".into()).into())
}
