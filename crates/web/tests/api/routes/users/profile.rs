//! `/api/v1/users/me/profile`, `/api/v1/users/{id}/profile` and `/api/v1/users/username/{username}`.

use grateful_testkit::{Api, ApiResponse, Caller, a_user};
use serde_json::{Value, json};

use crate::support::{NOON, assert_problem, envelope_data, invalid_fields, sorted_keys};

const OWN_PROFILE: &str = "/api/v1/users/me/profile";

/// The public fields of a profile (docs/http-api.md#shapes).
const PROFILE_FIELDS: [&str; 13] = [
    "bio",
    "city",
    "created_at",
    "display_name",
    "followers_count",
    "following_count",
    "id",
    "institutions",
    "location",
    "posts_count",
    "profile_image_url",
    "username",
    "websites",
];

#[actix_web::test]
async fn a_new_user_has_an_empty_profile() {
    let (api, [ana]) = Api::with_users().await;

    let expected = json!({
        "id": i64::from(ana.user.id),
        "username": ana.user.username.as_str(),
        "email": ana.user.email.as_str(),
        "bio": null,
        "profile_image_url": null,
        "display_name": null,
        "city": null,
        "location": null,
        "institutions": [],
        "websites": [],
        "profile_preferences": {},
        "created_at": NOON,
        "posts_count": 0,
        "followers_count": 0,
        "following_count": 0,
    });
    assert_eq!(get_own_profile(&api, &ana).await, expected);
}

#[actix_web::test]
async fn other_users_see_the_profile_without_email_and_preferences() {
    let (api, [ana, ben]) = Api::with_users().await;
    let mut own = edit_profile(&api, &ana, full_profile()).await;

    for path in [path_by_id(&ana), "/api/v1/users/username/Ana.Lima".to_owned()] {
        for viewer in [&ana, &ben] {
            let response = api.get(&path).by(viewer).send().await.expect(200);
            assert!(!response.json().to_string().contains(ana.user.email.as_str()));
            let profile = envelope_data(&response);
            assert_eq!(sorted_keys(&profile), PROFILE_FIELDS);
            let profile = profile.as_object().unwrap();
            assert!(profile.iter().all(|(name, value)| own[name] == *value), "{profile:?}");
        }
    }
    let own = own.as_object_mut().unwrap();
    let removed = ["email", "profile_preferences"].map(|name| own.remove(name).is_some());
    assert_eq!((removed, own.len()), ([true; 2], PROFILE_FIELDS.len()));
}

#[actix_web::test]
async fn all_fields_of_a_profile_are_stored() {
    let (api, [ana]) = Api::with_users().await;
    let edit = full_profile();

    let after = edit_profile(&api, &ana, edit.clone()).await;

    for (name, value) in edit.as_object().unwrap() {
        let name = if name == "location_data" { "location" } else { name };
        assert_eq!(after[name], *value, "{name}");
    }
    assert_eq!(get_own_profile(&api, &ana).await, after);
}

#[actix_web::test]
async fn absent_fields_are_kept_and_null_fields_are_cleared() {
    let (api, [ana]) = Api::with_users().await;
    let before = edit_profile(&api, &ana, full_profile()).await;

    for (field, response_field, empty) in [
        ("bio", "bio", Value::Null),
        ("display_name", "display_name", Value::Null),
        ("city", "city", Value::Null),
        ("location_data", "location", Value::Null),
        ("institutions", "institutions", json!([])),
        ("websites", "websites", json!([])),
        ("profile_preferences", "profile_preferences", json!({})),
    ] {
        let mut expected = before.clone();
        expected[response_field] = empty;
        assert_eq!(edit_profile(&api, &ana, json!({ field: null })).await, expected);
        // Restores the previous value.
        assert_eq!(edit_profile(&api, &ana, json!({ field: full_profile()[field] })).await, before);
    }
}

