//! The session of the caller, and the token that names it.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use grateful_application::{AccessToken, Error};
use grateful_domain::{Session, UserId, Viewer};

use crate::error::ApiError;

/// The session of whoever asks; the middleware has made sure that there is one.
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

/// Whoever asks, signed in or not.
pub(crate) struct MaybeSignedIn(pub(crate) Viewer);

impl FromRequest for MaybeSignedIn {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.extensions().get::<Session>().map(|session| session.user);
        ready(Ok(Self(user.map_or(Viewer::Guest, Viewer::User))))
    }
}

/// The token in the header `Authorization`, if there is one of the right form (RFC 6750 §2.1).
pub(crate) fn bearer_token(request: &HttpRequest) -> Option<AccessToken> {
    let credentials = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| AccessToken::parse(token.trim()))?
}
