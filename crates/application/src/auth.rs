//! Password hashing, access tokens, and the limit on failed logins.

pub(crate) mod access_token;
pub(crate) mod login_throttle;
pub(crate) mod password_hasher;