#[actix_web::test]
async fn read_only_and_unknown_fields_are_ignored() {
    let (api, [ana]) = Api::with_users().await;
    let before = edit_profile(&api, &ana, full_profile()).await;

    for body in [
        json!({}),
        json!({"id": 1, "email": "new@example.org", "posts_count": 7, "created_at": NOON}),
        json!({"profile_image_url": "/uploads/evil.svg"}),
        json!({"profile_image_url": null, "profile_photo_filename": "x", "location": null}),
        json!({"profile_image_url": 7, "hashed_password": "x"}),
    ] {
        assert_eq!(edit_profile(&api, &ana, body.clone()).await, before, "{body}");
    }
}

#[actix_web::test]
async fn blank_fields_are_cleared_except_the_display_name() {
    let (api, [ana]) = Api::with_users().await;
    edit_profile(&api, &ana, full_profile()).await;

    let after = edit_profile(&api, &ana, json!({"bio": "\u{2800}\u{200b}", "city": " \t"})).await;

    assert_eq!((&after["bio"], &after["city"]), (&Value::Null, &Value::Null));
    for blank in ["", " ", "\r\n", "\u{3164}\u{fe0f}", "\u{202e}"] {
        let response =
            put_profile(&api, &ana, &json!({"display_name": blank, "bio": "Kept back"})).await;
        assert_eq!(invalid_fields(&response), ["display_name"]);
    }
    assert_eq!(get_own_profile(&api, &ana).await["bio"], Value::Null);
    let blanks = json!({"websites": ["", " "], "institutions": [" ", "Farm", ""]});
    let after = edit_profile(&api, &ana, blanks).await;
    assert_eq!((&after["websites"], &after["institutions"]), (&json!([]), &json!(["Farm"])));
}

#[actix_web::test]
async fn text_is_normalized_before_its_length_is_checked() {
    let (api, [ana]) = Api::with_users().await;

    // 500 characters after normalization: a line break of two bytes, a letter of two code points.
    let bio = format!(" Rain\r\nand\rsun\t{}e\u{301}\r\n", "x".repeat(485));
    let after =
        edit_profile(&api, &ana, json!({"bio": bio, "display_name": " Ana\t\u{1f49c} "})).await;

    assert_eq!(after["bio"], format!("Rain\nand\nsun {}\u{e9}", "x".repeat(485)));
    assert_eq!(after["display_name"], "Ana \u{1f49c}");
    let fields =
        json!({"bio": "x".repeat(501), "display_name": "x".repeat(101), "city": "x".repeat(101)});
    let response = put_profile(&api, &ana, &fields).await;
    assert_eq!(invalid_fields(&response), ["bio", "city", "display_name"]);
    let fields = json!({"bio": "a\u{7}", "display_name": "a\nb", "city": "a\u{0}", "institutions": ["\u{1b}"]});
    let response = put_profile(&api, &ana, &fields).await;
    assert_eq!(invalid_fields(&response), ["bio", "city", "display_name", "institutions"]);
}

#[actix_web::test]
async fn all_invalid_fields_are_reported_at_once_and_nothing_is_changed() {
    let (api, [ana]) = Api::with_users().await;
    let before = get_own_profile(&api, &ana).await;

    let response = put_profile(
        &api,
        &ana,
        &json!({
            "username": "me",
            "bio": 1,
            "display_name": ["Ana"],
            "city": {},
            "location_data": "Lisboa",
            "institutions": "Farm",
            "websites": [1],
            "profile_preferences": [],
        }),
    )
    .await;

    let all = [
        "bio",
        "city",
        "display_name",
        "institutions",
        "location_data",
        "profile_preferences",
        "username",
        "websites",
    ];
    assert_eq!(invalid_fields(&response), all);
    assert_eq!(get_own_profile(&api, &ana).await, before);
}

