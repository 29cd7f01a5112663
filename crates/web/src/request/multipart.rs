//! `multipart/form-data` bodies with an image. They are read as they arrive, within limits of size and time.

mod content_type;
mod parameters;
mod part_head;
mod part_lengths;
mod part_reader;
mod read_error;

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpMessage, HttpRequest};
use grateful_application::{Error, IdempotentRequest, ImageProcessor, Upload};
use grateful_domain::{FieldValidator, Session, UserId};

use self::content_type::boundary_of;
use self::part_head::PartHead;
use self::part_reader::{Part, PartReader, PartRole};
use self::read_error::image_too_large;
use crate::WebConfig;
use crate::error::ApiError;
use crate::request::{Field, FingerprintBuilder, app, parse_flag, unauthenticated};

/// The fields of a form that a route knows.
#[derive(Debug)]
pub(crate) struct FormFields {
    /// The field with the image.
    pub(crate) image: &'static str,
    /// The fields with text.
    pub(crate) texts: &'static [&'static str],
}

/// The parts of a form.
pub(crate) struct MultipartForm {
    texts: HashMap<String, Field<String>>,
    /// The image, if the form has one.
    pub(crate) image: Option<Upload>,
    /// The errors of the files. The route adds those of its fields.
    pub(crate) validator: FieldValidator,
    /// The key and fingerprint of the request, if it has a key.
    pub(crate) idempotency: Option<IdempotentRequest>,
}

impl MultipartForm {
    /// Reads a form with these fields.
    ///
    /// The whole form is received first, and only then takes a slot in the queue for processing, so that slow clients fill
    /// no queue. How much all clients send at the same time is bounded by [`ImageProcessor::begin_upload`].
    pub(crate) async fn read(
        request: HttpRequest,
        payload: Payload,
        fields: &'static FormFields,
    ) -> Result<Self, ApiError> {
        let boundary = boundary_of(request.headers())?;
        check_declared_size(&request)?;
        let processor = image_processor(&request)?;
        let incoming = processor.begin_upload(uploader(&request)?)?;
        let mut fingerprint = FingerprintBuilder::start(&request)?;
        let mut reader = PartReader::new(&request, payload, &boundary, fields, incoming)?;
        let mut parts = FormParts::default();
        while let Some(part) = reader.next().await? {
            fingerprint.update(part.head.name.as_bytes());
            fingerprint.update(&part.content);
            parts.add(part, fields);
        }
        let FormParts { texts, image, validator, .. } = parts;
        let admit = |bytes| {
            let permit = processor.admit_upload(reader.incoming)?;
            Ok::<_, Error>(Upload { bytes, field: fields.image, permit })
        };
        let image = image.map(admit).transpose()?;
        Ok(Self { texts, image, validator, idempotency: fingerprint.finish() })
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

    /// Takes a boolean field.
    pub(crate) fn flag(&mut self, name: &str) -> Field<bool> {
        match self.non_blank_text(name) {
            Field::Value(text) => {
                parse_flag(&text).map_or(Field::WrongType("must be true or false"), Field::Value)
            }
            Field::WrongType(expected) => Field::WrongType(expected),
            Field::Absent | Field::Null => Field::Absent,
        }
    }
}

impl FormFields {
    fn role_of(&self, head: &PartHead) -> PartRole {
        if head.name == self.image {
            PartRole::Image
        } else if head.is_file && !self.texts.contains(&head.name.as_str()) {
            PartRole::UnknownFile
        } else {
            PartRole::Text
        }
    }
}

/// What was read of a form.
#[derive(Default)]
struct FormParts {
    texts: HashMap<String, Field<String>>,
    image: Option<Vec<u8>>,
    validator: FieldValidator,
    unknown_files: usize,
}

impl FormParts {
    /// How many unknown files an error names.
    const MAX_UNKNOWN_FILES: usize = 10;

    /// The longest name of an unknown file that an error repeats.
    const MAX_NAME_BYTES: usize = 100;

    /// Adds a part. Browsers send an empty file if the user chose none, so empty files count as absent.
    fn add(&mut self, part: Part, fields: &FormFields) {
        let Part { head, role, content, is_dropped } = part;
        match role {
            PartRole::Text => {
                self.texts.insert(head.name, text_field(content, head.is_encoded));
            }
            PartRole::Image if is_dropped => self.reject(fields.image, "must be one file"),
            PartRole::Image if content.is_empty() => (),
            PartRole::Image if head.is_encoded => self.reject(fields.image, ENCODED),
            PartRole::Image => self.image = Some(content),
            PartRole::UnknownFile if is_dropped => self.reject_unknown_file(head.name, fields),
            PartRole::UnknownFile => (),
        }
    }

    fn reject(&mut self, field: &'static str, reason: &str) {
        self.validator.check(field, Err::<(), _>(reason));
    }

    /// Records the error of a file in a field that the route does not know. To ignore it would lose an image.
    fn reject_unknown_file(&mut self, name: String, fields: &FormFields) {
        self.unknown_files += 1;
        if Self::MAX_UNKNOWN_FILES < self.unknown_files {
            return;
        }
        let is_printable = !name.trim().is_empty() && !name.contains(char::is_control);
        if is_printable && name.len() <= Self::MAX_NAME_BYTES {
            let reason = format!("is not a field for a file; send the file as {}", fields.image);
            self.validator.check(name, Err::<(), _>(reason));
        } else {
            let reason =
                format!("has a file without a usable name; send the file as {}", fields.image);
            self.validator.check("body", Err::<(), _>(reason));
        }
    }
}

/// The error of a part with a `Content-Transfer-Encoding`.
const ENCODED: &str = "must be sent without a Content-Transfer-Encoding such as base64";

fn text_field(content: Vec<u8>, is_encoded: bool) -> Field<String> {
    if is_encoded {
        return Field::WrongType(ENCODED);
    }
    String::from_utf8(content).map_or(Field::WrongType("must be UTF-8 text"), Field::Value)
}

fn image_processor(request: &HttpRequest) -> Result<Arc<ImageProcessor>, Error> {
    Ok(Arc::clone(&app(request)?.image_processor))
}

fn uploader(request: &HttpRequest) -> Result<UserId, Error> {
    let user = request.extensions().get::<Session>().map(|session| session.user);
    user.ok_or_else(unauthenticated)
}

/// Rejects a body whose `Content-Length` is too large, before any of it is read.
fn check_declared_size(request: &HttpRequest) -> Result<(), ApiError> {
    let max_bytes = Upload::MAX_BYTES + 2 * WebConfig::MAX_BODY_BYTES;
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = declared.and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| max_bytes < length) { Err(image_too_large()) } else { Ok(()) }
}
