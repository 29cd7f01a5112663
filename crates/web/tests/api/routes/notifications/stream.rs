//! `/api/v1/notifications/stream`.

use actix_web::http::Method;
use grateful_testkit::{PASSWORD, StreamingResponse};
use serde_json::{Value, json};

use super::stream_ticket::create_ticket;
use crate::support::notifications::{NOTIFICATIONS, Scenario};
use crate::support::{envelope_data, invalid_fields, problem_code_and_detail};

#[actix_web::test]
async fn the_stream_is_an_uncached_and_unbuffered_event_stream() {
    let scenario = Scenario::create().await;

    let mut stream = open_stream(&scenario, None).await;

    let head = &stream.head;
    assert_eq!(head.status.as_u16(), 200);
    assert_eq!(head.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(head.header("x-accel-buffering"), Some("no"));
    assert_eq!(head.header("cache-control"), Some("no-store"));
    assert_eq!(head.header("content-encoding"), None);
    assert!(head.header("x-request-id").is_some());
    assert_eq!(stream.next_chunk().await.as_deref(), Some("retry: 2000\nid: 0\n\n"));
}

#[actix_web::test]
async fn a_new_notification_is_sent_as_it_is_listed() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;

    scenario.add_heart(&scenario.ben).await;

    let [(id, name, data)] = next_events(&mut stream).await.try_into().unwrap();
    assert!(0 < id);
    assert_eq!(name, "notification");
    assert_eq!(data, scenario.list().await[0]);
}

#[actix_web::test]
async fn a_removed_notification_is_sent_by_its_id() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    let single = scenario.list().await[0]["id"].clone();
    let mut stream = open_started_stream(&scenario).await;

    scenario.add_heart(&scenario.caro).await;

    let [(removal_id, removal_name, removal_data), (id, name, data)] =
        next_events(&mut stream).await.try_into().unwrap();
    assert_eq!((removal_name.as_str(), removal_data), ("removed", json!({"id": single})));
    assert_eq!((name.as_str(), &data), ("notification", &scenario.list().await[0]));
    assert!(removal_id < id);
}

#[actix_web::test]
async fn line_breaks_in_user_text_do_not_break_events() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;
    let content = "So kind\n\ndata: {}\nid: 7\r\n\r\nevent: reset\u{2028}and so on: \"💜\"";

    scenario.act(&scenario.ben, "comments", &json!({"content": content})).await;

    let text = stream.next_chunk().await.unwrap();
    let lines: Vec<&str> = text.split(['\n', '\r']).collect();
    let [id, event, data, "", ""] = lines[..] else { panic!("{lines:#?}") };
    assert!(id.starts_with("id: ") && event == "event: notification", "{text}");
    assert!(data.contains("💜"), "{text}");
}

#[actix_web::test]
async fn reconnecting_resumes_after_the_last_event_id() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;
    scenario.add_heart(&scenario.ben).await;
    let [(last_id, ..)] = next_events(&mut stream).await.try_into().unwrap();
    drop(stream);
    scenario.share_link(&scenario.ben).await;

    let mut stream = open_stream(&scenario, Some(&last_id.to_string())).await;

    assert_eq!(stream.next_chunk().await, Some(format!("retry: 2000\nid: {last_id}\n\n")));
    let [(id, _, data)] = next_events(&mut stream).await.try_into().unwrap();
    assert!(last_id < id);
    assert_eq!(data["type"], "post_shared");
}

#[actix_web::test]
async fn the_header_takes_precedence_over_the_parameter() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    let path = |id: &str| format!("{NOTIFICATIONS}/stream?last_event_id={id}");

    // `EventSource` repeats the URL when it reconnects, and adds the id of a later event.
    for (header, parameter, first) in [("1", "0", 1), ("0", "1", 0), ("0", "x", 0), ("", "0", 0)] {
        let request = scenario.api.get(&path(parameter)).by(&scenario.ana);
        let mut stream = request.header("Last-Event-ID", header).send_streaming().await;
        assert_eq!(stream.next_chunk().await, Some(format!("retry: 2000\nid: {first}\n\n")));
    }
}

#[actix_web::test]
async fn reconnecting_with_an_unknown_event_id_sends_a_reset() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;

    let mut stream = open_stream(&scenario, Some("1000")).await;

    let text = stream.next_chunk().await.unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    let ["retry: 2000", id, "event: reset", "data: {}", "", ""] = lines[..] else {
        panic!("{text}")
    };
    let reset_id = id.strip_prefix("id: ").unwrap().to_owned();
    scenario.share_link(&scenario.ben).await;
    let [(next_id, ..)] = next_events(&mut stream).await.try_into().unwrap();
    assert!(reset_id.parse::<i64>().unwrap() < next_id);
}

#[actix_web::test]
async fn a_malformed_event_id_is_rejected() {
    let scenario = Scenario::create().await;
    for id in ["x", "1.5", "9223372036854775808", "1, 2", "0x1", "١"] {
        let request = scenario.api.get(&format!("{NOTIFICATIONS}/stream")).by(&scenario.ana);
        let response = request.header("Last-Event-ID", id).send().await;
        assert_eq!(invalid_fields(&response), ["Last-Event-ID"], "{id}");

        let path = format!(
            "{NOTIFICATIONS}/stream?last_event_id={}",
            id.replace(' ', "%20").replace('١', "%D9%A1")
        );
        let response = scenario.api.get(&path).by(&scenario.ana).send().await;
        assert_eq!(invalid_fields(&response), ["last_event_id"], "{id}");
    }
}

