//! `/users/me/profile`, `/users/{id}/profile` and `/users/username/{username}`.

use grateful_testkit::{Api, ApiResponse, Caller, a_post, a_user, block};
use serde_json::{Value, json};

use crate::support::{NOON, assert_problem, envelope_data, invalid_fields, sorted_keys};

const MINE: &str = "/api/v1/users/me/profile";

/// The fields of a profile (contract §2).
const PROFILE: [&str; 13] = [
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
async fn whoever_has_said_nothing_of_themselves_has_a_page_all_the_same() {
    let api = Api::create().await;
    let ana = api.create_user().await;

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
    assert_eq!(own(&api, &ana).await, expected);
}

#[actix_web::test]
async fn others_see_the_page_without_address_and_preferences() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    let mut mine = edited(&api, &ana, everything()).await;

    for path in [by_id(&ana), "/api/v1/users/username/Ana.Lima".to_owned()] {
        for viewer in [&ana, &ben] {
            let response = api.get(&path).by(viewer).send().await.expect(200);
            assert!(!response.json().to_string().contains(ana.user.email.as_str()));
            let page = envelope_data(&response);
            assert_eq!(sorted_keys(&page), PROFILE);
            let page = page.as_object().unwrap();
            assert!(page.iter().all(|(name, value)| mine[name] == *value), "{page:?}");
        }
    }
    let mine = mine.as_object_mut().unwrap();
    let only_mine = ["email", "profile_preferences"].map(|name| mine.remove(name).is_some());
    assert_eq!((only_mine, mine.len()), ([true; 2], PROFILE.len()));
}

#[actix_web::test]
async fn everything_that_can_be_said_is_kept_and_shown_as_it_was_said() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let said = everything();

    let after = edited(&api, &ana, said.clone()).await;

    for (name, value) in said.as_object().unwrap() {
        let name = if name == "location_data" { "location" } else { name };
        assert_eq!(after[name], *value, "{name}");
    }
    assert_eq!(own(&api, &ana).await, after);
}

#[actix_web::test]
async fn what_is_absent_stays_and_null_clears() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let before = edited(&api, &ana, everything()).await;

    for (field, shown, cleared) in [
        ("bio", "bio", Value::Null),
        ("display_name", "display_name", Value::Null),
        ("city", "city", Value::Null),
        ("location_data", "location", Value::Null),
        ("institutions", "institutions", json!([])),
        ("websites", "websites", json!([])),
        ("profile_preferences", "profile_preferences", json!({})),
    ] {
        let mut expected = before.clone();
        expected[shown] = cleared;
        assert_eq!(edited(&api, &ana, json!({ field: null })).await, expected);
        // What it was before, and nothing else.
        assert_eq!(edited(&api, &ana, json!({ field: everything()[field] })).await, before);
    }
}

#[actix_web::test]
async fn nothing_to_change_changes_nothing() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let before = edited(&api, &ana, everything()).await;

    for body in [
        json!({}),
        json!({"id": 1, "email": "new@example.org", "posts_count": 7, "created_at": NOON}),
        json!({"profile_image_url": "/uploads/evil.svg"}),
        json!({"profile_image_url": null, "profile_photo_filename": "x", "location": null}),
        json!({"profile_image_url": 7, "hashed_password": "x"}),
    ] {
        assert_eq!(edited(&api, &ana, body.clone()).await, before, "{body}");
    }
}

#[actix_web::test]
async fn blank_clears_but_a_name_is_never_blank() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    edited(&api, &ana, everything()).await;

    let after = edited(&api, &ana, json!({"bio": "", "city": " \t"})).await;

    assert_eq!((&after["bio"], &after["city"]), (&Value::Null, &Value::Null));
    for blank in ["", " ", "\r\n"] {
        let refused = edit(&api, &ana, &json!({"display_name": blank, "bio": "Kept back"})).await;
        assert_eq!(invalid_fields(&refused), ["display_name"]);
    }
    assert_eq!(own(&api, &ana).await["bio"], Value::Null);
    let blanks = json!({"websites": ["", " "], "institutions": [" ", "Farm", ""]});
    let after = edited(&api, &ana, blanks).await;
    assert_eq!((&after["websites"], &after["institutions"]), (&json!([]), &json!(["Farm"])));
}

