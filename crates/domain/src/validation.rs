//! Validation errors with all invalid fields of a request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// The invalid fields of a request, each with a reason for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    fields: BTreeMap<Cow<'static, str>, String>,
    /// Whether the act is refused, and not the value of a field.
    is_about_act: bool,
}

impl ValidationError {
    /// An error with one invalid field.
    pub fn field(name: impl Into<Cow<'static, str>>, reason: impl fmt::Display) -> Self {
        Self { fields: BTreeMap::from([(name.into(), reason.to_string())]), is_about_act: false }
    }

    /// An error of the act itself, such as following oneself. The message is only the reason, without the name of the
    /// field that carries it.
    pub fn act(name: impl Into<Cow<'static, str>>, reason: impl fmt::Display) -> Self {
        Self { is_about_act: true, ..Self::field(name, reason) }
    }

    /// The reasons by field name.
    pub fn fields(&self) -> &BTreeMap<Cow<'static, str>, String> {
        &self.fields
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (name, reason)) in self.fields.iter().enumerate() {
            if self.is_about_act {
                return f.write_str(reason);
            }
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{name}: {reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ValidationError {}

/// Collects the errors of all fields while a request is parsed.
///
/// ```
/// use grateful_domain::{Email, FieldValidator, Username};
///
/// let mut fields = FieldValidator::default();
/// let username = fields.check("username", Username::parse("me"));
/// let email = fields.check("email", Email::parse("nowhere"));
/// let error = fields.finish(|| Some((username?, email?))).unwrap_err();
///
/// assert_eq!(error.fields().keys().collect::<Vec<_>>(), ["email", "username"]);
/// ```
#[derive(Debug, Default)]
pub struct FieldValidator {
    errors: BTreeMap<Cow<'static, str>, String>,
}

impl FieldValidator {
    /// Returns the value of a field, or records its error and returns `None`.
    pub fn check<T>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        parsed: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(reason) => {
                self.errors.insert(name.into(), reason.to_string());
                None
            }
        }
    }

    /// Builds the result with `assemble`, if all fields are valid.
    ///
    /// # Errors
    /// All invalid fields.
    pub fn finish<T>(self, assemble: impl FnOnce() -> Option<T>) -> Result<T, ValidationError> {
        match assemble() {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(ValidationError { fields: self.errors, is_about_act: false }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_lists_every_invalid_field() {
        let mut fields = FieldValidator::default();
        let a = fields.check("a", Err::<(), _>("is bad"));
        let b = fields.check("b", Err::<(), _>("is worse"));

        let error = fields.finish(|| Some((a?, b?))).unwrap_err();

        assert_eq!(error.to_string(), "a: is bad; b: is worse");
    }

    #[test]
    fn the_message_of_a_refused_act_does_not_name_a_field() {
        let error = ValidationError::act("id", "Cannot follow yourself");

        assert_eq!(error.to_string(), "Cannot follow yourself");
        assert_eq!(error.fields()["id"], "Cannot follow yourself");
    }

    #[test]
    fn an_invalid_field_fails_even_if_its_value_is_not_used() {
        let mut fields = FieldValidator::default();
        fields.check("a", Err::<(), _>("is bad"));

        assert!(fields.finish(|| Some(())).is_err());
    }
}
