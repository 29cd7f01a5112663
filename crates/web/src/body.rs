//! JSON bodies: read within bounds of size and time, and parsed so that every wrong field can be named at once.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use grateful_application::{IdempotencyKey, Repeat};
use grateful_domain::Invalid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::WebConfig;
use crate::error::ApiError;

/// A JSON object as the body of a request.
pub(crate) struct Body<T>(pub(crate) T);

/// A JSON object as the body of a request that may carry an `Idempotency-Key`.
pub(crate) struct RepeatableBody<T> {
    pub(crate) body: T,
    pub(crate) repeat: Option<Repeat>,
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { parse(&read(&request, payload).await?).map(Self) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for RepeatableBody<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload).await?;
            let mut repeating = Repeating::begin(&request)?;
            repeating.add(&bytes);
            Ok(Self { body: parse(&bytes)?, repeat: repeating.end() })
        })
    }
}

/// Reads the whole body, if it is JSON, in time and not too large.
async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes, ApiError> {
    require_json(request)?;
    let declared =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| WebConfig::MAX_BODY_BYTES < length) {
        return Err(too_large());
    }
    let patience =
        request.app_data::<Data<WebConfig>>().map(|config| config.patience).unwrap_or_default();
    tokio::time::timeout(patience, collect(payload)).await.map_err(|_| ApiError::TooSlow)?
}

async fn collect(mut payload: Payload) -> Result<Bytes, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Invalid::field("body", "was cut short"))?;
        if WebConfig::MAX_BODY_BYTES < body.len() + chunk.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn too_large() -> ApiError {
    ApiError::BodyTooLarge(WebConfig::MAX_BODY_BYTES)
}

/// A body whose type is not named is taken for JSON, one that names another type is not.
fn require_json(request: &HttpRequest) -> Result<(), ApiError> {
    let Some(named) = request.headers().get(CONTENT_TYPE) else { return Ok(()) };
    let essence = named.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiError::UnsupportedType(&["application/json"]))
    }
}

/// Goes by way of a map, since an array would pass for a struct as well.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let refused = |reason: &dyn std::fmt::Display| Invalid::field("body", reason);
    let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| {
        if bytes.is_empty() {
            refused(&"is missing")
        } else if error.is_data() {
            refused(&"must be a JSON object")
        } else {
            refused(&format_args!("is not valid JSON: {error}"))
        }
    })?;
    Ok(T::deserialize(Value::Object(object)).map_err(|error| refused(&error))?)
}

/// What makes this request the same as another: its key, and all that decides what it does, as it is read.
pub(crate) struct Repeating(Option<(IdempotencyKey, Sha256)>);

impl Repeating {
    /// Of this request, where it has a key.
    pub(crate) fn begin(request: &HttpRequest) -> Result<Self, ApiError> {
        let Some(raw) = request.headers().get("idempotency-key") else { return Ok(Self(None)) };
        let key = IdempotencyKey::parse(raw.to_str().unwrap_or_default());
        let key = key.map_err(|error| Invalid::field("Idempotency-Key", error))?;
        let mut repeating = Self(Some((key, Sha256::new())));
        repeating.add(request.method().as_str().as_bytes());
        repeating.add(request.path().as_bytes());
        Ok(repeating)
    }

    /// The next part of its body.
    pub(crate) fn add(&mut self, part: &[u8]) {
        if let Some((_, hash)) = &mut self.0 {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
    }

    pub(crate) fn end(self) -> Option<Repeat> {
        self.0.map(|(key, hash)| Repeat { key, fingerprint: hash.finalize().into() })
    }
}

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
pub(crate) trait Plain: Sized {
    const EXPECTED: &'static str;

    fn from_json(value: Value) -> Option<Self>;
}

impl Plain for String {
    const EXPECTED: &'static str = "must be a text";

    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

impl Plain for bool {
    const EXPECTED: &'static str = "must be true or false";

    fn from_json(value: Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Plain for i64 {
    const EXPECTED: &'static str = "must be a whole number";

    fn from_json(value: Value) -> Option<Self> {
        value.as_i64()
    }
}

impl Plain for Vec<i64> {
    const EXPECTED: &'static str = "must be a list of whole numbers";

    fn from_json(value: Value) -> Option<Self> {
        value.as_array()?.iter().map(Value::as_i64).collect()
    }
}

impl Plain for Vec<String> {
    const EXPECTED: &'static str = "must be a list of texts";

    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::Array(texts) => texts.into_iter().map(String::from_json).collect(),
            _ => None,
        }
    }
}

impl Plain for Map<String, Value> {
    const EXPECTED: &'static str = "must be an object";

    fn from_json(value: Value) -> Option<Self> {
        match value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl<'de, T: Plain> Deserialize<'de> for Field<T> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Two {
        text: Field<String>,
        switch: Field<bool>,
    }

    fn two(json: &str) -> Two {
        parse(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    #[test]
    fn wrong_types_do_not_hide_each_other() {
        let sent = two(r#"{"text": 1, "switch": "yes", "unknown": []}"#);
        assert_eq!(sent.text.required(as_is), Err("must be a text".to_owned()));
        assert_eq!(sent.switch.optional(as_is), Err("must be true or false".to_owned()));
    }

    #[test]
    fn null_is_absent_when_something_is_made_and_clears_when_it_is_changed() {
        assert_eq!(two(r#"{"text": null}"#).text.optional(as_is), Ok(None));
        assert_eq!(two(r#"{"text": null}"#).text.change(|text| as_is(Some(text))), Ok(Some(None)));
        assert_eq!(two("{}").text.change(|text| as_is(Some(text))), Ok(None));
        assert_eq!(two("{}").text.required(as_is), Err("is required".to_owned()));
        assert!(two(r#"{"text": null}"#).text.replacement(as_is).is_err());
    }

    #[test]
    fn only_an_object_is_a_body() {
        for json in [
            "",
            " ",
            "[]",
            r#"["a", true]"#,
            "null",
            "1",
            "{",
            r#"{"text": "\ud800"}"#,
            "{\"text\": \"\u{1}\"}",
        ] {
            assert!(parse::<Two>(json.as_bytes()).is_err(), "{json}");
        }
        assert!(parse::<Two>(b"{\"text\": \"\xff\"}").is_err());
        assert!(parse::<Two>("[".repeat(10_000).as_bytes()).is_err());
        let deep = format!(r#"{{"x": {}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(parse::<Two>(deep.as_bytes()).is_err());
    }
}
