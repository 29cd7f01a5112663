//! What handlers read from a request: extractors for headers, paths, query parameters and bodies.

mod authentication;
mod conditional;
mod field;
mod idempotency;
mod json;
mod multipart;
mod page_params;
mod path;
mod query;
mod request_id;
mod route;
mod user_agent;

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use grateful_application::App;

pub(crate) use self::authentication::{SignedIn, Viewing, bearer};
pub(crate) use self::conditional::{Expected, Known};
pub(crate) use self::field::{Field, Plain, as_is};
pub(crate) use self::idempotency::Repeating;
pub(crate) use self::json::{JsonBody, RepeatableBody};
pub(crate) use self::multipart::Form;
pub(crate) use self::page_params::{LongPage, PostPage};
pub(crate) use self::path::{
    CommentPath, NamePath, NotificationPath, PostPath, SessionPath, UserPath,
};
pub(crate) use self::query::Parameters;
pub(crate) use self::request_id::RequestId;
pub(crate) use self::route::Route;
pub(crate) use self::user_agent::UserAgent;

/// The time by the clock of the application.
pub(crate) fn now(request: &HttpRequest) -> DateTime<Utc> {
    request.app_data::<Data<App>>().map_or(DateTime::UNIX_EPOCH, |app| app.clock.now())
}