#[actix_web::test]
async fn head_responds_with_the_headers_of_the_stream_and_ends() {
    let scenario = Scenario::create().await;
    let path = format!("{NOTIFICATIONS}/stream");
    let get = open_stream(&scenario, None).await.head;

    let head = scenario.api.request(Method::HEAD, &path).by(&scenario.ana).send().await;

    let head = head.expect(200);
    assert!(head.body.is_empty());
    for name in ["content-type", "x-accel-buffering", "cache-control", "vary"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    let malformed = scenario.api.request(Method::HEAD, &path).by(&scenario.ana);
    malformed.header("Last-Event-ID", "x").send().await.expect(422);
    scenario.api.request(Method::HEAD, &path).send().await.expect(401);
}

#[actix_web::test]
async fn a_malformed_event_id_is_reported_only_to_a_signed_in_caller() {
    let scenario = Scenario::create().await;
    let stream = format!("{NOTIFICATIONS}/stream");
    let unknown_ticket = format!("{stream}?ticket={}", scenario.ana.token);
    let malformed_parameter = format!("{unknown_ticket}&last_event_id=x");

    for path in [&stream, &unknown_ticket, &malformed_parameter] {
        let response = scenario.api.get(path).header("Last-Event-ID", "x").send().await;
        assert_eq!(problem_code_and_detail(&response, 401).0, "authentication_error", "{path}");
    }
}

#[actix_web::test]
async fn the_headers_of_a_body_are_checked_only_for_a_signed_in_caller() {
    let scenario = Scenario::create().await;
    let stream = format!("{NOTIFICATIONS}/stream");
    let unknown_ticket = format!("{stream}?ticket={}", "x".repeat(43));

    for path in [&stream, &unknown_ticket] {
        let response = scenario.api.get(path).header("Content-Encoding", "gzip").send().await;
        assert_eq!(problem_code_and_detail(&response, 401).0, "authentication_error", "{path}");
    }
    let request = scenario.api.get(&stream).by(&scenario.ana).header("Content-Encoding", "gzip");
    request.send().await.expect(415);
}

#[actix_web::test]
async fn an_account_has_at_most_ten_streams_by_tokens_and_tickets_together() {
    let scenario = Scenario::create().await;
    let path = format!("{NOTIFICATIONS}/stream");
    let ana = &scenario.ana;
    let log_in = json!({"email": ana.user.email.as_str(), "password": PASSWORD});
    let log_in = scenario.api.post("/api/v1/auth/login").json(&log_in).send().await.expect(200);
    let second_token = envelope_data(&log_in)["access_token"].as_str().unwrap().to_owned();
    let second_token = format!("Bearer {second_token}");
    let by_second_token = || scenario.api.get(&path).header("Authorization", &second_token);

    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(open_started_stream(&scenario).await);
        open.push(by_second_token().send_streaming().await);
        let ticket = create_ticket(&scenario).await;
        open.push(scenario.api.get(&format!("{path}?ticket={ticket}")).send_streaming().await);
    }
    open.push(open_started_stream(&scenario).await);

    assert!(open.iter().all(|stream| stream.head.status == 200));
    let by_ticket = || async {
        scenario.api.get(&format!("{path}?ticket={}", create_ticket(&scenario).await)).send().await
    };
    for response in [
        scenario.api.get(&path).by(ana).send().await,
        by_second_token().send().await,
        by_ticket().await,
        scenario.api.request(Method::HEAD, &path).by(ana).send().await,
    ] {
        assert_eq!(response.status, 429);
        assert_eq!(response.header("retry-after"), Some("30"));
    }
    drop(open.pop());
    scenario.api.request(Method::HEAD, &path).by(ana).send().await.expect(200);
    assert_eq!(by_second_token().send_streaming().await.head.status, 200);
}

/// Opens Ana's stream after this event.
async fn open_stream(scenario: &Scenario, last_event_id: Option<&str>) -> StreamingResponse {
    let request = scenario.api.get(&format!("{NOTIFICATIONS}/stream")).by(&scenario.ana);
    match last_event_id {
        Some(last_event_id) => {
            request.header("Last-Event-ID", last_event_id).send_streaming().await
        }
        None => request.send_streaming().await,
    }
}

/// Opens Ana's stream and reads its first chunk.
async fn open_started_stream(scenario: &Scenario) -> StreamingResponse {
    let mut stream = open_stream(scenario, None).await;
    assert!(stream.next_chunk().await.unwrap().starts_with("retry: 2000\nid: "));
    stream
}

/// Waits for the next events. Returns their ids, names and data.
pub(crate) async fn next_events(stream: &mut StreamingResponse) -> Vec<(i64, String, Value)> {
    let text = stream.next_chunk().await.unwrap();
    assert!(text.ends_with("\n\n"), "{text}");
    text.split_terminator("\n\n").map(parse_event).collect()
}

fn parse_event(text: &str) -> (i64, String, Value) {
    let lines: Vec<&str> = text.split('\n').collect();
    let [id, name, data] = lines[..] else { panic!("{text}") };
    let id = id.strip_prefix("id: ").unwrap().parse().unwrap();
    let name = name.strip_prefix("event: ").unwrap().to_owned();
    (id, name, serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap())
}
