//! Checks of JSON objects, which are values of users: their keys and numbers are kept as they are.

use serde_json::{Map, Value};

/// The length of the compact JSON in bytes.
pub(super) fn json_len(object: &Map<String, Value>) -> usize {
    serde_json::to_string(object).map_or(usize::MAX, |json| json.len())
}

/// Whether any key or text contains a NUL.
pub(super) fn has_nul(object: &Map<String, Value>) -> bool {
    fn contains_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(contains_nul),
            Value::Object(fields) => has_nul(fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    object.iter().any(|(key, value)| key.contains('\0') || contains_nul(value))
}
