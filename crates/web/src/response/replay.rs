//! Responses to requests with an `Idempotency-Key`, new or replayed.

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder};
use grateful_application::RecordedResponse;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::response::Envelope;
use crate::response::list::BodyStyle;

/// Serializes a body to be stored for replays.
pub(crate) fn stored_body(view: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(view).unwrap_or_default()
}

/// Returns the stored body and a response builder, which already has the header that marks a replay.
pub(crate) fn replayable_builder(
    recorded: RecordedResponse,
    status: StatusCode,
) -> (Vec<u8>, HttpResponseBuilder) {
    let mut response = HttpResponse::build(status);
    match recorded {
        RecordedResponse::New(body) => (body, response),
        RecordedResponse::Replayed(body) => {
            response.insert_header((REPLAYED, "true"));
            (body, response)
        }
    }
}

/// Marks the response to a repeated request.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A JSON response with a stored body. Only the data of an envelope is stored: the envelope has the timestamp and the
/// request id of this request, not of the first.
pub(crate) struct ReplayableResponse {
    recorded: RecordedResponse,
    status: StatusCode,
    style: BodyStyle,
}

impl ReplayableResponse {
    pub(crate) fn bare_created(recorded: RecordedResponse) -> Self {
        Self { recorded, status: StatusCode::CREATED, style: BodyStyle::Bare }
    }

    pub(crate) fn enveloped_created(recorded: RecordedResponse) -> Self {
        Self { recorded, status: StatusCode::CREATED, style: BodyStyle::Envelope }
    }

    pub(crate) fn enveloped_ok(recorded: RecordedResponse) -> Self {
        Self { recorded, status: StatusCode::OK, style: BodyStyle::Envelope }
    }
}

impl Responder for ReplayableResponse {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let (body, mut builder) = replayable_builder(self.recorded, self.status);
        match self.style {
            BodyStyle::Bare => builder.content_type(ContentType::json()).body(body),
            BodyStyle::Envelope => {
                let data: Option<&RawValue> = serde_json::from_slice(&body).ok();
                builder.json(Envelope::new(data, request))
            }
        }
    }
}
