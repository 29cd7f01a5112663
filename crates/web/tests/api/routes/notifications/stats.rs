//! `/api/v1/notifications/stats`.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::notifications::{NOTIFICATIONS, Scenario};
use crate::support::{error_details, invalid_fields};

#[actix_web::test]
async fn stats_count_events_of_the_last_hour_the_last_day_and_in_total() {
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
    assert_eq!(get_stats(&scenario, "").await, expected);
}

#[actix_web::test]
async fn stats_of_one_type_include_the_remaining_quota() {
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
    assert_eq!(get_stats(&scenario, "?notification_type=like").await, expected);
    let none = get_stats(&scenario, "?notification_type=follow_request").await;
    assert_eq!((&none["total"], &none["rate_limit_remaining"]), (&json!(0), &json!(20)));
    let batches = get_stats(&scenario, "?notification_type=post_interaction").await;
    assert_eq!(batches["total"], 0);
}

#[actix_web::test]
async fn exactly_the_documented_types_are_accepted() {
    let scenario = Scenario::create().await;
    for name in [
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
        let response = get_stats(&scenario, &format!("?notification_type={name}")).await;
        assert_eq!(response["notification_type"], name);
    }

    for name in ["", "Like", "likes", "%00", "like%20"] {
        let path = format!("{NOTIFICATIONS}/stats?notification_type={name}");
        let response = scenario.api.get(&path).by(&scenario.ana).send().await;
        assert_eq!(invalid_fields(&response), ["notification_type"], "{name}");
        let error = error_details(&response)["fields"]["notification_type"].to_string();
        assert!(error.contains("emoji_reaction"), "{error}");
    }
}

async fn get_stats(scenario: &Scenario, query: &str) -> Value {
    let path = format!("{NOTIFICATIONS}/stats{query}");
    scenario.api.get(&path).by(&scenario.ana).send().await.expect(200).json()
}
