//! Normalisation and length checks of user text (docs/rules.md#accounts-and-profiles).

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Why a text is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The text is empty or only white space.
    #[error("must not be empty")]
    Empty,
    /// The text has more Unicode scalar values than allowed, after normalisation and trimming.
    #[error("must be at most {max} characters long, but has {chars}")]
    TooLong {
        /// The length of the text.
        chars: usize,
        /// The maximum length.
        max: usize,
    },
    /// The text contains a control character. Tabs, and line breaks in multi-line text, are allowed.
    #[error("must not contain control characters")]
    ControlCharacter,
}

/// Whether a text may contain line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    Single,
    Multiple,
}

/// Trims a text, converts it to NFC, line breaks to line feeds and tabs to spaces, and rejects control characters.
pub(crate) fn normalize(raw: &str, lines: Lines) -> Result<String, TextError> {
    let replaced = raw.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    let forbidden = |c: char| c.is_control() && !(c == '\n' && lines == Lines::Multiple);
    // Trims before the check, since some forms end a single-line field with a line break.
    let trimmed = replaced.trim();
    if trimmed.contains(forbidden) {
        return Err(TextError::ControlCharacter);
    }
    Ok(trimmed.nfc().collect())
}

/// Parses a text of at most `max` characters; `None` if it is blank.
pub(crate) fn optional(raw: &str, lines: Lines, max: usize) -> Result<Option<String>, TextError> {
    let text = normalize(raw, lines)?;
    match text.chars().count() {
        0 => Ok(None),
        chars if max < chars => Err(TextError::TooLong { chars, max }),
        _ => Ok(Some(text)),
    }
}

/// Parses a text of 1 to `max` characters.
pub(crate) fn required(raw: &str, lines: Lines, max: usize) -> Result<String, TextError> {
    optional(raw, lines, max)?.ok_or(TextError::Empty)
}

/// Declares a newtype for validated text. Each type has its own `parse`.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Wraps text that was parsed before it was stored. Checks nothing, so that rows stay readable when a limit is
            /// lowered.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    )+};
}
pub(crate) use texts;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::carriage_returns("a\r\nb\rc", "a\nb\nc")]
    #[case::tabs("a\tb", "a b")]
    #[case::decomposed_letters("cafe\u{301}", "café")]
    #[case::surrounding_space(" \n a \u{3000}\n", "a")]
    fn text_is_normalized(#[case] raw: &str, #[case] normalized: &str) {
        assert_eq!(normalize(raw, Lines::Multiple).unwrap(), normalized);
    }

    #[rstest]
    #[case::nul("a\0b")]
    #[case::escape("a\u{1b}b")]
    #[case::c1("a\u{85}b")]
    fn control_characters_are_rejected(#[case] raw: &str) {
        assert_eq!(normalize(raw, Lines::Multiple), Err(TextError::ControlCharacter));
    }

    #[test]
    fn line_feeds_are_refused_in_single_line_text() {
        assert_eq!(normalize("a\nb", Lines::Single), Err(TextError::ControlCharacter));
    }

    #[test]
    fn length_is_counted_after_normalization() {
        assert_eq!(required(&"e\u{301}".repeat(3), Lines::Single, 3).unwrap(), "ééé");
        assert_eq!(
            required("abcd", Lines::Single, 3),
            Err(TextError::TooLong { chars: 4, max: 3 })
        );
    }
}
