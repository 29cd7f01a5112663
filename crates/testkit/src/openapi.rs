//! That every answer is one that the OpenAPI document promises.

use std::sync::LazyLock;

use actix_web::http::Method;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::ApiResponse;

/// The document of this build.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(grateful_web::document()).unwrap());

/// Panics where the document does not promise this answer to this request.
pub(crate) fn assert_kept(method: &Method, path: &str, answer: &ApiResponse) {
    if let Err(broken) = check(method, path, answer) {
        let body = String::from_utf8_lossy(&answer.body);
        panic!("{method} {path}: {} is not as documented: {broken}\n{body}", answer.status);
    }
}

fn check(method: &Method, path: &str, answer: &ApiResponse) -> Result<(), String> {
    let failed = answer.status.is_client_error() || answer.status.is_server_error();
    let Some(operation) = operation(method, path) else {
        // What is no part of the API still fails in its way.
        return if failed { fits_problem(answer) } else { Ok(()) };
    };
    let responses = &operation["responses"];
    let own = &responses[answer.status.as_str()];
    let response = match own {
        Value::Null if failed => &responses["default"],
        Value::Null => return Err("the status is not listed".to_owned()),
        listed => listed,
    };
    match response.get("content").and_then(Value::as_object) {
        None if answer.body.is_empty() => Ok(()),
        None => Err("a body is not listed".to_owned()),
        Some(content) => {
            let listed = content.get(media_type(answer)).ok_or("the media type is not listed")?;
            if !media_type(answer).ends_with("json") {
                return Ok(());
            }
            let value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
            listed.get("schema").map_or(Ok(()), |schema| fits(schema, &value, "$"))
        }
    }
}

fn media_type(answer: &ApiResponse) -> &str {
    let named = answer.header("content-type").unwrap_or_default();
    named.split(';').next().unwrap_or_default().trim()
}

fn fits_problem(answer: &ApiResponse) -> Result<(), String> {
    if media_type(answer) != "application/problem+json" {
        return Err("a failure must be told as a problem".to_owned());
    }
    let value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    fits(&DOCUMENT["components"]["schemas"]["Problem"], &value, "$")
}

/// What the document says of this method at this path, which may have slashes behind it. Fixed segments come before
/// those with a parameter.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let method = if method == Method::HEAD { "get" } else { &*method.as_str().to_lowercase() };
    let matching = DOCUMENT["paths"].as_object()?.iter().filter_map(|(pattern, item)| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        let fits = |(part, segment): (&&str, &&str)| part.starts_with('{') || part == segment;
        let all_fit = pattern.len() == segments.len() && pattern.iter().zip(&segments).all(fits);
        let parameters = pattern.iter().filter(|part| part.starts_with('{')).count();
        (all_fit && item.get(method).is_some()).then(|| (parameters, &item[method]))
    });
    matching.min_by_key(|(parameters, _)| *parameters).map(|(_, operation)| operation)
}

/// Whether a value fits a schema, in as much of JSON Schema as our document uses. It is stricter in one way: an object
/// has no properties that the schema does not name.
fn fits(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Some(schema) = schema.as_object() else { return Err(format!("{at}: no schema")) };
    for (keyword, expected) in schema {
        let fine = match keyword.as_str() {
            "description" | "example" | "examples" | "title" | "propertyNames" | "required" => true,
            "$ref" => return fits(resolved(expected)?, value, at),
            "type" => is_of_type(expected, value),
            "enum" => expected.as_array().is_some_and(|all| all.contains(value)),
            "format" => has_format(expected, value),
            "minimum" => value.as_f64() >= expected.as_f64() || !value.is_number(),
            "oneOf" => one_of(expected, value, at),
            "allOf" => {
                fits_all(expected, value, at)?;
                true
            }
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    fits(expected, item, &format!("{at}[{number}]"))?;
                }
                true
            }
            // Of a map, which has no properties of its own.
            "additionalProperties" => {
                for (name, item) in value.as_object().into_iter().flatten() {
                    fits(expected, item, &format!("{at}.{name}"))?;
                }
                true
            }
            "properties" => {
                has_properties(schema, value, at)?;
                true
            }
            other => return Err(format!("{at}: the test kit does not know the keyword {other}")),
        };
        if !fine {
            return Err(format!("{at}: {keyword} is {expected}, but there is {value}"));
        }
    }
    Ok(())
}

