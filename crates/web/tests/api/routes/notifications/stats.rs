//! `/notifications/stats`.

use chrono::TimeDelta;
use grateful_testkit::a_post;
use serde_json::{Value, json};

use crate::support::notifications::{NOTIFICATIONS, Scenario};
use crate::support::{error_details, invalid_fields};

#[actix_web::test]
async fn all_that_one_was_told_is_counted_by_act_and_by_time() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    scenario.api.app.clock.advance(TimeDelta::hours(23));
    scenario.add_heart(&scenario.caro).await;
    scenario.api.app.clock.advance(TimeDelta::hours(2));
    scenario.share_link(&scenario.ben).await;

    let expected = json!({
        "user_id": i64::from(scenario.ana.user.id),
        "notification_type": null,
        "last_hour": 1,
        "last_day": 2,
        "total": 3,
        "rate_limit_remaining": null,
        "held_back": 0,
    });
    assert_eq!(stats(&scenario, "").await, expected);
}

#[actix_web::test]
async fn of_one_type_it_is_said_how_many_more_may_start() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    scenario.share_link(&scenario.ben).await;

    let expected = json!({
        "user_id": i64::from(scenario.ana.user.id),
        "notification_type": "like",
        "last_hour": 1,
        "last_day": 1,
        "total": 1,
        "rate_limit_remaining": 19,
        "held_back": 0,
    });
    assert_eq!(stats(&scenario, "?notification_type=like").await, expected);
    let none = stats(&scenario, "?notification_type=follow_request").await;
    assert_eq!((&none["total"], &none["rate_limit_remaining"]), (&json!(0), &json!(20)));
    let batches = stats(&scenario, "?notification_type=post_interaction").await;
    assert_eq!(batches["total"], 0);
}

#[actix_web::test]
async fn what_the_limit_held_back_is_counted() {
    let scenario = Scenario::create().await;
    for _ in 0..22 {
        let post = a_post().by(scenario.ana.user.id).insert_into(scenario.api.database()).await.id;
        let path = format!("/api/v1/posts/{post}/heart");
        scenario.api.post(&path).by(&scenario.ben).send().await.expect(201);
    }

    let likes = stats(&scenario, "?notification_type=like").await;
    let all = stats(&scenario, "").await;

    assert_eq!((&likes["total"], &likes["held_back"]), (&json!(20), &json!(2)));
    assert_eq!(likes["rate_limit_remaining"], 0);
    assert_eq!(all["held_back"], 2);
}

#[actix_web::test]
async fn every_type_is_known_and_no_other() {
    let scenario = Scenario::create().await;
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
        let response = stats(&scenario, &format!("?notification_type={known}")).await;
        assert_eq!(response["notification_type"], known);
    }

    for unknown in ["", "Like", "likes", "%00", "like%20"] {
        let path = format!("{NOTIFICATIONS}/stats?notification_type={unknown}");
        let refused = scenario.api.get(&path).by(&scenario.ana).send().await;
        assert_eq!(invalid_fields(&refused), ["notification_type"], "{unknown}");
        let reason = error_details(&refused)["fields"]["notification_type"].to_string();
        assert!(reason.contains("emoji_reaction"), "{reason}");
    }
}

async fn stats(scenario: &Scenario, query: &str) -> Value {
    let path = format!("{NOTIFICATIONS}/stats{query}");
    scenario.api.get(&path).by(&scenario.ana).send().await.expect(200).json()
}
