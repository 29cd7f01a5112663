//! Default avatars of users without a profile photo: their initials on a colour (docs/rules.md#default-avatars).

use std::fmt;

use thiserror::Error;
use unicode_segmentation::UnicodeSegmentation;

use crate::text::is_visible;
use crate::{Author, UserId};

/// An sRGB colour: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The text is not a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a colour of six hexadecimal digits, such as 7C3AED")]
pub struct ColourError;

impl Colour {
    const BLACK: Self = Self([0; 3]);
    const WHITE: Self = Self([255; 3]);

    /// The background colours of default avatars (docs/rules.md#default-avatars).
    const PALETTE: [Self; 8] = [
        Self([0x7C, 0x3A, 0xED]),
        Self([0xA8, 0x55, 0xF7]),
        Self([0xC0, 0x84, 0xFC]),
        Self([0xDD, 0xD6, 0xFE]),
        Self([0x8B, 0x5C, 0xF6]),
        Self([0x93, 0x33, 0xEA]),
        Self([0xA2, 0x1C, 0xAF]),
        Self([0xBE, 0x18, 0x5D]),
    ];

    /// The background colour of this user's default avatar: the palette, by user id modulo 8.
    pub fn for_user(user: UserId) -> Self {
        let [first, ..] = i64::from(user).rem_euclid(8).to_le_bytes();
        Self::PALETTE[usize::from(first)]
    }

    /// Parses six hexadecimal digits in upper or lower case, without a `#`.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(digits: &str) -> Result<Self, ColourError> {
        let is_hex = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or(ColourError)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// The text colour for this background: white if its contrast is at least 4.5, otherwise black. The contrast is at
    /// least 4.5 for every colour, as WCAG 2.1 requires (1.4.3).
    #[must_use]
    pub fn text_colour(self) -> Self {
        if self.contrast(Self::WHITE) < 4.5 { Self::BLACK } else { Self::WHITE }
    }

    /// The contrast ratio, from 1 (unreadable) to 21 (<https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio>).
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// The relative luminance, from 0 (black) to 1 (white) (<https://www.w3.org/TR/WCAG21/#dfn-relative-luminance>).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.03928 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Colour {
    /// Formats as six hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|channel| write!(f, "{channel:02X}"))
    }
}

impl Author {
    /// The first letters or digits of the first and the last word of the name, in upper case, with their combining marks. If
    /// the name has none, its first visible character, such as an emoji.
    pub fn initials(&self) -> String {
        let name = self.name();
        let mut letters = name.split_whitespace().filter_map(|word| {
            word.graphemes(true).find(|grapheme| grapheme.starts_with(is_visible_letter))
        });
        let (first, last) = (letters.next(), letters.next_back());
        let initials = first.or_else(|| first_visible(name)).into_iter().chain(last);
        initials.map(|grapheme| truncate(grapheme).to_uppercase()).collect()
    }
}

fn is_visible_letter(character: char) -> bool {
    character.is_alphanumeric() && is_visible(character)
}

/// The first visible character with what belongs to it (a grapheme cluster, Unicode Standard Annex 29). Invisible characters
/// before it in the same cluster, such as a mark without a letter, are left out.
fn first_visible(text: &str) -> Option<&str> {
    text[text.find(is_visible)?..].graphemes(true).next()
}

/// Cuts a grapheme cluster with an unusual number of combining marks.
fn truncate(grapheme: &str) -> &str {
    let end = grapheme.char_indices().nth(MAX_INITIAL_CHARS).map_or(grapheme.len(), |(at, _)| at);
    &grapheme[..end]
}