#[actix_web::test]
async fn a_changed_username_is_found_and_so_is_the_old_one() {
    let (api, [ana]) = Api::with_users().await;
    let old = path_by_username(&ana);

    assert_eq!(
        edit_profile(&api, &ana, json!({"username": "New.Name"})).await["username"],
        "New.Name"
    );
    assert_eq!(
        edit_profile(&api, &ana, json!({"username": "new.name"})).await["username"],
        "new.name"
    );

    for path in [&old, "/api/v1/users/username/NEW.NAME"] {
        let found = api.get(path).by(&ana).send().await.expect(200);
        assert_eq!(found.data()["id"], i64::from(ana.user.id));
        assert_eq!(found.data()["username"], "new.name");
    }
}

#[actix_web::test]
async fn the_username_of_another_user_is_taken_in_any_case() {
    let (api, [ana]) = Api::with_users().await;
    a_user().with_username("Ben").insert_into(api.database()).await;

    for name in ["Ben", "bEN"] {
        let response =
            put_profile(&api, &ana, &json!({"username": name, "bio": "Kept back"})).await;
        let details = assert_problem(&response, 409, "already_exists");
        assert_eq!(details, json!({"resource": "user"}));
        assert_eq!(response.json()["detail"], "Username already taken");
    }
    assert_eq!(get_own_profile(&api, &ana).await["bio"], Value::Null);
}

#[actix_web::test]
async fn reserved_malformed_and_confusable_usernames_are_rejected() {
    let (api, [ana]) = Api::with_users().await;
    let long = "a".repeat(51);

    for name in [
        "me",
        "Admin",
        "ROOT",
        "search",
        "username",
        "by-username",
        "validate-batch",
        "location",
        "api",
        "support",
        "grateful",
        "",
        "ab",
        &long,
        "ana.",
        "ana-",
        ".ana",
        "-ana",
        "_ana",
        "a na",
        "a/b",
        "a%b",
        "@ana",
        "\u{430}na",
        "an\u{e5}",
        "an\u{200d}a",
        "\u{ff41}na",
        "ana\u{0}",
        "ana\n",
        "a\u{301}na",
    ] {
        let response = put_profile(&api, &ana, &json!({"username": name})).await;
        assert_eq!(invalid_fields(&response), ["username"], "{name:?}");
    }
    let response = put_profile(&api, &ana, &json!({"username": null})).await;
    assert_eq!(invalid_fields(&response), ["username"]);
}

#[actix_web::test]
async fn a_city_that_is_too_long_is_shortened_with_the_location_data() {
    let (api, [ana]) = Api::with_users().await;
    let long_name = format!("Lisboa, {}Portugal", "Santa Maria Maior, ".repeat(6));
    assert!(100 < long_name.chars().count());
    let location_data = |address: Value| json!({"display_name": long_name, "lat": 38.7, "lon": -9.1, "address": address});
    let truncated: String = long_name.chars().take(100).collect();

    for (city, location, expected) in [
        (&*long_name, location_data(json!({"city": "Lisboa"})), "Lisboa"),
        ("Home", location_data(json!({"city": "Lisboa"})), "Home"),
        (&long_name, location_data(json!({})), truncated.trim()),
        (&long_name, location_data(json!({"city": null})), truncated.trim()),
        (&long_name, location_data(json!({"city": long_name})), truncated.trim()),
        (&long_name, json!({"display_name": "x", "lat": 0, "lon": 0}), truncated.trim()),
    ] {
        let after =
            edit_profile(&api, &ana, json!({"city": city, "location_data": location})).await;
        assert_eq!(after["city"], expected, "{location}");
        assert_eq!(after["location"], location);
    }
    for body in [json!({"city": long_name}), json!({"city": long_name, "location_data": null})] {
        assert_eq!(invalid_fields(&put_profile(&api, &ana, &body).await), ["city"]);
    }
}

