//! Rules that hold for all operations and schemas of the document.

use std::collections::BTreeSet;

use grateful_domain::{Emoji, FollowState, NotificationType, PostType, ShareMethod, Slot};
use serde_json::{Value, json};

use super::{collect_references, document, operations};

#[test]
fn every_response_has_a_description_and_a_schema_unless_it_has_no_body() {
    for (method, pattern, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let description = response["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{method} {pattern} {status}");
            let content = response["content"].as_object();
            let has_schema = content.is_some_and(|content| {
                !content.is_empty() && content.values().all(|media| media["schema"].is_object())
            });
            let has_no_body = ["204", "304"].contains(&status.as_str());
            assert_ne!(has_schema, has_no_body, "{method} {pattern} {status}");
        }
    }
}

#[test]
fn every_operation_has_a_row_in_the_documentation() {
    let page = include_str!("../../../../../docs/http-api.md");
    for (method, pattern, _) in operations() {
        let path = pattern.strip_prefix(grateful_web::API).unwrap_or(&pattern);
        let is_named =
            ['`', '?'].iter().any(|end| page.contains(&format!("`{method} {path}{end}")));
        assert!(is_named, "`{method} {path}` is not in docs/http-api.md");
    }
}

#[test]
fn every_operation_documents_a_client_error_and_its_security() {
    for (method, pattern, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('4')), "{method} {pattern}");
        assert!(operation["security"].is_array(), "{method} {pattern}");
    }
}

#[test]
fn the_document_says_where_its_server_is_and_where_tokens_come_from() {
    let document = document();

    assert_eq!(document["servers"][0]["url"], "/");
    let token = &document["components"]["securitySchemes"]["token"];
    assert!(token["description"].as_str().unwrap().contains("/api/v1/auth/login"));
}

#[test]
fn every_enum_has_the_codes_of_the_domain() {
    let schemas = document()["components"]["schemas"].take();
    let emoji: Vec<_> = Emoji::ALL.map(Emoji::code).into();
    let states: Vec<_> = FollowState::ALL.into_iter().filter_map(FollowState::code).collect();
    for (name, codes) in [
        ("PostType", PostType::ALL.map(PostType::code).into()),
        ("EmojiCode", emoji),
        ("NotificationType", NotificationType::ALL.map(NotificationType::code).into()),
        ("FollowState", states),
        ("ShareMethod", ShareMethod::ALL.map(ShareMethod::code).into()),
        ("Slot", Slot::ALL.map(Slot::code).into()),
    ] {
        assert_eq!(schemas[name]["enum"], json!(codes), "{name}");
    }
}

#[test]
fn every_member_with_a_closed_set_of_values_refers_to_its_enum() {
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        for (member, property) in properties(schema) {
            let expected = match member.as_str() {
                "post_type" => "PostType",
                "emoji_code" | "user_reaction" | "current_user_reaction" => "EmojiCode",
                "type" | "notification_type" if name.starts_with("Notification") => {
                    "NotificationType"
                }
                "follow_status" | "reverse_status" => "FollowState",
                "status" if name.starts_with("Follow") => "FollowState",
                "share_method" => "ShareMethod",
                "slot" => "Slot",
                "code" => "ErrorCode",
                _ => continue,
            };
            let mut references = Vec::new();
            collect_references(&property, &mut references);
            assert_eq!(references, [format!("#/components/schemas/{expected}")], "{name}.{member}");
        }
    }
}

#[test]
fn a_member_of_a_response_that_can_be_null_is_always_sent() {
    let document = document();
    let requests = reachable(&document, |operation| &operation["requestBody"]);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if requests.contains(name) {
            continue;
        }
        for (member, property) in properties(schema) {
            let can_be_null = property.to_string().contains("\"null\"");
            assert!(!can_be_null || is_required(schema, &member), "{name}.{member}");
        }
    }
}

