//! `/notifications/stats`.

use chrono::TimeDelta;
use grateful_testkit::a_post;
use serde_json::{Value, json};

use crate::support::{LIST, Stage, details, refused_fields};

#[actix_web::test]
async fn all_that_one_was_told_is_counted_by_act_and_by_time() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    stage.api.app.clock.advance(TimeDelta::hours(23));
    stage.heart(&stage.caro).await;
    stage.api.app.clock.advance(TimeDelta::hours(2));
    stage.link(&stage.ben).await;

    let expected = json!({
        "user_id": i64::from(stage.ana.user.id),
        "notification_type": null,
        "last_hour": 1,
        "last_day": 2,
        "total": 3,
        "rate_limit_remaining": null,
        "held_back": 0,
    });
    assert_eq!(stats(&stage, "").await, expected);
}

#[actix_web::test]
async fn of_one_type_it_is_said_how_many_more_may_start() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    stage.link(&stage.ben).await;

    let expected = json!({
        "user_id": i64::from(stage.ana.user.id),
        "notification_type": "like",
        "last_hour": 1,
        "last_day": 1,
        "total": 1,
        "rate_limit_remaining": 19,
        "held_back": 0,
    });
    assert_eq!(stats(&stage, "?notification_type=like").await, expected);
    let none = stats(&stage, "?notification_type=follow_request").await;
    assert_eq!((&none["total"], &none["rate_limit_remaining"]), (&json!(0), &json!(20)));
    let batches = stats(&stage, "?notification_type=post_interaction").await;
    assert_eq!(batches["total"], 0);
}

#[actix_web::test]
async fn what_the_limit_held_back_is_counted() {
    let stage = Stage::set().await;
    for _ in 0..22 {
        let post = a_post().by(stage.ana.user.id).insert_into(stage.api.database()).await.id;
        let path = format!("/api/v1/posts/{post}/heart");
        stage.api.post(&path).by(&stage.ben).send().await.expect(201);
    }

    let likes = stats(&stage, "?notification_type=like").await;
    let all = stats(&stage, "").await;

    assert_eq!((&likes["total"], &likes["held_back"]), (&json!(20), &json!(2)));
    assert_eq!(likes["rate_limit_remaining"], 0);
    assert_eq!(all["held_back"], 2);
}

#[actix_web::test]
async fn every_type_is_known_and_no_other() {
    let stage = Stage::set().await;
    for known in [
        "like",
        "emoji_reaction",
        "post_shared",
        "mention",
        "follow",
        "follow_request",
        "follow_accepted",
        "comment",
        "comment_reply",
        "post_interaction",
    ] {
        let answer = stats(&stage, &format!("?notification_type={known}")).await;
        assert_eq!(answer["notification_type"], known);
    }

    for unknown in ["", "Like", "likes", "%00", "like%20"] {
        let path = format!("{LIST}/stats?notification_type={unknown}");
        let refused = stage.api.get(&path).by(&stage.ana).send().await;
        assert_eq!(refused_fields(&refused), ["notification_type"], "{unknown}");
        let reason = details(&refused)["fields"]["notification_type"].to_string();
        assert!(reason.contains("emoji_reaction"), "{reason}");
    }
}

async fn stats(stage: &Stage, query: &str) -> Value {
    let path = format!("{LIST}/stats{query}");
    stage.api.get(&path).by(&stage.ana).send().await.expect(200).json()
}
