//! Reads the parts of a form as they arrive, within limits of size and time.

use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::web::{Bytes, Data};
use futures_util::TryStreamExt;
use grateful_application::{Error, IncomingUpload, Upload};
use tokio::time::{Instant, timeout_at};

use super::FormFields;
use super::part_head::PartHead;
use super::part_lengths::without_part_lengths;
use super::read_error::{image_too_large, read_error, text_too_large};
use crate::WebConfig;
use crate::error::ApiError;

/// A part of a form.
pub(super) struct Part {
    pub(super) head: PartHead,
    pub(super) role: PartRole,
    /// The content, which is empty if it was dropped.
    pub(super) content: Vec<u8>,
    /// Whether the part has content that was not kept: that of an unknown file, or of a second image.
    pub(super) is_dropped: bool,
}

/// What a part is for the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartRole {
    Image,
    Text,
    /// A file in a field that the route does not know.
    UnknownFile,
}

/// Reads the parts of a form as they arrive.
pub(super) struct PartReader {
    stream: Multipart,
    fields: &'static FormFields,
    has_image: bool,
    /// How many more bytes the files may have together.
    file_bytes_left: usize,
    /// How many more bytes the other fields and the names of all fields may have together.
    text_bytes_left: usize,
    started_at: Instant,
    timeout: Duration,
    received_bytes: usize,
    /// Reserves memory for what arrives.
    pub(super) incoming: IncomingUpload,
}

impl PartReader {
    /// The minimum average speed of a client. At this speed, an image of the maximum size takes about three minutes.
    const MIN_BYTES_PER_SECOND: f64 = 32_768.0;

    /// The maximum size of a form without a `Content-Length`. The limits of its parts are below it; it ends a form that
    /// has no parts.
    const MAX_FORM_BYTES: usize = Upload::MAX_BYTES + 4 * WebConfig::MAX_BODY_BYTES;

    pub(super) fn new(
        request: &HttpRequest,
        payload: Payload,
        boundary: &str,
        fields: &'static FormFields,
        incoming: IncomingUpload,
    ) -> Result<Self, ApiError> {
        let config = request.app_data::<Data<WebConfig>>();
        let payload = without_part_lengths(payload, boundary, Self::MAX_FORM_BYTES);
        Ok(Self {
            stream: Multipart::new(&library_headers(boundary)?, payload),
            fields,
            has_image: false,
            file_bytes_left: Upload::MAX_BYTES,
            text_bytes_left: WebConfig::MAX_BODY_BYTES,
            started_at: Instant::now(),
            timeout: config.map(|config| config.client_request_timeout).unwrap_or_default(),
            received_bytes: 0,
            incoming,
        })
    }

    /// Reads the next part.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, ApiError> {
        let next = timeout_at(self.deadline(), self.stream.try_next()).await;
        let next =
            next.map_err(|_| ApiError::RequestTimeout)?.map_err(|error| read_error(&error))?;
        let Some(mut stream) = next else { return Ok(None) };
        let head = PartHead::parse(stream.headers())?;
        self.take_text_bytes(head.name.len() + 1)?;
        let role = self.fields.role_of(&head);
        let mut part = Part { head, role, content: Vec::new(), is_dropped: false };
        while let Some(chunk) = self.next_chunk(&mut stream).await? {
            self.add_chunk(&mut part, &chunk)?;
        }
        self.has_image |= role == PartRole::Image && !part.content.is_empty();
        Ok(Some(part))
    }

    fn add_chunk(&mut self, part: &mut Part, chunk: &[u8]) -> Result<(), ApiError> {
        self.received_bytes += chunk.len();
        self.incoming.reserve(chunk.len())?;
        match part.role {
            PartRole::Text => self.take_text_bytes(chunk.len())?,
            PartRole::Image | PartRole::UnknownFile => self.take_file_bytes(chunk.len())?,
        }
        match part.role {
            PartRole::Image if self.has_image => part.is_dropped |= !chunk.is_empty(),
            PartRole::UnknownFile => part.is_dropped |= !chunk.is_empty(),
            PartRole::Image | PartRole::Text => part.content.extend_from_slice(chunk),
        }
        Ok(())
    }

    fn take_file_bytes(&mut self, count: usize) -> Result<(), ApiError> {
        self.file_bytes_left =
            self.file_bytes_left.checked_sub(count).ok_or_else(image_too_large)?;
        Ok(())
    }

    fn take_text_bytes(&mut self, count: usize) -> Result<(), ApiError> {
        self.text_bytes_left =
            self.text_bytes_left.checked_sub(count).ok_or_else(text_too_large)?;
        Ok(())
    }

    async fn next_chunk(&self, part: &mut Field) -> Result<Option<Bytes>, ApiError> {
        let chunk = timeout_at(self.deadline(), part.try_next()).await;
        chunk.map_err(|_| ApiError::RequestTimeout)?.map_err(|error| read_error(&error))
    }

    /// Returns the time by which the next chunk must arrive. Every received byte extends it.
    fn deadline(&self) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "a body has a few megabytes at most")]
        let extension =
            Duration::from_secs_f64(self.received_bytes as f64 / Self::MIN_BYTES_PER_SECOND);
        self.started_at + self.timeout + extension
    }
}

/// Returns the request headers that the multipart library reads. They name another multipart type, for which the library
/// leaves `Content-Disposition` to [`PartHead`]. In a form it refuses parts with unreadable file names.
fn library_headers(boundary: &str) -> Result<HeaderMap, ApiError> {
    let content_type = format!("multipart/mixed; boundary=\"{boundary}\"");
    let content_type =
        HeaderValue::try_from(content_type).map_err(|error| Error::Internal(error.into()))?;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, content_type);
    Ok(headers)
}
