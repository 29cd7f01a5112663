//! `/api/v1/notifications/stream/ticket`.

use actix_web::http::Method;
use grateful_testkit::ApiResponse;
use serde_json::json;

use super::stream::next_events;
use crate::support::notifications::{NOTIFICATIONS, Scenario};
use crate::support::{problem_code_and_detail, sorted_keys};

#[actix_web::test]
async fn a_ticket_opens_a_stream_without_a_token() {
    let scenario = Scenario::create().await;
    let ticket = create_ticket(&scenario).await;

    let path = format!("{NOTIFICATIONS}/stream?ticket={ticket}");
    let mut stream = scenario.api.get(&path).send_streaming().await;

    assert_eq!(stream.head.status.as_u16(), 200);
    assert_eq!(stream.next_chunk().await.as_deref(), Some("retry: 2000\nid: 0\n\n"));
    scenario.add_heart(&scenario.ben).await;
    let [(_, _, data)] = next_events(&mut stream).await.try_into().unwrap();
    assert_eq!(data, scenario.list().await[0]);
}

#[actix_web::test]
async fn a_browser_resumes_with_a_new_ticket_and_the_last_event_id_in_the_url() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    let open = async |last_event_id: i64| {
        let ticket = create_ticket(&scenario).await;
        let path = format!("{NOTIFICATIONS}/stream?ticket={ticket}&last_event_id={last_event_id}");
        let mut stream = scenario.api.get(&path).send_streaming().await;
        let started = stream.next_chunk().await.unwrap();
        (stream, started)
    };

    let (mut stream, started) = open(0).await;
    assert_eq!(started, "retry: 2000\nid: 0\n\n");
    let [(last_id, ..)] = next_events(&mut stream).await.try_into().unwrap();
    drop(stream);
    scenario.share_link(&scenario.ben).await;
    let (mut stream, started) = open(last_id).await;
    assert_eq!(started, format!("retry: 2000\nid: {last_id}\n\n"));
    let [(.., data)] = next_events(&mut stream).await.try_into().unwrap();
    assert_eq!(data["type"], "post_shared");
    let (_, from_the_future) = open(1_000).await;
    assert!(from_the_future.contains("event: reset\ndata: {}\n"), "{from_the_future}");
}

#[actix_web::test]
async fn a_ticket_comes_with_its_lifetime() {
    let scenario = Scenario::create().await;

    let path = format!("{NOTIFICATIONS}/stream/ticket");
    let response = scenario.api.post(&path).by(&scenario.ana).send().await.expect(200).json();

    assert_eq!(sorted_keys(&response), ["expires_in", "ticket"]);
    assert_eq!(response["expires_in"], json!(60));
    assert!(32 <= response["ticket"].as_str().unwrap().len());
}

#[actix_web::test]
async fn head_checks_a_ticket_and_does_not_use_it_up() {
    let scenario = Scenario::create().await;
    let ticket = create_ticket(&scenario).await;
    let path = format!("{NOTIFICATIONS}/stream?ticket={ticket}");
    let head = || scenario.api.request(Method::HEAD, &path).send();

    head().await.expect(200);
    head().await.expect(200);
    let stream = scenario.api.get(&path).send_streaming().await;

    assert_eq!(stream.head.status.as_u16(), 200);
    head().await.expect(401);
}

#[actix_web::test]
async fn malformed_tickets_are_rejected() {
    let scenario = Scenario::create().await;
    for ticket in ["", "x", "%00", &scenario.ana.token, &"x".repeat(10_000)] {
        let response = open_with_ticket(&scenario, ticket).await;
        let status = response.status.as_u16();
        assert!(status == 401 || status == 414, "{status} for {ticket}");
    }
}

#[actix_web::test]
async fn a_ticket_is_invalid_for_other_routes() {
    let scenario = Scenario::create().await;
    let ticket = create_ticket(&scenario).await;

    let authorization = format!("Bearer {ticket}");
    let as_token =
        scenario.api.get(NOTIFICATIONS).header("Authorization", &authorization).send().await;
    let as_parameter = scenario.api.get(&format!("{NOTIFICATIONS}?ticket={ticket}")).send().await;

    assert_unauthorized(&as_token);
    assert_unauthorized(&as_parameter);
}

#[actix_web::test]
async fn an_invalid_token_is_rejected_even_with_a_valid_ticket() {
    let scenario = Scenario::create().await;
    let ticket = create_ticket(&scenario).await;
    let path = format!("{NOTIFICATIONS}/stream?ticket={ticket}");

    let response = scenario.api.get(&path).header("Authorization", "Bearer x").send().await;

    assert_unauthorized(&response);
}

pub(crate) async fn create_ticket(scenario: &Scenario) -> String {
    let path = format!("{NOTIFICATIONS}/stream/ticket");
    let response = scenario.api.post(&path).by(&scenario.ana).send().await.expect(200).json();
    response["ticket"].as_str().unwrap().to_owned()
}

/// Sends a request that must fail, since a stream would not end.
async fn open_with_ticket(scenario: &Scenario, ticket: &str) -> ApiResponse {
    scenario.api.get(&format!("{NOTIFICATIONS}/stream?ticket={ticket}")).send().await
}

#[track_caller]
fn assert_unauthorized(response: &ApiResponse) {
    assert_eq!(problem_code_and_detail(response, 401).0, "authentication_error");
    assert_eq!(response.header("www-authenticate"), Some("Bearer"));
}
