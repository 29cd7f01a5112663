//! Email addresses. They are never shown to other users.

use std::fmt;

use thiserror::Error;

/// An email address, in the spelling of the user. Addresses are compared without regard to case.
///
/// `Debug` hides the address, so that it does not appear in logs.
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Email(String);

/// Why an email address is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmailError {
    /// The syntax is invalid.
    #[error("must be an email address such as ana@example.org")]
    Syntax,
    /// The address is longer than SMTP allows.
    #[error("must be at most {} characters long", Email::MAX_CHARS)]
    TooLong,
}

/// The syntax that browsers check in `<input type=email>` (WHATWG HTML, "valid email address"), with at most 64 characters
/// before the `@` (RFC 5321 §4.5.3.1.1) and at least one dot in the domain, since a host name without a dot is a typing error
/// here.
fn has_email_syntax(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let is_local =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    (1..=64).contains(&local.len())
        && local.bytes().all(is_local)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

/// Whether a text is a label of a host name: letters, digits, and hyphens within.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl Email {
    /// The longest path in SMTP without its angle brackets (RFC 5321 §4.5.3.1.3).
    pub const MAX_CHARS: usize = 254;

    /// Parses an address, ignoring white space around it.
    ///
    /// # Errors
    /// The syntax is invalid, or the address is longer than [`Email::MAX_CHARS`].
    pub fn parse(raw: &str) -> Result<Self, EmailError> {
        let address = raw.trim();
        if Self::MAX_CHARS < address.len() {
            return Err(EmailError::TooLong);
        }
        if has_email_syntax(address) {
            Ok(Self(address.to_owned()))
        } else {
            Err(EmailError::Syntax)
        }
    }

    /// Wraps a stored address without checking it.
    pub fn from_stored(address: String) -> Self {
        Self(address)
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("ana@example.org")]
    #[case("Ana.B+thanks@mail.example.co.uk")]
    #[case("o'neil@ex-ample.org")]
    #[case(".!#$%&'*+/=?^_`{|}~-@1.9")]
    #[case("1234567890123456789012345678901234567890123456789012345678901234@example.org")]
    #[case("a@a23456789012345678901234567890123456789012345678901234567890123.b")]
    fn an_address_keeps_its_spelling(#[case] raw: &str) {
        assert_eq!(Email::parse(raw).unwrap().as_str(), raw);
    }

    #[rstest]
    #[case("")]
    #[case("ana")]
    #[case("ana@localhost")]
    #[case("ana@@example.org")]
    #[case("ana@-example.org")]
    #[case("ana@example-.org")]
    #[case("ana@example.org.")]
    #[case("ana@.org")]
    #[case("ana@exam_ple.org")]
    #[case("@example.org")]
    #[case("ana\"@example.org")]
    #[case("12345678901234567890123456789012345678901234567890123456789012345@example.org")]
    #[case("a@a234567890123456789012345678901234567890123456789012345678901234.b")]
    #[case("ana@example..org")]
    #[case("ana b@example.org")]
    #[case("ana@example.org\0")]
    #[case("ana@exämple.org")]
    fn invalid_addresses_are_rejected(#[case] raw: &str) {
        assert_eq!(Email::parse(raw), Err(EmailError::Syntax));
    }

    #[test]
    fn a_long_address_is_refused_by_its_length() {
        let raw = format!("a@{}.org", "b".repeat(300));
        assert_eq!(Email::parse(&raw), Err(EmailError::TooLong));
    }

    #[test]
    fn debug_output_does_not_show_the_address() {
        let email = Email::parse("ana@example.org").unwrap();
        assert_eq!(format!("{email:?}"), "Email(…)");
    }
}
