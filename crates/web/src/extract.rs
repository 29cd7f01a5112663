//! What handlers ask of a request besides its body.

use std::collections::HashMap;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::web::{Data, Query};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::{DateTime, Utc};
use grateful_application::{App, Error, Thing};
use grateful_domain::{
    CommentId, FeedCursor, FeedPageRequest, FeedStart, Fields, Invalid, Limit, ListKind,
    NotificationId, Offset, PageError, PageRequest, PageStart, Position, PostId, Session,
    SessionId, TrendingWindow, UserId, Viewer,
};
use uuid::Uuid;

use crate::error::ApiError;

/// The time by the clock of the application.
pub(crate) fn now(request: &HttpRequest) -> DateTime<Utc> {
    request.app_data::<Data<App>>().map_or(DateTime::UNIX_EPOCH, |app| app.clock.now())
}

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
pub(crate) struct Viewing(pub(crate) Viewer);

impl FromRequest for Viewing {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.extensions().get::<Session>().map(|session| session.user);
        ready(Ok(Self(user.map_or(Viewer::Guest, Viewer::User))))
    }
}

/// What the device calls itself.
pub(crate) struct UserAgent(pub(crate) Option<String>);

impl FromRequest for UserAgent {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let agent = request.headers().get(USER_AGENT);
        ready(Ok(Self(agent.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()))))
    }
}

/// The id in the path of a route about a user. One that is no number is the client's mistake.
pub(crate) struct UserPath(pub(crate) UserId);

impl FromRequest for UserPath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = path_id(request).parse::<i64>();
        let invalid = |_| Invalid::field("id", "must be a whole number").into();
        ready(id.map(|id| Self(id.into())).map_err(invalid))
    }
}

/// The name in the path of a route about whoever has it, as it was sent.
pub(crate) struct NamePath(pub(crate) String);

impl FromRequest for NamePath {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = request.match_info().query("username");
        ready(Ok(Self(name.to_owned())))
    }
}

/// Declares ids in paths. One that is no UUID belongs to nothing.
macro_rules! uuid_paths {
    ($($(#[$doc:meta])* $name:ident($id:ty) of $thing:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) $id);

        impl FromRequest for $name {
            type Error = ApiError;
            type Future = Ready<Result<Self, ApiError>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(path_uuid(request, Thing::$thing).map(|id| Self(id.into())))
            }
        }
    )+};
}

uuid_paths! {
    /// The id in the path of a route about a post.
    PostPath(PostId) of Post,
    /// The id in the path of a route about a comment.
    CommentPath(CommentId) of Comment,
    /// The id in the path of a route about a notification.
    NotificationPath(NotificationId) of Notification,
    /// The id in the path of a route about a session.
    SessionPath(SessionId) of Session,
}

fn path_id(request: &HttpRequest) -> &str {
    request.match_info().get("id").unwrap_or_default()
}

fn path_uuid(request: &HttpRequest, thing: Thing) -> Result<Uuid, ApiError> {
    Uuid::parse_str(path_id(request)).map_err(|_| Error::NotFound { thing, id: None }.into())
}

/// The parameters behind the `?`, of which the last of a name counts.
pub(crate) struct Parameters(HashMap<String, String>);

impl FromRequest for Parameters {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parameters = Query::<HashMap<String, String>>::from_query(request.query_string());
        let invalid = |_| Invalid::field("query", "must be pairs of name=value").into();
        ready(parameters.map(|Query(pairs)| Self(pairs)).map_err(invalid))
    }
}

impl Parameters {
    /// The part of `list` that is asked for.
    pub(crate) fn page(&self, list: ListKind) -> Result<PageRequest, ApiError> {
        let mut fields = Fields::default();
        let page = self.check_page(&mut fields, list);
        Ok(fields.finish(|| page)?)
    }

    /// The same, among other fields.
    pub(crate) fn check_page(&self, fields: &mut Fields, list: ListKind) -> Option<PageRequest> {
        let limit = self.check_limit(fields, list.default_limit());
        let offset = fields.check("offset", self.number("offset", Offset::ZERO, Offset::parse));
        let start = match (self.0.get("cursor"), offset) {
            (None, offset) => offset.map(PageStart::Offset),
            (Some(cursor), Some(Offset::ZERO)) => {
                let place = fields.check("cursor", Position::from_cursor(list, cursor));
                place.map(PageStart::After)
            }
            (Some(_), _) => fields.check("cursor", Err(PageError::CursorAndOffset)),
        };
        Some(PageRequest { limit: limit?, start: start? })
    }

    /// How many at most, from 1 to `most`; `default` where nothing is said.
    pub(crate) fn up_to(&self, most: i64, default: i64) -> Result<i64, ApiError> {
        let limit = self.0.get("limit").map_or(Some(default), |raw| raw.parse().ok());
        let limit = limit.filter(|limit| (1..=most).contains(limit));
        let reason = || format!("must be a whole number from 1 to {most}");
        limit.ok_or_else(|| Invalid::field("limit", reason()).into())
    }

    /// The part of the ranked feed that is asked for, among other fields.
    pub(crate) fn check_stretch(&self, fields: &mut Fields) -> Option<FeedPageRequest> {
        const BEGINNING: FeedStart = FeedStart::Offset(0);
        let limit = self.check_limit(fields, ListKind::RankedPosts.default_limit());
        let place = self.number("offset", BEGINNING, FeedStart::parse_offset);
        let place = fields.check("offset", place);
        let start = match (self.0.get("cursor"), place) {
            (None, place) => place,
            (Some(cursor), Some(BEGINNING)) => {
                fields.check("cursor", FeedCursor::from_cursor(cursor)).map(FeedStart::After)
            }
            (Some(_), _) => fields.check("cursor", Err(PageError::CursorAndOffset)),
        };
        Some(FeedPageRequest { limit: limit?, start: start? })
    }

    /// How many entries are asked for, among other fields.
    pub(crate) fn check_limit(&self, fields: &mut Fields, default: Limit) -> Option<Limit> {
        fields.check("limit", self.number("limit", default, Limit::parse))
    }

    /// How far back to look for what is trending, among other fields.
    pub(crate) fn check_window(&self, fields: &mut Fields) -> Option<TrendingWindow> {
        let name = "window_hours";
        fields.check(name, self.number(name, TrendingWindow::DEFAULT, TrendingWindow::parse))
    }

    /// A switch, off or on, among other fields; `default` where nothing is said.
    pub(crate) fn check_switch(
        &self,
        fields: &mut Fields,
        name: &'static str,
        default: bool,
    ) -> Option<bool> {
        let switch = match self.0.get(name).map(String::as_str) {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(_) => Err("must be true or false"),
        };
        fields.check(name, switch)
    }

    /// What `parse` makes of a parameter, where it is there.
    pub(crate) fn optional<T, E: std::error::Error>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ApiError> {
        let parsed = self.text(name).map(parse).transpose();
        parsed.map_err(|reason| Invalid::field(name, reason).into())
    }

    /// A parameter as it was sent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number<T, E>(
        &self,
        name: &str,
        default: T,
        parse: impl Fn(i64) -> Result<T, E>,
    ) -> Result<T, E> {
        // What is no number at all is out of bounds like any other, and gets the same words.
        self.0.get(name).map_or(Ok(default), |raw| parse(raw.parse().unwrap_or(i64::MIN)))
    }
}
