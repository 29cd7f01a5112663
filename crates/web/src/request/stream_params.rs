//! The parameters of the notification stream.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use grateful_domain::ValidationError;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::request::{Field, QueryParameters};

/// The header with which a client resumes a notification stream.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Query parameters of the stream, for clients that cannot send headers.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamParams {
    /// A ticket, in place of the token
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub(crate) ticket: Field<String>,
    /// Like the header `Last-Event-ID`, for clients that cannot send headers. The header takes precedence
    #[serde(default)]
    #[param(value_type = Option<i64>)]
    last_event_id: Field<String>,
}

/// The event to continue after, from the header `Last-Event-ID`, or else from the parameter `last_event_id`.
///
/// The header takes precedence: when `EventSource` reconnects, it repeats the URL and adds the id of a later event.
pub(crate) struct LastEventId(pub(crate) Option<i64>);

impl FromRequest for LastEventId {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse_last_event_id(request).map(Self))
    }
}

fn parse_last_event_id(request: &HttpRequest) -> Result<Option<i64>, ApiError> {
    let malformed =
        |name| ValidationError::field(name, "must be the id of an event of this stream").into();
    if let Some(header) = request.headers().get(LAST_EVENT_ID).filter(|value| !value.is_empty()) {
        let id = header.to_str().ok().and_then(|text| text.parse().ok());
        return id.ok_or_else(|| malformed("Last-Event-ID")).map(Some);
    }
    let QueryParameters(parameters) =
        QueryParameters::<StreamParams>::extract(request).into_inner()?;
    let id = parameters.last_event_id.into_text().filter(|text| !text.is_empty());
    id.map(|text| text.parse().map_err(|_| malformed("last_event_id"))).transpose()
}
