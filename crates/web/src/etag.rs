//! Which state of a thing a client has, in the words of HTTP.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{EntityTag, Header, IF_MATCH, IF_NONE_MATCH, IfMatch, IfNoneMatch};
use actix_web::{FromRequest, HttpRequest};
use grateful_domain::Revision;

use crate::error::ApiError;

/// A strong tag that only the author's edits change.
pub(crate) fn etag(revision: Revision) -> EntityTag {
    EntityTag::new_strong(format!("{:x}", revision.micros()))
}

/// The states in which a client wants something changed; none named means any.
pub(crate) struct Expected(Option<IfMatch>);

impl Expected {
    pub(crate) fn allows(&self, revision: Revision) -> bool {
        match &self.0 {
            None | Some(IfMatch::Any) => true,
            Some(IfMatch::Items(tags)) => tags.iter().any(|tag| tag.strong_eq(&etag(revision))),
        }
    }
}

impl FromRequest for Expected {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let unreadable = || IfMatch::Items(Vec::new());
        let sent = request.headers().contains_key(IF_MATCH);
        ready(Ok(Self(sent.then(|| IfMatch::parse(request).unwrap_or_else(|_| unreadable())))))
    }
}

/// The states that a client has already.
pub(crate) struct Known(Option<IfNoneMatch>);

impl Known {
    pub(crate) fn has(&self, state: &EntityTag) -> bool {
        match &self.0 {
            None => false,
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(state)),
        }
    }
}

impl FromRequest for Known {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sent = request.headers().contains_key(IF_NONE_MATCH);
        ready(Ok(Self(sent.then(|| IfNoneMatch::parse(request).ok()).flatten())))
    }
}