#[actix_web::test]
async fn text_is_tidied_before_it_is_counted() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    // As a form sends it: 500 characters, with a line in two bytes and a letter in two parts.
    let bio = format!(" Rain\r\nand\rsun\t{}e\u{301}\r\n", "x".repeat(485));
    let after = edited(&api, &ana, json!({"bio": bio, "display_name": " Ana\t\u{1f49c} "})).await;

    assert_eq!(after["bio"], format!("Rain\nand\nsun {}\u{e9}", "x".repeat(485)));
    assert_eq!(after["display_name"], "Ana \u{1f49c}");
    let fields =
        json!({"bio": "x".repeat(501), "display_name": "x".repeat(101), "city": "x".repeat(101)});
    let refused = edit(&api, &ana, &fields).await;
    assert_eq!(invalid_fields(&refused), ["bio", "city", "display_name"]);
    let fields = json!({"bio": "a\u{7}", "display_name": "a\nb", "city": "a\u{0}", "institutions": ["\u{1b}"]});
    let refused = edit(&api, &ana, &fields).await;
    assert_eq!(invalid_fields(&refused), ["bio", "city", "display_name", "institutions"]);
}

#[actix_web::test]
async fn all_that_is_wrong_is_named_at_once_and_nothing_is_changed() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let before = own(&api, &ana).await;

    let refused = edit(
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
    assert_eq!(invalid_fields(&refused), all);
    assert_eq!(own(&api, &ana).await, before);
}

#[actix_web::test]
async fn a_new_username_is_ones_own_from_then_on() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let old = by_name(&ana);

    assert_eq!(edited(&api, &ana, json!({"username": "New.Name"})).await["username"], "New.Name");
    assert_eq!(edited(&api, &ana, json!({"username": "new.name"})).await["username"], "new.name");

    api.get(&old).by(&ana).send().await.expect(404);
    let found = api.get("/api/v1/users/username/NEW.NAME").by(&ana).send().await.expect(200);
    assert_eq!(found.data()["id"], i64::from(ana.user.id));
}

#[actix_web::test]
async fn a_username_of_somebody_else_is_taken_whatever_its_case() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    a_user().with_username("Ben").insert_into(api.database()).await;

    for name in ["Ben", "bEN"] {
        let refused = edit(&api, &ana, &json!({"username": name, "bio": "Kept back"})).await;
        let details = assert_problem(&refused, 409, "already_exists");
        assert_eq!(details, json!({"resource": "user"}));
        assert_eq!(refused.json()["detail"], "Username already taken");
    }
    assert_eq!(own(&api, &ana).await["bio"], Value::Null);
}

#[actix_web::test]
async fn a_username_that_breaks_the_rule_or_looks_like_another_is_refused() {
    let api = Api::create().await;
    let ana = api.create_user().await;
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
        let refused = edit(&api, &ana, &json!({"username": name})).await;
        assert_eq!(invalid_fields(&refused), ["username"], "{name:?}");
    }
    let refused = edit(&api, &ana, &json!({"username": null})).await;
    assert_eq!(invalid_fields(&refused), ["username"]);
}

#[actix_web::test]
async fn a_place_that_is_sent_along_names_the_city_where_the_whole_name_is_too_long() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let whole = format!("Lisboa, {}Portugal", "Santa Maria Maior, ".repeat(6));
    assert!(100 < whole.chars().count());
    let place = |address: Value| json!({"display_name": whole, "lat": 38.7, "lon": -9.1, "address": address});
    let beginning: String = whole.chars().take(100).collect();

    for (city, location, expected) in [
        (&*whole, place(json!({"city": "Lisboa"})), "Lisboa"),
        ("Home", place(json!({"city": "Lisboa"})), "Home"),
        (&whole, place(json!({})), beginning.trim()),
        (&whole, place(json!({"city": null})), beginning.trim()),
        (&whole, place(json!({"city": whole})), beginning.trim()),
        (&whole, json!({"display_name": "x", "lat": 0, "lon": 0}), beginning.trim()),
    ] {
        let after = edited(&api, &ana, json!({"city": city, "location_data": location})).await;
        assert_eq!(after["city"], expected, "{location}");
        assert_eq!(after["location"], location);
    }
    for alone in [json!({"city": whole}), json!({"city": whole, "location_data": null})] {
        assert_eq!(invalid_fields(&edit(&api, &ana, &alone).await), ["city"]);
    }
}

