//! `/notifications/stream/ticket`.

use chrono::TimeDelta;
use grateful_testkit::ApiResponse;
use serde_json::json;

use super::stream::events;
use crate::support::notifications::{NOTIFICATIONS, Scenario};
use crate::support::{problem_code_and_detail, sorted_keys};

#[actix_web::test]
async fn a_ticket_opens_a_stream_without_a_token() {
    let scenario = Scenario::create().await;
    let ticket = issue(&scenario).await;

    let path = format!("{NOTIFICATIONS}/stream?ticket={ticket}");
    let mut stream = scenario.api.get(&path).send_streaming().await;

    assert_eq!(stream.head.status.as_u16(), 200);
    assert_eq!(stream.next_chunk().await.as_deref(), Some("retry: 2000\nid: 0\n\n"));
    scenario.add_heart(&scenario.ben).await;
    let [(_, _, data)] = events(&mut stream).await.try_into().unwrap();
    assert_eq!(data, scenario.list().await[0]);
}

#[actix_web::test]
async fn a_ticket_says_for_how_long_it_is_good() {
    let scenario = Scenario::create().await;

    let path = format!("{NOTIFICATIONS}/stream/ticket");
    let response = scenario.api.post(&path).by(&scenario.ana).send().await.expect(200).json();

    assert_eq!(sorted_keys(&response), ["expires_in", "ticket"]);
    assert_eq!(response["expires_in"], json!(60));
    assert!(32 <= response["ticket"].as_str().unwrap().len());
}

#[actix_web::test]
async fn a_ticket_is_good_once() {
    let scenario = Scenario::create().await;
    let ticket = issue(&scenario).await;
    drop(
        scenario.api.get(&format!("{NOTIFICATIONS}/stream?ticket={ticket}")).send_streaming().await,
    );

    assert_refused(&redeem(&scenario, &ticket).await);
}

#[actix_web::test]
async fn a_ticket_is_good_for_a_minute() {
    let scenario = Scenario::create().await;
    let ticket = issue(&scenario).await;

    scenario.api.app.clock.advance(TimeDelta::seconds(60));

    assert_refused(&redeem(&scenario, &ticket).await);
}

#[actix_web::test]
async fn a_ticket_of_a_session_that_has_ended_is_worth_nothing() {
    let scenario = Scenario::create().await;
    let ticket = issue(&scenario).await;

    scenario.api.post("/api/v1/auth/logout").by(&scenario.ana).send().await.expect(200);

    assert_refused(&redeem(&scenario, &ticket).await);
}

#[actix_web::test]
async fn what_is_no_ticket_opens_nothing() {
    let scenario = Scenario::create().await;
    for ticket in ["", "x", "%00", &scenario.ana.token, &"x".repeat(10_000)] {
        let refused = redeem(&scenario, ticket).await;
        let status = refused.status.as_u16();
        assert!(status == 401 || status == 414, "{status} to {ticket}");
    }
}

#[actix_web::test]
async fn a_ticket_is_no_token() {
    let scenario = Scenario::create().await;
    let ticket = issue(&scenario).await;

    let authorization = format!("Bearer {ticket}");
    let refused =
        scenario.api.get(NOTIFICATIONS).header("Authorization", &authorization).send().await;
    let elsewhere = scenario.api.get(&format!("{NOTIFICATIONS}?ticket={ticket}")).send().await;

    assert_refused(&refused);
    assert_refused(&elsewhere);
}

#[actix_web::test]
async fn a_bad_token_is_refused_whatever_ticket_comes_along() {
    let scenario = Scenario::create().await;
    let ticket = issue(&scenario).await;
    let path = format!("{NOTIFICATIONS}/stream?ticket={ticket}");

    let refused = scenario.api.get(&path).header("Authorization", "Bearer x").send().await;

    assert_refused(&refused);
}

async fn issue(scenario: &Scenario) -> String {
    let path = format!("{NOTIFICATIONS}/stream/ticket");
    let response = scenario.api.post(&path).by(&scenario.ana).send().await.expect(200).json();
    response["ticket"].as_str().unwrap().to_owned()
}

/// A request that must fail: a stream would not end.
async fn redeem(scenario: &Scenario, ticket: &str) -> ApiResponse {
    scenario.api.get(&format!("{NOTIFICATIONS}/stream?ticket={ticket}")).send().await
}

#[track_caller]
fn assert_refused(response: &ApiResponse) {
    assert_eq!(problem_code_and_detail(response, 401).0, "authentication_error");
    assert_eq!(response.header("www-authenticate"), Some("Bearer"));
}
