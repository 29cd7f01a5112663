//! Usernames: the unique names used in mentions and URLs.

use thiserror::Error;

use crate::text::texts;

texts! {
    /// A unique name. It keeps the spelling of the user and is compared without regard to case.
    Username,
}

/// Why a username is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UsernameError {
    /// The name is too short or too long.
    #[error("must be {} to {} characters long", Username::MIN_CHARS, Username::MAX_CHARS)]
    Length,
    /// The name contains a character other than ASCII letters, digits, `_`, `.` and `-`. With these alone, no two names
    /// look the same.
    #[error("may only contain the letters A to Z, digits, and _ . -")]
    Character,
    /// The name starts with punctuation.
    #[error("must begin with a letter or a digit")]
    Start,
    /// The name ends with punctuation that could belong to a sentence.
    #[error("must not end in . or -")]
    End,
    /// The name is reserved for URL paths or the operator.
    #[error("is reserved")]
    Reserved,
}

/// Names that conflict with URL paths, or that users would mistake for the operator.
const RESERVED: [&str; 11] = [
    "me",
    "search",
    "username",
    "by-username",
    "validate-batch",
    "location",
    "api",
    "admin",
    "root",
    "support",
    "grateful",
];

impl Username {
    /// The minimum number of characters.
    pub const MIN_CHARS: usize = 3;
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 50;

    /// Parses a username (docs/rules.md#accounts-and-profiles).
    ///
    /// # Errors
    /// The first rule that the name violates.
    pub fn parse(raw: &str) -> Result<Self, UsernameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if RESERVED.iter().any(|word| word.eq_ignore_ascii_case(raw)) {
            Err(UsernameError::Reserved)
        } else if !raw.chars().all(allowed) {
            Err(UsernameError::Character)
        } else if !(Self::MIN_CHARS..=Self::MAX_CHARS).contains(&raw.len()) {
            Err(UsernameError::Length)
        } else if !raw.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            Err(UsernameError::Start)
        } else if raw.ends_with(['.', '-']) {
            Err(UsernameError::End)
        } else {
            Ok(Self(raw.to_owned()))
        }
    }

    /// Removes punctuation of the sentence from the end of a name: `@cat.` mentions `cat`.
    pub(crate) fn trim_punctuation(name: &str) -> &str {
        name.trim_end_matches(['.', '-'])
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("ana")]
    #[case("7of9")]
    #[case("a.b-c_")]
    #[case(&"x".repeat(50))]
    fn a_valid_name_keeps_its_spelling(#[case] raw: &str) {
        assert_eq!(Username::parse(raw).unwrap().as_str(), raw);
    }

    #[rstest]
    #[case("", UsernameError::Length)]
    #[case("ab", UsernameError::Length)]
    #[case(&"x".repeat(51), UsernameError::Length)]
    #[case("аna", UsernameError::Character)]
    #[case("an a", UsernameError::Character)]
    #[case("ana\0", UsernameError::Character)]
    #[case("_ana", UsernameError::Start)]
    #[case("ana.", UsernameError::End)]
    #[case("ana-", UsernameError::End)]
    #[case("me", UsernameError::Reserved)]
    #[case("Admin", UsernameError::Reserved)]
    #[case("Validate-Batch", UsernameError::Reserved)]
    fn invalid_names_are_rejected(#[case] raw: &str, #[case] error: UsernameError) {
        assert_eq!(Username::parse(raw), Err(error));
    }
}
