//! Access tokens of sessions.

use std::{fmt, io};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::TokenHash;

/// The secret of a session, which a client sends as `Authorization: Bearer <token>`. Its `Debug` output hides it.
///
/// The text is 32 random bytes in base64url (RFC 4648, section 5) without padding: 43 characters of `A-Z a-z 0-9 - _`.
///
/// ```
/// use grateful_storage::AccessToken;
///
/// let token = AccessToken::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
/// assert_eq!(token.hash().0[..4], [0x0f, 0x00, 0x73, 0x85]);
/// assert!(AccessToken::parse("too short").is_none());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// Enough bits that a token cannot be guessed.
const TOKEN_BYTES: usize = 32;

impl AccessToken {
    /// Generates a token.
    ///
    /// # Errors
    /// The operating system provides no randomness.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Parses a token that a client sent. Returns `None` for text that cannot be a token and needs no look-up.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == TOKEN_BYTES).then(|| Self(text.to_owned()))
    }

    /// The token as sent to the client.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash that is stored: SHA-256 of the 43 ASCII characters, not of the 32 bytes that they stand for. It needs no salt:
    /// there are too many tokens to try.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_token_parses() {
        let token = AccessToken::generate().unwrap();
        assert_eq!(AccessToken::parse(token.as_str()), Some(token));
    }

    #[test]
    fn malformed_tokens_do_not_parse() {
        for text in ["", "x", "…", &"A".repeat(42), &"A".repeat(10_000), "null"] {
            assert_eq!(AccessToken::parse(text), None, "{text}");
        }
    }

    #[test]
    fn debug_output_hides_the_token() {
        assert_eq!(format!("{:?}", AccessToken::generate().unwrap()), "AccessToken(…)");
    }
}
