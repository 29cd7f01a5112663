//! Access tokens of sessions.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use grateful_storage::TokenHash;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The secret of a session: 256 random bits in base64url. Its `Debug` output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// Enough bits that a token cannot be guessed.
const TOKEN_BYTES: usize = 32;

impl AccessToken {
    /// Generates a token.
    ///
    /// # Errors
    /// `Internal` if the operating system provides no randomness.
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| Error::Internal(error.into()))?;
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

    /// The hash that is stored. It needs no salt: there are too many tokens to try.
    pub(crate) fn hash(&self) -> TokenHash {
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
