//! The `Idempotency-Key` header, and the fingerprint of a request.

use actix_web::HttpRequest;
use grateful_application::{IdempotencyKey, IdempotentRequest};
use grateful_domain::ValidationError;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// Hashes the method, the path and the body of a request as they are read. Two requests with the same key are the same
/// request if their fingerprints are equal.
pub(crate) struct FingerprintBuilder(Option<(IdempotencyKey, Sha256)>);

impl FingerprintBuilder {
    /// Starts the fingerprint of a request with its method and path. A request without a key has no fingerprint.
    pub(crate) fn start(request: &HttpRequest) -> Result<Self, ApiError> {
        let Some(raw) = request.headers().get("idempotency-key") else { return Ok(Self(None)) };
        let key = IdempotencyKey::parse(raw.to_str().unwrap_or_default());
        let key = key.map_err(|error| ValidationError::field("Idempotency-Key", error))?;
        let mut builder = Self(Some((key, Sha256::new())));
        builder.update(request.method().as_str().as_bytes());
        builder.update(request.path().as_bytes());
        Ok(builder)
    }

    /// Adds the next part of the body.
    pub(crate) fn update(&mut self, part: &[u8]) {
        if let Some((_, hash)) = &mut self.0 {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
    }

    pub(crate) fn finish(self) -> Option<IdempotentRequest> {
        self.0.map(|(key, hash)| IdempotentRequest { key, fingerprint: hash.finalize().into() })
    }
}
