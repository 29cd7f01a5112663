//! Acts whose notification is missing, and the reasons for which that is no difference
//! (docs/rules.md#notification-invariants, 3).

use chrono::TimeDelta;
use grateful_application::housekeeping::sweep;
use grateful_application::verify::{Progress, Repair, verify};
use grateful_application::{comments, follows, hearts, posts};
use grateful_domain::{CommentText, Emoji, NotificationType, PostEdit, PostId, UserId, Visibility};
use grateful_testkit::{Scenario, a_post, a_user, block, create_post, draft};

use crate::support::insert_post;

/// An act of each type: its notification, recipient and actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Performed {
    Heart,
    Reaction,
    LinkShare,
    MessageShare,
    PostMention,
    CommentMention,
    Comment,
    Reply,
    Follow,
    FollowRequest,
    FollowAcceptance,
}

impl Performed {
    const ALL: [Self; 11] = [
        Self::Heart,
        Self::Reaction,
        Self::LinkShare,
        Self::MessageShare,
        Self::PostMention,
        Self::CommentMention,
        Self::Comment,
        Self::Reply,
        Self::Follow,
        Self::FollowRequest,
        Self::FollowAcceptance,
    ];

    /// Performs the act with the use cases. Returns the recipient, the actor and the type of its notification.
    async fn perform(self, scenario: &Scenario) -> (UserId, UserId, NotificationType) {
        let Scenario { ana, ben, caro, .. } = *scenario;
        match self {
            Self::Heart => scenario.add_heart(ben).await,
            Self::Reaction => scenario.set_reaction(ben, Emoji::Hug).await,
            Self::LinkShare => scenario.share_link(ben).await,
            Self::MessageShare => scenario.send_message(ben, &[caro]).await,
            Self::PostMention => _ = mention_in_post(scenario, ben, "For @Caro").await,
            Self::CommentMention => _ = scenario.comment(ben, "Like @caro").await,
            Self::Comment => _ = scenario.comment(ben, "So kind").await,
            Self::Reply => {
                let parent = scenario.comment(caro, "So kind").await;
                scenario.reply(ben, parent, "Indeed").await;
            }
            Self::Follow => _ = follows::follow(&scenario.app, ben, ana).await.unwrap(),
            Self::FollowRequest => request_follow(scenario).await,
            Self::FollowAcceptance => {
                request_follow(scenario).await;
                follows::accept_request(&scenario.app, ana, ben).await.unwrap();
            }
        }
        match self {
            Self::Heart => (ana, ben, NotificationType::Like),
            Self::Reaction => (ana, ben, NotificationType::EmojiReaction),
            Self::LinkShare => (ana, ben, NotificationType::PostShared),
            Self::MessageShare => (caro, ben, NotificationType::PostShared),
            Self::PostMention | Self::CommentMention => (caro, ben, NotificationType::Mention),
            Self::Comment => (ana, ben, NotificationType::Comment),
            Self::Reply => (caro, ben, NotificationType::CommentReply),
            // The row does not say whether the follow had been requested.
            Self::Follow | Self::FollowAcceptance => (ana, ben, NotificationType::Follow),
            Self::FollowRequest => (ana, ben, NotificationType::FollowRequest),
        }
    }
}

#[tokio::test]
async fn a_notification_deleted_by_hand_is_a_difference_that_names_its_act() {
    for performed in Performed::ALL {
        let scenario = Scenario::create().await;
        let expected = performed.perform(&scenario).await;
        assert_eq!(missing(&scenario).await, [], "{performed:?}");
        let recipient = match performed {
            Performed::FollowAcceptance => scenario.ben,
            _ => expected.0,
        };
        delete_notifications(&scenario, recipient).await;

        assert_eq!(missing(&scenario).await, [expected], "{performed:?}");

        // The missing notification, and both counts of the inbox.
        assert_eq!(verify(&scenario.app, Repair::Yes, |_| ()).await.unwrap(), 3);
        assert_eq!(missing(&scenario).await, [], "{performed:?}");
        assert_eq!(scenario.counts(recipient).await, (0, 0), "no user is notified late");
    }
}

