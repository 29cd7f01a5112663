//! The hourly limits: at most 20 new top-level notifications per recipient and type, and at most 5 of them by one actor
//! (docs/rules.md#notification-invariants).

use futures_util::future::join_all;
use grateful_application::{hearts, notifications};
use grateful_domain::notification::NotificationStats;
use grateful_domain::{NotificationType, PostId, UserId};
use grateful_testkit::{Scenario, create_user_named};

use crate::support::insert_post;

#[tokio::test]
async fn the_21st_new_notification_within_an_hour_is_held_back_and_counted() {
    let scenario = Scenario::create().await;
    let posts = insert_posts(&scenario, 21).await;

    add_hearts(&scenario, &posts).await;

    assert_eq!(scenario.counts(scenario.ana).await, (20, 20));
    assert_eq!(scenario.database.count("likes").await, 21);
    let expected = NotificationStats {
        last_hour: 20,
        last_day: 20,
        total: 20,
        remaining: Some(0),
        held_back: 1,
    };
    assert_eq!(get_stats(&scenario, Some(NotificationType::Like)).await, expected);
    assert_eq!(get_stats(&scenario, None).await, NotificationStats { remaining: None, ..expected });
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn concurrent_acts_cannot_exceed_the_limit() {
    let scenario = Scenario::create().await;
    let posts = insert_posts(&scenario, 30).await;
    let mut friends = Vec::new();
    for number in 0..30 {
        friends.push(create_user_named(&scenario.database, &format!("friend_{number}")).await);
    }

    let pairs = posts.iter().zip(&friends);
    for added in join_all(pairs.map(|(post, user)| hearts::add(&scenario.app, *user, *post))).await
    {
        added.unwrap();
    }

    assert_eq!(scenario.counts(scenario.ana).await, (20, 20));
    assert_eq!(get_stats(&scenario, None).await.held_back, 10);
    scenario.assert_consistent().await;
}

/// A node whose clock was a month ahead opened the window.
#[tokio::test]
async fn a_window_opened_in_the_future_holds_nothing_back() {
    let scenario = Scenario::create().await;
    let posts = insert_posts(&scenario, 22).await;
    add_hearts(&scenario, &posts[..21]).await;
    scenario
        .database
        .execute("UPDATE notification_quotas SET window_opened_at = window_opened_at + interval '30 days'")
        .await;
    let remaining = get_stats(&scenario, Some(NotificationType::Like)).await.remaining;

    hearts::add(&scenario.app, scenario.ben, posts[21]).await.unwrap();

    let stats = get_stats(&scenario, Some(NotificationType::Like)).await;
    assert_eq!(remaining, Some(20));
    assert_eq!((stats.total, stats.remaining, stats.held_back), (21, Some(19), 1));
}

#[tokio::test]
async fn a_user_without_notifications_has_the_full_limit_left() {
    let scenario = Scenario::create().await;

    let stats = get_stats(&scenario, Some(NotificationType::Comment)).await;

    let expected = NotificationStats {
        last_hour: 0,
        last_day: 0,
        total: 0,
        remaining: Some(20),
        held_back: 0,
    };
    assert_eq!(stats, expected);
}

/// Adds a heart to each post, by five users in turn. Returns these users.
async fn add_hearts(scenario: &Scenario, posts: &[PostId]) -> Vec<UserId> {
    let mut friends = Vec::new();
    for number in 0..5 {
        friends.push(create_user_named(&scenario.database, &format!("friend_{number}")).await);
    }
    for (number, post) in posts.iter().enumerate() {
        let friend = friends[number / 5 % friends.len()];
        hearts::add(&scenario.app, friend, *post).await.unwrap();
    }
    friends
}

async fn insert_posts(scenario: &Scenario, count: usize) -> Vec<PostId> {
    let mut posts = Vec::new();
    while posts.len() < count {
        posts.push(insert_post(&scenario.database, scenario.ana).await);
    }
    posts
}

async fn get_stats(scenario: &Scenario, kind: Option<NotificationType>) -> NotificationStats {
    notifications::get_stats(&scenario.app, scenario.ana, kind).await.unwrap()
}
