//! Password hashing, access tokens and their users, and the limit on failed logins.

pub(crate) mod access_token;
pub(crate) mod known_tokens;
pub(crate) mod login_throttle;
pub(crate) mod password_hasher;