fn resolved(reference: &Value) -> Result<&'static Value, String> {
    let pointer = reference.as_str().and_then(|it| it.strip_prefix('#'));
    pointer.and_then(|it| DOCUMENT.pointer(it)).ok_or(format!("{reference} leads nowhere"))
}

fn is_of_type(expected: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    expected.as_array().map_or_else(|| is(expected), |any| any.iter().any(is))
}

fn has_format(expected: &Value, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return true };
    match expected.as_str() {
        Some("date-time") => is_timestamp(text),
        Some("uuid") => Uuid::parse_str(text).is_ok(),
        _ => true,
    }
}

/// RFC 3339 in UTC with six digits and a `Z`, as the contract has it (§1).
fn is_timestamp(text: &str) -> bool {
    let form = "0000-00-00T00:00:00.000000Z";
    let fits =
        |(form, byte): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { form == byte };
    text.len() == form.len() && form.bytes().zip(text.bytes()).all(fits)
}

fn one_of(expected: &Value, value: &Value, at: &str) -> bool {
    let all = expected.as_array().into_iter().flatten();
    all.filter(|schema| fits(schema, value, at).is_ok()).count() == 1
}

/// Whether each part fits the properties that it names, and whether they name all.
fn fits_all(parts: &Value, value: &Value, at: &str) -> Result<(), String> {
    let object = value.as_object().ok_or_else(|| format!("{at}: {value} is no object"))?;
    let mut unnamed = object.clone();
    for part in parts.as_array().into_iter().flatten() {
        let part = match part.get("$ref") {
            Some(reference) => resolved(reference)?,
            None => part,
        };
        let named = part["properties"].as_object().into_iter().flatten();
        let share: Map<String, Value> =
            named.filter_map(|(name, _)| unnamed.remove_entry(name)).collect();
        fits(part, &Value::Object(share), at)?;
    }
    let first = unnamed.keys().next();
    first.map_or(Ok(()), |name| Err(format!("{at}.{name} is not listed")))
}

fn has_properties(schema: &Map<String, Value>, value: &Value, at: &str) -> Result<(), String> {
    let Some(object) = value.as_object() else { return Ok(()) };
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        object.get(name).ok_or_else(|| format!("{at}.{name} is missing"))?;
    }
    for (name, value) in object {
        let property = schema["properties"].get(name);
        let property = property.ok_or_else(|| format!("{at}.{name} is not listed"))?;
        fits(property, value, &format!("{at}.{name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_as_documented_is_noticed() {
        let schema = json!({
            "type": "object",
            "required": ["at"],
            "properties": {
                "at": {"type": "string", "format": "date-time"},
                "n": {"type": ["integer", "null"], "minimum": 0},
            },
        });
        let at = "2026-11-22T10:10:25.772128Z";

        for value in [json!({"at": at}), json!({"at": at, "n": 0}), json!({"at": at, "n": null})] {
            assert_eq!(fits(&schema, &value, "$"), Ok(()));
        }
        for value in [
            json!([]),
            json!({}),
            json!({"at": 1}),
            json!({"at": "2026-11-22T10:10:25Z"}),
            json!({"at": "2026-11-22T10:10:25.772128+00:00"}),
            json!({"at": at, "n": "0"}),
            json!({"at": at, "n": -1}),
            json!({"at": at, "email": "ana@example.org"}),
        ] {
            assert!(fits(&schema, &value, "$").is_err(), "{value}");
        }
    }

    #[test]
    fn what_is_made_of_parts_has_what_each_of_them_says_and_nothing_else() {
        let part = |name: &str, kind: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": kind}}});
        let schema = json!({"allOf": [part("n", "integer"), part("text", "string")]});

        assert_eq!(fits(&schema, &json!({"n": 1, "text": "a"}), "$"), Ok(()));
        for value in [
            json!([]),
            json!({"n": 1}),
            json!({"n": "a", "text": "a"}),
            json!({"n": 1, "text": "a", "email": "ana@example.org"}),
        ] {
            assert!(fits(&schema, &value, "$").is_err(), "{value}");
        }
    }

    #[test]
    fn a_path_is_found_by_its_fixed_segments_first() {
        let post = "/api/v1/posts/01937b5e-7c2a-7000-8000-000000000001/";
        let found = |method, path| operation(method, path).map(|it| it["operationId"].clone());

        assert_eq!(found(&Method::HEAD, "/api/v1/posts/feed"), Some(json!("feed_read_feed")));
        assert_eq!(found(&Method::GET, post), Some(json!("posts_read")));
        assert_eq!(found(&Method::PUT, post), None);
    }
}
