//! Password hashing, the users of access tokens, and the limit on failed logins.

pub(crate) mod known_tokens;
pub(crate) mod login_throttle;
pub(crate) mod password_hasher;

use grateful_storage::AccessToken;

use crate::{Error, Result};

/// Generates an access token.
///
/// # Errors
/// `Internal` if the operating system provides no randomness.
pub(crate) fn new_token() -> Result<AccessToken> {
    AccessToken::generate().map_err(|error| Error::Internal(error.into()))
}
