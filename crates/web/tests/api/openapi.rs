//! The OpenAPI document.

mod examples;
mod laws;
mod swagger_ui;

use std::collections::BTreeSet;

use actix_web::http::Method;
use grateful_testkit::Api;
use serde_json::{Value, json};

#[actix_web::test]
async fn the_document_is_served_at_openapi_json() {
    let api = Api::create().await;

    let response = api.get("/openapi.json").send().await.expect(200);

    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.json(), document());
    assert_eq!(response.json()["openapi"], "3.1.0");
}

#[actix_web::test]
async fn the_document_is_served_in_openapi_3_0_too() {
    let api = Api::create().await;

    let response = api.get("/openapi-3.0.json").send().await.expect(200);

    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.json(), grateful_web::document_3_0());
    assert_eq!(response.json()["openapi"], "3.0.3");
}

#[actix_web::test]
async fn every_documented_operation_has_a_route() {
    let (api, [ana]) = Api::with_users().await;

    for (method, pattern, _) in operations() {
        let path = pattern.replace("{id}", "01937b5e-7c2a-7000-8000-000000000001");
        let path = path.replace("{username}", "unknown");
        let response = api.request(method.clone(), &path).by(&ana).send().await;
        let error = response.status.is_client_error().then(|| response.json());
        let is_unknown = error.is_some_and(|body| body["error"]["details"]["resource"] == "route");
        assert!(!is_unknown && response.status != 405, "{method} {pattern}: {}", response.status);
    }
}

/// Reads the routes from the source, since actix cannot list them.
#[test]
fn every_route_is_documented_except_those_for_browsers() {
    let lists = include_str!("../../src/lib.rs").split("\nhandlers! {").skip(1);
    let lists = lists.map(|list| list.split('}').next().unwrap());
    let handlers = lists.flat_map(str::lines).filter_map(|line| line.strip_suffix(','));
    let handlers: BTreeSet<&str> =
        handlers.map(|handler| handler.rsplit("::").next().unwrap()).collect();

    let operations = operations();
    let mut documented: BTreeSet<&str> = operations
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap())
        .collect();

    assert_eq!(documented.len(), operations.len());
    assert!(documented.insert("get_root"), "the greeting is for browsers");
    assert_eq!(handlers, documented);
}

#[test]
fn every_operation_has_a_unique_id_a_tag_and_a_summary() {
    let operations = operations();
    let ids: BTreeSet<Option<&str>> =
        operations.iter().map(|(_, _, operation)| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), operations.len());

    let document = document();
    let tags: Vec<&Value> =
        document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (method, pattern, operation) in &operations {
        assert!(tags.contains(&&operation["tags"][0]), "{method} {pattern}");
        assert!(operation["summary"].is_string(), "{method} {pattern}");
    }
}

#[test]
fn every_reference_has_a_target() {
    let document = document();
    let mut references = Vec::new();
    collect_references(&document, &mut references);

    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference}"));
        assert!(document.pointer(pointer).is_some(), "{reference} is a dangling reference");
    }
}

#[test]
fn every_parameter_in_a_path_is_documented() {
    for (method, pattern, operation) in operations() {
        let in_path: Vec<&str> = pattern
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let documented: Vec<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path" && parameter["required"] == true)
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(documented, in_path, "{method} {pattern}");
    }
}

#[test]
fn every_operation_documents_its_errors() {
    let problem = json!({"$ref": "#/components/schemas/Problem"});
    for (method, pattern, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("default"), "{method} {pattern}");
        let errors = responses.iter().filter(|(status, _)| !status.starts_with(['2', '3']));
        for (status, response) in errors {
            let content = &response["content"];
            let schema = &content["application/problem+json"]["schema"];
            assert_eq!(schema, &problem, "{method} {pattern} {status}");
            assert_eq!(content.as_object().unwrap().len(), 1, "{method} {pattern} {status}");
        }
    }
}

#[test]
fn every_list_documents_its_default_limit() {
    let document = document();
    for (path, default) in [
        ("/api/v1/posts/{id}/hearts/users", 100),
        ("/api/v1/posts/{id}/reactions", 100),
        ("/api/v1/posts/{id}/comments", 100),
        ("/api/v1/comments/{id}/replies", 100),
        ("/api/v1/posts/feed", 20),
        ("/api/v1/users/{id}/posts", 20),
        ("/api/v1/notifications", 20),
        ("/api/v1/notifications/{id}/children", 100),
    ] {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
        assert_eq!(limit["schema"]["default"], default, "{path}");
    }
}

pub(crate) fn document() -> Value {
    grateful_web::document()
}

/// Returns method, path pattern and operation object of every operation in the document.
pub(crate) fn operations() -> Vec<(Method, String, Value)> {
    let document = document();
    let mut operations = Vec::new();
    for (pattern, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            operations.push((method, pattern.clone(), operation.clone()));
        }
    }
    operations
}

fn collect_references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            into.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect_references(member, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        _ => (),
    }
}
