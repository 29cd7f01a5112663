//! Texts that are sent compressed or as they are, with entity tags.

use std::borrow::Cow;
use std::io::Write as _;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, ETAG, Encoding, EntityTag, Header as _,
    HeaderValue, IfNoneMatch, TryIntoHeaderValue as _, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// A text in the forms in which it can be sent.
pub(crate) struct Document {
    text: Bytes,
    gzip: Bytes,
    hash: String,
}

impl Document {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        let text = match text.into() {
            Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
            Cow::Owned(text) => Bytes::from(text),
        };
        Self { hash: short_hash(&[&text[..]]), gzip: compressed(&text).into(), text }
    }

    /// The text as bytes.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Answers a request for this document: 304 if the client has it, otherwise in a form that the client accepts.
    pub(crate) fn respond(
        &self,
        request: &HttpRequest,
        content_type: &'static str,
        caching: &'static str,
    ) -> HttpResponse {
        let mut response = if has_current_copy(request, &self.tag(request)) {
            HttpResponse::NotModified().finish()
        } else {
            self.send(request, StatusCode::OK, content_type)
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Ok(tag) = self.tag(request).try_into_value() {
            headers.insert(ETAG, tag);
        }
        response
    }

    /// Sends the document in a form that the client accepts, without headers for caches.
    pub(crate) fn send(
        &self,
        request: &HttpRequest,
        status: StatusCode,
        content_type: &'static str,
    ) -> HttpResponse {
        let mut response = HttpResponse::build(status);
        response.content_type(content_type);
        if accepts_gzip(request) {
            response.insert_header((CONTENT_ENCODING, "gzip")).body(self.gzip.clone())
        } else {
            response.body(self.text.clone())
        }
    }

    /// The tag of the form that the client accepts, since a strong tag stands for the bytes that are sent.
    fn tag(&self, request: &HttpRequest) -> EntityTag {
        let form = if accepts_gzip(request) { "-gzip" } else { "" };
        EntityTag::new_strong(format!("{}{form}", self.hash))
    }
}

fn accepts_gzip(request: &HttpRequest) -> bool {
    let supported = [Encoding::gzip(), Encoding::identity()];
    let accepted = AcceptEncoding::parse(request).ok();
    accepted.and_then(|accepted| accepted.negotiate(supported.iter())) == Some(Encoding::gzip())
}

fn has_current_copy(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|listed| listed.weak_eq(tag)),
        Err(_) => false,
    }
}

/// The first 8 bytes of a hash over all parts, each with its end marked, as hexadecimal digits.
pub(crate) fn short_hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    let prefix = hash.finalize().first_chunk().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(prefix))
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to a vector does not fail.
    _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
