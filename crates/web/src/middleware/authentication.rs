//! Authenticates the caller before the body is read.

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest as _, HttpMessage};
use grateful_application::notifications::{self, StreamTicket};
use grateful_application::{Error as UseCaseError, sessions};
use grateful_domain::Session;

use crate::access::{Access, access_to};
use crate::error::ApiError;
use crate::request::{
    HeadMarker, QueryParameters, Route, StreamParams, UnverifiedToken, app, bearer_token,
    insert_caller, unauthenticated,
};

/// Checks the token or ticket that the route requires, and stores the session in the request's extensions, where
/// extractors find it. Uses up the ticket, except for `HEAD`, which opens no stream.
///
/// Of a `GET` request with a token that was valid before, it stores only the token, so that a handler can read and check the
/// token at once. [`confirm_token`] must get the response.
pub(crate) async fn authenticate(request: &ServiceRequest, route: &Route) -> Result<(), ApiError> {
    let has_token = request.headers().contains_key(AUTHORIZATION);
    let session = match (access_to(request.method(), &route.pattern), has_token) {
        (Access::Public, _) | (Access::Optional, false) => return Ok(()),
        (Access::Required, false) => {
            return Err(unauthenticated().into());
        }
        (Access::TokenOrTicket, false) => find_session_of_ticket(request).await?,
        (access, true) => {
            let malformed =
                UseCaseError::Unauthenticated("The Authorization header must be a Bearer token");
            let token = bearer_token(request.request()).ok_or(malformed)?;
            let app = app(request.request())?;
            let only_reads = request.method() == Method::GET && access != Access::TokenOrTicket;
            if only_reads && sessions::is_known(app, &token) {
                request.extensions_mut().insert(UnverifiedToken(token));
                return Ok(());
            }
            let caller = sessions::authenticate_caller(app, &token).await?;
            insert_caller(&mut request.extensions_mut(), caller);
            return Ok(());
        }
    };
    request.extensions_mut().insert(session);
    Ok(())
}

/// Checks the token of a request unless that has been done, and replaces the response if the token is not valid. A request for
/// which the database was not available does not wait for it again; its response has nothing of a user.
pub(crate) async fn confirm_token(response: ServiceResponse) -> ServiceResponse {
    let request = response.request();
    let is_unavailable = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    if is_unavailable || request.extensions().contains::<Session>() {
        return response;
    }
    let unverified = request.extensions().get::<UnverifiedToken>().cloned();
    let Some(UnverifiedToken(token)) = unverified else { return response };
    let checked = match app(request) {
        Ok(app) => sessions::authenticate(app, &token).await.map_err(ApiError::from),
        Err(error) => Err(error.into()),
    };
    match checked {
        Ok(session) => {
            request.extensions_mut().insert(session);
            response
        }
        Err(error) => response.error_response(error),
    }
}

/// Marks the write of a signed-in user before it is acknowledged, so that their later reads see it on all replicas.
pub(crate) async fn mark_write(response: ServiceResponse) -> ServiceResponse {
    let request = response.request();
    let status = response.status();
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if only_reads || status.is_client_error() || status.is_server_error() {
        return response;
    }
    let user = request.extensions().get::<Session>().map(|session| session.user);
    let (Some(user), Ok(app)) = (user, app(request)) else { return response };
    match sessions::mark_write(app, user).await {
        Ok(()) => response,
        Err(error) => response.error_response(ApiError::from(error)),
    }
}

async fn find_session_of_ticket(request: &ServiceRequest) -> Result<Session, ApiError> {
    let QueryParameters(parameters) =
        QueryParameters::<StreamParams>::extract(request.request()).into_inner()?;
    let ticket = parameters.ticket.into_text().ok_or_else(unauthenticated)?;
    let unknown = UseCaseError::Unauthenticated("The ticket is invalid, used, or has expired");
    let ticket = StreamTicket::parse(&ticket).ok_or(unknown)?;
    let app = app(request.request())?;
    Ok(if request.extensions().contains::<HeadMarker>() {
        notifications::check_ticket(app, &ticket).await?
    } else {
        notifications::redeem_ticket(app, &ticket).await?
    })
}
