//! How text from people is made comparable and storable before anything is counted.

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More Unicode scalar values than allowed, after normalisation and trimming.
    #[error("must be at most {max} characters long, but has {chars}")]
    TooLong {
        /// How many there are.
        chars: usize,
        /// How many there may be.
        max: usize,
    },
    /// A control character other than those that [`tidy`] turns into a space or a line feed.
    #[error("must not contain control characters")]
    Control,
}

/// Whether a text may be broken into lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    One,
    Many,
}

/// The text in NFC with one kind of line break and no control characters (rules §5).
pub(crate) fn tidy(raw: &str, lines: Lines) -> Result<String, TextError> {
    let unified = raw.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    let forbidden = |c: char| c.is_control() && !(c == '\n' && lines == Lines::Many);
    // A trailing line break is how some forms end a field, not a second line.
    let trimmed = unified.trim();
    if trimmed.contains(forbidden) {
        return Err(TextError::Control);
    }
    Ok(trimmed.nfc().collect())
}

/// A tidy text of at most `max` characters; `None` where only white space was sent.
pub(crate) fn optional(raw: &str, lines: Lines, max: usize) -> Result<Option<String>, TextError> {
    let text = tidy(raw, lines)?;
    match text.chars().count() {
        0 => Ok(None),
        chars if max < chars => Err(TextError::TooLong { chars, max }),
        _ => Ok(Some(text)),
    }
}

/// A tidy text of 1 to `max` characters.
pub(crate) fn required(raw: &str, lines: Lines, max: usize) -> Result<String, TextError> {
    optional(raw, lines, max)?.ok_or(TextError::Empty)
}

/// Declares a text that was parsed: each is made by its own `parse`, and read back as a string.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes back what was parsed before it was stored. Nothing is checked, so that a limit
            /// which shrinks one day does not make old rows unreadable.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The text itself.
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
    fn text_is_tidied(#[case] raw: &str, #[case] tidied: &str) {
        assert_eq!(tidy(raw, Lines::Many).unwrap(), tidied);
    }

    #[rstest]
    #[case::nul("a\0b")]
    #[case::escape("a\u{1b}b")]
    #[case::c1("a\u{85}b")]
    fn control_characters_are_refused(#[case] raw: &str) {
        assert_eq!(tidy(raw, Lines::Many), Err(TextError::Control));
    }

    #[test]
    fn a_line_feed_is_a_control_character_in_a_single_line() {
        assert_eq!(tidy("a\nb", Lines::One), Err(TextError::Control));
    }

    #[test]
    fn length_is_counted_after_composing() {
        assert_eq!(required(&"e\u{301}".repeat(3), Lines::One, 3).unwrap(), "ééé");
        assert_eq!(required("abcd", Lines::One, 3), Err(TextError::TooLong { chars: 4, max: 3 }));
    }
}
