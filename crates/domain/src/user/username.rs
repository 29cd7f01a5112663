//! The unique names by which people are mentioned and linked.

use thiserror::Error;

use crate::text::texts;

texts! {
    /// A unique name, shown as it was typed and compared without regard to case.
    Username,
}

/// Why a username was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UsernameError {
    /// Fewer or more characters than allowed.
    #[error("must be {} to {} characters long", Username::MIN_CHARS, Username::MAX_CHARS)]
    Length,
    /// Something else than ASCII letters, digits and three signs: no name looks like another.
    #[error("may only contain the letters A to Z, digits, and _ . -")]
    Character,
    /// A sign in front.
    #[error("must begin with a letter or a digit")]
    Start,
    /// A sign that a sentence may put behind a name.
    #[error("must not end in . or -")]
    End,
    /// A word with a meaning of its own in paths or to people.
    #[error("is reserved")]
    Reserved,
}

/// Words that are part of a path beside usernames, or that would pass for the house itself.
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
    /// The fewest characters.
    pub const MIN_CHARS: usize = 3;
    /// The most characters.
    pub const MAX_CHARS: usize = 50;

    /// Checks a name as somebody typed it (rules §5).
    ///
    /// # Errors
    /// The first of these that does not hold, as [`UsernameError`] says.
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
    fn a_name_that_fits_the_rule_is_kept_as_typed(#[case] raw: &str) {
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
    fn anything_else_is_refused_with_the_reason(#[case] raw: &str, #[case] why: UsernameError) {
        assert_eq!(Username::parse(raw), Err(why));
    }
}