#[actix_web::test]
async fn a_place_is_on_this_planet_and_has_a_name() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let place = |lat: Value, lon: Value| json!({"display_name": "Here", "lat": lat, "lon": lon});

    for location in [
        json!({}),
        json!([]),
        json!("Lisboa"),
        json!({"lat": 1, "lon": 1}),
        json!({"display_name": "", "lat": 1, "lon": 1}),
        json!({"display_name": 1, "lat": 1, "lon": 1}),
        place(json!(90.000_001), json!(0)),
        place(json!(-91), json!(0)),
        place(json!(0), json!(180.000_001)),
        place(json!(0), json!(-1e300)),
        place(json!("0"), json!(0)),
        place(Value::Null, json!(0)),
        json!({"display_name": "Here", "lat": 0, "lon": 0, "x": "a\u{0}"}),
        json!({"display_name": "Here", "lat": 0, "lon": 0, "x": "x".repeat(5_000)}),
    ] {
        let refused = edit(&api, &ana, &json!({"location_data": location})).await;
        assert_eq!(invalid_fields(&refused), ["location_data"], "{location}");
    }
    for corner in [place(json!(90), json!(-180)), place(json!(-90.0), json!(180.0))] {
        edit(&api, &ana, &json!({"location_data": corner})).await.expect(200);
    }
    // Numbers that no number can hold, and those that PostgreSQL writes otherwise.
    for (number, status) in [("1e400", 422), ("NaN", 422), ("1e-300", 200), ("-0.0", 200)] {
        let body =
            format!(r#"{{"location_data": {{"display_name": "x", "lat": {number}, "lon": 0}}}}"#);
        let response = api.put(MINE).by(&ana).json_bytes(body).send().await;
        assert_eq!(response.status.as_u16(), status, "{number}");
    }
}

#[actix_web::test]
async fn a_website_is_one_that_a_browser_may_open() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for address in [
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
    ] {
        let refused =
            edit(&api, &ana, &json!({"websites": ["https://example.org", address]})).await;
        assert_eq!(invalid_fields(&refused), ["websites"], "{address}");
    }
    let six = vec!["https://example.org"; 6];
    assert_eq!(invalid_fields(&edit(&api, &ana, &json!({"websites": six})).await), ["websites"]);
    let eleven = vec!["Farm"; 11];
    let refused = edit(&api, &ana, &json!({"institutions": eleven})).await;
    assert_eq!(invalid_fields(&refused), ["institutions"]);
    let refused = edit(&api, &ana, &json!({"institutions": ["x".repeat(101)]})).await;
    assert_eq!(invalid_fields(&refused), ["institutions"]);
}

#[actix_web::test]
async fn preferences_keep_what_others_know_and_are_small() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let known = json!({"approve_followers": true, "notifications": {"like": false}, "theme": {"dark": [1, null]}});

    let after = edited(&api, &ana, json!({"profile_preferences": known})).await;

    assert_eq!(after["profile_preferences"], known);
    for preferences in [
        json!({"approve_followers": "yes"}),
        json!({"approve_followers": null}),
        json!({"notifications": []}),
        json!({"notifications": {"like": 1}}),
        json!({"theme": "a\u{0}"}),
        json!({"a\u{0}": 1}),
        json!({"theme": "x".repeat(16_384)}),
        json!([]),
        json!(true),
    ] {
        let refused = edit(&api, &ana, &json!({"profile_preferences": preferences})).await;
        assert_eq!(invalid_fields(&refused), ["profile_preferences"], "{preferences}");
    }
    assert_eq!(own(&api, &ana).await["profile_preferences"], known);
}

#[actix_web::test]
async fn bodies_beyond_all_measure_are_refused() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let megabytes = json!({"profile_preferences": {"theme": "x".repeat(3_000_000)}});
    let refused = edit(&api, &ana, &megabytes).await;
    assert_eq!(assert_problem(&refused, 413, "payload_too_large"), json!({"limit_bytes": 65_536}));

    let deep =
        format!(r#"{{"profile_preferences": {}1{}}}"#, r#"{"a":"#.repeat(5_000), "}".repeat(5_000));
    for body in ["", "[]", "null", "{", r#"{"bio": "\ud800"}"#, &deep] {
        let refused = api.put(MINE).by(&ana).json_bytes(body.to_owned()).send().await;
        assert_eq!(invalid_fields(&refused), ["body"]);
    }
}

#[actix_web::test]
async fn private_posts_are_counted_for_their_author_alone() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    a_post().by(ana.user.id).insert_into(api.database()).await;
    a_post().by(ana.user.id).private().insert_into(api.database()).await;

    assert_eq!(own(&api, &ana).await["posts_count"], 2);
    for path in [by_id(&ana), by_name(&ana)] {
        let counted =
            async |viewer| api.get(&path).by(viewer).send().await.data()["posts_count"].take();
        assert_eq!((counted(&ana).await, counted(&ben).await), (json!(2), json!(1)));
    }
}

