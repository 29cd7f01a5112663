//! Passwords and their hashes.

use std::fmt;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// A normalized password in plain text. `Debug` hides it.
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

    /// Parses a new password. All characters are allowed. Characters are counted after normalization, so that the length
    /// does not depend on how a device composes letters.
    ///
    /// # Errors
    /// The password has fewer than [`Password::MIN_CHARS`] or more than [`Password::MAX_CHARS`] characters.
    pub fn parse(raw: &str) -> Result<Self, PasswordError> {
        let normalized = Self::normalize(raw);
        let chars = normalized.chars().count();
        if (Self::MIN_CHARS..=Self::MAX_CHARS).contains(&chars) {
            Ok(Self(normalized))
        } else {
            Err(PasswordError::Length)
        }
    }

    /// The form of a password that is hashed: spaces of any width become U+0020, and the text is NFC, as the `OpaqueString`
    /// profile of RFC 8265 says. So passwords that look the same are the same on every device.
    pub fn normalize(raw: &str) -> String {
        raw.chars().map(|c| if is_space(c) { ' ' } else { c }).nfc().collect()
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Whether a character has the general category Zs.
fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
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
        assert!(Password::parse(&"💜".repeat(8)).is_ok());
        assert!(Password::parse(&"💜".repeat(128)).is_ok());
        assert_eq!(Password::parse(&"💜".repeat(7)), Err(PasswordError::Length));
        assert_eq!(Password::parse(&"x".repeat(129)), Err(PasswordError::Length));
    }

    #[test]
    fn length_is_counted_after_normalization() {
        assert!(Password::parse(&"e\u{301}".repeat(128)).is_ok());
        assert_eq!(Password::parse(&"e\u{301}".repeat(7)), Err(PasswordError::Length));
        // One Hangul syllable of three letters.
        assert_eq!(
            Password::parse(&"\u{1112}\u{1161}\u{11ab}".repeat(7)),
            Err(PasswordError::Length)
        );
    }

    #[test]
    fn passwords_that_look_the_same_are_the_same() {
        for (one, other) in [
            ("caf\u{e9} au lait", "cafe\u{301} au lait"),
            ("\u{1e69}esame open", "s\u{307}\u{323}esame open"),
            (
                "\u{d55c}\u{ae00} password",
                "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af} password",
            ),
            ("10 \u{c5}ngstr\u{f6}m", "10 \u{212b}ngstro\u{308}m"),
            ("correct horse", "correct\u{a0}horse"),
            ("correct horse", "correct\u{3000}horse"),
        ] {
            assert_eq!(Password::parse(one).unwrap(), Password::parse(other).unwrap(), "{one}");
        }
    }

    #[test]
    fn normalization_keeps_case_width_ligatures_and_surrounding_space() {
        for raw in [
            " Correct horse ",
            "ＣＯＲＲＥＣＴ horse",
            "corre\0ct\thorse\r\n",
            "ﬁne horses",
            "e\u{200d}e",
        ] {
            assert_eq!(Password::normalize(raw), raw);
        }
    }

    #[test]
    fn debug_output_shows_neither_password_nor_hash() {
        let password = Password::parse("correct horse").unwrap();
        let hash = PasswordHash::from("$argon2id$…".to_owned());
        assert_eq!(format!("{password:?} {hash:?}"), "Password(…) PasswordHash(…)");
    }
}