/// The maximum number of Unicode scalar values of an initial. The longest emoji in use have ten.
const MAX_INITIAL_CHARS: usize = 12;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::{DisplayName, Username};

    #[test]
    fn eight_consecutive_users_have_different_colours_and_the_ninth_repeats_the_first() {
        let colours =
            (0..9).map(|id| Colour::for_user(UserId::from(id)).to_string()).collect::<Vec<_>>();
        assert_eq!(
            colours,
            [
                "7C3AED", "A855F7", "C084FC", "DDD6FE", "8B5CF6", "9333EA", "A21CAF", "BE185D",
                "7C3AED"
            ]
        );
    }

    #[rstest]
    #[case("7C3AED", "FFFFFF")]
    #[case("ddd6fe", "000000")]
    #[case("000000", "FFFFFF")]
    #[case("FFFFFF", "000000")]
    fn the_text_colour_has_enough_contrast(#[case] background: &str, #[case] text: &str) {
        assert_eq!(Colour::parse(background).unwrap().text_colour().to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("#7C3AED")]
    #[case("7C3AE")]
    #[case("7C3AEDFF")]
    #[case("7C3AEG")]
    #[case("+7C3AE")]
    #[case("７Ｃ")]
    fn malformed_colours_are_rejected(#[case] digits: &str) {
        assert_eq!(Colour::parse(digits), Err(ColourError));
    }

    #[rstest]
    #[case("ana", None, "A")]
    #[case("ana", Some("Ana Müller"), "AM")]
    #[case("ana", Some("Ana María de la Cruz"), "AC")]
    #[case("ana", Some("émile zola"), "ÉZ")]
    #[case("ana", Some("李 小龙"), "李小")]
    #[case("ana", Some("(Ana) <3"), "A3")]
    #[case("ana", Some("💜"), "💜")]
    #[case("ana", Some("👩\u{200d}👩\u{200d}👧 🇵🇹"), "👩\u{200d}👩\u{200d}👧")]
    #[case("ana", Some("🙏🏽"), "🙏🏽")]
    #[case("ana", Some("1\u{fe0f}\u{20e3} a"), "1\u{fe0f}\u{20e3}A")]
    #[case("ana", Some("\u{301}bc d"), "BD")]
    #[case("ana", Some("x\u{30c}yz"), "X\u{30c}")]
    #[case("ana", Some("नितिन कुमार"), "निकु")]
    #[case("ana", Some("דוד כהן"), "דכ")]
    #[case("ana", Some("\u{200b}zero"), "Z")]
    #[case("ana", Some("\u{3164}"), "A")]
    #[case("ana", Some("\u{2800}<"), "<")]
    #[case("ana", Some("\u{1e01b}\u{a3e}"), "\u{a3e}")]
    #[case("ana", Some("straße ßen"), "SSS")]
    #[case(".x", None, "X")]
    fn initials_are_from_the_first_and_the_last_word(
        #[case] username: &str,
        #[case] display_name: Option<&str>,
        #[case] initials: &str,
    ) {
        assert_eq!(author(username, display_name).initials(), initials);
    }

    #[test]
    fn an_initial_with_hundreds_of_marks_is_cut() {
        let author = author("ana", Some(&format!("z{}", "\u{301}".repeat(99))));
        assert_eq!(author.initials().chars().count(), MAX_INITIAL_CHARS);
    }

    fn author(username: &str, display_name: Option<&str>) -> Author {
        Author {
            id: UserId::from(1),
            username: Username::from_stored(username.to_owned()),
            display_name: display_name.map(|name| DisplayName::from_stored(name.to_owned())),
            profile_image_url: None,
        }
    }

    proptest! {
        #[test]
        fn every_display_name_has_initials(raw in "\\PC{1,30}") {
            if let Ok(name) = DisplayName::parse(&raw) {
                prop_assert!(author("ana", Some(name.as_str())).initials().contains(is_visible));
            }
        }

        #[test]
        fn text_is_readable_on_every_colour(channels: [u8; 3]) {
            let background = Colour(channels);
            prop_assert!(4.5 <= background.contrast(background.text_colour()));
            prop_assert_eq!(Colour::parse(&background.to_string()), Ok(background));
        }
    }
}
