//! `/notifications/stream/ticket`.

use chrono::TimeDelta;
use grateful_testkit::ApiResponse;
use serde_json::json;

use crate::stream::events;
use crate::support::{LIST, Stage, keys, problem};

#[actix_web::test]
async fn a_ticket_opens_a_stream_without_a_token() {
    let stage = Stage::set().await;
    let ticket = issue(&stage).await;

    let path = format!("{LIST}/stream?ticket={ticket}");
    let mut stream = stage.api.get(&path).send_streaming().await;

    assert_eq!(stream.head.status.as_u16(), 200);
    assert_eq!(stream.next_chunk().await.as_deref(), Some("retry: 2000\nid: 0\n\n"));
    stage.heart(&stage.ben).await;
    let [(_, _, data)] = events(&mut stream).await.try_into().unwrap();
    assert_eq!(data, stage.list().await[0]);
}

#[actix_web::test]
async fn a_ticket_says_for_how_long_it_is_good() {
    let stage = Stage::set().await;

    let path = format!("{LIST}/stream/ticket");
    let answer = stage.api.post(&path).by(&stage.ana).send().await.expect(200).json();

    assert_eq!(keys(&answer), ["expires_in", "ticket"]);
    assert_eq!(answer["expires_in"], json!(60));
    assert!(32 <= answer["ticket"].as_str().unwrap().len());
}

#[actix_web::test]
async fn a_ticket_is_good_once() {
    let stage = Stage::set().await;
    let ticket = issue(&stage).await;
    drop(stage.api.get(&format!("{LIST}/stream?ticket={ticket}")).send_streaming().await);

    assert_refused(&redeem(&stage, &ticket).await);
}

#[actix_web::test]
async fn a_ticket_is_good_for_a_minute() {
    let stage = Stage::set().await;
    let ticket = issue(&stage).await;

    stage.api.app.clock.advance(TimeDelta::seconds(60));

    assert_refused(&redeem(&stage, &ticket).await);
}

#[actix_web::test]
async fn a_ticket_of_a_session_that_has_ended_is_worth_nothing() {
    let stage = Stage::set().await;
    let ticket = issue(&stage).await;

    stage.api.post("/api/v1/auth/logout").by(&stage.ana).send().await.expect(200);

    assert_refused(&redeem(&stage, &ticket).await);
}

#[actix_web::test]
async fn what_is_no_ticket_opens_nothing() {
    let stage = Stage::set().await;
    for ticket in ["", "x", "%00", &stage.ana.token, &"x".repeat(10_000)] {
        let refused = redeem(&stage, ticket).await;
        let status = refused.status.as_u16();
        assert!(status == 401 || status == 414, "{status} to {ticket}");
    }
}

#[actix_web::test]
async fn a_ticket_is_no_token() {
    let stage = Stage::set().await;
    let ticket = issue(&stage).await;

    let authorization = format!("Bearer {ticket}");
    let refused = stage.api.get(LIST).header("Authorization", &authorization).send().await;
    let elsewhere = stage.api.get(&format!("{LIST}?ticket={ticket}")).send().await;

    assert_refused(&refused);
    assert_refused(&elsewhere);
}

#[actix_web::test]
async fn a_bad_token_is_refused_whatever_ticket_comes_along() {
    let stage = Stage::set().await;
    let ticket = issue(&stage).await;
    let path = format!("{LIST}/stream?ticket={ticket}");

    let refused = stage.api.get(&path).header("Authorization", "Bearer x").send().await;

    assert_refused(&refused);
}

async fn issue(stage: &Stage) -> String {
    let path = format!("{LIST}/stream/ticket");
    let answer = stage.api.post(&path).by(&stage.ana).send().await.expect(200).json();
    answer["ticket"].as_str().unwrap().to_owned()
}

/// A request that must fail: a stream would not end.
async fn redeem(stage: &Stage, ticket: &str) -> ApiResponse {
    stage.api.get(&format!("{LIST}/stream?ticket={ticket}")).send().await
}

#[track_caller]
fn assert_refused(answer: &ApiResponse) {
    assert_eq!(problem(answer, 401).0, "authentication_error");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}
