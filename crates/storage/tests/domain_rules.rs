//! Rules implemented both in the domain and in SQL: both must agree.

mod support {
    pub(crate) mod follows;
    pub(crate) mod sql;
}

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;
use diesel_async::SimpleAsyncConnection;
use grateful_domain::notification::{Act, Cause, Event, EventDetails, SuppressionReason};
use grateful_domain::{
    Bucket, City, DisplayName, Emoji, NotificationType, PostType, Preferences, Priority, Rate,
    Viewer, Visibility,
};
use grateful_storage::{EmailHash, PostQuery, Repositories};
use grateful_test_database::{NOON, TestDatabase, a_post, create_user};
use uuid::Uuid;

use crate::support::follows::insert_follow;
use crate::support::sql::lines;

/// All states of a follow between two users; `None` is no row.
const FOLLOW_STATES: [Option<&str>; 4] = [None, Some("active"), Some("pending"), Some("blocked")];

/// Covers every combination of visibility, viewer and follow states. The domain decides by visibility and its caller by
/// blocks; SQL has to apply both.
#[tokio::test]
async fn sql_and_domain_agree_on_who_can_read_a_post() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    for visibility in [Visibility::Public, Visibility::Private] {
        for viewer_to_author in FOLLOW_STATES {
            for author_to_viewer in FOLLOW_STATES {
                let [author, reader] = [create_user(&database).await, create_user(&database).await];
                let post = a_post().by(author).with(|draft| draft.visibility = visibility);
                let post = post.insert_into(&database).await;
                for (follower, followed, status) in
                    [(reader, author, viewer_to_author), (author, reader, author_to_viewer)]
                {
                    if let Some(status) = status {
                        insert_follow(&database, follower, followed, status).await;
                    }
                }
                let is_blocked = [viewer_to_author, author_to_viewer].contains(&Some("blocked"));

                for viewer in [Viewer::Guest, Viewer::User(author), Viewer::User(reader)] {
                    let can_read = post.is_visible_to(viewer) && !(viewer.is(reader) && is_blocked);
                    let case = format!(
                        "{visibility:?} {viewer_to_author:?} {author_to_viewer:?} {viewer:?}"
                    );

                    let found = conn.posts().find(viewer, post.id).await.unwrap();
                    assert_eq!(found.is_some(), can_read, "{case}");

                    let query = PostQuery::visible_to(viewer).by_author(author);
                    let listed = conn.posts().list(query).await.unwrap().items;
                    assert_eq!(!listed.is_empty(), can_read, "{case}");

                    let public = conn.posts().find_public(viewer, &[post.id]).await.unwrap();
                    assert_eq!(!public.is_empty(), can_read && visibility.is_public(), "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn sql_and_domain_agree_on_which_users_exist_for_a_viewer() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    for outgoing in FOLLOW_STATES {
        for incoming in FOLLOW_STATES {
            let [ana, ben] = [create_user(&database).await, create_user(&database).await];
            for (follower, followed, status) in [(ana, ben, outgoing), (ben, ana, incoming)] {
                if let Some(status) = status {
                    insert_follow(&database, follower, followed, status).await;
                }
            }
            let is_blocked = [outgoing, incoming].contains(&Some("blocked"));

            for (viewer, user) in [(ana, ben), (ben, ana)] {
                let exists = conn.users().exists_for(Viewer::User(viewer), user).await.unwrap();
                assert_eq!(exists, !is_blocked, "{outgoing:?} {incoming:?}");
            }
        }
    }
}

#[tokio::test]
async fn sql_and_domain_agree_on_the_post_types() {
    let database = TestDatabase::create().await;

    let allowed = codes_in(&database, "posts_post_type_check").await;

    assert_eq!(allowed, PostType::ALL.map(PostType::code));
}

#[tokio::test]
async fn sql_and_domain_agree_on_the_emoji() {
    let database = TestDatabase::create().await;

    let allowed = codes_in(&database, "emoji_reactions_emoji_code_check").await;

    assert_eq!(allowed, Emoji::ALL.map(Emoji::code));
}

#[tokio::test]
async fn the_longest_display_name_and_city_fit_their_columns() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;

    for (column, max) in [("display_name", DisplayName::MAX_CHARS), ("city", City::MAX_CHARS)] {
        // Each character has four bytes; the limit counts characters.
        for (length, fits) in [(max, true), (max + 1, false)] {
            let text = "🌻".repeat(length);
            let sql = format!("UPDATE users SET {column} = '{text}' WHERE id = {ana}");
            assert_eq!(conn.batch_execute(&sql).await.is_ok(), fits, "{column} {length}");
        }
    }
}

/// Covers every value that the preference of every notification type may have.
#[tokio::test]
async fn sql_and_domain_agree_on_which_notifications_are_enabled() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).insert_into(&database).await.id;
    let mut conn = database.connect().await;
    let acts = [
        Act::Heart { post },
        Act::Reaction { post },
        Act::LinkShare { post },
        Act::Mention { post, comment: None },
        Act::Follow,
        Act::FollowRequest,
        Act::FollowAcceptance,
    ];
    for value in ["true", "false", "null", "1", r#""false""#, "[]"] {
        for muted_type in NotificationType::ALL {
            let preferences =
                format!(r#"{{"notifications": {{"{}": {value}}}}}"#, muted_type.code());
            let set = "UPDATE users SET profile_preferences =";
            database.execute(&format!("{set} '{preferences}' WHERE id = {ana}")).await;
            let parsed = serde_json::from_str(&preferences).unwrap();
            let preferences = Preferences::from_stored(parsed);
            let events = acts.map(|act| event(Cause { recipient: ana, actor: ben, act }));

            conn.notifications().record(&events).await.unwrap();

            for act in acts {
                let of_act = {
                    let key = "notification_act(act, type, post_id, comment_id)";
                    format!("notifications WHERE {key} = '{}'", act.dedup_key())
                };
                let is_enabled = preferences.allows_notification(act.kind());
                let case = format!("{act:?} where {} is {value}", muted_type.code());
                assert_eq!(database.count(&of_act).await, i64::from(is_enabled), "{case}");
            }
            database.execute("DELETE FROM notifications; DELETE FROM notification_quotas").await;
        }
    }
}

#[tokio::test]
async fn sql_and_domain_agree_on_the_reasons_of_missing_notifications() {
    let database = TestDatabase::create().await;

    let allowed = codes_in(&database, "suppressed_notifications_reason_check").await;

    assert_eq!(allowed, SuppressionReason::ALL.map(SuppressionReason::code));
}

#[tokio::test]
async fn sql_and_domain_agree_on_the_priorities() {
    let database = TestDatabase::create().await;

    let allowed = codes_in(&database, "notifications_priority_check").await;

    assert_eq!(allowed, Priority::ALL.map(Priority::code));
}

fn event(cause: Cause) -> Event {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let new_id = || Uuid::from_u128(NUMBER.fetch_add(1, Ordering::Relaxed).into()).into();
    Event { cause, details: EventDetails::default(), at: NOON, id: new_id(), batch_id: new_id() }
}

/// The codes that a check constraint allows, in its order.
async fn codes_in(database: &TestDatabase, check: &str) -> Vec<String> {
    let sql = format!(
        "SELECT code[1] AS line
         FROM pg_constraint, regexp_matches(pg_get_constraintdef(oid), '''(\\w+)''', 'g') AS code
         WHERE conname = '{check}'"
    );
    lines(&mut database.connect().await, &sql).await
}

/// Failures at random times, some of them of a clock that was ahead.
#[tokio::test]
async fn sql_and_domain_agree_on_which_failed_logins_are_within_the_limit() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    for (number, rate) in (0..).zip([
        Rate::new(10, TimeDelta::minutes(15)),
        Rate::new(1, TimeDelta::seconds(1)),
        Rate::new(3, TimeDelta::hours(1)),
    ]) {
        let email = EmailHash::of(&format!("user{number}@example.org"));
        let (mut bucket, mut now) = (None, NOON);
        let mut recorded = [0, 0];
        for step in 0..100_i32 {
            // Multiples of a tenth of a token, at times more than a bucket, or backwards.
            let tenths = match step * 7 % 11 {
                0 => 13,
                1 if step % 50 == 1 => -300,
                2 if step % 40 == 2 => 200,
                other => other / 3,
            };
            now += rate.time_per_token() / 10 * tenths;
            let mut expected = bucket.unwrap_or(Bucket::full(now));
            let is_allowed = expected.take(rate, now).is_ok();

            let is_recorded = conn.failed_logins().record(email, rate, now).await.unwrap();

            assert_eq!(is_recorded, is_allowed, "{rate:?} {step}");
            bucket = conn.failed_logins().find(email).await.unwrap();
            assert_eq!(bucket, Some(expected), "{rate:?} {step}");
            recorded[usize::from(is_recorded)] += 1;
        }
        assert!(10 < recorded[0] && 10 < recorded[1], "{recorded:?}");
    }
}
