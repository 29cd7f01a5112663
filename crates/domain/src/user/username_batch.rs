//! Validation of many usernames at once.

use std::collections::HashSet;

use super::Username;

/// The usernames in a validation request: distinct spellings in the order of the request, at most
/// [`UsernameBatch::MAX_LEN`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsernameBatch(Vec<String>);

/// The requested usernames, split by whether a user has that name. Spelling and order are those of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsernameValidation {
    pub valid: Vec<String>,
    pub invalid: Vec<String>,
}

impl UsernameBatch {
    /// The maximum number of names. Further names are dropped.
    pub const MAX_LEN: usize = 50;

    /// Drops duplicates and names beyond [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(requested: Vec<String>) -> Self {
        let mut seen = HashSet::new();
        let distinct = requested.into_iter().filter(|name| seen.insert(name.clone()));
        Self(distinct.take(Self::MAX_LEN).collect())
    }

    /// The usernames to look up. Names that no user can have are left out.
    pub fn usernames(&self) -> Vec<Username> {
        self.0.iter().filter_map(|name| Username::parse_mention(name)).collect()
    }

    /// Splits the names by whether they match one of the `existing` usernames, ignoring case.
    pub fn validate(self, existing: &[Username]) -> UsernameValidation {
        let key = |name: &Username| name.as_str().to_ascii_lowercase();
        let existing: HashSet<String> = existing.iter().map(key).collect();
        let is_valid = |name: &String| {
            Username::parse_mention(name).is_some_and(|username| existing.contains(&key(&username)))
        };
        let (valid, invalid) = self.0.into_iter().partition(is_valid);
        UsernameValidation { valid, invalid }
    }
}

impl Username {
    /// Parses a username that a text or another user refers to, ignoring trailing punctuation. `None` if it is not a valid username.
    pub fn parse_mention(raw: &str) -> Option<Self> {
        Self::parse(Self::trim_punctuation(raw)).ok()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn validated(requested: &[&str], existing: &[&str]) -> (Vec<String>, Vec<String>) {
        let existing: Vec<_> = existing.iter().map(|name| Username::parse(name).unwrap()).collect();
        let UsernameValidation { valid, invalid } =
            UsernameBatch::new(strings(requested)).validate(&existing);
        (valid, invalid)
    }

    #[rstest]
    #[case("cat", Some("cat"))]
    #[case("cat.", Some("cat"))]
    #[case("Cat-.-", Some("Cat"))]
    #[case("c.a-t", Some("c.a-t"))]
    #[case("@cat", None)]
    #[case(" cat", None)]
    #[case("cat_", Some("cat_"))]
    #[case("...", None)]
    #[case("search", None)]
    #[case("cat\0", None)]
    fn trailing_punctuation_is_ignored(#[case] raw: &str, #[case] expected: Option<&str>) {
        let username = Username::parse_mention(raw);
        assert_eq!(username.as_ref().map(Username::as_str), expected);
    }

    #[test]
    fn names_keep_their_spelling_and_order() {
        let requested = ["ZOE", "unknown", "ana.", "", "Ana", "ana", "@ana", "zoe"];

        let (valid, invalid) = validated(&requested, &["Ana", "zoe", "ben"]);

        assert_eq!(valid, ["ZOE", "ana.", "Ana", "ana", "zoe"]);
        assert_eq!(invalid, ["unknown", "", "@ana"]);
    }

    #[test]
    fn duplicates_are_dropped_before_the_limit_is_applied() {
        let mut requested = strings(&["Ana", "ana", "Ana", "ana", "Ana"]);
        requested.extend((1..60).map(|n| format!("unknown{n}")));

        let UsernameValidation { valid, invalid } =
            UsernameBatch::new(requested).validate(&[Username::parse("ana").unwrap()]);

        assert_eq!(valid, ["Ana", "ana"]);
        assert_eq!(invalid.len(), UsernameBatch::MAX_LEN - 2);
        assert_eq!(invalid.last().unwrap(), "unknown48");
    }

    #[test]
    fn names_that_no_user_can_have_are_not_looked_up() {
        let batch = UsernameBatch::new(strings(&["ana.", "a\0b", "%", "äna", "me", "Ben"]));
        let names: Vec<_> = batch.usernames().into_iter().map(String::from).collect();
        assert_eq!(names, ["ana", "Ben"]);
    }
}
