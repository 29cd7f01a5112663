//! `/api/v1/users/search`, `/api/v1/users/validate-batch` and `/api/v1/users/by-username/{username}`.

use grateful_testkit::{Api, Caller, a_user, block};
use serde_json::{Value, json};

use crate::support::{assert_problem, envelope_data, invalid_fields, sorted_keys};

const SEARCH: &str = "/api/v1/users/search";
const VALIDATE: &str = "/api/v1/users/validate-batch";

/// The fields of a user in a list (docs/http-api.md#shapes).
const USER_FIELDS: [&str; 5] = ["bio", "display_name", "id", "profile_image_url", "username"];

#[actix_web::test]
async fn users_are_found_by_username_and_display_name_best_match_first() {
    let (api, [viewer]) = Api::with_users().await;
    for (username, display_name) in [
        ("joanna", None),
        ("anabel", None),
        ("Ana", None),
        ("zoe", Some("ÅNA")),
        ("yuri", Some("Ana L")),
    ] {
        create_user_named(&api, username, display_name).await;
    }

    let found = search(&api, &viewer, json!({"query": " @ANA "})).await;

    assert_eq!(usernames(&found), ["Ana", "zoe", "anabel", "yuri"]);
    assert_eq!(sorted_keys(&found[0]), USER_FIELDS);
    let by_name = search(&api, &viewer, json!({"query": "åna"})).await;
    assert_eq!(by_name, found);
    assert_eq!(by_name[1]["display_name"], "ÅNA");
    assert_eq!(usernames(&search(&api, &viewer, json!({"query": "oann"})).await), ["joanna"]);
    assert_eq!(search(&api, &viewer, json!({"query": "an_"})).await, json!([]));
}

