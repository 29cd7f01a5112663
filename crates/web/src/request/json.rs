//! JSON bodies: read within bounds of size and time, and parsed so that every wrong field can be named at once.

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

/// A JSON object as the body of a request.
pub(crate) struct JsonBody<T>(pub(crate) T);

/// A JSON object as the body of a request that may carry an `Idempotency-Key`.
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
            let mut repeating = FingerprintBuilder::begin(&request)?;
            repeating.add(&bytes);
            Ok(Self { body: parse(&bytes)?, idempotency: repeating.end() })
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
    let client_request_timeout = request
        .app_data::<Data<WebConfig>>()
        .map(|config| config.client_request_timeout)
        .unwrap_or_default();
    tokio::time::timeout(client_request_timeout, collect(payload))
        .await
        .map_err(|_| ApiError::RequestTimeout)?
}

async fn collect(mut payload: Payload) -> Result<Bytes, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ValidationError::field("body", "was cut short"))?;
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
        Err(ApiError::UnsupportedMediaType(&["application/json"]))
    }
}

/// Goes by way of a map, since an array would pass for a struct as well.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let refused = |reason: &dyn std::fmt::Display| ValidationError::field("body", reason);
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::request::{Field, as_is};

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
        assert_eq!(sent.text.required(as_is), Err("must be a string".to_owned()));
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
