//! The same document in OpenAPI 3.0.3, for generators that do not read 3.1.

use serde_json::{Map, Value, json};

/// Translates a document from OpenAPI 3.1 to 3.0.3.
pub(super) fn to_3_0(mut document: Value) -> Value {
    let schemas = document["components"]["schemas"].take();
    document["components"]["schemas"] = schemas.clone();
    Translation { schemas }.translate(&mut document);
    document["openapi"] = "3.0.3".into();
    if let Some(root) = document.as_object_mut() {
        root.remove("jsonSchemaDialect");
        root.remove("webhooks");
    }
    if let Some(license) = document["info"]["license"].as_object_mut()
        && license.remove("identifier").is_some()
    {
        license.insert("url".to_owned(), "https://spdx.org/licenses/".into());
    }
    document
}

/// Keywords of JSON Schema 2020-12 that 3.0 does not have, and that only narrow a schema.
const UNKNOWN_KEYWORDS: [&str; 10] = [
    "propertyNames",
    "patternProperties",
    "unevaluatedProperties",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "$schema",
    "$id",
    "$comment",
    "$defs",
];

struct Translation {
    /// The schemas of the document, to look up the type that a reference has.
    schemas: Value,
}

impl Translation {
    fn translate(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.translate(item)),
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match name.as_str() {
                        // Values of clients, not parts of the document.
                        "example" | "examples" | "default" | "enum" | "const" => (),
                        // Its keys are the names of members, not keywords.
                        "properties" => {
                            let properties = member.as_object_mut().into_iter();
                            properties
                                .flat_map(Map::values_mut)
                                .for_each(|property| self.translate(property));
                        }
                        _ => self.translate(member),
                    }
                }
                self.translate_keywords(members);
            }
            _ => (),
        }
    }

    fn translate_keywords(&self, schema: &mut Map<String, Value>) {
        for keyword in UNKNOWN_KEYWORDS {
            schema.remove(keyword);
        }
        translate_examples(schema);
        if let Some(value) = schema.remove("const") {
            schema.insert("enum".to_owned(), json!([value]));
        }
        translate_bound(schema, "minimum", "exclusiveMinimum");
        translate_bound(schema, "maximum", "exclusiveMaximum");
        translate_tuple(schema);
        translate_types(schema);
        self.translate_alternatives(schema, "oneOf");
        self.translate_alternatives(schema, "anyOf");
        self.wrap_reference(schema);
    }

    /// A `null` among the alternatives becomes `nullable`. A single alternative that is left replaces the list.
    fn translate_alternatives(&self, schema: &mut Map<String, Value>, keyword: &str) {
        let Some(alternatives) = schema.get_mut(keyword).and_then(Value::as_array_mut) else {
            return;
        };
        let count = alternatives.len();
        alternatives.retain(|alternative| !is_null(alternative));
        if alternatives.len() == count {
            return;
        }
        if let [only] = alternatives.as_mut_slice() {
            let only = only.take();
            // Linters want a type beside `nullable`. A bare reference gets its type when it is wrapped.
            let kind = if only.get("$ref").is_some() { None } else { self.type_of(&only) };
            let only = only.as_object().cloned().unwrap_or_default();
            schema.remove(keyword);
            for (name, value) in only {
                schema.entry(name).or_insert(value);
            }
            if let Some(kind) = kind {
                schema.insert("type".to_owned(), kind);
            }
        } else if let Some(kind) = alternatives.first().and_then(|first| self.type_of(first)) {
            schema.insert("type".to_owned(), kind);
        }
        schema.insert("nullable".to_owned(), true.into());
    }

    /// 3.0 ignores everything beside a reference, so the reference moves into an `allOf`.
    fn wrap_reference(&self, schema: &mut Map<String, Value>) {
        let is_schema = |reference: &Value| {
            reference.as_str().is_some_and(|path| path.starts_with("#/components/schemas/"))
        };
        if schema.len() < 2 || !schema.get("$ref").is_some_and(is_schema) {
            return;
        }
        let Some(reference) = schema.remove("$ref") else { return };
        let reference = json!({ "$ref": reference });
        // Linters want a type beside `nullable`.
        if schema.contains_key("nullable")
            && let Some(kind) = self.type_of(&reference)
        {
            schema.insert("type".to_owned(), kind);
        }
        schema.insert("allOf".to_owned(), json!([reference]));
    }

    /// The type of a schema, or of the schema that it refers to.
    fn type_of(&self, schema: &Value) -> Option<Value> {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let schema = match reference.and_then(|reference| reference.rsplit('/').next()) {
            Some(name) => &self.schemas[name],
            None => schema,
        };
        let parts = schema.get("allOf").and_then(Value::as_array);
        let of_parts = || parts.and_then(|parts| self.type_of(parts.first()?));
        let is_object = parts.is_some() || schema.get("properties").is_some();
        let of_object = || is_object.then(|| "object".into());
        schema.get("type").cloned().or_else(of_parts).or_else(of_object)
    }
}

fn is_null(schema: &Value) -> bool {
    schema["type"] == "null" || schema["enum"] == json!([null])
}

