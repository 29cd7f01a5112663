//! Authenticates the caller before the body is read.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest as _, HttpMessage};
use grateful_application::notifications::{self, StreamTicket};
use grateful_application::{App, Error as UseCaseError, sessions};
use grateful_domain::Session;

use crate::access::{Access, access_to};
use crate::error::ApiError;
use crate::request::{HeadMarker, QueryParameters, Route, StreamParams, bearer_token};

/// Checks the token or ticket that the route requires, and stores the session in the request's extensions, where
/// extractors find it. Uses up the ticket, except for `HEAD`, which opens no stream.
pub(crate) async fn authenticate(request: &ServiceRequest, route: &Route) -> Result<(), ApiError> {
    let has_token = request.headers().contains_key(AUTHORIZATION);
    let session = match (access_to(request.method(), &route.pattern), has_token) {
        (Access::Public, _) | (Access::Optional, false) => return Ok(()),
        (Access::Required, false) => {
            return Err(UseCaseError::Unauthenticated("Authentication is required").into());
        }
        (Access::TokenOrTicket, false) => find_session_of_ticket(request).await?,
        (Access::Optional | Access::TokenOrTicket | Access::Required, true) => {
            find_session(request).await?
        }
    };
    request.extensions_mut().insert(session);
    Ok(())
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
