//! `multipart/form-data` bodies with an image. They are read as they arrive, within limits of size and time.

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

/// The fields of a form.
pub(crate) struct MultipartForm {
    texts: HashMap<String, Field<String>>,
    /// The image, if the form has one.
    pub(crate) image: Option<Upload>,
    /// The key and fingerprint of the request, if it has a key.
    pub(crate) idempotency: Option<IdempotentRequest>,
}

impl MultipartForm {
    /// Reads a form whose image is in the field `image_field`.
    ///
    /// The upload permit is taken before the body is read, since a body that waits for processing already uses memory.
    pub(crate) async fn read(
        request: HttpRequest,
        payload: Payload,
        image_field: &'static str,
    ) -> Result<Self, ApiError> {
        require_multipart(&request)?;
        check_declared_size(&request)?;
        let app = request.app_data::<Data<App>>();
        let permit =
            app.ok_or_else(|| Error::Internal("no App".into()))?.image_processor.admit()?;
        let mut fingerprint = FingerprintBuilder::start(&request)?;
        let mut parts = PartReader::new(&request, payload);
        let mut texts = HashMap::new();
        let mut bytes = Vec::new();
        while let Some((name, content)) = parts.next(image_field).await? {
            fingerprint.update(name.as_bytes());
            fingerprint.update(&content);
            if name == image_field {
                bytes = content;
            } else {
                texts.insert(name, text_field(content));
            }
        }
        let idempotency = fingerprint.finish();
        // Browsers send an empty file if the user chose none.
        let image = (!bytes.is_empty()).then_some(Upload { bytes, field: image_field, permit });
        Ok(Self { texts, image, idempotency })
    }

    /// Takes a text field.
    pub(crate) fn text(&mut self, name: &str) -> Field<String> {
        self.texts.remove(name).unwrap_or_default()
    }

    /// Takes a text field. A blank value counts as absent.
    pub(crate) fn non_blank_text(&mut self, name: &str) -> Field<String> {
        match self.text(name) {
            Field::Value(text) if text.trim().is_empty() => Field::Absent,
            sent => sent,
        }
    }

    /// Takes a boolean field: `true`, `1`, `on`, `yes` or `false`, `0`, `off`, `no`.
    pub(crate) fn flag(&mut self, name: &str) -> Field<bool> {
        match self.non_blank_text(name) {
            Field::Value(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "on" | "yes" => Field::Value(true),
                "false" | "0" | "off" | "no" => Field::Value(false),
                _ => Field::WrongType("must be true or false"),
            },
            Field::WrongType(expected) => Field::WrongType(expected),
            Field::Absent | Field::Null => Field::Absent,
        }
    }
}

fn text_field(content: Vec<u8>) -> Field<String> {
    String::from_utf8(content).map_or(Field::WrongType("must be UTF-8 text"), Field::Value)
}

/// Reads the parts of a form as they arrive.
struct PartReader {
    stream: Multipart,
    /// How many more bytes the image may have.
    image_bytes_left: usize,
    /// How many more bytes the other fields and the names of all fields may have together.
    text_bytes_left: usize,
    started_at: Instant,
    timeout: Duration,
    received_bytes: usize,
}

impl PartReader {
    /// The minimum average speed of a client. At this speed, an image of the maximum size takes about three minutes.
    const MIN_BYTES_PER_SECOND: f64 = 32_768.0;

    fn new(request: &HttpRequest, payload: Payload) -> Self {
        let config = request.app_data::<Data<WebConfig>>();
        Self {
            stream: Multipart::new(request.headers(), payload),
            image_bytes_left: Upload::MAX_BYTES,
            text_bytes_left: WebConfig::MAX_BODY_BYTES,
            started_at: Instant::now(),
            timeout: config.map(|config| config.client_request_timeout).unwrap_or_default(),
            received_bytes: 0,
        }
    }

    /// Reads the next part, and returns its name and its content.
    async fn next(&mut self, image_field: &str) -> Result<Option<(String, Vec<u8>)>, ApiError> {
        let next = timeout_at(self.deadline(), self.stream.try_next()).await;
        let Some(mut part) = next.map_err(|_| ApiError::RequestTimeout)?.map_err(read_error)?
        else {
            return Ok(None);
        };
        let name = part.name().unwrap_or_default().to_owned();
        let is_image = name == image_field;
        self.take_text_bytes(name.len() + 1)?;
        let mut content = Vec::new();
        while let Some(chunk) = self.next_chunk(&mut part).await? {
            if is_image {
                self.take_image_bytes(chunk.len())?;
            } else {
                self.take_text_bytes(chunk.len())?;
            }
            self.received_bytes += chunk.len();
            content.extend_from_slice(&chunk);
        }
        Ok(Some((name, content)))
    }

    fn take_image_bytes(&mut self, count: usize) -> Result<(), ApiError> {
        self.image_bytes_left =
            self.image_bytes_left.checked_sub(count).ok_or_else(image_too_large)?;
        Ok(())
    }

    fn take_text_bytes(&mut self, count: usize) -> Result<(), ApiError> {
        self.text_bytes_left =
            self.text_bytes_left.checked_sub(count).ok_or_else(text_too_large)?;
        Ok(())
    }

    async fn next_chunk(&self, part: &mut Part) -> Result<Option<Bytes>, ApiError> {
        let chunk = timeout_at(self.deadline(), part.try_next()).await;
        chunk.map_err(|_| ApiError::RequestTimeout)?.map_err(read_error)
    }

    /// Returns the time by which the next chunk must arrive. Every received byte extends it.
    fn deadline(&self) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "a body has a few megabytes at most")]
        let extension =
            Duration::from_secs_f64(self.received_bytes as f64 / Self::MIN_BYTES_PER_SECOND);
        self.started_at + self.timeout + extension
    }
}

/// The error of a body that cannot be read, which is always an error of the client.
fn read_error(error: MultipartError) -> ApiError {
    match error {
        MultipartError::Payload(PayloadError::Overflow) => image_too_large(),
        MultipartError::Payload(_) | MultipartError::Incomplete => {
            ValidationError::field("body", "is incomplete").into()
        }
        other => {
            let reason = format_args!("is not valid multipart/form-data: {other}");
            ValidationError::field("body", reason).into()
        }
    }
}

fn image_too_large() -> ApiError {
    ApiError::BodyTooLarge(Upload::MAX_BYTES)
}

fn text_too_large() -> ApiError {
    ApiError::BodyTooLarge(WebConfig::MAX_BODY_BYTES)
}

fn require_multipart(request: &HttpRequest) -> Result<(), ApiError> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        Ok(())
    } else {
        Err(ApiError::UnsupportedMediaType(&["multipart/form-data"]))
    }
}

/// Rejects a body whose `Content-Length` is too large, before any of it is read.
fn check_declared_size(request: &HttpRequest) -> Result<(), ApiError> {
    let max_bytes = Upload::MAX_BYTES + 2 * WebConfig::MAX_BODY_BYTES;
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = declared.and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| max_bytes < length) { Err(image_too_large()) } else { Ok(()) }
}
