//! The examples of the document.

use std::collections::BTreeMap;

use grateful_testkit::{Api, Caller, a_png, a_post};
use serde_json::Value;

use super::{document, operations};

#[test]
fn every_json_body_of_a_request_has_an_example() {
    for (method, pattern, operation) in operations() {
        let body = &operation["requestBody"]["content"]["application/json"];
        assert!(body.is_null() || body["example"].is_object(), "{method} {pattern}");
    }
}

/// Sends what Swagger UI offers. A body that is refused for its content would be 400, 413, 415 or 422.
#[actix_web::test]
async fn the_server_accepts_every_example_of_a_request() {
    let api = Api::create().await;
    // A stream does not end, and takes no example.
    let is_stream = |pattern: &str| pattern.ends_with("/notifications/stream");
    for (method, pattern, operation) in operations() {
        if is_stream(&pattern) {
            continue;
        }
        let content = &operation["requestBody"]["content"];
        let caller = api.create_user().await;
        let path = example_path(&api, &pattern, &operation, &caller).await;
        let request = api.request(method.clone(), &path).by(&caller);
        let request = if content["application/json"].is_object() {
            request.json(&content["application/json"]["example"])
        } else if let Some(form) = content["multipart/form-data"]["schema"]["$ref"].as_str() {
            let fields = example_form(form);
            let image = a_png(30, 20);
            let parts = fields.iter().map(|(name, value)| {
                let value = value.as_deref().map_or(&image[..], str::as_bytes);
                (name.as_str(), value)
            });
            request.multipart(&parts.collect::<Vec<_>>())
        } else {
            request
        };
        let response = request.send().await;
        let status = response.status.as_u16();
        assert!(![400, 413, 415, 422].contains(&status), "{method} {pattern}: {status}");
    }
}

/// The path with ids that exist, and with the examples of its query.
async fn example_path(api: &Api, pattern: &str, operation: &Value, caller: &Caller) -> String {
    let id = if pattern.contains("/posts/{id}") {
        let author = api.create_user().await;
        a_post().by(author.user.id).insert_into(api.database()).await.id.to_string()
    } else if ["/users/{id}", "/followers/{id}", "/follows/"]
        .iter()
        .any(|part| pattern.contains(part))
    {
        api.create_user().await.user.id.to_string()
    } else if pattern.contains("/avatar/") {
        caller.user.id.to_string()
    } else {
        "01937b5e-7c2a-7000-8000-000000000001".to_owned()
    };
    let query = operation["parameters"].as_array().into_iter().flatten().filter_map(|parameter| {
        let example = parameter.get("example").or(parameter["schema"].get("default"))?;
        let name = parameter["name"].as_str().filter(|_| parameter["in"] == "query")?;
        Some(format!("{name}={}", example.to_string().trim_matches('"')))
    });
    let query: Vec<String> = query.collect();
    let path = pattern.replace("{id}", &id).replace("{username}", caller.user.username.as_str());
    format!("{path}?{}", query.join("&"))
}

/// The examples of the fields of a form. A field without a value is the image.
fn example_form(reference: &str) -> BTreeMap<String, Option<String>> {
    let document = document();
    let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
    let fields = schema["properties"].as_object().unwrap().iter().filter_map(|(name, property)| {
        if property["format"] == "binary" {
            return Some((name.clone(), None));
        }
        let example = property["example"].as_str()?;
        Some((name.clone(), Some(example.to_owned())))
    });
    fields.collect()
}
