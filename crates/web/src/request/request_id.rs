//! The request id, which connects a response with its log lines.

use std::fmt;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The id of a request, as the value of a header, whose copies share the text.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// Long enough for the ids of tracing systems.
    const MAX_CHARS: usize = 128;

    /// Takes the id from the client or a proxy if it is safe to repeat, otherwise generates one.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let sent = headers.get(Self::HEADER);
        let sent = sent.filter(|value| value.to_str().is_ok_and(is_safe));
        sent.map_or_else(Self::generate, |value| Self(value.clone()))
    }

    /// Generates a unique id.
    pub(crate) fn generate() -> Self {
        let mut buffer = Uuid::encode_buffer();
        let text = Uuid::new_v4().as_hyphenated().encode_lower(&mut buffer);
        Self(HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown")))
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

fn is_safe(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=RequestId::MAX_CHARS).contains(&id.len()) && id.bytes().all(is_allowed)
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
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