#[actix_web::test]
async fn followers_are_counted_and_those_who_merely_asked_are_not() {
    let api = Api::create().await;
    let [ana, ben, sue] =
        [api.create_user().await, api.create_user().await, api.create_user().await];
    edited(&api, &sue, json!({"profile_preferences": {"approve_followers": true}})).await;

    for whom in [&ben, &sue] {
        api.post(&format!("/api/v1/follows/{}", whom.user.id)).by(&ana).send().await.expect(201);
    }

    for (person, expected) in [(&ana, [0, 1]), (&ben, [1, 0]), (&sue, [0, 0])] {
        let page = api.get(&by_id(person)).by(&sue).send().await.data();
        assert_eq!(
            [&page["followers_count"], &page["following_count"]],
            expected.map(Value::from).each_ref()
        );
    }
}

#[actix_web::test]
async fn turning_approval_off_lets_those_follow_who_have_asked() {
    let api = Api::create().await;
    let (ana, sue) = (api.create_user().await, api.create_user().await);
    edited(&api, &sue, json!({"profile_preferences": {"approve_followers": true}})).await;
    api.post(&format!("/api/v1/follows/{}", sue.user.id)).by(&ana).send().await.expect(201);
    assert_eq!(edited(&api, &sue, json!({"bio": "Still asking"})).await["followers_count"], 0);

    let after = edited(&api, &sue, json!({"profile_preferences": null})).await;

    assert_eq!(after["followers_count"], 1);
    let status = api.get(&format!("/api/v1/follows/{}/status", sue.user.id)).by(&ana).send().await;
    assert_eq!(status.data()["follow_status"], "active");
}

#[actix_web::test]
async fn across_a_block_nobody_has_a_page() {
    let api = Api::create().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    block(api.database(), ana.user.id, ben.user.id).await;

    for (viewer, other) in [(&ana, &ben), (&ben, &ana)] {
        let refused = api.get(&by_id(other)).by(viewer).send().await;
        let details = assert_problem(&refused, 404, "not_found");
        assert_eq!(details, json!({"resource": "user", "id": other.user.id.to_string()}));
        let refused = api.get(&by_name(other)).by(viewer).send().await;
        assert_eq!(assert_problem(&refused, 404, "not_found"), json!({"resource": "user"}));
    }
    api.get(&by_id(&ana)).by(&ana).send().await.expect(200);
}

#[actix_web::test]
async fn a_name_is_found_in_any_case_with_whatever_a_sentence_puts_behind_it() {
    let api = Api::create().await;
    let ana = api.create_user().await;
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
async fn names_that_are_garbage_or_sound_like_a_path_are_names() {
    let api = Api::create().await;
    let ana = api.create_user().await;
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
        let refused = api.get(&path).by(&ana).send().await;
        assert_eq!(assert_problem(&refused, 404, "not_found")["resource"], "user", "{name}");
    }
    for name in ["profile", "posts", "followers", "following", "follow-stats", "block"] {
        let theirs = a_user().with_username(name).insert_into(api.database()).await.id;
        let found =
            api.get(&format!("/api/v1/users/username/{name}/")).by(&ana).send().await.expect(200);
        assert_eq!(found.data()["id"], i64::from(theirs), "{name}");
    }
}

#[actix_web::test]
async fn an_id_is_a_number_and_nobody_has_most_of_them() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for id in ["0", "-1", "9223372036854775807", "-9223372036854775808"] {
        let refused = api.get(&format!("/api/v1/users/{id}/profile")).by(&ana).send().await;
        assert_eq!(
            assert_problem(&refused, 404, "not_found"),
            json!({"resource": "user", "id": id})
        );
    }
    for id in ["x", "1.5", "9223372036854775808", "%00", "1%20", "null", "%2B"] {
        let refused = api.get(&format!("/api/v1/users/{id}/profile")).by(&ana).send().await;
        assert_eq!(invalid_fields(&refused), ["id"], "{id}");
    }
}

fn everything() -> Value {
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

async fn own(api: &Api, who: &Caller) -> Value {
    let page = envelope_data(&api.get(MINE).by(who).send().await.expect(200));
    let mut expected = [&PROFILE[..], &["email", "profile_preferences"]].concat();
    expected.sort_unstable();
    assert_eq!(sorted_keys(&page), expected);
    page
}

async fn edit(api: &Api, who: &Caller, body: &Value) -> ApiResponse {
    api.put(MINE).by(who).json(body).send().await
}

async fn edited(api: &Api, who: &Caller, body: Value) -> Value {
    envelope_data(&edit(api, who, &body).await.expect(200))
}

fn by_id(person: &Caller) -> String {
    format!("/api/v1/users/{}/profile", person.user.id)
}

/// By the name that they joined with.
fn by_name(person: &Caller) -> String {
    format!("/api/v1/users/username/{}", person.user.username.as_str())
}
