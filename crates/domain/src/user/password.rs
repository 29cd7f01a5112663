//! What somebody proves themselves with, and what is kept of it.

use std::fmt;

use thiserror::Error;

/// A password as it was typed. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Why a new password was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Fewer or more characters than allowed.
    #[error("must be {} to {} characters long", Password::MIN_CHARS, Password::MAX_CHARS)]
    Length,
}

impl Password {
    /// The fewest characters.
    pub const MIN_CHARS: usize = 8;
    /// The most characters: hashing takes longer the more there are.
    pub const MAX_CHARS: usize = 128;

    /// Checks a password that somebody chooses. Any characters may be in it.
    ///
    /// # Errors
    /// Fewer than [`Password::MIN_CHARS`] or more than [`Password::MAX_CHARS`].
    pub fn parse(raw: String) -> Result<Self, PasswordError> {
        let chars = raw.chars().count();
        if (Self::MIN_CHARS..=Self::MAX_CHARS).contains(&chars) {
            Ok(Self(raw))
        } else {
            Err(PasswordError::Length)
        }
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What is kept of a password: a salted hash in the PHC string format, or in bcrypt's `$2b$` form from
/// an older installation. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The text in which it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PasswordHash {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_not_bytes() {
        assert!(Password::parse("💜".repeat(8)).is_ok());
        assert!(Password::parse("💜".repeat(128)).is_ok());
        assert_eq!(Password::parse("💜".repeat(7)), Err(PasswordError::Length));
        assert_eq!(Password::parse("x".repeat(129)), Err(PasswordError::Length));
    }

    #[test]
    fn debug_output_shows_neither_password_nor_hash() {
        let password = Password::parse("correct horse".to_owned()).unwrap();
        let hash = PasswordHash::from("$argon2id$…".to_owned());
        assert_eq!(format!("{password:?} {hash:?}"), "Password(…) PasswordHash(…)");
    }
}
