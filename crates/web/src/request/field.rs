//! Fields of a request body. They are checked one by one, so that one response can report every invalid field.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A field of a request body. Deserialization accepts any JSON value, and the methods that parse the value report a
/// wrong type.
#[derive(Debug, Default)]
pub(crate) enum Field<T> {
    #[default]
    Absent,
    Null,
    /// A value of another type, with the message that names the expected type.
    WrongType(&'static str),
    Value(T),
}

/// The type of a [`Field`]. Values are not converted: a number is not accepted for a string.
pub(crate) trait FromJson: Sized {
    const EXPECTED: &'static str;

    fn from_json(value: Value) -> Option<Self>;
}

impl FromJson for String {
    const EXPECTED: &'static str = "must be a string";

    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

impl FromJson for bool {
    const EXPECTED: &'static str = "must be true or false";

    fn from_json(value: Value) -> Option<Self> {
        value.as_bool()
    }
}

impl FromJson for i64 {
    const EXPECTED: &'static str = "must be a whole number";

    fn from_json(value: Value) -> Option<Self> {
        value.as_i64()
    }
}

impl FromJson for Vec<i64> {
    const EXPECTED: &'static str = "must be a list of whole numbers";

    fn from_json(value: Value) -> Option<Self> {
        value.as_array()?.iter().map(Value::as_i64).collect()
    }
}

impl FromJson for Vec<String> {
    const EXPECTED: &'static str = "must be a list of strings";

    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::Array(items) => items.into_iter().map(String::from_json).collect(),
            _ => None,
        }
    }
}

impl FromJson for Map<String, Value> {
    const EXPECTED: &'static str = "must be an object";

    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl<'de, T: FromJson> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::Null,
            value => T::from_json(value).map_or(Self::WrongType(T::EXPECTED), Self::Value),
        })
    }
}

impl<T> Field<T> {
    /// Parses the value of a required field.
    pub(crate) fn required<U, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<U, String> {
        self.optional(parse)?.ok_or_else(|| "is required".to_owned())
    }

    /// Parses the value of an optional field. `null` counts as absent.
    pub(crate) fn optional<U, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Option<U>, String> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::WrongType(expected) => Err(expected.to_owned()),
            Self::Value(value) => parse(value).map(Some).map_err(|reason| reason.to_string()),
        }
    }

    /// Parses a change: `None` if the field is absent, `Some(None)` if it is `null` or blank, which clears the value.
    #[expect(clippy::option_option, reason = "no change and a change to no value differ")]
    pub(crate) fn clearable<U, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<Option<U>, E>,
    ) -> Result<Option<Option<U>>, String> {
        match self {
            Self::Null => Ok(Some(None)),
            sent => sent.optional(parse),
        }
    }

    /// Parses a change to a value that `null` resets to its default.
    pub(crate) fn resettable<U: Default, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Option<U>, String> {
        match self {
            Self::Null => Ok(Some(U::default())),
            sent => sent.optional(parse),
        }
    }

    /// Parses a change to a value that cannot be `null`.
    pub(crate) fn non_null<U, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Option<U>, String> {
        match self {
            Self::Null => Err("must not be null".to_owned()),
            sent => sent.optional(parse),
        }
    }
}

/// The parser of a field whose type is its only constraint.
#[expect(clippy::unnecessary_wraps, reason = "parsers of fields return a `Result`")]
pub(crate) fn as_is<T>(value: T) -> Result<T, std::convert::Infallible> {
    Ok(value)
}
