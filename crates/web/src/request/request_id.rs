//! The name of a request, by which its answer and its log lines find each other.

use std::fmt;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The name of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// Long enough for what tracing systems send.
    const MAX_CHARS: usize = 128;

    /// The name that the client or a proxy gave, if it is safe to repeat, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(Self::HEADER).and_then(|given| given.to_str().ok());
        let given = given.filter(|given| is_sane(given)).map(str::to_owned);
        given.map_or_else(Self::make, Self)
    }

    /// A name that nothing else has.
    pub(crate) fn make() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    pub(crate) fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}

fn is_sane(given: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=RequestId::MAX_CHARS).contains(&given.len()) && given.bytes().all(allowed)
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
    fn only_a_sane_name_is_repeated() {
        assert!(is_sane("01937b5e-7c2a.a_b:c"));
        for given in ["", "a b", "a\"b", "ü", "a\nb", &"x".repeat(129)] {
            assert!(!is_sane(given), "{given}");
        }
    }
}
