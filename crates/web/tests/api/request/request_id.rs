//! The header `X-Request-Id`.

use grateful_testkit::Api;

#[actix_web::test]
async fn a_valid_request_id_is_echoed_in_the_header_and_the_body() {
    let (api, [ana]) = Api::with_users().await;

    for id in ["1", "01937b5e-7c2a-7000-8000-000000000001", "a.b_c:d-E", &"x".repeat(128)] {
        let success = api.get("/api/v1/auth/session").by(&ana);
        let unauthorized = api.get("/api/v1/auth/session");
        let not_found = api.get("/nowhere");
        for request in [success, unauthorized, not_found] {
            let response = request.header("X-Request-Id", id).send().await;
            assert_eq!(response.header("x-request-id"), Some(id));
            assert_eq!(response.json()["request_id"], id);
        }
    }
}

#[actix_web::test]
async fn an_invalid_request_id_is_replaced_by_a_generated_one() {
    let (api, [ana]) = Api::with_users().await;

    let mut seen = Vec::new();
    for id in ["", " ", "a b", "a\"b", "<script>", "ü", "{}", "a\tb", &"x".repeat(129)] {
        let request = api.get("/api/v1/auth/session").by(&ana).header("X-Request-Id", id);
        let response = request.send().await.expect(200);
        let generated = response.header("x-request-id").unwrap().to_owned();
        assert_eq!(generated.len(), 36, "{id}");
        assert_eq!(response.json()["request_id"], generated);
        assert!(!seen.contains(&generated));
        seen.push(generated);
    }
}
