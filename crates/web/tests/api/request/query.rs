//! Query parameters.

use grateful_testkit::Api;

use crate::support::invalid_fields;

/// All boolean parameters: the path, and the name.
const FLAGS: [(&str, &str); 3] = [
    ("/api/v1/posts/feed", "algorithm"),
    ("/api/v1/posts/feed", "explain"),
    ("/api/v1/notifications", "unread_only"),
];

#[actix_web::test]
async fn booleans_are_accepted_in_all_their_forms_and_in_any_case() {
    let (api, [ana]) = Api::with_users().await;

    for (path, name) in FLAGS {
        for value in ["true", "True", "1", "yes", "YES", "on", "false", "FALSE", "0", "No", "oFF"] {
            api.get(&format!("{path}?{name}={value}")).by(&ana).send().await.expect(200);
        }
        for value in ["", "2", "-1", "null", "truth", "%00"] {
            let response = api.get(&format!("{path}?{name}={value}")).by(&ana).send().await;
            assert_eq!(invalid_fields(&response), [name], "{value}");
        }
    }
}

#[actix_web::test]
async fn every_documented_boolean_parameter_is_tested() {
    let api = Api::create().await;
    let document = api.get("/openapi.json").send().await.expect(200).json();

    let mut documented = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                if parameter["in"] == "query" && parameter["schema"].to_string().contains("boolean")
                {
                    documented.push((path.as_str(), name));
                }
            }
        }
    }

    documented.sort_unstable();
    let mut tested = FLAGS;
    tested.sort_unstable();
    assert_eq!(documented, tested);
}
