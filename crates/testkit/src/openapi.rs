//! Checks responses against the OpenAPI document.

use std::sync::LazyLock;

use actix_web::http::Method;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::ApiResponse;

/// The document of this build of the server.
static DOCUMENT: LazyLock<Value> = LazyLock::new(grateful_web::document);

/// Panics if the document does not describe this response to this request.
pub(crate) fn assert_documented(method: &Method, path: &str, response: &ApiResponse) {
    if let Err(violation) = check(method, path, response) {
        let body = String::from_utf8_lossy(&response.body);
        panic!("{method} {path}: {} is not as documented: {violation}\n{body}", response.status);
    }
}

fn check(method: &Method, path: &str, response: &ApiResponse) -> Result<(), String> {
    if *method == Method::HEAD && !response.body.is_empty() {
        return Err("a response to HEAD has a body".to_owned());
    }
    let is_error = response.status.is_client_error() || response.status.is_server_error();
    let Some(operation) = operation(method, path) else {
        // Errors have the same body on undocumented paths.
        let has_body = *method != Method::HEAD;
        return if is_error && has_body { check_problem(response) } else { Ok(()) };
    };
    let responses = &operation["responses"];
    let documented = match &responses[response.status.as_str()] {
        Value::Null if is_error => &responses["default"],
        Value::Null => return Err("the status is not documented".to_owned()),
        documented => documented,
    };
    match documented.get("content").and_then(Value::as_object) {
        None if response.body.is_empty() => Ok(()),
        None => Err("no body is documented".to_owned()),
        Some(content) => {
            let media_type = media_type(response);
            let documented = content.get(media_type).ok_or("the media type is not documented")?;
            if *method == Method::HEAD || !media_type.ends_with("json") {
                return Ok(());
            }
            let value =
                serde_json::from_slice(&response.body).map_err(|error| error.to_string())?;
            documented.get("schema").map_or(Ok(()), |schema| matches(schema, &value, "$"))
        }
    }
}

fn media_type(response: &ApiResponse) -> &str {
    let content_type = response.header("content-type").unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim()
}

fn check_problem(response: &ApiResponse) -> Result<(), String> {
    if media_type(response) != "application/problem+json" {
        return Err("the media type of an error must be application/problem+json".to_owned());
    }
    let value = serde_json::from_slice(&response.body).map_err(|error| error.to_string())?;
    matches(&DOCUMENT["components"]["schemas"]["Problem"], &value, "$")
}

/// Returns the documented operation of this method and path. Ignores trailing slashes, and prefers fixed segments to
/// parameters.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let method = if method == Method::HEAD { "get" } else { &*method.as_str().to_lowercase() };
    let matching = DOCUMENT["paths"].as_object()?.iter().filter_map(|(pattern, item)| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        let is_match =
            |(expected, segment): (&&str, &&str)| expected.starts_with('{') || expected == segment;
        let all_match =
            pattern.len() == segments.len() && pattern.iter().zip(&segments).all(is_match);
        let parameters = pattern.iter().filter(|segment| segment.starts_with('{')).count();
        (all_match && item.get(method).is_some()).then(|| (parameters, &item[method]))
    });
    matching.min_by_key(|(parameters, _)| *parameters).map(|(_, operation)| operation)
}

/// Checks a value against a schema. Supports the JSON Schema keywords that the document uses. Stricter than the
/// standard in one way: an object must not have properties that the schema does not list.
fn matches(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Some(schema) = schema.as_object() else { return Err(format!("{at}: no schema")) };
    for (keyword, expected) in schema {
        let is_valid = match keyword.as_str() {
            "description" | "example" | "examples" | "title" | "propertyNames" | "required" => true,
            "$ref" => return matches(resolve(expected)?, value, at),
            "type" => is_of_type(expected, value),
            "enum" => expected.as_array().is_some_and(|all| all.contains(value)),
            "format" => has_format(expected, value),
            "minimum" => value.as_f64() >= expected.as_f64() || !value.is_number(),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| expected.as_u64() >= u64::try_from(text.chars().count()).ok()),
            "oneOf" => matches_exactly_one(expected, value, at),
            "allOf" => {
                check_all_of(expected, value, at)?;
                true
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    matches(expected, item, &format!("{at}[{index}]"))?;
                }
                true
            }
            // The document uses this keyword only for maps, which list no properties.
            "additionalProperties" => {
                for (name, item) in value.as_object().into_iter().flatten() {
                    matches(expected, item, &format!("{at}.{name}"))?;
                }
                true
            }
            "properties" => {
                check_properties(schema, value, at)?;
                true
            }
            other => {
                return Err(format!("{at}: the test kit does not support the keyword {other}"));
            }
        };
        if !is_valid {
            return Err(format!("{at}: {value} violates {keyword} {expected}"));
        }
    }
    Ok(())
}