#[actix_web::test]
async fn location_data_has_a_name_and_valid_coordinates() {
    let (api, [ana]) = Api::with_users().await;
    let location_data =
        |lat: Value, lon: Value| json!({"display_name": "Here", "lat": lat, "lon": lon});

    for location in [
        json!({}),
        json!([]),
        json!("Lisboa"),
        json!({"lat": 1, "lon": 1}),
        json!({"display_name": "", "lat": 1, "lon": 1}),
        json!({"display_name": 1, "lat": 1, "lon": 1}),
        location_data(json!(90.000_001), json!(0)),
        location_data(json!(-91), json!(0)),
        location_data(json!(0), json!(180.000_001)),
        location_data(json!(0), json!(-1e300)),
        location_data(json!("0"), json!(0)),
        location_data(Value::Null, json!(0)),
        json!({"display_name": "Here", "lat": 0, "lon": 0, "x": "a\u{0}"}),
        json!({"display_name": "Here", "lat": 0, "lon": 0, "x": "x".repeat(5_000)}),
    ] {
        let response = put_profile(&api, &ana, &json!({"location_data": location})).await;
        assert_eq!(invalid_fields(&response), ["location_data"], "{location}");
    }
    for corner in [location_data(json!(90), json!(-180)), location_data(json!(-90.0), json!(180.0))]
    {
        put_profile(&api, &ana, &json!({"location_data": corner})).await.expect(200);
    }
    // Numbers beyond the range of f64, and those that PostgreSQL formats differently.
    for (number, status) in [("1e400", 422), ("NaN", 422), ("1e-300", 200), ("-0.0", 200)] {
        let body =
            format!(r#"{{"location_data": {{"display_name": "x", "lat": {number}, "lon": 0}}}}"#);
        let response = api.put(OWN_PROFILE).by(&ana).json_bytes(body).send().await;
        assert_eq!(response.status.as_u16(), status, "{number}");
    }
}

#[actix_web::test]
async fn websites_and_institutions_are_validated() {
    let (api, [ana]) = Api::with_users().await;

    for url in [
        "javascript:alert(1)",
        " JaVaScript:alert(1)",
        "java\tscript:alert(1)",
        "javascript://example.org/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//example.org",
        "/profile",
        "example.org",
        "https://",
        "http:///",
        "https://a b.org",
        "\u{0}https://example.org",
        "https://ana@example.org",
        "https://ana:sesame@example.org",
        "https://bank.example@evil.example/",
        "https://-/",
        "https://example..org",
        "https://_.example",
    ] {
        let response =
            put_profile(&api, &ana, &json!({"websites": ["https://example.org", url]})).await;
        assert_eq!(invalid_fields(&response), ["websites"], "{url}");
    }
    let six = vec!["https://example.org"; 6];
    assert_eq!(
        invalid_fields(&put_profile(&api, &ana, &json!({"websites": six})).await),
        ["websites"]
    );
    let eleven = vec!["Farm"; 11];
    let response = put_profile(&api, &ana, &json!({"institutions": eleven})).await;
    assert_eq!(invalid_fields(&response), ["institutions"]);
    let response = put_profile(&api, &ana, &json!({"institutions": ["x".repeat(101)]})).await;
    assert_eq!(invalid_fields(&response), ["institutions"]);
}

#[actix_web::test]
async fn unknown_preferences_are_stored_and_invalid_ones_rejected() {
    let (api, [ana]) = Api::with_users().await;
    let preferences = json!({"approve_followers": true, "notifications": {"like": false}, "theme": {"dark": [1, null]}});

    let after = edit_profile(&api, &ana, json!({"profile_preferences": preferences})).await;

    assert_eq!(after["profile_preferences"], preferences);
    for invalid in [
        json!({"approve_followers": "yes"}),
        json!({"approve_followers": {}}),
        json!({"notifications": []}),
        json!({"notifications": {"like": 1}}),
        json!({"theme": "a\u{0}"}),
        json!({"a\u{0}": 1}),
        json!({"theme": "x".repeat(16_384)}),
        json!([]),
        json!(true),
    ] {
        let response = put_profile(&api, &ana, &json!({"profile_preferences": invalid})).await;
        assert_eq!(invalid_fields(&response), ["profile_preferences"], "{invalid}");
    }
    assert_eq!(get_own_profile(&api, &ana).await["profile_preferences"], preferences);
}

#[actix_web::test]
async fn preferences_are_merged_and_null_removes_a_key() {
    let (api, [ana]) = Api::with_users().await;
    let first = json!({"approve_followers": true, "theme": {"dark": 1, "font": "serif"}, "notifications": {"like": false}});
    edit_profile(&api, &ana, json!({"profile_preferences": first})).await;

    for (patch, merged) in [
        (
            json!({"approve_followers": null, "theme": {"font": null, "size": 2}}),
            json!({"theme": {"dark": 1, "size": 2}, "notifications": {"like": false}}),
        ),
        (
            json!({"notifications": {"follow": false}, "theme": "plain"}),
            json!({"theme": "plain", "notifications": {"like": false, "follow": false}}),
        ),
        (json!({}), json!({"theme": "plain", "notifications": {"like": false, "follow": false}})),
        (json!({"notifications": null, "theme": null}), json!({})),
        (json!({"theme": "dark"}), json!({"theme": "dark"})),
        (Value::Null, json!({})),
    ] {
        let after = edit_profile(&api, &ana, json!({"profile_preferences": patch})).await;
        assert_eq!(after["profile_preferences"], merged, "{patch}");
        assert_eq!(get_own_profile(&api, &ana).await["profile_preferences"], merged, "{patch}");
    }
}

#[actix_web::test]
async fn oversized_and_malformed_bodies_are_rejected() {
    let (api, [ana]) = Api::with_users().await;

    let oversized = json!({"profile_preferences": {"theme": "x".repeat(3_000_000)}});
    let response = put_profile(&api, &ana, &oversized).await;
    assert_eq!(assert_problem(&response, 413, "payload_too_large"), json!({"limit_bytes": 65_536}));

    let deep =
        format!(r#"{{"profile_preferences": {}1{}}}"#, r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
    for body in ["", "[]", "null", "{", r#"{"bio": "\ud800"}"#, &deep] {
        let response = api.put(OWN_PROFILE).by(&ana).json_bytes(body.to_owned()).send().await;
        assert_eq!(invalid_fields(&response), ["body"]);
    }
}

#[actix_web::test]
async fn the_follow_counts_do_not_include_pending_requests() {
    let (api, [ana, ben, sue]) = Api::with_users().await;
    edit_profile(&api, &sue, json!({"profile_preferences": {"approve_followers": true}})).await;

    for target in [&ben, &sue] {
        api.post(&format!("/api/v1/follows/{}", target.user.id)).by(&ana).send().await.expect(201);
    }

    for (user, expected) in [(&ana, [0, 1]), (&ben, [1, 0]), (&sue, [0, 0])] {
        let profile = api.get(&path_by_id(user)).by(&sue).send().await.data();
        assert_eq!(
            [&profile["followers_count"], &profile["following_count"]],
            expected.map(Value::from).each_ref()
        );
    }
}

#[actix_web::test]
async fn a_username_is_found_in_any_case_and_with_trailing_punctuation() {
    let (api, [ana]) = Api::with_users().await;
    let cat = a_user().with_username("The.Cat_1").insert_into(api.database()).await;

    for name in [
        "The.Cat_1",
        "the.cat_1",
        "THE.CAT_1",
        "the.cat_1.",
        "the.cat_1...",
        "the.cat_1.-.",
        "the.cat%5F1",
    ] {
        let path = format!("/api/v1/users/username/{name}");
        assert_eq!(
            api.get(&path).by(&ana).send().await.expect(200).data()["id"],
            i64::from(cat.id),
            "{name}"
        );
    }
    for name in [
        "the.cat",
        "the_cat_1",
        "thexcat_1",
        "%25",
        "the.cat%",
        "-",
        ".",
        "%2e%2e",
        "cat",
        "1",
        "the.cat_1%00",
    ] {
        let response = api.get(&format!("/api/v1/users/username/{name}")).by(&ana).send().await;
        assert!(response.status.is_client_error(), "{name}: {}", response.status);
    }
}

#[actix_web::test]
async fn malformed_usernames_are_not_found_and_path_segments_are_usernames() {
    let (api, [ana]) = Api::with_users().await;
    let long = "a".repeat(5_000);

    for name in [
        "%00",
        "ana%00",
        "%ff%fe",
        "%c0%af",
        "%ed%a0%80",
        "%F0%9F%92%9C",
        "%2F",
        "a%2Fb",
        "..%2f..%2fetc",
        "%27%20OR%201=1",
        "%0d%0a",
        "%5c",
        "null",
        "undefined",
        "%7B%7D",
        "@ana",
        "\u{430}na",
        &long,
    ] {
        let path: String = format!("/api/v1/users/username/{name}")
            .bytes()
            .map(|byte| {
                if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            })
            .collect();
        let response = api.get(&path).by(&ana).send().await;
        assert_eq!(assert_problem(&response, 404, "not_found")["resource"], "user", "{name}");
    }
    for name in ["profile", "posts", "followers", "following", "follow-stats", "block"] {
        let user_id = a_user().with_username(name).insert_into(api.database()).await.id;
        let found =
            api.get(&format!("/api/v1/users/username/{name}/")).by(&ana).send().await.expect(200);
        assert_eq!(found.data()["id"], i64::from(user_id), "{name}");
    }
}

#[actix_web::test]
async fn unknown_user_ids_are_not_found_and_malformed_ones_invalid() {
    let (api, [ana]) = Api::with_users().await;

    for id in ["0", "-1", "9223372036854775807", "-9223372036854775808"] {
        let response = api.get(&format!("/api/v1/users/{id}/profile")).by(&ana).send().await;
        assert_eq!(
            assert_problem(&response, 404, "not_found"),
            json!({"resource": "user", "id": id})
        );
    }
    for id in ["x", "1.5", "9223372036854775808", "%00", "1%20", "null", "%2B"] {
        let response = api.get(&format!("/api/v1/users/{id}/profile")).by(&ana).send().await;
        assert_eq!(invalid_fields(&response), ["id"], "{id}");
    }
}

fn full_profile() -> Value {
    json!({
        "username": "Ana.Lima",
        "bio": "Rain\nand sun \u{1f49c}",
        "display_name": "Ana Lima",
        "city": "Lisboa",
        "location_data": {
            "display_name": "Lisboa, Portugal", "lat": 38.7, "lon": -9.14, "place_id": 7, "importance": 0.8,
            "address": {"city": "Lisboa", "country_code": "pt"}, "name:ru": "\u{41b}\u{438}\u{441}\u{441}\u{430}\u{431}\u{43e}\u{43d}",
        },
        "institutions": ["Farm", "Universidade"],
        "websites": ["https://example.org/a?b#c", "http://localhost:3000"],
        "profile_preferences": {"notifications": {"like": false}, "theme": "dark"},
    })
}

async fn get_own_profile(api: &Api, caller: &Caller) -> Value {
    let profile = envelope_data(&api.get(OWN_PROFILE).by(caller).send().await.expect(200));
    let mut expected = [&PROFILE_FIELDS[..], &["email", "profile_preferences"]].concat();
    expected.sort_unstable();
    assert_eq!(sorted_keys(&profile), expected);
    profile
}

async fn put_profile(api: &Api, caller: &Caller, body: &Value) -> ApiResponse {
    api.put(OWN_PROFILE).by(caller).json(body).send().await
}

async fn edit_profile(api: &Api, caller: &Caller, body: Value) -> Value {
    envelope_data(&put_profile(api, caller, &body).await.expect(200))
}

fn path_by_id(caller: &Caller) -> String {
    format!("/api/v1/users/{}/profile", caller.user.id)
}

/// The path with the username at signup.
fn path_by_username(caller: &Caller) -> String {
    format!("/api/v1/users/username/{}", caller.user.username.as_str())
}
