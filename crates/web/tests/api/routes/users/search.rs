//! `/users/search`, `/users/validate-batch` and `/users/by-username`

use grateful_testkit::{Api, Caller, a_user, block};
use serde_json::{Value, json};

use crate::support::{assert_problem, envelope_data, invalid_fields, sorted_keys};

const SEARCH: &str = "/api/v1/users/search";
const SORT: &str = "/api/v1/users/validate-batch";

/// The fields of somebody in a list (contract §2).
const SUMMARY: [&str; 5] = ["bio", "display_name", "id", "profile_image_url", "username"];

#[actix_web::test]
async fn people_are_found_by_both_names_the_best_matches_first() {
    let api = Api::create().await;
    let me = api.create_user().await;
    for (username, shown) in [
        ("joanna", None),
        ("anabel", None),
        ("Ana", None),
        ("zoe", Some("ÅNA")),
        ("yuri", Some("Ana L")),
    ] {
        named(&api, username, shown).await;
    }

    let found = search(&api, &me, json!({"query": " @ANA "})).await;

    assert_eq!(usernames(&found), ["Ana", "anabel", "yuri"]);
    assert_eq!(sorted_keys(&found[0]), SUMMARY);
    let by_name = search(&api, &me, json!({"query": "åna"})).await;
    assert_eq!(usernames(&by_name), ["zoe"]);
    assert_eq!(by_name[0]["display_name"], "ÅNA");
    assert_eq!(usernames(&search(&api, &me, json!({"query": "oann"})).await), ["joanna"]);
    assert_eq!(search(&api, &me, json!({"query": "an_"})).await, json!([]));
}

#[actix_web::test]
async fn no_more_are_found_than_asked_for_whatever_number_that_is() {
    let api = Api::create().await;
    let me = api.create_user().await;
    for number in 10..65 {
        named(&api, &format!("ana{number}"), None).await;
    }

    for (limit, found) in [
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
        let list = search(&api, &me, body).await;
        assert_eq!(list.as_array().unwrap().len(), found, "{limit}");
        assert_eq!(list[0]["username"], "ana10", "{limit}");
    }
    assert_eq!(search(&api, &me, json!({"query": "ana"})).await.as_array().unwrap().len(), 10);
}

#[actix_web::test]
async fn what_is_in_no_name_finds_nobody() {
    let api = Api::create().await;
    let me = api.create_user().await;
    named(&api, "ana", Some("Ana")).await;

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
        assert_eq!(search(&api, &me, json!({"query": query})).await, json!([]), "{query:.40}");
    }
}

#[actix_web::test]
async fn what_cannot_be_looked_for_is_refused_by_field() {
    let api = Api::create().await;
    let me = api.create_user().await;

    for (path, body, fields) in [
        (SEARCH, json!({}), &["query"][..]),
        (SEARCH, json!({"query": null}), &["query"]),
        (SEARCH, json!({"query": 123, "limit": "3"}), &["limit", "query"]),
        (SEARCH, json!({"query": ["ana"]}), &["query"]),
        (SEARCH, json!({"query": "ana", "limit": 1.5}), &["limit"]),
        (SEARCH, json!({"query": "", "limit": true}), &["limit"]),
        (SORT, json!({}), &["usernames"]),
        (SORT, json!({"usernames": null}), &["usernames"]),
        (SORT, json!({"usernames": "ana"}), &["usernames"]),
        (SORT, json!({"usernames": {"0": "ana"}}), &["usernames"]),
        (SORT, json!({"usernames": ["ana", 1]}), &["usernames"]),
        (SORT, json!({"usernames": ["ana", null]}), &["usernames"]),
        (SORT, json!({"usernames": ["ana", ["ben"]]}), &["usernames"]),
    ] {
        let response = api.post(path).by(&me).json(&body).send().await;
        assert_eq!(invalid_fields(&response), fields, "{body}");
    }
}

#[actix_web::test]
async fn across_a_block_and_by_oneself_nobody_is_found() {
    let api = Api::create().await;
    let [me, other] = [api.create_user().await, api.create_user().await];
    let [mine, theirs] = [&me, &other].map(|caller| caller.user.username.as_str().to_owned());
    block(api.database(), other.user.id, me.user.id).await;

    for (caller, names) in [(&me, [&mine, &theirs]), (&other, [&theirs, &mine])] {
        for name in names {
            assert_eq!(search(&api, caller, json!({"query": name})).await, json!([]));
        }
        let [own, across] = names;
        let sorted = sort(&api, caller, json!([own, across])).await;
        assert_eq!(sorted, json!({"valid_usernames": [own], "invalid_usernames": [across]}));
        let path = format!("/api/v1/users/by-username/{across}");
        assert_problem(&api.get(&path).by(caller).send().await, 404, "not_found");
        let path = format!("/api/v1/users/by-username/{own}");
        let found = envelope_data(&api.get(&path).by(caller).send().await.expect(200));
        assert_eq!(found, json!({"id": i64::from(caller.user.id), "username": own}));
    }
}

