use grateful_domain::notification::{Act, RenderedNotification, Text};
use grateful_domain::{Author, DisplayName, Emoji, NotificationType, Username};
use serde_json::json;

use crate::story::{
    BEN, CARO, DAN, Story, comment, heart, link, mention, message, person, reaction, reply,
};

/// The table of events (rules §4), row by row.
#[test]
fn each_act_is_told_in_its_own_words() {
    for (act, kind, title, message) in [
        (heart(), "like", "New Like 💜", "Ben liked your post"),
        (reaction(), "emoji_reaction", "New Reaction", "Ben reacted to your post with 🤗"),
        (link(), "post_shared", "Post Shared", "Ben shared your post"),
        (message(1), "post_shared", "Post Sent", "Ben sent you a post"),
        (
            mention(None),
            "mention",
            "You were mentioned",
            "Ben mentioned you in a post: For the bus driver",
        ),
        (
            mention(Some(1)),
            "mention",
            "You were mentioned",
            "Ben mentioned you in a post: How lovely",
        ),
        (Act::Follow, "follow", "New Follower", "Ben started following you"),
        (Act::FollowRequest, "follow_request", "Follow Request", "Ben wants to follow you"),
        (
            Act::FollowAcceptance,
            "follow_accepted",
            "Request Accepted",
            "Ben accepted your follow request",
        ),
        (comment(1), "comment", "New Comment", "Ben commented on your post: How lovely"),
        (reply(1), "comment_reply", "New Reply", "Ben replied to your comment: How lovely"),
    ] {
        let mut story = Story::begin();

        story.act(BEN, act);

        let single = story.only();
        assert_eq!(single.text, text(title, message));
        assert_eq!(single.kind.code(), kind);
        assert_eq!(single.priority, single.kind.priority());
    }
}

/// The table of keys (rules §4), row by row: three people, of whom one did two things.
#[test]
fn each_key_has_its_own_summary_of_several_people() {
    for (acts, kind, title, message) in [
        (
            [heart(), heart(), reaction()],
            NotificationType::PostInteraction,
            "New Engagement 💜",
            "2 people engaged with your post",
        ),
        (
            [message(1), message(2), message(3)],
            NotificationType::PostShared,
            "Post Sent",
            "2 people sent you a post",
        ),
        (
            [mention(None), mention(Some(1)), mention(Some(2))],
            NotificationType::Mention,
            "You were mentioned",
            "You were mentioned 3 times",
        ),
        (
            [comment(1), comment(2), comment(3)],
            NotificationType::Comment,
            "New Comments",
            "2 people commented on your post",
        ),
        (
            [reply(1), reply(2), reply(3)],
            NotificationType::CommentReply,
            "New Replies",
            "2 people replied to your comment",
        ),
    ] {
        let mut story = Story::begin();

        for (who, act) in [BEN, CARO, CARO].into_iter().zip(acts) {
            story.act(who, act);
        }

        let batch = story.only();
        assert_eq!((batch.text, batch.kind), (text(title, message), kind));
    }
}

/// These can be done but once by each.
#[test]
fn links_and_follows_of_several_people_are_counted() {
    for (act, kind, title, message) in [
        (link(), NotificationType::PostShared, "Post Shared", "3 people shared your post"),
        (Act::Follow, NotificationType::Follow, "New Followers", "3 people started following you"),
    ] {
        let mut story = Story::begin();

        for who in [BEN, CARO, DAN] {
            story.act(who, act);
        }

        let batch = story.only();
        assert_eq!((batch.text, batch.kind), (text(title, message), kind));
    }
}