#[tokio::test]
async fn a_muted_type_explains_a_missing_notification_of_each_act() {
    for performed in Performed::ALL {
        let scenario = Scenario::create().await;
        let codes = NotificationType::ALL.map(|kind| format!(r#""{}": false"#, kind.code()));
        let muted = format!(r#"{{"notifications": {{{}}}}}"#, codes.join(","));
        let set = format!("UPDATE users SET profile_preferences = '{muted}'");
        scenario.database.execute(&set).await;

        performed.perform(&scenario).await;

        assert_eq!(scenario.database.count("notifications").await, 0, "{performed:?}");
        assert_eq!(missing(&scenario).await, [], "{performed:?}");
        // The reason is stored, and does not depend on what is muted now.
        scenario.database.execute("UPDATE users SET profile_preferences = NULL").await;
        assert_eq!(missing(&scenario).await, [], "{performed:?}");
    }
}

#[tokio::test]
async fn the_age_of_an_act_explains_a_missing_notification() {
    for performed in Performed::ALL {
        let scenario = Scenario::create().await;
        let (recipient, ..) = performed.perform(&scenario).await;
        delete_notifications(&scenario, recipient).await;
        delete_notifications(&scenario, scenario.ben).await;
        scenario.clock.advance(scenario.app.notification_retention);
        assert_ne!(missing(&scenario).await, [], "{performed:?}");

        scenario.clock.advance(TimeDelta::microseconds(1));

        assert_eq!(missing(&scenario).await, [], "{performed:?}");
    }
}

/// The repeated act is younger than its notification.
#[tokio::test]
async fn retention_of_a_restored_notification_is_explained() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.mark_all_read(scenario.ana).await;
    scenario.clock.advance(TimeDelta::days(89));
    scenario.remove_heart(scenario.ben).await;
    scenario.clock.advance(TimeDelta::hours(23));
    scenario.add_heart(scenario.ben).await;
    scenario.clock.advance(TimeDelta::hours(2));

    assert_eq!(sweep(&scenario.app).await.unwrap().notifications, 1);

    assert_eq!(missing(&scenario).await, []);
}

#[tokio::test]
async fn a_restored_notification_deleted_by_hand_is_a_difference() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.remove_heart(scenario.ben).await;
    scenario.add_heart(scenario.ben).await;

    delete_notifications(&scenario, scenario.ana).await;

    let heart = (scenario.ana, scenario.ben, NotificationType::Like);
    assert_eq!(missing(&scenario).await, [heart]);
}

#[tokio::test]
async fn the_hourly_limit_explains_missing_notifications() {
    let scenario = Scenario::create().await;
    for _ in 0..7 {
        let post = insert_post(&scenario.database, scenario.ana).await;
        hearts::add(&scenario.app, scenario.ben, post).await.unwrap();
    }

    assert_eq!(scenario.counts(scenario.ana).await, (5, 5));
    assert_eq!(missing(&scenario).await, []);
    assert_eq!(suppressed(&scenario, "held_back").await, 2);
}

/// After the act is undone and repeated, only its new notification counts.
#[tokio::test]
async fn undoing_an_act_forgets_why_it_had_no_notification() {
    let scenario = Scenario::create().await;
    let off = r#"{"notifications": {"like": false}}"#;
    let set = async |preferences: &str| {
        let set = format!("UPDATE users SET profile_preferences = '{preferences}'");
        scenario.database.execute(&set).await;
    };
    set(off).await;
    scenario.add_heart(scenario.ben).await;
    assert_eq!(suppressed(&scenario, "muted").await, 1);

    scenario.remove_heart(scenario.ben).await;
    assert_eq!(scenario.database.count("suppressed_notifications").await, 0);
    set("{}").await;
    scenario.add_heart(scenario.ben).await;
    delete_notifications(&scenario, scenario.ana).await;

    assert_eq!(missing(&scenario).await.len(), 1);
}

#[tokio::test]
async fn what_a_block_withdrew_is_explained_during_the_block_and_after_it() {
    let scenario = Scenario::create().await;
    let Scenario { ana, ben, caro, .. } = scenario;
    for performed in Performed::ALL {
        // A request cannot be made by a follower.
        if performed != Performed::FollowRequest && performed != Performed::FollowAcceptance {
            performed.perform(&scenario).await;
        }
    }
    assert_eq!(missing(&scenario).await, []);

    for other in [ana, caro] {
        follows::block(&scenario.app, other, ben).await.unwrap();
        assert_eq!(missing(&scenario).await, []);
    }
    for other in [ana, caro] {
        follows::unblock(&scenario.app, other, ben).await.unwrap();
        assert_eq!(missing(&scenario).await, []);
    }
}

#[tokio::test]
async fn mentions_and_shares_of_a_hidden_post_are_explained_also_when_it_is_public_again() {
    let scenario = Scenario::create().await;
    let post = mention_in_post(&scenario, scenario.ana, "For @ben").await;
    scenario.comment_on(post, scenario.caro, "Like @ben").await;
    scenario.send_message(scenario.ben, &[scenario.caro]).await;

    for (post, author) in [(post, scenario.ana), (scenario.post.id, scenario.ana)] {
        for visibility in [Visibility::Private, Visibility::Public] {
            let edit = PostEdit { visibility: Some(visibility), ..PostEdit::default() };
            posts::update(&scenario.app, author, post, edit, |_| true).await.unwrap();
            assert_eq!(missing(&scenario).await, [], "{visibility:?}");
        }
    }
}

/// No user is notified of a reply that they cannot see, and making the post public does not make up for it.
#[tokio::test]
async fn replies_and_mentions_on_a_private_post_are_explained_when_it_is_public_again() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    let set = async |visibility| {
        let edit = PostEdit { visibility: Some(visibility), ..PostEdit::default() };
        let post = scenario.post.id;
        posts::update(&scenario.app, scenario.ana, post, edit, |_| true).await.unwrap();
    };
    set(Visibility::Private).await;
    let reply = scenario.reply(scenario.ana, comment, "Thank you").await;
    let text = CommentText::parse("Thank you and @caro").unwrap();
    comments::update(&scenario.app, scenario.ana, reply, text).await.unwrap();
    assert_eq!(missing(&scenario).await, []);

    set(Visibility::Public).await;

    assert_eq!(missing(&scenario).await, []);
    assert_eq!(scenario.counts(scenario.ben).await, (0, 0));
    assert_eq!(suppressed(&scenario, "blocked").await, 2);
}

