//! JSON bodies, read within limits of size and time.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use grateful_application::IdempotentRequest;
use grateful_domain::ValidationError;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::WebConfig;
use crate::error::ApiError;
use crate::request::FingerprintBuilder;

/// Extracts a JSON object from the body.
pub(crate) struct JsonBody<T>(pub(crate) T);

/// Extracts a JSON object from the body of a request that may have an `Idempotency-Key`.
pub(crate) struct IdempotentBody<T> {
    pub(crate) body: T,
    pub(crate) idempotency: Option<IdempotentRequest>,
}

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { parse(&read(&request, payload).await?).map(Self) })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for IdempotentBody<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload).await?;
            let mut fingerprint = FingerprintBuilder::start(&request)?;
            fingerprint.update(&bytes);
            Ok(Self { body: parse(&bytes)?, idempotency: fingerprint.finish() })
        })
    }
}

/// Reads the whole body. Checks its type, its size and the time it takes to arrive.
async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes, ApiError> {
    require_json(request)?;
    let declared =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| WebConfig::MAX_BODY_BYTES < length) {
        return Err(too_large());
    }
    let timeout = request
        .app_data::<Data<WebConfig>>()
        .map(|config| config.client_request_timeout)
        .unwrap_or_default();
    tokio::time::timeout(timeout, collect(payload)).await.map_err(|_| ApiError::RequestTimeout)?
}

async fn collect(mut payload: Payload) -> Result<Bytes, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ValidationError::field("body", "is incomplete"))?;
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

/// Rejects a body that is not JSON. A body without a `Content-Type` counts as JSON.
fn require_json(request: &HttpRequest) -> Result<(), ApiError> {
    let Some(content_type) = request.headers().get(CONTENT_TYPE) else { return Ok(()) };
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiError::UnsupportedMediaType(&["application/json"]))
    }
}

/// Parses a JSON object. Goes through a map, since serde would also accept an array for a struct.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let invalid = |reason: &dyn std::fmt::Display| ValidationError::field("body", reason);
    let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| {
        if bytes.is_empty() {
            invalid(&"is missing")
        } else if error.is_data() {
            invalid(&"must be a JSON object")
        } else {
            invalid(&format_args!("is not valid JSON: {error}"))
        }
    })?;
    Ok(T::deserialize(Value::Object(object)).map_err(|error| invalid(&error))?)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::request::{Field, as_is};

    #[derive(Debug, Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct TestBody {
        text: Field<String>,
        flag: Field<bool>,
    }

    fn parsed(json: &str) -> TestBody {
        parse(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    #[test]
    fn every_field_of_a_wrong_type_is_reported() {
        let body = parsed(r#"{"text": 1, "flag": "yes", "unknown": []}"#);
        assert_eq!(body.text.required(as_is), Err("must be a string".to_owned()));
        assert_eq!(body.flag.optional(as_is), Err("must be true or false".to_owned()));
    }

    #[test]
    fn null_counts_as_absent_on_creation_and_clears_the_value_on_update() {
        let null = || parsed(r#"{"text": null}"#).text;
        let absent = || parsed("{}").text;
        assert_eq!(null().optional(as_is), Ok(None));
        assert_eq!(null().clearable(|text| as_is(Some(text))), Ok(Some(None)));
        assert_eq!(absent().clearable(|text| as_is(Some(text))), Ok(None));
        assert_eq!(absent().required(as_is), Err("is required".to_owned()));
        assert!(null().non_null(as_is).is_err());
    }

    #[test]
    fn a_body_must_be_a_json_object() {
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
            assert!(parse::<TestBody>(json.as_bytes()).is_err(), "{json}");
        }
        assert!(parse::<TestBody>(b"{\"text\": \"\xff\"}").is_err());
        assert!(parse::<TestBody>("[".repeat(10_000).as_bytes()).is_err());
        let deep = format!(r#"{{"x": {}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert!(parse::<TestBody>(deep.as_bytes()).is_err());
    }
}
