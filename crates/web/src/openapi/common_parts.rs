//! What all operations of the document have in common: error responses and security.

use actix_web::http::Method;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::TOKEN;
use crate::access::{Access, access_to};
use crate::rate_limit_policy::rate_limit_policy;
use crate::response::Problem;

/// Adds security and the error responses that follow from the kind of the operation, and describes all errors.
pub(super) fn add_common_parts(operation: &mut Value, method: &Method, pattern: &str) {
    let access = access_to(method, pattern);
    operation["security"] = match access {
        Access::Public => json!([]),
        Access::Optional | Access::TokenOrTicket => json!([{ (TOKEN): [] }, {}]),
        Access::Required => json!([{ (TOKEN): [] }]),
    };
    let mut statuses = vec!["default"];
    if access != Access::Public {
        statuses.push("401");
    }
    if takes_input(operation) {
        statuses.push("422");
    }
    if operation.get("requestBody").is_some() {
        statuses.extend(["408", "413", "415"]);
    }
    if rate_limit_policy(method, pattern).is_some() {
        statuses.push("429");
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for status in statuses {
        responses.entry(status).or_insert_with(|| json!({}));
    }
    if !responses.keys().any(|status| status.starts_with('4')) {
        responses.insert("414".to_owned(), json!({}));
    }
    for (status, response) in responses {
        if let (Some(description), Some(response)) =
            (error_description(status), response.as_object_mut())
        {
            describe_error(response, description);
        }
    }
}

/// Whether a parameter or the body can be invalid. A malformed UUID in the path is 404.
fn takes_input(operation: &Value) -> bool {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    operation.get("requestBody").is_some()
        || parameters
            .into_iter()
            .any(|parameter| parameter["in"] != "path" || parameter["schema"]["type"] == "integer")
}

fn describe_error(response: &mut Map<String, Value>, description: &str) {
    let schema = json!({ "$ref": format!("#/components/schemas/{}", Problem::name()) });
    response.insert("content".to_owned(), json!({ (Problem::MEDIA_TYPE): { "schema": schema } }));
    response.entry("description").or_insert_with(|| description.into());
}

/// What an error status means, unless the operation says more. `None` for a success.
fn error_description(status: &str) -> Option<&'static str> {
    Some(match status {
        "400" => "A rule of the product does not allow the request",
        "401" => "The token is missing or invalid",
        "403" => "The caller may not do this",
        "404" => "It does not exist, or the caller cannot see it",
        "408" => "The body took too long to arrive",
        "409" => "A request with the same `Idempotency-Key` is in progress",
        "412" => "The state is another one than `If-Match` names",
        "413" => "The body is too large",
        "414" => "The request target is too long",
        "415" => "The body has an unsupported type or encoding",
        "422" => "A parameter or a field of the body is invalid",
        "429" => "The rate limit is exceeded. `Retry-After` says how long to wait",
        "503" => "The server is busy or unavailable. `Retry-After` says how long to wait",
        "default" => "Any other error",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_problem_body_and_keep_their_own_description() {
        let mut operation = json!({
            "requestBody": {},
            "responses": {
                "201": { "description": "The post" },
                "404": { "description": "No such post", "content": { "application/json": {} } },
            },
        });

        add_common_parts(&mut operation, &Method::POST, "/api/v1/posts");

        let responses = operation["responses"].as_object().unwrap();
        let statuses: Vec<&str> = responses.keys().map(String::as_str).collect();
        assert_eq!(statuses, ["201", "401", "404", "408", "413", "415", "422", "429", "default"]);
        assert_eq!(responses["201"], json!({ "description": "The post" }));
        assert_eq!(responses["404"]["description"], "No such post");
        assert!(responses["404"]["content"].get("application/json").is_none());
        assert_eq!(operation["security"], json!([{ (TOKEN): [] }]));
    }

    #[test]
    fn a_public_operation_without_input_has_empty_security_and_one_client_error() {
        let mut operation = json!({ "responses": { "200": { "description": "Alive" } } });

        add_common_parts(&mut operation, &Method::GET, "/livez");

        let statuses: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["200", "414", "default"]);
        assert_eq!(operation["security"], json!([]));
    }
}
