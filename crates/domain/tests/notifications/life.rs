use chrono::TimeDelta;
use grateful_domain::notification::{Act, BatchCounts};
use grateful_domain::{BatchConfig, NotificationType, Priority};
use serde_json::json;

use crate::story::{
    BEN, CARO, DAN, MOMENT, Story, ana, comment, heart, link, message, post, reaction, reply,
};

#[test]
fn the_first_heart_makes_a_single() {
    let mut story = Story::begin();

    story.act(BEN, heart());

    let single = story.only();
    assert_eq!(single.recipient, ana());
    assert_eq!(single.kind, NotificationType::Like);
    assert_eq!(single.actor, Some(BEN.into()));
    assert_eq!(single.post, Some(post(1)));
    assert_eq!(single.key, Some(BatchConfig::POST_INTERACTION.key(post(1))));
    assert_eq!((single.batch, single.parent, single.read_at), (None, None, None));
    assert_eq!((single.created_at, single.last_updated_at), (story.now, story.now));
    assert!(single.is_open());
    assert!(story.inbox.children(single.id).is_empty());
}

#[test]
fn another_within_the_hour_makes_a_batch_whose_first_entry_is_the_single() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    let single = story.only();
    story.wait(TimeDelta::hours(1));

    story.act(CARO, reaction());

    let batch = story.only();
    assert_eq!(batch.kind, NotificationType::PostInteraction);
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    assert_eq!((batch.created_at, batch.last_updated_at), (story.now, story.now));
    assert_eq!((batch.actor, batch.act.clone()), (Some(CARO.into()), None));
    assert!(batch.is_open());
    assert_ne!(batch.id, single.id);
    let [newest, first] = story.inbox.children(batch.id)[..] else { panic!("not two entries") };
    assert_eq!((first.id, first.created_at), (single.id, single.created_at));
    assert_eq!(first.kind, NotificationType::Like);
    assert_eq!(newest.kind, NotificationType::EmojiReaction);
    assert_eq!(batch.data, newest.data);
}

#[test]
fn a_moment_after_the_hour_the_single_is_closed_and_another_starts() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    story.wait(TimeDelta::hours(1) + MOMENT);

    story.act(CARO, heart());

    assert_eq!(story.told(), ["* Caro liked your post", "* Ben liked your post"]);
    let [second, first] = story.inbox.top_level()[..] else { panic!("not two") };
    assert_eq!(first.closed_at, Some(story.now));
    assert!(second.is_open());
}

#[test]
fn others_join_a_batch_until_it_is_a_day_old() {
    let mut story = a_batch_of_two_hearts();
    let made = story.now;
    story.wait(TimeDelta::hours(24));

    story.act(DAN, heart());

    let batch = story.only();
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 3, actor_count: 3 }));
    assert_eq!((batch.created_at, batch.last_updated_at), (made, story.now));
    assert_eq!(batch.text.message, "3 people engaged with your post");
}

#[test]
fn a_moment_after_the_day_the_batch_is_closed_and_a_single_starts() {
    let mut story = a_batch_of_two_hearts();
    story.wait(TimeDelta::hours(24) + MOMENT);

    story.act(DAN, heart());

    assert_eq!(story.told(), ["* Dan liked your post", "* 2 people engaged with your post"]);
    assert_eq!(story.inbox.top_level()[1].closed_at, Some(story.now));
}

/// The day of a batch is counted from the batch, not from the single that it was made of, nor from what joined last.
#[test]
fn joining_does_not_keep_a_batch_open_for_longer() {
    let mut story = a_batch_of_two_hearts();
    for number in 10..34 {
        story.wait(TimeDelta::hours(1));
        story.act(number, heart());
    }
    assert_eq!(story.only().batch, Some(BatchCounts { child_count: 26, actor_count: 26 }));
    story.wait(MOMENT);

    story.act(DAN, heart());

    assert_eq!(story.told().len(), 2);
}

#[test]
fn what_comes_after_a_closed_batch_is_gathered_anew() {
    let mut story = a_batch_of_two_hearts();
    story.wait(TimeDelta::hours(25));
    story.act(DAN, heart());

    story.act(5, heart());

    assert_eq!(
        story.told(),
        ["* 2 people engaged with your post", "* 2 people engaged with your post"]
    );
    assert_eq!(story.entries(0), ["* Person 5 liked your post", "* Dan liked your post"]);
    assert_eq!(story.entries(1), ["* Caro liked your post", "* Ben liked your post"]);
}