#[actix_web::test]
async fn names_come_back_as_they_were_sent_by_whether_they_are_somebodys() {
    let api = Api::create().await;
    let me = api.create_user().await;
    for name in ["Ana", "ben-x", "cat"] {
        named(&api, name, None).await;
    }

    let names = json!([
        "cat.", "nobody", "ANA", "ana", "ANA", "", "ben-x-", "@ana", "a\u{0}na", "🙏", "cat."
    ]);
    let sorted = sort(&api, &me, names).await;

    let expected = json!({
        "valid_usernames": ["cat.", "ANA", "ana", "ben-x-"],
        "invalid_usernames": ["nobody", "", "@ana", "a\u{0}na", "🙏"],
    });
    assert_eq!(sorted, expected);
    let none = json!({"valid_usernames": [], "invalid_usernames": []});
    assert_eq!(sort(&api, &me, json!([])).await, none);
}

#[actix_web::test]
async fn of_more_than_fifty_names_the_first_fifty_are_answered() {
    let api = Api::create().await;
    let me = api.create_user().await;
    named(&api, "ana49", None).await;
    named(&api, "ana50", None).await;
    let names: Vec<String> = (0..1_000).map(|number| format!("ana{number}")).collect();

    let sorted = sort(&api, &me, json!(names)).await;

    assert_eq!(sorted["valid_usernames"], json!(["ana49"]));
    assert_eq!(sorted["invalid_usernames"], json!(names[..49]));
}

#[actix_web::test]
async fn a_name_leads_to_whoever_has_it() {
    let api = Api::create().await;
    let me = api.create_user().await;
    let id = named(&api, "Ana.B-c_d", None).await;

    for path in
        ["Ana.B-c_d", "ana.b-c_d", "ANA.B-C_D.", "ana.b-c_d.-.", "ana.b%2Dc_d", "%61na.b-c_d/"]
    {
        let path = format!("/api/v1/users/by-username/{path}");
        let found = envelope_data(&api.get(&path).by(&me).send().await.expect(200));
        assert_eq!(found, json!({"id": id, "username": "Ana.B-c_d"}), "{path}");
    }
}

/// Nor do the routes below an id take such names for ids.
#[actix_web::test]
async fn somebody_may_be_called_like_the_end_of_a_path() {
    let api = Api::create().await;
    let me = api.create_user().await;

    for name in
        ["posts", "profile", "followers", "following", "follow-stats", "block", "by_username"]
    {
        let id = named(&api, name, None).await;
        let path = format!("/api/v1/users/by-username/{name}");
        let found = envelope_data(&api.get(&path).by(&me).send().await.expect(200));
        assert_eq!(found, json!({"id": id, "username": name}));
    }
}

#[actix_web::test]
async fn a_name_that_nobody_has_is_not_found_whatever_is_in_it() {
    let api = Api::create().await;
    let me = api.create_user().await;
    named(&api, "ana", None).await;

    for name in [
        "nobody",
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
        let response = api.get(&format!("/api/v1/users/by-username/{name}")).by(&me).send().await;
        assert_eq!(assert_problem(&response, 404, "not_found")["resource"], "user", "{name}");
    }
}

async fn search(api: &Api, by: &Caller, body: Value) -> Value {
    envelope_data(&api.post(SEARCH).by(by).json(&body).send().await.expect(200))
}

async fn sort(api: &Api, by: &Caller, usernames: Value) -> Value {
    let body = json!({"usernames": usernames});
    let sorted = envelope_data(&api.post(SORT).by(by).json(&body).send().await.expect(200));
    assert_eq!(sorted_keys(&sorted), ["invalid_usernames", "valid_usernames"]);
    sorted
}

/// Somebody of this username, who is shown so.
async fn named(api: &Api, username: &str, shown: Option<&str>) -> i64 {
    let id = a_user().with_username(username).insert_into(api.database()).await.id;
    if let Some(shown) = shown {
        let sql = format!("UPDATE users SET display_name = '{shown}' WHERE id = {id}");
        api.database().execute(&sql).await;
    }
    id.into()
}

fn usernames(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it["username"].as_str().unwrap()).collect()
}