#[test]
fn a_field_of_a_request_has_no_default_keyword_since_generators_then_require_it() {
    let document = document();
    for name in reachable(&document, |operation| &operation["requestBody"]) {
        for (member, property) in properties(&document["components"]["schemas"][&name]) {
            assert_eq!(property.get("default"), None, "{name}.{member}");
        }
    }
}

#[test]
fn a_new_post_requires_only_its_content() {
    let schemas = document()["components"]["schemas"].take();

    assert_eq!(schemas["NewPost"]["required"], json!(["content"]));
    assert_eq!(schemas["NewPostForm"]["required"], json!(["content"]));
}

#[test]
fn the_events_of_the_stream_are_described() {
    let document = document();
    let stream = &document["paths"]["/api/v1/notifications/stream"]["get"];
    let schema = &stream["responses"]["200"]["content"]["text/event-stream"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/NotificationStreamEvent");

    let schemas = &document["components"]["schemas"];
    let mut events = Vec::new();
    collect_references(&schemas["NotificationStreamEvent"], &mut events);
    let names = events.iter().map(|event| {
        document.pointer(event.trim_start_matches('#')).unwrap()["properties"]["event"]["enum"][0]
            .clone()
    });
    assert_eq!(names.collect::<Vec<_>>(), ["notification", "removed", "reset"]);
}

#[test]
fn every_schema_is_used() {
    let document = document();
    let used = reachable(&document, |operation| operation);

    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(schemas.keys().cloned().collect::<BTreeSet<_>>(), used);
}

#[test]
fn the_3_0_document_has_the_same_operations_and_no_keywords_of_3_1() {
    let translated = grateful_web::document_3_0();
    let ids = |document: &Value| document.to_string().matches("operationId").count();

    assert_eq!(ids(&translated), ids(&document()));
    assert_eq!(
        translated["paths"].as_object().unwrap().keys().collect::<Vec<_>>(),
        document()["paths"].as_object().unwrap().keys().collect::<Vec<_>>()
    );
    assert_no_3_1_keywords(&translated, "#");
}

fn assert_no_3_1_keywords(value: &Value, at: &str) {
    match value {
        Value::Object(members) => {
            assert!(!members.get("type").is_some_and(Value::is_array), "{at}");
            assert_ne!(members.get("type"), Some(&json!("null")), "{at}");
            for keyword in ["const", "prefixItems", "propertyNames"] {
                assert_eq!(members.get(keyword), None, "{at}");
            }
            assert!(!members.get("examples").is_some_and(Value::is_array), "{at}");
            for (name, member) in members.iter().filter(|(name, _)| *name != "example") {
                assert_no_3_1_keywords(member, &format!("{at}/{name}"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| assert_no_3_1_keywords(item, at)),
        _ => (),
    }
}

/// The members of an object, also of one that is composed of others.
fn properties(schema: &Value) -> Vec<(String, Value)> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let own = schema["properties"].as_object().into_iter().flatten();
    let own = own.map(|(name, property)| (name.clone(), property.clone()));
    own.chain(parts.flat_map(properties)).collect()
}

fn is_required(schema: &Value, member: &str) -> bool {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let is_listed = schema["required"].as_array().is_some_and(|all| all.contains(&member.into()));
    is_listed || parts.into_iter().any(|part| is_required(part, member))
}

/// The names of all schemas that a part of the operations refers to, directly or not.
fn reachable(document: &Value, part: impl Fn(&Value) -> &Value) -> BTreeSet<String> {
    let mut pending = Vec::new();
    for (_, _, operation) in operations() {
        collect_references(part(&operation), &mut pending);
    }
    let mut names = BTreeSet::new();
    while let Some(reference) = pending.pop() {
        let name = reference.trim_start_matches("#/components/schemas/").to_owned();
        if names.insert(name.clone()) {
            collect_references(&document["components"]["schemas"][&name], &mut pending);
        }
    }
    names
}
