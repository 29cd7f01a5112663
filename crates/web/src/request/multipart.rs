//! Forms with a picture, `multipart/form-data`: read as they arrive, within bounds of size and time.

use std::collections::HashMap;
use std::time::Duration;

use actix_multipart::{Field as Part, Multipart, MultipartError};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use futures_util::TryStreamExt;
use grateful_application::{App, Error, IdempotentRequest, Upload};
use grateful_domain::ValidationError;
use tokio::time::{Instant, timeout_at};

use crate::WebConfig;
use crate::error::ApiError;
use crate::request::{Field, FingerprintBuilder};

/// What was sent in a form.
pub(crate) struct MultipartForm {
    texts: HashMap<String, Field<String>>,
    /// The picture, where there is one.
    pub(crate) picture: Option<Upload>,
    /// What makes the request the same as another.
    pub(crate) idempotency: Option<IdempotentRequest>,
}

impl MultipartForm {
    /// Reads a form whose picture is sent under this name.
    ///
    /// The picture has its place in the queue before it is read: what waits to be made fills memory already.
    pub(crate) async fn read(
        request: HttpRequest,
        payload: Payload,
        picture: &'static str,
    ) -> Result<Self, ApiError> {
        require_form(&request)?;
        require_short(&request)?;
        let app = request.app_data::<Data<App>>();
        let permit =
            app.ok_or_else(|| Error::Internal("no App".into()))?.image_processor.admit()?;
        let mut repeating = FingerprintBuilder::begin(&request)?;
        let mut parts = Parts::begin(&request, payload);
        let mut texts = HashMap::new();
        let mut bytes = Vec::new();
        while let Some((name, content)) = parts.next(picture).await? {
            repeating.add(name.as_bytes());
            repeating.add(&content);
            if name == picture {
                bytes = content;
            } else {
                texts.insert(name, text(content));
            }
        }
        let idempotency = repeating.end();
        // Browsers send an empty file where none was chosen.
        let picture = (!bytes.is_empty()).then_some(Upload { bytes, field: picture, permit });
        Ok(Self { texts, picture, idempotency })
    }

    /// The text that was sent under this name.
    pub(crate) fn text(&mut self, name: &str) -> Field<String> {
        self.texts.remove(name).unwrap_or_default()
    }

    /// The same, where a blank one is none.
    pub(crate) fn choice(&mut self, name: &str) -> Field<String> {
        match self.text(name) {
            Field::Value(text) if text.trim().is_empty() => Field::Absent,
            sent => sent,
        }
    }

    /// The switch that was sent under this name, in the words that forms have for it.
    pub(crate) fn switch(&mut self, name: &str) -> Field<bool> {
        match self.choice(name) {
            Field::Value(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "on" | "yes" => Field::Value(true),
                "false" | "0" | "off" | "no" => Field::Value(false),
                _ => Field::Wrong("must be true or false"),
            },
            Field::Wrong(expected) => Field::Wrong(expected),
            Field::Absent | Field::Null => Field::Absent,
        }
    }
}

fn text(content: Vec<u8>) -> Field<String> {
    String::from_utf8(content).map_or(Field::Wrong("must be a text in UTF-8"), Field::Value)
}

/// The parts of a form as they arrive.
struct Parts {
    stream: Multipart,
    /// How many bytes of the picture may still come.
    picture: usize,
    /// How many bytes of all else, names included.
    texts: usize,
    begun: Instant,
    client_request_timeout: Duration,
    received: usize,
}

impl Parts {
    /// How slow a client may be on the whole, in bytes a second: a picture of the largest size takes three minutes then.
    const SLOWEST: f64 = 32_768.0;

    fn begin(request: &HttpRequest, payload: Payload) -> Self {
        let config = request.app_data::<Data<WebConfig>>();
        Self {
            stream: Multipart::new(request.headers(), payload),
            picture: Upload::MAX_BYTES,
            texts: WebConfig::MAX_BODY_BYTES,
            begun: Instant::now(),
            client_request_timeout: config
                .map(|config| config.client_request_timeout)
                .unwrap_or_default(),
            received: 0,
        }
    }

    /// The name and the content of the next part.
    async fn next(&mut self, picture: &str) -> Result<Option<(String, Vec<u8>)>, ApiError> {
        let next = timeout_at(self.deadline(), self.stream.try_next()).await;
        let Some(mut part) = next.map_err(|_| ApiError::RequestTimeout)?.map_err(unreadable)?
        else {
            return Ok(None);
        };
        let name = part.name().unwrap_or_default().to_owned();
        let is_picture = name == picture;
        self.texts = self.texts.checked_sub(name.len() + 1).ok_or_else(too_much_text)?;
        let mut content = Vec::new();
        while let Some(chunk) = self.chunk(&mut part).await? {
            if is_picture {
                self.picture = self.picture.checked_sub(chunk.len()).ok_or_else(too_large)?;
            } else {
                self.texts = self.texts.checked_sub(chunk.len()).ok_or_else(too_much_text)?;
            }
            self.received += chunk.len();
            content.extend_from_slice(&chunk);
        }
        Ok(Some((name, content)))
    }

    async fn chunk(&self, part: &mut Part) -> Result<Option<Bytes>, ApiError> {
        let chunk = timeout_at(self.deadline(), part.try_next()).await;
        chunk.map_err(|_| ApiError::RequestTimeout)?.map_err(unreadable)
    }

    /// Until when more must have come.
    fn deadline(&self) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "a body is no longer than megabytes")]
        let earned = Duration::from_secs_f64(self.received as f64 / Self::SLOWEST);
        self.begun + self.client_request_timeout + earned
    }
}

/// Why parts cannot be read, which is the client's doing.
fn unreadable(error: MultipartError) -> ApiError {
    match error {
        MultipartError::Payload(PayloadError::Overflow) => too_large(),
        MultipartError::Payload(_) | MultipartError::Incomplete => {
            ValidationError::field("body", "was cut short").into()
        }
        other => {
            ValidationError::field("body", format_args!("is no form as was announced: {other}"))
                .into()
        }
    }
}

fn too_large() -> ApiError {
    ApiError::BodyTooLarge(Upload::MAX_BYTES)
}

fn too_much_text() -> ApiError {
    ApiError::BodyTooLarge(WebConfig::MAX_BODY_BYTES)
}

fn require_form(request: &HttpRequest) -> Result<(), ApiError> {
    let named = request.headers().get(CONTENT_TYPE).and_then(|named| named.to_str().ok());
    let essence = named.unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        Ok(())
    } else {
        Err(ApiError::UnsupportedMediaType(&["multipart/form-data"]))
    }
}

/// Refuses a body that says itself that it is too large, before any of it is read.
fn require_short(request: &HttpRequest) -> Result<(), ApiError> {
    let most = Upload::MAX_BYTES + 2 * WebConfig::MAX_BODY_BYTES;
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    let length = declared.and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| most < length) { Err(too_large()) } else { Ok(()) }
}
