//! The request id, which connects a response with its log lines.

use std::fmt;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The id of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// Long enough for the ids of tracing systems.
    const MAX_CHARS: usize = 128;

    /// Takes the id from the client or a proxy if it is safe to repeat, otherwise generates one.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let sent = headers.get(Self::HEADER).and_then(|value| value.to_str().ok());
        let sent = sent.filter(|id| is_safe(id)).map(str::to_owned);
        sent.map_or_else(Self::generate, Self)
    }

    /// Generates a unique id.
    pub(crate) fn generate() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}

fn is_safe(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=RequestId::MAX_CHARS).contains(&id.len()) && id.bytes().all(is_allowed)
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_safe_id_is_repeated() {
        assert!(is_safe("01937b5e-7c2a.a_b:c"));
        for id in ["", "a b", "a\"b", "ü", "a\nb", &"x".repeat(129)] {
            assert!(!is_safe(id), "{id}");
        }
    }
}
