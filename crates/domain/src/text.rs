//! Normalisation and length checks of user text (docs/rules.md#accounts-and-profiles).

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Why a text is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The text has no visible character.
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
    /// The name contains a bidirectional control character, which could reverse the text around the name.
    #[error("must not contain bidirectional control characters")]
    BidirectionalControl,
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

/// Whether a text has no visible character: it is empty, or consists of white space, control and format characters, fillers
/// and combining marks.
pub(crate) fn is_blank(text: &str) -> bool {
    !text.chars().any(is_visible)
}

/// Whether a character is visible on its own. Unassigned characters count as visible, since newer versions of Unicode
/// assign them.
pub(crate) fn is_visible(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_graphic();
    }
    let is_invisible_category = matches!(
        character.general_category(),
        GeneralCategory::SpaceSeparator
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::NonspacingMark
            | GeneralCategory::EnclosingMark
    );
    !is_invisible_category
        && !BLANK_CHARACTERS.contains(&character)
        && !is_noncharacter(character)
        && !is_default_ignorable(character)
}

/// Whether a character is invisible where no rule says how to show it: the property `Default_Ignorable_Code_Point`, which is
/// extended only within these ranges (The Unicode Standard, section 5.21).
fn is_default_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Letters and symbols whose glyph is blank, although no property says so: U+2800 BRAILLE PATTERN BLANK, U+FFFC OBJECT
/// REPLACEMENT CHARACTER, U+13441 and U+13442 EGYPTIAN HIEROGLYPH FULL and HALF BLANK, U+1D159 MUSICAL SYMBOL NULL
/// NOTEHEAD.
const BLANK_CHARACTERS: [char; 5] = ['\u{2800}', '\u{FFFC}', '\u{13441}', '\u{13442}', '\u{1D159}'];

/// Whether Unicode never assigns a character (The Unicode Standard, section 23.7). XML forbids some of these.
fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

/// Whether a character is a bidirectional control (Unicode Standard Annex 9, section 2).
pub(crate) fn is_bidirectional_control(character: char) -> bool {
    matches!(
        character,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

/// Parses a text of at most `max` characters; `None` if it is blank.
pub(crate) fn optional(raw: &str, lines: Lines, max: usize) -> Result<Option<String>, TextError> {
    let text = normalize(raw, lines)?;
    if is_blank(&text) {
        return Ok(None);
    }
    match text.chars().count() {
        chars if max < chars => Err(TextError::TooLong { chars, max }),
        _ => Ok(Some(text)),
    }
}

/// Parses a text of 1 to `max` characters, at least one of them visible.
pub(crate) fn required(raw: &str, lines: Lines, max: usize) -> Result<String, TextError> {
    optional(raw, lines, max)?.ok_or(TextError::Empty)
}

/// Declares a newtype for validated text. Each type has its own `parse`.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
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
    use unicode_properties::GeneralCategoryGroup;

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

    #[rstest]
    #[case::nothing("")]
    #[case::white_space(" \t\n\u{a0}\u{3000}\u{2028}\u{1680}")]
    #[case::zero_width_spaces("\u{200b}\u{2060}\u{feff}")]
    #[case::joiners("\u{200c}\u{200d}")]
    #[case::a_soft_hyphen("\u{ad}")]
    #[case::mongolian_signs("\u{180e}\u{180b}")]
    #[case::bidirectional_controls("\u{202e}\u{2066}\u{200f}\u{61c}")]
    #[case::hangul_fillers("\u{115f}\u{1160}\u{3164}\u{ffa0}")]
    #[case::a_braille_blank("\u{2800}")]
    #[case::variation_selectors("\u{fe0f}\u{fe00}\u{e0100}")]
    #[case::tags("\u{e0001}\u{e0020}\u{e007f}")]
    #[case::combining_marks("\u{301}\u{20e3}\u{34f}")]
    #[case::khmer_vowels_that_are_not_shown("\u{17b4}\u{17b5}")]
    #[case::invisible_operators("\u{2061}\u{2064}\u{206a}")]
    #[case::musical_signs("\u{1d159}\u{1d173}")]
    #[case::blank_hieroglyphs("\u{13441}\u{13442}")]
    #[case::object_replacement("\u{fffc}")]
    #[case::noncharacters("\u{fdd0}\u{ffff}\u{10ffff}")]
    #[case::a_mixture(" \u{200b} \u{2800}\u{fe0f}\u{3164}\u{301}")]
    fn text_of_nothing_that_can_be_seen_is_blank(#[case] raw: &str) {
        assert!(is_blank(raw));
        assert_eq!(optional(raw, Lines::Multiple, 3), Ok(None));
        assert_eq!(required(raw, Lines::Multiple, 3), Err(TextError::Empty));
    }

    #[rstest]
    #[case::a_letter("a")]
    #[case::a_sign(".")]
    #[case::an_emoji("💜")]
    #[case::a_family("👩\u{200d}👩\u{200d}👧")]
    #[case::a_keycap("1\u{fe0f}\u{20e3}")]
    #[case::a_flag("🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}")]
    #[case::regional_indicators("🇵🇹")]
    #[case::persian_with_a_non_joiner("می\u{200c}خواهم")]
    #[case::sinhala_with_a_joiner("ශ්\u{200d}රී")]
    #[case::devanagari("नमस्ते")]
    #[case::a_spacing_mark("\u{93e}")]
    #[case::braille("⠁")]
    #[case::private_use("\u{f8ff}")]
    #[case::among_invisible_ones("\u{200b}\u{3164}a\u{2800}")]
    fn text_with_a_visible_character_keeps_all_its_characters(#[case] raw: &str) {
        assert_eq!(required(raw, Lines::Single, 20).as_deref(), Ok(raw));
    }

    /// Every character is a case of its own: those that no font shows, by the properties that say so.
    #[test]
    fn no_format_character_filler_or_separator_is_visible() {
        for character in '\0'..=char::MAX {
            let is_hidden = character.is_whitespace()
                || character.is_control()
                || is_default_ignorable(character)
                || is_bidirectional_control(character);
            assert!(!(is_hidden && is_visible(character)), "{character:?}");
            assert!(
                !character.is_alphanumeric() || is_visible(character) || {
                    character.general_category_group() == GeneralCategoryGroup::Mark
                        || is_default_ignorable(character)
                        || BLANK_CHARACTERS.contains(&character)
                },
                "{character:?}"
            );
        }
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