/// In 3.1, the `examples` of a schema are a list. Those of a media type are a map, in 3.0 too.
fn translate_examples(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(examples)) = schema.get_mut("examples") {
        let first = examples.first_mut().map(Value::take);
        schema.remove("examples");
        if let Some(first) = first {
            schema.entry("example").or_insert(first);
        }
    }
}

/// In 3.1 an exclusive bound is a number, in 3.0 it is a flag beside the inclusive one.
fn translate_bound(schema: &mut Map<String, Value>, inclusive: &str, exclusive: &str) {
    if let Some(bound) = schema.get(exclusive).filter(|bound| bound.is_number()).cloned() {
        schema.insert(inclusive.to_owned(), bound);
        schema.insert(exclusive.to_owned(), true.into());
    }
}

/// The schemas of the items of a tuple become alternatives for each item.
fn translate_tuple(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(items)) = schema.remove("prefixItems") {
        let count = items.len();
        schema.insert("items".to_owned(), json!({ "anyOf": items }));
        schema.insert("minItems".to_owned(), count.into());
        schema.insert("maxItems".to_owned(), count.into());
    }
}

/// In 3.0 a schema has one type. `null` becomes `nullable`, and several other types become alternatives.
fn translate_types(schema: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = schema.get("type") else { return };
    let mut types = types.clone();
    let count = types.len();
    types.retain(|kind| kind != "null");
    if types.len() < count {
        schema.insert("nullable".to_owned(), true.into());
        if let Some(Value::Array(values)) = schema.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
    }
    if let [only] = types.as_slice() {
        schema.insert("type".to_owned(), only.clone());
    } else {
        schema.remove("type");
        let alternatives = types.into_iter().map(|kind| json!({ "type": kind }));
        schema.insert("anyOf".to_owned(), alternatives.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(schema: &Value) -> Value {
        let schemas = json!({
            "Post": { "type": "object", "properties": {} },
            "Code": { "type": "string", "enum": ["a"] },
            "Page": { "allOf": [] },
            "Tested": schema,
        });
        let document = json!({ "openapi": "3.1.0", "components": { "schemas": schemas } });
        to_3_0(document)["components"]["schemas"]["Tested"].take()
    }

    #[test]
    fn keywords_of_3_1_have_their_counterpart_in_3_0() {
        let code = json!({ "$ref": "#/components/schemas/Code" });
        let page = json!({ "$ref": "#/components/schemas/Page" });
        for (of_3_1, of_3_0) in [
            (json!({ "type": "string" }), json!({ "type": "string" })),
            (json!({ "type": ["string", "null"] }), json!({ "type": "string", "nullable": true })),
            (
                json!({ "type": ["string", "null"], "enum": ["a"] }),
                json!({ "type": "string", "nullable": true, "enum": ["a", null] }),
            ),
            (
                json!({ "type": ["string", "integer"] }),
                json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] }),
            ),
            (code.clone(), code.clone()),
            (
                json!({ "$ref": "#/components/schemas/Code", "description": "d" }),
                json!({ "allOf": [code], "description": "d" }),
            ),
            (
                json!({ "oneOf": [{ "type": "null" }, code], "description": "d" }),
                json!({ "type": "string", "nullable": true, "allOf": [code], "description": "d" }),
            ),
            (
                json!({ "oneOf": [{ "$ref": "#/components/schemas/Code", "description": "d" }, { "type": "null" }] }),
                json!({ "type": "string", "nullable": true, "allOf": [code], "description": "d" }),
            ),
            (
                json!({ "oneOf": [page, { "type": "null" }] }),
                json!({ "type": "object", "nullable": true, "allOf": [page] }),
            ),
            (
                json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] }),
                json!({ "type": "integer", "nullable": true }),
            ),
            (json!({ "const": "a" }), json!({ "enum": ["a"] })),
            (json!({ "examples": [1, 2] }), json!({ "example": 1 })),
            (
                json!({ "exclusiveMinimum": 0, "maximum": 9 }),
                json!({ "minimum": 0, "exclusiveMinimum": true, "maximum": 9 }),
            ),
            (
                json!({ "prefixItems": [{ "const": 1 }, { "type": "string" }] }),
                json!({ "items": { "anyOf": [{ "enum": [1] }, { "type": "string" }] }, "minItems": 2, "maxItems": 2 }),
            ),
            (
                json!({ "additionalProperties": { "type": ["integer", "null"] }, "propertyNames": { "type": "string" } }),
                json!({ "additionalProperties": { "type": "integer", "nullable": true } }),
            ),
        ] {
            assert_eq!(translated(&of_3_1), of_3_0, "{of_3_1}");
        }
    }

    #[test]
    fn names_of_members_and_values_of_clients_are_no_keywords() {
        let schema = json!({
            "properties": { "type": { "type": "string" }, "const": { "type": "string" } },
            "example": { "type": ["a", "null"], "const": 1 },
        });

        assert_eq!(translated(&schema), schema);
    }

    #[test]
    fn the_version_and_the_license_are_those_of_3_0() {
        let license = json!({ "name": "MIT", "identifier": "MIT" });
        let document = json!({ "openapi": "3.1.0", "info": { "license": license } });

        let document = to_3_0(document);

        assert_eq!(document["openapi"], "3.0.3");
        let license = json!({ "name": "MIT", "url": "https://spdx.org/licenses/" });
        assert_eq!(document["info"]["license"], license);
    }
}
