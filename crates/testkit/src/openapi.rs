//! Checks responses against the OpenAPI document.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use actix_web::http::Method;
use jsonschema::{Registry, Validator};
use serde_json::{Map, Value, json};

use crate::ApiResponse;

/// The name of [`DOCUMENT`] in its references.
const DOCUMENT_URI: &str = "urn:grateful:openapi";

/// The document of this build of the server, with closed schemas of responses.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let references = format!(r#""$ref":"{DOCUMENT_URI}#"#);
    let document = grateful_web::document().to_string().replace(r##""$ref":"#"##, &references);
    let mut document: Value = serde_json::from_str(&document).expect("JSON");
    values_mut(&mut document["components"]["schemas"]).for_each(close_parts);
    let operations =
        document.get_mut("paths").into_iter().flat_map(values_mut).flat_map(values_mut);
    let responses =
        operations.filter_map(|operation| operation.get_mut("responses")).flat_map(values_mut);
    let contents =
        responses.filter_map(|response| response.get_mut("content")).flat_map(values_mut);
    contents.filter_map(|content| content.get_mut("schema")).for_each(close);
    document
});

/// The schema of all errors.
static PROBLEM: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = json!({"$ref": format!("{DOCUMENT_URI}#/components/schemas/Problem")});
    close(&mut schema);
    schema
});

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
            documented.get("schema").map_or(Ok(()), |schema| validate(schema, &value))
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
    validate(&PROBLEM, &value)
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

/// Validates a value by a schema of [`DOCUMENT`].
fn validate(schema: &'static Value, value: &Value) -> Result<(), String> {
    /// By the address of the schema.
    static VALIDATORS: LazyLock<Mutex<HashMap<usize, Arc<Validator>>>> =
        LazyLock::new(Mutex::default);

    let validator = {
        let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        let key = std::ptr::from_ref(schema).addr();
        Arc::clone(validators.entry(key).or_insert_with(|| Arc::new(compile(schema))))
    };
    validator.validate(value).map_err(|error| format!("{}: {error}", error.instance_path()))
}

fn compile(schema: &Value) -> Validator {
    static REGISTRY: LazyLock<Registry<'_>> = LazyLock::new(|| {
        let registry = Registry::new().add(DOCUMENT_URI, &*DOCUMENT).expect("a valid URI");
        registry.prepare().expect("a document with valid references")
    });

    let options = jsonschema::options().with_registry(&REGISTRY).should_validate_formats(true);
    options.with_format("date-time", is_timestamp).build(schema).expect("a valid schema")
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

/// Closes the objects of a schema: they must not have properties that it does not list.
fn close(schema: &mut Value) {
    close_parts(schema);
    let lists_properties = |keyword: &str| schema.get(keyword).is_some();
    if ["$ref", "allOf", "oneOf", "properties"].into_iter().any(lists_properties) {
        schema["unevaluatedProperties"] = false.into();
    }
}

/// Closes what a schema consists of. A part of `allOf` stays open: it lists some of the properties only.
fn close_parts(schema: &mut Value) {
    for (keyword, part) in schema.as_object_mut().into_iter().flatten() {
        match keyword.as_str() {
            "properties" => values_mut(part).for_each(close),
            "oneOf" => part.as_array_mut().into_iter().flatten().for_each(close),
            "allOf" => part.as_array_mut().into_iter().flatten().for_each(close_parts),
            "items" | "additionalProperties" => close(part),
            _ => (),
        }
    }
}

fn values_mut(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object.as_object_mut().into_iter().flat_map(Map::values_mut)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the values the closed schema allows.
    fn valid<const N: usize>(mut schema: Value, values: [Value; N]) -> [bool; N] {
        close(&mut schema);
        let validator = compile(&schema);
        values.map(|value| validator.is_valid(&value))
    }

    #[test]
    fn timestamps_have_six_digits_and_a_z() {
        let schema = json!({"type": "string", "format": "date-time"});
        let timestamps = [
            "2026-11-22T10:10:25.772128Z",
            "2026-11-22T10:10:25Z",
            "2026-11-22T10:10:25.772128+00:00",
        ];

        assert_eq!(valid(schema, timestamps.map(Value::from)), [true, false, false]);
    }

    #[test]
    fn objects_have_no_properties_that_are_not_documented() {
        let object = |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "integer"}}});
        let (a, b, both) = (json!({"a": 1}), json!({"b": 1}), json!({"a": 1, "b": 1}));
        let values = || [a.clone(), b.clone(), both.clone(), json!({"a": 1, "b": 1, "c": 1})];

        assert_eq!(valid(object("a"), values()), [true, false, false, false]);
        assert_eq!(
            valid(json!({"oneOf": [object("a"), object("b")]}), values()),
            [true, true, false, false]
        );
        assert_eq!(
            valid(json!({"allOf": [object("a"), object("b")]}), values()),
            [false, false, true, false]
        );
        let nested = json!({"type": "array", "items": object("a")});
        assert_eq!(valid(nested, [json!([a]), json!([both])]), [true, false]);
        assert_eq!(
            validate(&PROBLEM, &json!([])),
            Err(": [] is not of type \"object\"".to_owned())
        );
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