#[test]
fn one_person_with_several_is_told_by_name() {
    for (acts, message) in [
        (vec![heart(), reaction()], "Ben liked your post and reacted with 🤗"),
        (vec![reaction(), heart()], "Ben liked your post and reacted with 🤗"),
        (vec![message(1), message(2)], "Ben sent you a post (2 times)"),
        (
            vec![mention(None), mention(Some(1))],
            "Ben mentioned you in a post: How lovely (2 times)",
        ),
        (vec![comment(1), comment(2)], "Ben commented on your post: How lovely (2 times)"),
        (vec![reply(1), reply(2), reply(3)], "Ben replied to your comment: How lovely (3 times)"),
    ] {
        let mut story = Story::begin();

        for act in acts {
            story.wait_minutes(1);
            story.act(BEN, act);
        }

        assert_eq!(story.told(), [format!("* {message}")]);
    }
}

#[test]
fn a_batch_of_one_reads_as_what_is_left_in_it() {
    for (left, gone, title, message) in [
        (heart(), reaction(), "New Like 💜", "Ben liked your post"),
        (reaction(), heart(), "New Reaction", "Ben reacted to your post with 🤗"),
        (message(1), message(2), "Post Sent", "Ben sent you a post"),
        (link(), link(), "Post Shared", "Ben shared your post"),
        (
            mention(Some(1)),
            mention(None),
            "You were mentioned",
            "Ben mentioned you in a post: How lovely",
        ),
        (Act::Follow, Act::Follow, "New Follower", "Ben started following you"),
        (comment(1), comment(2), "New Comment", "Ben commented on your post: How lovely"),
        (reply(1), reply(2), "New Reply", "Ben replied to your comment: How lovely"),
    ] {
        let mut story = Story::begin();
        story.act(BEN, left);
        story.wait_minutes(1);
        story.act(CARO, gone);

        story.undo(CARO, gone);

        let batch = story.only();
        assert_eq!(batch.text, text(title, message));
        assert_eq!(batch.batch_counts().child_count, 1);
        assert!(batch.batch.is_some());
    }
}

/// Her heart was told of first; what is shown beside is what she is called today.
#[test]
fn who_changed_their_name_is_called_by_the_new_one() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    story.act(BEN, reaction());
    let renamed = Author {
        username: Username::from_stored("benedikt".to_owned()),
        display_name: Some(DisplayName::from_stored("Benedikt".to_owned())),
        ..person(BEN)
    };

    let people = vec![(renamed.clone(), Some(Emoji::Hug))];
    let seen = RenderedNotification::new(story.only(), Some(renamed.clone()), people);

    let notification = seen.notification;
    assert_eq!(notification.text.message, "Benedikt liked your post and reacted with 🤗");
    assert_eq!(notification.data["actor_username"], json!("benedikt"));
    assert_eq!(notification.data["reactor_username"], json!("benedikt"));
    assert_eq!(notification.data.get("liker_username"), None);
    assert_eq!((seen.actor, seen.actors), (Some(renamed.clone()), vec![renamed]));
}

#[test]
fn whoever_chose_no_name_is_called_by_the_username() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    let nameless = Author { display_name: None, ..person(BEN) };

    let seen = RenderedNotification::new(story.only(), Some(nameless), vec![]);

    assert_eq!(seen.notification.text.message, "ben liked your post");
}

#[test]
fn whoever_is_gone_is_called_nobody_in_particular() {
    let mut story = Story::begin();
    story.act(BEN, heart());

    let seen = RenderedNotification::new(story.only(), None, vec![]);

    assert_eq!(seen.notification.text.message, "Unknown User liked your post");
    assert_eq!(seen.notification.data["liker_username"], json!("ben"));
}

/// Of a batch of several people nobody's name is said, whoever is shown beside it.
#[test]
fn a_batch_of_several_reads_the_same_whatever_they_are_called() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    story.act(CARO, heart());
    let before = story.only().text;

    let people = vec![(person(CARO), None), (person(BEN), None)];
    let seen = RenderedNotification::new(story.only(), Some(person(CARO)), people);

    assert_eq!(seen.notification.text, before);
}

fn text(title: &str, message: &str) -> Text {
    Text { title: title.to_owned(), message: message.to_owned() }
}
