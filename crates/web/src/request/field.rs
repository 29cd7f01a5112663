//! Fields of a request body, checked one by one so that every wrong field can be named at once.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// One field of a body, whatever was sent for it: what is wrong is said when it is asked for, beside all others.
#[derive(Debug, Default)]
pub(crate) enum Field<T> {
    #[default]
    Absent,
    Null,
    /// Something else than a `T`; this is what it should have been.
    Wrong(&'static str),
    Value(T),
}

/// What can be sent for a [`Field`]. Nothing is converted: a number is no text.
pub(crate) trait FromJson: Sized {
    const EXPECTED: &'static str;

    fn from_json(value: Value) -> Option<Self>;
}

impl FromJson for String {
    const EXPECTED: &'static str = "must be a text";

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
    const EXPECTED: &'static str = "must be a list of texts";

    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::Array(texts) => texts.into_iter().map(String::from_json).collect(),
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
            value => T::from_json(value).map_or(Self::Wrong(T::EXPECTED), Self::Value),
        })
    }
}

impl<T> Field<T> {
    /// The value, which must be there.
    pub(crate) fn required<U, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<U, String> {
        self.optional(parse)?.ok_or_else(|| "is required".to_owned())
    }

    /// The value, where there is one; `null` is none.
    pub(crate) fn optional<U, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Option<U>, String> {
        match self {
            Self::Absent | Self::Null => Ok(None),
            Self::Wrong(expected) => Err(expected.to_owned()),
            Self::Value(value) => parse(value).map(Some).map_err(|reason| reason.to_string()),
        }
    }

    /// What to change the value to: nothing where the field is absent, to none where it is `null` or blank.
    #[expect(clippy::option_option, reason = "to change nothing and to change to nothing differ")]
    pub(crate) fn change<U, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<Option<U>, E>,
    ) -> Result<Option<Option<U>>, String> {
        match self {
            Self::Null => Ok(Some(None)),
            sent => sent.optional(parse),
        }
    }

    /// What to change the value to, where `null` empties it.
    pub(crate) fn refill<U: Default, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Option<U>, String> {
        match self {
            Self::Null => Ok(Some(U::default())),
            sent => sent.optional(parse),
        }
    }

    /// What to change the value to, where it cannot be cleared.
    pub(crate) fn replacement<U, E: ToString>(
        self,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Option<U>, String> {
        match self {
            Self::Null => Err("must not be null".to_owned()),
            sent => sent.optional(parse),
        }
    }
}

/// A value that needs no parsing beyond its type.
#[expect(clippy::unnecessary_wraps, reason = "it stands where others parse")]
pub(crate) fn as_is<T>(value: T) -> Result<T, std::convert::Infallible> {
    Ok(value)
}