#[actix_web::test]
async fn the_limit_is_clamped_to_1_to_50() {
    let (api, [viewer]) = Api::with_users().await;
    for number in 10..65 {
        create_user_named(&api, &format!("ana{number}"), None).await;
    }

    for (limit, expected) in [
        ("null", 10),
        ("3", 3),
        ("50", 50),
        ("51", 50),
        ("0", 1),
        ("-1", 1),
        ("9223372036854775807", 50),
        ("9223372036854775808", 50),
        ("-9223372036854775809", 1),
        ("99999999999999999999999999", 50),
        ("-1e300", 1),
    ] {
        let body: Value =
            serde_json::from_str(&format!(r#"{{"query":"ana","limit":{limit}}}"#)).unwrap();
        let list = search(&api, &viewer, body).await;
        assert_eq!(list.as_array().unwrap().len(), expected, "{limit}");
        assert_eq!(list[0]["username"], "ana10", "{limit}");
    }
    assert_eq!(search(&api, &viewer, json!({"query": "ana"})).await.as_array().unwrap().len(), 10);
}

#[actix_web::test]
async fn a_query_without_matches_finds_no_users() {
    let (api, [viewer]) = Api::with_users().await;
    create_user_named(&api, "ana", Some("Ana")).await;

    for query in [
        "",
        "   ",
        "@",
        "%",
        "%%%",
        "a%",
        "_",
        "\\",
        "an\0a",
        "an\na",
        "\u{7f}",
        "\u{10ffff}",
        "'; DROP TABLE users; --",
        &"ana".repeat(40),
        &"%".repeat(60_000),
        &"é".repeat(30_000),
    ] {
        assert_eq!(search(&api, &viewer, json!({"query": query})).await, json!([]), "{query:.40}");
    }
}

#[actix_web::test]
async fn invalid_fields_are_reported() {
    let (api, [viewer]) = Api::with_users().await;

    for (path, body, fields) in [
        (SEARCH, json!({}), &["query"][..]),
        (SEARCH, json!({"query": null}), &["query"]),
        (SEARCH, json!({"query": 123, "limit": "3"}), &["limit", "query"]),
        (SEARCH, json!({"query": ["ana"]}), &["query"]),
        (SEARCH, json!({"query": "ana", "limit": 1.5}), &["limit"]),
        (SEARCH, json!({"query": "", "limit": true}), &["limit"]),
        (VALIDATE, json!({}), &["usernames"]),
        (VALIDATE, json!({"usernames": null}), &["usernames"]),
        (VALIDATE, json!({"usernames": "ana"}), &["usernames"]),
        (VALIDATE, json!({"usernames": {"0": "ana"}}), &["usernames"]),
        (VALIDATE, json!({"usernames": ["ana", 1]}), &["usernames"]),
        (VALIDATE, json!({"usernames": ["ana", null]}), &["usernames"]),
        (VALIDATE, json!({"usernames": ["ana", ["ben"]]}), &["usernames"]),
    ] {
        let response = api.post(path).by(&viewer).json(&body).send().await;
        assert_eq!(invalid_fields(&response), fields, "{body}");
    }
}

#[actix_web::test]
async fn the_viewer_and_blocked_users_are_not_found() {
    let (api, [ana, ben]) = Api::with_users().await;
    let [ana_name, ben_name] = [&ana, &ben].map(|caller| caller.user.username.as_str().to_owned());
    block(api.database(), ben.user.id, ana.user.id).await;

    for (caller, names) in [(&ana, [&ana_name, &ben_name]), (&ben, [&ben_name, &ana_name])] {
        for name in names {
            assert_eq!(search(&api, caller, json!({"query": name})).await, json!([]));
        }
        let [own, blocked] = names;
        let validated = validate(&api, caller, json!([own, blocked])).await;
        assert_eq!(validated, json!({"valid_usernames": [own], "invalid_usernames": [blocked]}));
        let path = format!("/api/v1/users/by-username/{blocked}");
        assert_problem(&api.get(&path).by(caller).send().await, 404, "not_found");
        let path = format!("/api/v1/users/by-username/{own}");
        let found = envelope_data(&api.get(&path).by(caller).send().await.expect(200));
        assert_eq!(found, json!({"id": i64::from(caller.user.id), "username": own}));
    }
}

#[actix_web::test]
async fn usernames_are_validated_as_sent_without_duplicates() {
    let (api, [viewer]) = Api::with_users().await;
    for name in ["Ana", "ben-x", "cat"] {
        create_user_named(&api, name, None).await;
    }

    let names = json!([
        "cat.", "unknown", "ANA", "ana", "ANA", "", "ben-x-", "@ana", "a\u{0}na", "🙏", "cat."
    ]);
    let validated = validate(&api, &viewer, names).await;

    let expected = json!({
        "valid_usernames": ["cat.", "ANA", "ana", "ben-x-"],
        "invalid_usernames": ["unknown", "", "@ana", "a\u{0}na", "🙏"],
    });
    assert_eq!(validated, expected);
    let none = json!({"valid_usernames": [], "invalid_usernames": []});
    assert_eq!(validate(&api, &viewer, json!([])).await, none);
}

#[actix_web::test]
async fn at_most_50_usernames_are_validated() {
    let (api, [viewer]) = Api::with_users().await;
    create_user_named(&api, "ana49", None).await;
    create_user_named(&api, "ana50", None).await;
    let names: Vec<String> = (0..1_000).map(|number| format!("ana{number}")).collect();

    let validated = validate(&api, &viewer, json!(names)).await;

    assert_eq!(validated["valid_usernames"], json!(["ana49"]));
    assert_eq!(validated["invalid_usernames"], json!(names[..49]));
}

#[actix_web::test]
async fn a_user_is_found_by_username_in_any_case() {
    let (api, [viewer]) = Api::with_users().await;
    let id = create_user_named(&api, "Ana.B-c_d", None).await;

    for path in
        ["Ana.B-c_d", "ana.b-c_d", "ANA.B-C_D.", "ana.b-c_d.-.", "ana.b%2Dc_d", "%61na.b-c_d/"]
    {
        let path = format!("/api/v1/users/by-username/{path}");
        let found = envelope_data(&api.get(&path).by(&viewer).send().await.expect(200));
        assert_eq!(found, json!({"id": id, "username": "Ana.B-c_d"}), "{path}");
    }
}

/// The routes below a user id do not match such names either.
#[actix_web::test]
async fn a_username_may_equal_a_path_segment() {
    let (api, [viewer]) = Api::with_users().await;

    for name in
        ["posts", "profile", "followers", "following", "follow-stats", "block", "by_username"]
    {
        let id = create_user_named(&api, name, None).await;
        let path = format!("/api/v1/users/by-username/{name}");
        let found = envelope_data(&api.get(&path).by(&viewer).send().await.expect(200));
        assert_eq!(found, json!({"id": id, "username": name}));
    }
}

#[actix_web::test]
async fn an_unknown_username_is_not_found() {
    let (api, [viewer]) = Api::with_users().await;
    create_user_named(&api, "ana", None).await;

    for name in [
        "unknown",
        "an",
        "an_",
        "an%25",
        "ana%00",
        "%00",
        "%ff",
        "%C3%28",
        "ana%2F",
        "%2e%2e",
        "me",
        "search",
        "@ana",
        "%20ana",
        "ana%0a",
        "%F0%9F%99%8F",
        "%61%6e%61%2e%21",
        &"x".repeat(5_000),
    ] {
        let response =
            api.get(&format!("/api/v1/users/by-username/{name}")).by(&viewer).send().await;
        assert_eq!(assert_problem(&response, 404, "not_found")["resource"], "user", "{name}");
    }
}

async fn search(api: &Api, viewer: &Caller, body: Value) -> Value {
    envelope_data(&api.post(SEARCH).by(viewer).json(&body).send().await.expect(200))
}

async fn validate(api: &Api, viewer: &Caller, usernames: Value) -> Value {
    let body = json!({"usernames": usernames});
    let validated =
        envelope_data(&api.post(VALIDATE).by(viewer).json(&body).send().await.expect(200));
    assert_eq!(sorted_keys(&validated), ["invalid_usernames", "valid_usernames"]);
    validated
}

/// Creates a user with this username and display name.
async fn create_user_named(api: &Api, username: &str, display_name: Option<&str>) -> i64 {
    let id = a_user().with_username(username).insert_into(api.database()).await.id;
    if let Some(display_name) = display_name {
        let sql = format!("UPDATE users SET display_name = '{display_name}' WHERE id = {id}");
        api.database().execute(&sql).await;
    }
    id.into()
}

fn usernames(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
}
