//! The caller's session and access token.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use grateful_application::{AccessToken, Error};
use grateful_domain::{Session, UserId, Viewer};

use crate::error::ApiError;

/// The caller's session, on routes that need a token. The authentication middleware has already checked the token.
pub(crate) struct SignedIn(pub(crate) Session);

impl SignedIn {
    pub(crate) fn user(&self) -> UserId {
        self.0.user
    }

    pub(crate) fn viewer(&self) -> Viewer {
        Viewer::User(self.0.user)
    }
}

impl FromRequest for SignedIn {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = request.extensions().get::<Session>().cloned();
        ready(session.map(Self).ok_or(Error::Unauthenticated("Authentication is required").into()))
    }
}

/// The caller as a viewer, on routes where a token is optional.
pub(crate) struct MaybeSignedIn(pub(crate) Viewer);

impl FromRequest for MaybeSignedIn {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.extensions().get::<Session>().map(|session| session.user);
        ready(Ok(Self(user.map_or(Viewer::Guest, Viewer::User))))
    }
}

/// Returns the token in the `Authorization` header, if it has the form of a bearer token (RFC 6750 §2.1).
pub(crate) fn bearer_token(request: &HttpRequest) -> Option<AccessToken> {
    let credentials = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| AccessToken::parse(token.trim()))?
}
