//! Passes over the generated document that make its schemas fit for generated clients.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

const PREFIX: &str = "#/components/schemas/";

/// Names, shares, completes and prunes the schemas.
pub(super) fn refine_schemas(document: &mut Value) {
    rename(document);
    share(document);
    require_nullable(document);
    remove_unused(document);
}

/// Renames all schemas from the names of Rust types to those of the API.
fn rename(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    *schemas = std::mem::take(schemas)
        .into_iter()
        .map(|(name, schema)| (api_name(&name), schema))
        .collect();
    for_each_reference(document, &mut |reference| {
        if let Some(name) = reference.strip_prefix(PREFIX) {
            *reference = format!("{PREFIX}{}", api_name(name));
        }
    });
}

/// `PostView` is `Post`, and `Envelope_Vec_PostView` is `PostListEnvelope`.
fn api_name(name: &str) -> String {
    let (name, suffix) = match name.strip_prefix("Envelope_") {
        None => (name, ""),
        Some(data) => match (data.strip_prefix("Vec_"), data.strip_prefix("BTreeMap_String_")) {
            (Some(item), _) => (item, "ListEnvelope"),
            (_, Some(item)) => (item, "MapEnvelope"),
            _ => (data, "Envelope"),
        },
    };
    format!("{}{suffix}", name.strip_suffix("View").unwrap_or(name))
}

/// Replaces a schema inside another one by a reference if it equals a schema of its own: the generator writes the data
/// of envelopes in place, and a generated client would have a second type for each.
fn share(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let mut names = SchemaNames::new();
    for (name, schema) in schemas.iter().filter(|(_, schema)| is_object(schema)) {
        names.entry(schema.to_string()).or_default().push(name.clone());
    }
    for (name, schema) in schemas {
        for_each_child(schema, &mut |part| share_within(part, &names, name));
    }
}

/// The names of the schemas with the same text.
type SchemaNames = BTreeMap<String, Vec<String>>;

fn is_object(schema: &Value) -> bool {
    schema.get("properties").is_some() || schema.get("allOf").is_some()
}

/// Of equal schemas, takes the one that `owner`, the envelope, is named after.
fn share_within(value: &mut Value, names: &SchemaNames, owner: &str) {
    if is_object(value)
        && let Some(equal) = names.get(&value.to_string())
        && let Some(name) = equal.iter().find(|name| owner.starts_with(*name)).or(equal.first())
    {
        *value = json!({ "$ref": format!("{PREFIX}{name}") });
        return;
    }
    for_each_child(value, &mut |child| share_within(child, names, owner));
}

/// Requires every member of a response that can be `null`: it is always sent. Members that can be absent are never
/// `null`.
fn require_nullable(document: &mut Value) {
    let mut requests = BTreeSet::new();
    for operation in operations(document) {
        collect_reachable(document, &operation["requestBody"], &mut requests);
    }
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    schemas
        .iter_mut()
        .filter(|(name, _)| !requests.contains(*name))
        .for_each(|(_, schema)| require_nullable_within(schema));
}

fn require_nullable_within(schema: &mut Value) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let nullable = properties.iter().filter(|(_, property)| can_be_null(property));
        let mut required: BTreeSet<String> = nullable.map(|(name, _)| name.clone()).collect();
        let already = schema["required"].as_array().into_iter().flatten();
        required.extend(already.filter_map(Value::as_str).map(str::to_owned));
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
    }
    for_each_child(schema, &mut require_nullable_within);
}

/// Whether a schema allows `null`.
fn can_be_null(schema: &Value) -> bool {
    let is_null = |one: &Value| *one == "null" || one["type"] == "null";
    ["type", "oneOf", "anyOf"]
        .into_iter()
        .any(|keyword| schema[keyword].as_array().is_some_and(|all| all.iter().any(is_null)))
}

/// Removes the schemas that no operation reaches.
fn remove_unused(document: &mut Value) {
    let mut used = BTreeSet::new();
    collect_reachable(document, &document["paths"], &mut used);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| used.contains(name));
    }
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    let items = document["paths"].as_object().into_iter().flat_map(Map::values);
    items.filter_map(Value::as_object).flat_map(Map::values)
}

/// Collects the names of the schemas that a part of the document refers to, directly or not.
fn collect_reachable(document: &Value, part: &Value, names: &mut BTreeSet<String>) {
    match part {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            if let Some(name) = reference.and_then(|reference| reference.strip_prefix(PREFIX))
                && names.insert(name.to_owned())
            {
                collect_reachable(document, &document["components"]["schemas"][name], names);
            }
            for member in members.values() {
                collect_reachable(document, member, names);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect_reachable(document, item, names);
            }
        }
        _ => (),
    }
}

fn for_each_reference(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    if let Some(Value::String(reference)) = value.get_mut("$ref") {
        change(reference);
    }
    for_each_child(value, &mut |child| for_each_reference(child, change));
}

fn for_each_child(value: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Object(members) => members.values_mut().for_each(visit),
        Value::Array(items) => items.iter_mut().for_each(visit),
        _ => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refined(schemas: &Value, response: &str, request: Option<&str>) -> Value {
        let reference = |name: &str| json!({ "schema": { "$ref": format!("{PREFIX}{name}") } });
        let mut operation = json!({ "responses": { "200": reference(response) } });
        if let Some(request) = request {
            operation["requestBody"] = reference(request);
        }
        let mut document = json!({
            "paths": { "/": { "get": operation } },
            "components": { "schemas": schemas },
        });
        refine_schemas(&mut document);
        document
    }

    #[test]
    fn the_data_of_an_envelope_is_a_reference_under_the_name_of_the_api() {
        let post = json!({ "type": "object", "properties": { "id": { "type": "integer" } } });
        let list = json!({ "type": "array", "items": post });
        let envelope = json!({ "type": "object", "properties": { "data": list } });

        let document = refined(
            &json!({ "PostView": post, "Envelope_Vec_PostView": envelope, "EqualView": post }),
            "Envelope_Vec_PostView",
            None,
        );

        let schemas = &document["components"]["schemas"];
        let names: Vec<&String> = schemas.as_object().unwrap().keys().collect();
        assert_eq!(names, ["Post", "PostListEnvelope"]);
        let items = &schemas["PostListEnvelope"]["properties"]["data"]["items"];
        assert_eq!(items, &json!({ "$ref": "#/components/schemas/Post" }));
        let body = &document["paths"]["/"]["get"]["responses"]["200"]["schema"];
        assert_eq!(body, &json!({ "$ref": "#/components/schemas/PostListEnvelope" }));
    }

    #[test]
    fn members_that_can_be_null_are_required_in_responses_only() {
        let schema = json!({ "type": "object", "properties": {
            "bio": { "type": ["string", "null"] },
            "at": { "oneOf": [{ "type": "null" }, { "type": "string" }] },
            "score": { "type": "number" },
        } });

        let document = refined(
            &json!({ "Sent": { "properties": { "title": { "type": ["string", "null"] } } }, "Profile": schema }),
            "Profile",
            Some("Sent"),
        );

        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Profile"]["required"], json!(["at", "bio"]));
        assert_eq!(schemas["Sent"].get("required"), None);
    }
}
