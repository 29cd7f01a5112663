//! What handlers read from a request: extractors for headers, paths, query parameters and bodies.

mod authentication;
mod conditional;
mod field;
mod flag;
mod head;
mod idempotency;
mod json;
mod multipart;
mod page_params;
mod path;
mod query;
mod request_id;
mod route;
mod stream_params;
mod user_agent;

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use grateful_application::{App, Error};

pub(crate) use self::authentication::{
    OptionalReader, SignedIn, SignedInReader, UnverifiedToken, bearer_token, insert_caller,
    unauthenticated,
};
pub(crate) use self::conditional::{IfMatch, IfNoneMatch, revision_part};
pub(crate) use self::field::{Field, FromJson, as_is};
pub(crate) use self::flag::parse_flag;
pub(crate) use self::head::{HeadMarker, IsHead};
pub(crate) use self::idempotency::FingerprintBuilder;
pub(crate) use self::json::{IdempotentBody, JsonBody};
pub(crate) use self::multipart::{FormFields, MultipartForm};
pub(crate) use self::page_params::{PageParams, check_limit};
pub(crate) use self::path::{
    CommentPath, NotificationPath, PostPath, SessionPath, UserPath, UsernamePath,
};
pub(crate) use self::query::QueryParameters;
pub(crate) use self::request_id::RequestId;
pub(crate) use self::route::{MatchedRoute, Route, matched_pattern};
pub(crate) use self::stream_params::{LAST_EVENT_ID, LastEventId, StreamParams};
pub(crate) use self::user_agent::UserAgent;

/// Returns the application, which every server has.
pub(crate) fn app(request: &HttpRequest) -> Result<&App, Error> {
    let app = request.app_data::<Data<App>>().map(Data::get_ref);
    app.ok_or_else(|| Error::Internal("no App".into()))
}

/// Returns the current time of the application's clock.
pub(crate) fn now(request: &HttpRequest) -> DateTime<Utc> {
    request.app_data::<Data<App>>().map_or(DateTime::UNIX_EPOCH, |app| app.clock.now())
}
