//! Conditional requests: `If-Match` and `If-None-Match`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, EntityTag, Header as _, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest};
use grateful_domain::Revision;

use crate::error::ApiError;

/// The `If-Match` header. Without the header, every state is allowed; with a malformed one, none is.
pub(crate) struct IfMatch(Option<header::IfMatch>);

impl IfMatch {
    /// Whether the header allows this revision of a post. Ignores the digests in the tags, since what other users do to the
    /// post must not prevent an edit by its author.
    pub(crate) fn allows(&self, revision: Revision) -> bool {
        let is_current = |tag: &EntityTag| {
            let listed = tag.tag().split('-').next();
            !tag.weak && listed == Some(revision_part(revision).as_str())
        };
        match &self.0 {
            None | Some(header::IfMatch::Any) => true,
            Some(header::IfMatch::Items(tags)) => tags.iter().any(is_current),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let no_tags = || header::IfMatch::Items(Vec::new());
        let sent = request.headers().contains_key(IF_MATCH);
        ready(Ok(Self(sent.then(|| header::IfMatch::parse(request).unwrap_or_else(|_| no_tags())))))
    }
}

/// The part of a post's entity tag that `If-Match` compares.
pub(crate) fn revision_part(revision: Revision) -> String {
    format!("{:x}", revision.micros())
}

/// The `If-None-Match` header. A malformed one is ignored.
pub(crate) struct IfNoneMatch(Option<header::IfNoneMatch>);

impl IfNoneMatch {
    pub(crate) fn matches(&self, tag: &EntityTag) -> bool {
        match &self.0 {
            None => false,
            Some(header::IfNoneMatch::Any) => true,
            Some(header::IfNoneMatch::Items(tags)) => tags.iter().any(|listed| listed.weak_eq(tag)),
        }
    }
}

impl FromRequest for IfNoneMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let sent = request.headers().contains_key(IF_NONE_MATCH);
        ready(Ok(Self(sent.then(|| header::IfNoneMatch::parse(request).ok()).flatten())))
    }
}
