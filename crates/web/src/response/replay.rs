//! Answers that are kept for requests which arrive again.

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Responder};
use grateful_application::RecordedResponse;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::response::Enveloped;

/// A view as it is kept.
pub(crate) fn recorded(view: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(view).unwrap_or_default()
}

/// What was kept, and the beginning of an answer that says where it is told again.
pub(crate) fn created(answer: RecordedResponse) -> (Vec<u8>, HttpResponseBuilder) {
    let mut response = HttpResponse::Created();
    match answer {
        RecordedResponse::New(kept) => (kept, response),
        RecordedResponse::Replayed(kept) => {
            response.insert_header(REPLAYED);
            (kept, response)
        }
    }
}

const REPLAYED: (&str, &str) = ("Idempotent-Replayed", "true");

/// What was kept, bare.
pub(crate) struct Created(pub(crate) RecordedResponse);

impl Responder for Created {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let (kept, mut response) = created(self.0);
        response.content_type(ContentType::json()).body(kept)
    }
}

/// What was kept, in an envelope that names this request, not the first.
pub(crate) struct KeptEnveloped {
    answer: RecordedResponse,
    status: StatusCode,
}

impl KeptEnveloped {
    pub(crate) fn ok(answer: RecordedResponse) -> Self {
        Self { answer, status: StatusCode::OK }
    }

    pub(crate) fn created(answer: RecordedResponse) -> Self {
        Self { answer, status: StatusCode::CREATED }
    }
}

impl Responder for KeptEnveloped {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let is_again = matches!(self.answer, RecordedResponse::Replayed(_));
        let (RecordedResponse::New(kept) | RecordedResponse::Replayed(kept)) = self.answer;
        let data: Option<&RawValue> = serde_json::from_slice(&kept).ok();
        let answer = Enveloped(data, self.status).customize();
        let answer = if is_again { answer.insert_header(REPLAYED) } else { answer };
        answer.respond_to(request).map_into_boxed_body()
    }
}
