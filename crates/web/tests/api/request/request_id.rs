//! The header `X-Request-Id`.

use grateful_testkit::Api;

#[actix_web::test]
async fn a_sane_request_id_is_taken_and_repeated_everywhere() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    for id in ["1", "01937b5e-7c2a-7000-8000-000000000001", "a.b_c:d-E", &"x".repeat(128)] {
        let envelope_data = api.get("/api/v1/auth/session").by(&ana).header("X-Request-Id", id);
        let refused = api.get("/api/v1/auth/session").header("X-Request-Id", id);
        let nowhere = api.get("/nowhere").header("X-Request-Id", id);
        for request in [envelope_data, refused, nowhere] {
            let response = request.send().await;
            assert_eq!(response.header("x-request-id"), Some(id));
            assert_eq!(response.json()["request_id"], id);
        }
    }
}

#[actix_web::test]
async fn any_other_request_id_is_replaced_by_one_of_ours() {
    let api = Api::create().await;
    let ana = api.create_user().await;

    let mut seen = Vec::new();
    for id in ["", " ", "a b", "a\"b", "<script>", "ü", "{}", "a\tb", &"x".repeat(129)] {
        let request = api.get("/api/v1/auth/session").by(&ana).header("X-Request-Id", id);
        let response = request.send().await.expect(200);
        let ours = response.header("x-request-id").unwrap().to_owned();
        assert_eq!(ours.len(), 36, "{id}");
        assert_eq!(response.json()["request_id"], ours);
        assert!(!seen.contains(&ours));
        seen.push(ours);
    }
}