#[tokio::test]
async fn a_mention_across_a_block_with_the_author_of_the_post_is_explained_after_the_block() {
    let scenario = Scenario::create().await;
    block(&scenario.database, scenario.ana, scenario.caro).await;

    scenario.comment(scenario.ben, "Like @caro").await;

    assert_eq!(missing(&scenario).await, []);
    scenario.database.execute("DELETE FROM follows").await;
    assert_eq!(missing(&scenario).await, []);
}

#[tokio::test]
async fn a_name_that_was_taken_after_the_text_was_written_is_not_mentioned_in_it() {
    let scenario = Scenario::create().await;
    mention_in_post(&scenario, scenario.ana, "For @dan").await;
    scenario.comment(scenario.ben, "Like @dan").await;
    scenario.clock.advance(TimeDelta::days(1));
    let joined = scenario.app.clock.now();

    a_user().with_username("Dan").joined_at(joined).insert_into(&scenario.database).await;
    assert_eq!(missing(&scenario).await, []);

    let renamed = "UPDATE users SET created_at = '2025-01-01', username_changed_at =";
    scenario.database.execute(&format!("{renamed} '{joined}' WHERE username = 'Dan'")).await;
    assert_eq!(missing(&scenario).await, []);
    scenario.database.execute(&format!("{renamed} NULL WHERE username = 'Dan'")).await;
    assert_eq!(missing(&scenario).await.len(), 2, "Dan had the name when the texts were written");
}

/// A comment notifies its post's author of the comment or of the mention, not of both.
#[tokio::test]
async fn an_edit_that_adds_or_removes_the_mention_of_the_posts_author_is_no_difference() {
    for (before, after) in [("Like @ana", "Like rain"), ("Like rain", "Like @ana")] {
        let scenario = Scenario::create().await;
        let comment = scenario.comment(scenario.ben, before).await;
        assert_eq!(missing(&scenario).await, []);

        let text = CommentText::parse(after).unwrap();
        comments::update(&scenario.app, scenario.ben, comment, text).await.unwrap();

        assert_eq!(missing(&scenario).await, [], "{before} to {after}");
    }
}

#[tokio::test]
async fn all_acts_of_many_posts_are_compared() {
    let scenario = Scenario::create().await;
    let sql = format!(
        "INSERT INTO likes (id, user_id, post_id, created_at)
         SELECT gen_random_uuid(), {}, id, '2026-01-05 12:00Z' FROM posts",
        scenario.ben
    );
    for _ in 0..1_100 {
        a_post().by(scenario.ana).insert_into(&scenario.database).await;
    }
    scenario.database.execute(&sql).await;
    let mut reports = Vec::new();

    verify(&scenario.app, Repair::No, |progress| reports.push(progress)).await.unwrap();

    let is_missing = |progress: &&Progress| matches!(progress, Progress::MissingNotification(_));
    assert_eq!(reports.iter().filter(is_missing).count(), 1_101);
}

/// The missing notifications: their recipients, actors and types.
async fn missing(scenario: &Scenario) -> Vec<(UserId, UserId, NotificationType)> {
    let mut missing = Vec::new();
    verify(&scenario.app, Repair::No, |progress| {
        if let Progress::MissingNotification(cause) = progress {
            missing.push((cause.recipient, cause.actor, cause.act.kind()));
        }
    })
    .await
    .unwrap();
    missing
}

async fn delete_notifications(scenario: &Scenario, recipient: UserId) {
    let sql = format!("DELETE FROM notifications WHERE user_id = {recipient}");
    scenario.database.execute(&sql).await;
}

/// The number of acts that are stored with this reason.
async fn suppressed(scenario: &Scenario, reason: &str) -> i64 {
    let rows = format!("suppressed_notifications WHERE reason = '{reason}'");
    scenario.database.count(&rows).await
}

async fn mention_in_post(scenario: &Scenario, author: UserId, text: &str) -> PostId {
    create_post(&scenario.app, author, draft(text), None).await.unwrap()
}

/// Ben requests to follow Ana, who approves followers.
async fn request_follow(scenario: &Scenario) {
    let set = "UPDATE users SET profile_preferences = \
               coalesce(profile_preferences, '{}') || '{\"approve_followers\": true}'";
    scenario.database.execute(&format!("{set} WHERE id = {}", scenario.ana)).await;
    follows::follow(&scenario.app, scenario.ben, scenario.ana).await.unwrap();
}
