//! The `Idempotency-Key` header, and what makes two requests the same.

use actix_web::HttpRequest;
use grateful_application::{IdempotencyKey, IdempotentRequest};
use grateful_domain::ValidationError;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// What makes this request the same as another: its key, and all that decides what it does, as it is read.
pub(crate) struct FingerprintBuilder(Option<(IdempotencyKey, Sha256)>);

impl FingerprintBuilder {
    /// Of this request, where it has a key.
    pub(crate) fn begin(request: &HttpRequest) -> Result<Self, ApiError> {
        let Some(raw) = request.headers().get("idempotency-key") else { return Ok(Self(None)) };
        let key = IdempotencyKey::parse(raw.to_str().unwrap_or_default());
        let key = key.map_err(|error| ValidationError::field("Idempotency-Key", error))?;
        let mut repeating = Self(Some((key, Sha256::new())));
        repeating.add(request.method().as_str().as_bytes());
        repeating.add(request.path().as_bytes());
        Ok(repeating)
    }

    /// The next part of its body.
    pub(crate) fn add(&mut self, part: &[u8]) {
        if let Some((_, hash)) = &mut self.0 {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
    }

    pub(crate) fn end(self) -> Option<IdempotentRequest> {
        self.0.map(|(key, hash)| IdempotentRequest { key, fingerprint: hash.finalize().into() })
    }
}
