//! Passwords and their hashes.

use std::fmt;

use thiserror::Error;

/// A password in plain text. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Why a new password is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The password is too short or too long.
    #[error("must be {} to {} characters long", Password::MIN_CHARS, Password::MAX_CHARS)]
    Length,
}

impl Password {
    /// The minimum number of characters.
    pub const MIN_CHARS: usize = 8;
    /// The maximum number of characters. Hashing takes longer for longer passwords.
    pub const MAX_CHARS: usize = 128;

    /// Parses a new password. All characters are allowed.
    ///
    /// # Errors
    /// The password has fewer than [`Password::MIN_CHARS`] or more than [`Password::MAX_CHARS`] characters.
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

/// A salted password hash in the PHC string format, or in bcrypt's `$2b$` format from an older installation. `Debug`
/// hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash as stored.
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
    fn length_is_counted_in_characters() {
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