#[test]
fn the_eleventh_follower_starts_anew() {
    let mut story = Story::begin();
    for number in 2..12 {
        story.act(number, Act::Follow);
    }
    assert_eq!(story.told(), ["* 10 people started following you"]);
    story.wait_minutes(1);

    story.act(12, Act::Follow);
    story.wait_minutes(1);
    story.act(13, Act::Follow);

    assert_eq!(
        story.told(),
        ["* 2 people started following you", "* 10 people started following you"]
    );
}

#[test]
fn where_one_of_ten_followers_leaves_the_next_joins() {
    let mut story = Story::begin();
    for number in 2..12 {
        story.act(number, Act::Follow);
    }
    story.undo(5, Act::Follow);
    assert_eq!(story.told(), ["* 9 people started following you"]);

    story.act(12, Act::Follow);

    assert_eq!(story.only().batch, Some(BatchCounts { child_count: 10, actor_count: 10 }));
}

/// Once something else has started, a closed batch takes nobody new, room or not.
#[test]
fn where_one_of_ten_leaves_too_late_the_next_goes_with_the_eleventh() {
    let mut story = Story::begin();
    for number in 2..13 {
        story.act(number, Act::Follow);
    }
    story.undo(5, Act::Follow);
    story.wait_minutes(1);

    story.act(13, Act::Follow);

    assert_eq!(
        story.told(),
        ["* 2 people started following you", "* 9 people started following you"]
    );
}

#[test]
fn requests_and_their_acceptance_are_never_gathered() {
    let mut story = Story::begin();
    for act in [Act::FollowRequest, Act::FollowAcceptance] {
        for who in [BEN, CARO] {
            story.wait_minutes(1);
            story.act(who, act);
        }
    }

    assert_eq!(
        story.told(),
        [
            "* Caro accepted your follow request",
            "* Ben accepted your follow request",
            "* Caro wants to follow you",
            "* Ben wants to follow you",
        ]
    );
    assert!(story.everything().iter().all(|it| it.key.is_none() && it.is_open()));
    assert_eq!(story.inbox.top_level()[3].priority, Priority::High);
}

#[test]
fn what_has_another_key_is_gathered_apart() {
    let mut story = Story::begin();
    let on_another_post = Act::Heart { post: post(2) };

    for act in [heart(), on_another_post, link(), message(1), comment(1), reply(2)] {
        story.wait_minutes(1);
        story.act(BEN, act);
        story.act(CARO, act);
    }

    assert_eq!(
        story.told(),
        [
            "* 2 people replied to your comment",
            "* 2 people commented on your post",
            "* 2 people sent you a post",
            "* 2 people shared your post",
            "* 2 people engaged with your post",
            "* 2 people engaged with your post",
        ]
    );
}

/// Two nodes whose clocks differ: what arrives later need not have happened later.
#[test]
fn an_older_act_that_arrives_late_joins_without_being_shown_as_the_newest() {
    let mut story = a_batch_of_two_hearts();
    let before = story.only();
    story.wait_minutes(-1);

    story.act(DAN, reaction());

    let batch = story.only();
    assert_eq!((batch.actor, batch.data), (Some(CARO.into()), before.data));
    assert_eq!(batch.last_updated_at, before.last_updated_at);
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 3, actor_count: 3 }));
}

#[test]
fn a_batch_carries_the_comment_of_its_newest_entry() {
    let mut story = Story::begin();
    story.act(BEN, comment(1));
    story.wait_minutes(1);

    story.act(CARO, comment(2));

    let batch = story.only();
    let Act::Comment { comment, .. } = comment(2) else { unreachable!() };
    assert_eq!(batch.comment, Some(comment));
    assert_eq!(batch.data["comment_id"], json!(comment.to_string()));
}

/// Ben's and Caro's, the second half an hour after the first.
fn a_batch_of_two_hearts() -> Story {
    let mut story = Story::begin();
    story.act(BEN, heart());
    story.wait_minutes(30);
    story.act(CARO, heart());
    story
}
