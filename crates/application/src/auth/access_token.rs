//! The tokens that open sessions.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use grateful_storage::TokenHash;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// 256 random bits in base64url, known to one client and to nobody else. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// So many bits that nobody guesses one.
const TOKEN_BYTES: usize = 32;

impl AccessToken {
    /// A token that nobody has seen.
    ///
    /// # Errors
    /// The operating system has no randomness to give.
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| Error::Internal(error.into()))?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A token as a client sent it, if it has the form of one: anything else need not be looked up.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == TOKEN_BYTES).then(|| Self(text.to_owned()))
    }

    /// The text for the client.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is kept of it. Needs no salt: nobody can try out all tokens.
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
    fn a_token_survives_its_way_to_the_client_and_back() {
        let token = AccessToken::generate().unwrap();
        assert_eq!(AccessToken::parse(token.as_str()), Some(token));
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        for text in ["", "x", "…", &"A".repeat(42), &"A".repeat(10_000), "null"] {
            assert_eq!(AccessToken::parse(text), None, "{text}");
        }
    }

    #[test]
    fn debug_output_does_not_show_the_token() {
        assert_eq!(format!("{:?}", AccessToken::generate().unwrap()), "AccessToken(…)");
    }
}
