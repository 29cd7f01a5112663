//! `HEAD` requests, which the router handles as `GET`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::error::ApiError;

/// Marks a request as `HEAD`, in its extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadMarker;

/// Whether the request is `HEAD`. A handler of a `GET` with side effects then responds without them. A handler whose body
/// only reads when it is polled needs no such check: the body of a response to `HEAD` is dropped.
pub(crate) struct IsHead(pub(crate) bool);

impl FromRequest for IsHead {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.extensions().contains::<HeadMarker>())))
    }
}