fn resolve(reference: &Value) -> Result<&'static Value, String> {
    let pointer = reference.as_str().and_then(|reference| reference.strip_prefix('#'));
    let target = pointer.and_then(|pointer| DOCUMENT.pointer(pointer));
    target.ok_or(format!("{reference} is a dangling reference"))
}

fn is_of_type(expected: &Value, value: &Value) -> bool {
    let is_type = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    expected.as_array().map_or_else(|| is_type(expected), |types| types.iter().any(is_type))
}

fn has_format(expected: &Value, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return true };
    match expected.as_str() {
        Some("date-time") => is_timestamp(text),
        Some("uuid") => Uuid::parse_str(text).is_ok(),
        _ => true,
    }
}

/// Whether the text is an RFC 3339 timestamp in UTC with six fractional digits and a `Z`
/// (docs/http-api.md#timestamps).
fn is_timestamp(text: &str) -> bool {
    let format = "0000-00-00T00:00:00.000000Z";
    let is_match = |(expected, byte): (u8, u8)| {
        if expected == b'0' { byte.is_ascii_digit() } else { expected == byte }
    };
    text.len() == format.len() && format.bytes().zip(text.bytes()).all(is_match)
}

fn matches_exactly_one(schemas: &Value, value: &Value, at: &str) -> bool {
    let schemas = schemas.as_array().into_iter().flatten();
    schemas.filter(|schema| matches(schema, value, at).is_ok()).count() == 1
}

/// Checks each schema against the properties it lists, and that every property is listed by one of them.
fn check_all_of(schemas: &Value, value: &Value, at: &str) -> Result<(), String> {
    let object = value.as_object().ok_or_else(|| format!("{at}: {value} is not an object"))?;
    let mut unlisted = object.clone();
    for schema in schemas.as_array().into_iter().flatten() {
        let schema = match schema.get("$ref") {
            Some(reference) => resolve(reference)?,
            None => schema,
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let listed: Map<String, Value> =
            properties.filter_map(|(name, _)| unlisted.remove_entry(name)).collect();
        matches(schema, &Value::Object(listed), at)?;
    }
    let first = unlisted.keys().next();
    first.map_or(Ok(()), |name| Err(format!("{at}.{name} is not documented")))
}

fn check_properties(schema: &Map<String, Value>, value: &Value, at: &str) -> Result<(), String> {
    let Some(object) = value.as_object() else { return Ok(()) };
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        object.get(name).ok_or_else(|| format!("{at}.{name} is missing"))?;
    }
    for (name, value) in object {
        let property = schema["properties"].get(name);
        let property = property.ok_or_else(|| format!("{at}.{name} is not documented"))?;
        matches(property, value, &format!("{at}.{name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_violates_its_schema_is_rejected() {
        let schema = json!({
            "type": "object",
            "required": ["at"],
            "properties": {
                "at": {"type": "string", "format": "date-time"},
                "n": {"type": ["integer", "null"], "minimum": 0},
                "text": {"type": "string", "maxLength": 2},
            },
        });
        let at = "2026-11-22T10:10:25.772128Z";

        for value in [json!({"at": at}), json!({"at": at, "n": 0}), json!({"at": at, "n": null})] {
            assert_eq!(matches(&schema, &value, "$"), Ok(()));
        }
        for value in [
            json!([]),
            json!({}),
            json!({"at": 1}),
            json!({"at": "2026-11-22T10:10:25Z"}),
            json!({"at": "2026-11-22T10:10:25.772128+00:00"}),
            json!({"at": at, "n": "0"}),
            json!({"at": at, "n": -1}),
            json!({"at": at, "text": "abc"}),
            json!({"at": at, "email": "ana@example.org"}),
        ] {
            assert!(matches(&schema, &value, "$").is_err(), "{value}");
        }
    }

    #[test]
    fn all_of_requires_the_properties_of_every_schema_and_no_others() {
        let object = |name: &str, kind: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": kind}}});
        let schema = json!({"allOf": [object("n", "integer"), object("text", "string")]});

        assert_eq!(matches(&schema, &json!({"n": 1, "text": "a"}), "$"), Ok(()));
        for value in [
            json!([]),
            json!({"n": 1}),
            json!({"n": "a", "text": "a"}),
            json!({"n": 1, "text": "a", "email": "ana@example.org"}),
        ] {
            assert!(matches(&schema, &value, "$").is_err(), "{value}");
        }
    }

    #[test]
    fn fixed_segments_take_precedence_over_parameters() {
        let post = "/api/v1/posts/01937b5e-7c2a-7000-8000-000000000001/";
        let documented = |pattern: &str| Some(&DOCUMENT["paths"][pattern]["get"]);

        let feed = documented("/api/v1/posts/feed");
        assert_eq!(operation(&Method::HEAD, "/api/v1/posts/feed"), feed);
        assert_eq!(operation(&Method::GET, post), documented("/api/v1/posts/{id}"));
        assert_eq!(operation(&Method::PUT, post), None);
    }
}
