//! What stands for a person who has no photo: their initials on a colour.

use std::fmt;

use thiserror::Error;

use crate::{Author, UserId};

/// A colour, by its parts of red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// What is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a colour of six hexadecimal digits, such as 7C3AED")]
pub struct ColourError;

impl Colour {
    const BLACK: Self = Self([0; 3]);
    const WHITE: Self = Self([255; 3]);

    /// Those that people without a photo have, in turn (rules §8).
    const OF_PEOPLE: [Self; 8] = [
        Self([0x7C, 0x3A, 0xED]),
        Self([0xA8, 0x55, 0xF7]),
        Self([0xC0, 0x84, 0xFC]),
        Self([0xDD, 0xD6, 0xFE]),
        Self([0x8B, 0x5C, 0xF6]),
        Self([0x93, 0x33, 0xEA]),
        Self([0xA2, 0x1C, 0xAF]),
        Self([0xBE, 0x18, 0x5D]),
    ];

    /// The colour of this person.
    pub fn for_user(user: UserId) -> Self {
        let [first, ..] = i64::from(user).rem_euclid(8).to_le_bytes();
        Self::OF_PEOPLE[usize::from(first)]
    }

    /// Reads six hexadecimal digits, in either case and without a `#`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(digits: &str) -> Result<Self, ColourError> {
        let is_hex = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or(ColourError)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// Black or white, whichever is easier to read on this one. The contrast is 4.5 or more, which WCAG 2.1 asks for at
    /// least (1.4.3), whatever the colour.
    #[must_use]
    pub fn text_colour(self) -> Self {
        if self.contrast(Self::WHITE) < 4.5 { Self::BLACK } else { Self::WHITE }
    }

    /// From 1, which cannot be read, to 21 (<https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio>).
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// From 0 for black to 1 for white (<https://www.w3.org/TR/WCAG21/#dfn-relative-luminance>).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Colour {
    /// Six hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| write!(f, "{part:02X}"))
    }
}

impl Author {
    /// The first letters of the first and the last word of their name, in capitals; of a name that has no letters, its first
    /// sign.
    pub fn initials(&self) -> String {
        let name = self.name();
        let mut letters = name
            .split_whitespace()
            .filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
        let (first, last) = (letters.next(), letters.next_back());
        let signs = first.or_else(|| name.chars().next()).into_iter().chain(last);
        signs.flat_map(char::to_uppercase).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::{DisplayName, Username};

    #[test]
    fn eight_people_in_a_row_have_eight_colours_and_the_ninth_the_first() {
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
    fn the_ink_is_the_one_that_can_be_read(#[case] paper: &str, #[case] ink: &str) {
        assert_eq!(Colour::parse(paper).unwrap().text_colour().to_string(), ink);
    }

    #[rstest]
    #[case("")]
    #[case("#7C3AED")]
    #[case("7C3AE")]
    #[case("7C3AEDFF")]
    #[case("7C3AEG")]
    #[case("+7C3AE")]
    #[case("７Ｃ")]
    fn what_is_no_colour_is_refused(#[case] digits: &str) {
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
    #[case("ana", Some("straße ßen"), "SSS")]
    #[case(".x", None, "X")]
    fn initials_are_of_the_first_and_the_last_word(
        #[case] username: &str,
        #[case] display_name: Option<&str>,
        #[case] initials: &str,
    ) {
        let author = Author {
            id: UserId::from(1),
            username: Username::from_stored(username.to_owned()),
            display_name: display_name.map(|name| DisplayName::from_stored(name.to_owned())),
            profile_image_url: None,
        };
        assert_eq!(author.initials(), initials);
    }

    proptest! {
        #[test]
        fn every_colour_can_be_written_on(parts: [u8; 3]) {
            let paper = Colour(parts);
            prop_assert!(4.5 <= paper.contrast(paper.text_colour()));
            prop_assert_eq!(Colour::parse(&paper.to_string()), Ok(paper));
        }
    }
}
