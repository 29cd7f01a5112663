//! Ids and usernames in paths.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use grateful_application::{Error, Resource};
use grateful_domain::{CommentId, NotificationId, PostId, SessionId, UserId, ValidationError};
use uuid::Uuid;

use crate::error::ApiError;

/// The user id in a path. An id that is not a number is 422.
pub(crate) struct UserPath(pub(crate) UserId);

impl FromRequest for UserPath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = path_id(request).parse::<i64>();
        let invalid = |_| ValidationError::field("id", "must be a whole number").into();
        ready(id.map(|id| Self(id.into())).map_err(invalid))
    }
}

/// The username in a path, as the client sent it.
pub(crate) struct UsernamePath(pub(crate) String);

impl FromRequest for UsernamePath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = request.match_info().query("username");
        ready(Ok(Self(name.to_owned())))
    }
}

/// Declares extractors of UUIDs in paths. An id that is not a UUID is 404.
macro_rules! uuid_paths {
    ($($(#[$doc:meta])* $name:ident($id:ty) of $resource:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) $id);

        impl FromRequest for $name {
            type Error = ApiError;
            type Future = Ready<Result<Self, ApiError>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(path_uuid(request, Resource::$resource).map(|id| Self(id.into())))
            }
        }
    )+};
}

uuid_paths! {
    /// The post id in a path.
    PostPath(PostId) of Post,
    /// The comment id in a path.
    CommentPath(CommentId) of Comment,
    /// The notification id in a path.
    NotificationPath(NotificationId) of Notification,
    /// The session id in a path.
    SessionPath(SessionId) of Session,
}

fn path_id(request: &HttpRequest) -> &str {
    request.match_info().get("id").unwrap_or_default()
}

fn path_uuid(request: &HttpRequest, resource: Resource) -> Result<Uuid, ApiError> {
    Uuid::parse_str(path_id(request)).map_err(|_| Error::NotFound { resource, id: None }.into())
}
