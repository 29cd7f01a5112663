use grateful_domain::notification::{Act, QuotedTexts, RenderedNotification, Text};
use grateful_domain::{Author, DisplayName, Emoji, NotificationType, UserId, Username};

use crate::scenario::{
    BEN, CARO, DAN, Scenario, author, comment, heart, link, mention, message, reaction, reply,
    texts_of,
};

/// The table of events in docs/rules.md#notifications, row by row.
#[test]
fn each_act_has_its_own_text() {
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
        let mut scenario = Scenario::new();

        scenario.act(BEN, act);

        let single = scenario.only();
        assert_eq!(scenario.render(&single).text, text(title, message));
        assert_eq!(single.kind.code(), kind);
    }
}

/// The table of batch keys in docs/rules.md#batching: three acts by two actors.
#[test]
fn each_batch_key_has_its_own_summary() {
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
        let mut scenario = Scenario::new();

        for (actor, act) in [BEN, CARO, CARO].into_iter().zip(acts) {
            scenario.act(actor, act);
        }

        let batch = scenario.only();
        assert_eq!(scenario.render(&batch).text, text(title, message));
        assert_eq!(batch.kind, kind);
    }
}

/// Each user can do these acts only once.
#[test]
fn shares_by_link_and_follows_are_counted_by_actor() {
    for (act, kind, title, message) in [
        (link(), NotificationType::PostShared, "Post Shared", "3 people shared your post"),
        (Act::Follow, NotificationType::Follow, "New Followers", "3 people started following you"),
    ] {
        let mut scenario = Scenario::new();

        for actor in [BEN, CARO, DAN] {
            scenario.act(actor, act);
        }

        let batch = scenario.only();
        assert_eq!(scenario.render(&batch).text, text(title, message));
        assert_eq!(batch.kind, kind);
    }
}

#[test]
fn several_acts_by_one_actor_have_a_text_with_their_name() {
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
        let mut scenario = Scenario::new();

        for act in acts {
            scenario.advance_minutes(1);
            scenario.act(BEN, act);
        }

        assert_eq!(scenario.messages(), [format!("* {message}")]);
    }
}

#[test]
fn a_batch_with_one_child_has_the_text_of_that_child() {
    for (remaining, withdrawn, title, message) in [
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
        let mut scenario = Scenario::new();
        scenario.act(BEN, remaining);
        scenario.advance_minutes(1);
        scenario.act(CARO, withdrawn);

        scenario.undo(CARO, &withdrawn);

        let batch = scenario.only();
        assert_eq!(scenario.render(&batch).text, text(title, message));
        assert_eq!(batch.batch_counts().child_count, 1);
        assert!(batch.batch.is_some());
    }
}

/// Ben's reaction is the newest act, so the data names him as reactor.
#[test]
fn a_renamed_actor_is_shown_with_the_new_name() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    scenario.act(BEN, reaction());
    let renamed = Author {
        username: Username::from_stored("benedikt".to_owned()),
        display_name: Some(DisplayName::from_stored("Benedikt".to_owned())),
        ..author(BEN)
    };

    let actors = vec![(renamed.clone(), Some(Emoji::Hug))];
    let rendered = render(&scenario, Some(renamed.clone()), actors);

    assert_eq!(rendered.text.message, "Benedikt liked your post and reacted with 🤗");
    assert_eq!(rendered.displayed_kind(), NotificationType::EmojiReaction);
    assert_eq!((rendered.actor, rendered.actors), (Some(renamed.clone()), vec![renamed]));
}

#[test]
fn an_actor_without_display_name_is_shown_with_the_username() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    let actor = Author { display_name: None, ..author(BEN) };

    assert_eq!(render(&scenario, Some(actor), vec![]).text.message, "ben liked your post");
}

#[test]
fn an_actor_with_a_deleted_account_is_shown_as_unknown_user() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, Act::Follow);

    let rendered = render(&scenario, None, vec![]);

    assert_eq!(rendered.text.message, "Unknown User started following you");
}

#[test]
fn texts_that_the_recipient_cannot_see_are_not_quoted() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, comment(1));
    let single = scenario.only();

    let visible = scenario.render(&single);
    let author_of = |actor: UserId| Some(author(actor.into()));
    let hidden = scenario.inbox.render(&single, &QuotedTexts::default(), author_of);

    assert!(visible.post_preview.is_some() && visible.comment_preview.is_some());
    assert_eq!(hidden.text.message, "Ben commented on your post");
    assert_eq!(hidden.post_preview.or(hidden.comment_preview), None);
}

/// The summary of several actors contains no names.
#[test]
fn the_text_of_several_actors_does_not_depend_on_their_names() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    scenario.act(CARO, heart());

    let [as_they_are, unknown] = [
        render(&scenario, Some(author(CARO)), vec![(author(CARO), None), (author(BEN), None)]),
        render(&scenario, None, vec![]),
    ];

    assert_eq!(as_they_are.text, unknown.text);
}

/// Renders the only notification with these actors.
fn render(
    scenario: &Scenario,
    actor: Option<Author>,
    actors: Vec<(Author, Option<Emoji>)>,
) -> RenderedNotification {
    let only = scenario.only();
    let texts = texts_of(&only);
    RenderedNotification::new(only, actor, actors, &texts)
}

fn text(title: &str, message: &str) -> Text {
    Text { title: title.to_owned(), message: message.to_owned() }
}
