//! What is wrong with a request: every failing field at once.

use std::collections::BTreeMap;
use std::fmt;

/// The fields that were refused, each with the reason, in words for the person who sent them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    fields: BTreeMap<&'static str, String>,
}

impl ValidationError {
    /// One field that was refused.
    pub fn field(name: &'static str, reason: impl fmt::Display) -> Self {
        Self { fields: BTreeMap::from([(name, reason.to_string())]) }
    }

    /// The names and reasons, by name.
    pub fn fields(&self) -> &BTreeMap<&'static str, String> {
        &self.fields
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, reason)) in self.fields.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{name}: {reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ValidationError {}

/// Collects what is wrong while a request is parsed field by field.
///
/// ```
/// use grateful_domain::{Email, FieldValidator, Username};
///
/// let mut fields = FieldValidator::default();
/// let username = fields.check("username", Username::parse("me"));
/// let email = fields.check("email", Email::parse("nowhere"));
/// let refused = fields.finish(|| Some((username?, email?))).unwrap_err();
///
/// assert_eq!(refused.fields().keys().copied().collect::<Vec<_>>(), ["email", "username"]);
/// ```
#[derive(Debug, Default)]
pub struct FieldValidator {
    refused: BTreeMap<&'static str, String>,
}

impl FieldValidator {
    /// The value of one field, or nothing where it was refused: then its reason is kept.
    pub fn check<T>(
        &mut self,
        name: &'static str,
        parsed: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(reason) => {
                self.refused.insert(name, reason.to_string());
                None
            }
        }
    }

    /// What `assemble` makes of the values, if no field was refused.
    ///
    /// # Errors
    /// Every field that was refused, all at once.
    pub fn finish<T>(self, assemble: impl FnOnce() -> Option<T>) -> Result<T, ValidationError> {
        match assemble() {
            Some(whole) if self.refused.is_empty() => Ok(whole),
            _ => Err(ValidationError { fields: self.refused }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failing_field_is_reported_and_named_in_the_summary() {
        let mut fields = FieldValidator::default();
        let a = fields.check("a", Err::<(), _>("is bad"));
        let b = fields.check("b", Err::<(), _>("is worse"));

        let refused = fields.finish(|| Some((a?, b?))).unwrap_err();

        assert_eq!(refused.to_string(), "a: is bad; b: is worse");
    }

    #[test]
    fn a_refused_field_that_nobody_needs_still_refuses() {
        let mut fields = FieldValidator::default();
        fields.check("a", Err::<(), _>("is bad"));

        assert!(fields.finish(|| Some(())).is_err());
    }
}
