//! `/notifications/stream`.

use grateful_testkit::StreamingResponse;
use serde_json::{Value, json};

use crate::support::notifications::{NOTIFICATIONS, Scenario, insert_batch};
use crate::support::{invalid_fields, problem_code_and_detail};

#[actix_web::test]
async fn a_stream_is_of_events_and_is_kept_by_nobody_on_the_way() {
    let scenario = Scenario::create().await;

    let mut stream = open(&scenario, None).await;

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
async fn what_comes_is_sent_as_it_is_listed() {
    let scenario = Scenario::create().await;
    let mut stream = begun(&scenario).await;

    scenario.add_heart(&scenario.ben).await;

    let [(id, name, data)] = events(&mut stream).await.try_into().unwrap();
    assert!(0 < id);
    assert_eq!(name, "notification");
    assert_eq!(data, scenario.list().await[0]);
}

#[actix_web::test]
async fn what_leaves_the_list_is_sent_by_its_id() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    let single = scenario.list().await[0]["id"].clone();
    let mut stream = begun(&scenario).await;

    scenario.add_heart(&scenario.caro).await;

    let [(removal, removed, gone), (id, name, data)] =
        events(&mut stream).await.try_into().unwrap();
    assert_eq!((removed.as_str(), gone), ("removed", json!({"id": single})));
    assert_eq!((name.as_str(), &data), ("notification", &scenario.list().await[0]));
    assert!(removal < id);
}

#[actix_web::test]
async fn an_event_is_of_three_lines_whatever_people_write() {
    let scenario = Scenario::create().await;
    let mut stream = begun(&scenario).await;
    let words = "So kind\n\ndata: {}\nid: 7\r\n\r\nevent: reset\u{2028}and so on: \"💜\"";

    scenario.act(&scenario.ben, "comments", &json!({"content": words})).await;

    let text = stream.next_chunk().await.unwrap();
    let lines: Vec<&str> = text.split(['\n', '\r']).collect();
    let [id, event, data, "", ""] = lines[..] else { panic!("{lines:#?}") };
    assert!(id.starts_with("id: ") && event == "event: notification", "{text}");
    assert!(data.contains("💜"), "{text}");
}

#[actix_web::test]
async fn whoever_comes_back_goes_on_behind_the_last_event_they_have_seen() {
    let scenario = Scenario::create().await;
    let mut stream = begun(&scenario).await;
    scenario.add_heart(&scenario.ben).await;
    let [(seen, ..)] = events(&mut stream).await.try_into().unwrap();
    drop(stream);
    scenario.share_link(&scenario.ben).await;

    let mut stream = open(&scenario, Some(&seen.to_string())).await;

    assert_eq!(stream.next_chunk().await, Some(format!("retry: 2000\nid: {seen}\n\n")));
    let [(id, _, data)] = events(&mut stream).await.try_into().unwrap();
    assert!(seen < id);
    assert_eq!(data["type"], "post_shared");
}

#[actix_web::test]
async fn whoever_comes_back_with_an_event_that_is_not_known_is_told_to_begin_anew() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;

    let mut stream = open(&scenario, Some("1000")).await;

    let text = stream.next_chunk().await.unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    let ["retry: 2000", id, "event: reset", "data: {}", "", ""] = lines[..] else {
        panic!("{text}")
    };
    let at = id.strip_prefix("id: ").unwrap().to_owned();
    scenario.share_link(&scenario.ben).await;
    let [(next, ..)] = events(&mut stream).await.try_into().unwrap();
    assert!(at.parse::<i64>().unwrap() < next);
}

#[actix_web::test]
async fn an_event_id_that_is_no_number_is_refused() {
    let scenario = Scenario::create().await;
    for id in ["x", "1.5", "9223372036854775808", "1, 2", "0x1", "١"] {
        let request = scenario.api.get(&format!("{NOTIFICATIONS}/stream")).by(&scenario.ana);
        let refused = request.header("Last-Event-ID", id).send().await;
        assert_eq!(invalid_fields(&refused), ["Last-Event-ID"], "{id}");
    }
}

#[actix_web::test]
async fn an_empty_event_id_is_none() {
    let scenario = Scenario::create().await;

    let mut stream = open(&scenario, Some("")).await;

    assert_eq!(stream.next_chunk().await.as_deref(), Some("retry: 2000\nid: 0\n\n"));
}

#[actix_web::test]
async fn whoever_has_missed_much_is_sent_it_a_hundred_events_at_a_time() {
    let scenario = Scenario::create().await;
    insert_batch(&scenario, 250).await;
    let sql = "INSERT INTO inboxes (user_id, last_seq) VALUES";
    let sql = format!("{sql} ({}, 250)", scenario.ana.user.id);
    scenario.api.database().execute(&sql).await;
    let mut stream = open(&scenario, Some("0")).await;
    stream.next_chunk().await.unwrap();

    let mut portions = Vec::new();
    while portions.iter().map(Vec::len).sum::<usize>() < 250 {
        portions.push(events(&mut stream).await);
    }

    assert_eq!(portions.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
    let numbers: Vec<i64> = portions.concat().into_iter().map(|(id, ..)| id).collect();
    assert_eq!(numbers, (1..=250).collect::<Vec<_>>());
}

#[actix_web::test]
async fn a_stream_ends_with_its_session() {
    let scenario = Scenario::create().await;
    let mut stream = begun(&scenario).await;

    scenario.api.post("/api/v1/auth/logout").by(&scenario.ana).send().await.expect(200);
    scenario.add_heart(&scenario.ben).await;

    assert_eq!(stream.next_chunk().await, None);
}

#[actix_web::test]
async fn a_stream_is_opened_by_nobody_without_a_token_or_with_a_bad_one() {
    let scenario = Scenario::create().await;
    let path = format!("{NOTIFICATIONS}/stream");
    let bad = format!("Bearer {}", "x".repeat(43));

    let without = scenario.api.get(&path).send().await;
    let with_bad = scenario.api.get(&path).header("Authorization", &bad).send().await;

    for refused in [without, with_bad] {
        assert_eq!(problem_code_and_detail(&refused, 401).0, "authentication_error");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    }
}

/// A stream of Ana's list, behind this event.
async fn open(scenario: &Scenario, last: Option<&str>) -> StreamingResponse {
    let request = scenario.api.get(&format!("{NOTIFICATIONS}/stream")).by(&scenario.ana);
    match last {
        Some(last) => request.header("Last-Event-ID", last).send_streaming().await,
        None => request.send_streaming().await,
    }
}

/// A stream of Ana's list that has said where it begins.
async fn begun(scenario: &Scenario) -> StreamingResponse {
    let mut stream = open(scenario, None).await;
    assert!(stream.next_chunk().await.unwrap().starts_with("retry: 2000\nid: "));
    stream
}

/// The events that come next: their ids, their names, and what they carry.
pub(crate) async fn events(stream: &mut StreamingResponse) -> Vec<(i64, String, Value)> {
    let text = stream.next_chunk().await.unwrap();
    assert!(text.ends_with("\n\n"), "{text}");
    text.split_terminator("\n\n").map(event).collect()
}

fn event(text: &str) -> (i64, String, Value) {
    let lines: Vec<&str> = text.split('\n').collect();
    let [id, name, data] = lines[..] else { panic!("{text}") };
    let id = id.strip_prefix("id: ").unwrap().parse().unwrap();
    let name = name.strip_prefix("event: ").unwrap().to_owned();
    (id, name, serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap())
}
