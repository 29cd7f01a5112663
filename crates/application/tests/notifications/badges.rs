//! A batch is unread only for a child that is unread (docs/rules.md#notification-invariants, 6).

use grateful_application::{accounts, comments, follows, posts, shares};
use grateful_domain::{CommentId, CommentText, Emoji, ListedComment, PostEdit, PostId, UserId};
use grateful_storage::Repositories;
use grateful_testkit::{Scenario, create_comment, create_post, create_user_named, draft};

use crate::support::is_read;

/// Ways to withdraw a notification.
#[derive(Debug, Clone, Copy)]
enum Way {
    RemoveHeart,
    RemoveReaction,
    DeleteShare,
    DeleteComment,
    DeleteCommentAsAuthorOfThePost,
    DeleteReply,
    DeleteParentOfReply,
    Unfollow,
    Block,
    BeBlocked,
    DeleteAccount,
    RemoveMentionFromPost,
    RemoveMentionFromComment,
}

const WAYS: [Way; 13] = [
    Way::RemoveHeart,
    Way::RemoveReaction,
    Way::DeleteShare,
    Way::DeleteComment,
    Way::DeleteCommentAsAuthorOfThePost,
    Way::DeleteReply,
    Way::DeleteParentOfReply,
    Way::Unfollow,
    Way::Block,
    Way::BeBlocked,
    Way::DeleteAccount,
    Way::RemoveMentionFromPost,
    Way::RemoveMentionFromComment,
];

#[tokio::test]
async fn no_way_of_withdrawing_leaves_a_batch_unread_for_nothing() {
    for way in WAYS {
        for already_in_batch in [1, 2] {
            let scenario = Scenario::create().await;
            let post = create_post_by_caro(&scenario).await;
            for number in 0..already_in_batch {
                let user =
                    create_user_named(&scenario.database, &format!("earlier_{number}")).await;
                act(&scenario, way, user, post).await;
                scenario.clock.advance(chrono::TimeDelta::minutes(1));
            }
            scenario.mark_all_read(scenario.ana).await;
            let read = scenario.only_notification(scenario.ana).await.notification;
            let done = act(&scenario, way, scenario.ben, post).await;
            assert_eq!(scenario.counts(scenario.ana).await, (1, 1), "{way:?}");
            let before = last_seq(&scenario).await;

            withdraw(&scenario, way, post, done).await;

            assert_eq!(scenario.counts(scenario.ana).await, (0, 1), "{way:?}");
            let batch = scenario.only_notification(scenario.ana).await;
            assert!(is_read(&batch), "{way:?}");
            let remaining = batch.notification.batch_counts();
            assert_eq!(remaining, read.batch_counts(), "{way:?}");
            assert!(before < last_seq(&scenario).await, "{way:?} is not streamed");
            scenario.assert_consistent().await;
        }
    }
}

#[tokio::test]
async fn a_withdrawal_leaves_a_batch_unread_that_has_another_unread_child() {
    for way in WAYS {
        let scenario = Scenario::create().await;
        let post = create_post_by_caro(&scenario).await;
        let first = create_user_named(&scenario.database, "first").await;
        let other = create_user_named(&scenario.database, "other").await;
        act(&scenario, way, first, post).await;
        scenario.mark_all_read(scenario.ana).await;
        act(&scenario, way, other, post).await;
        let done = act(&scenario, way, scenario.ben, post).await;

        withdraw(&scenario, way, post, done).await;

        assert_eq!(scenario.counts(scenario.ana).await, (1, 1), "{way:?}");
    }
}

/// What Ben or an earlier user did that Ana is notified of.
#[derive(Debug, Clone, Copy)]
enum Done {
    Other,
    Comment(CommentId),
}

/// Notifies Ana of an act by `user` on her post, on Caro's post or on herself.
async fn act(scenario: &Scenario, way: Way, user: UserId, by_caro: PostId) -> Done {
    match way {
        Way::RemoveHeart => scenario.add_heart(user).await,
        Way::RemoveReaction => scenario.set_reaction(user, Emoji::Hug).await,
        Way::DeleteShare => scenario.share_link(user).await,
        Way::DeleteComment | Way::DeleteCommentAsAuthorOfThePost => {
            return Done::Comment(scenario.comment(user, "So kind").await);
        }
        Way::DeleteReply => {
            let parent = comment_of_ana(scenario, by_caro).await;
            let reply = create_comment(&scenario.app, user, by_caro, "Indeed", Some(parent));
            return Done::Comment(reply.await.unwrap());
        }
        // Ana is notified as the author of the post.
        Way::DeleteParentOfReply => {
            let parent = scenario.comment(scenario.caro, "Lovely").await;
            scenario.reply(user, parent, "Indeed").await;
            return Done::Comment(parent);
        }
        Way::Unfollow | Way::Block | Way::BeBlocked | Way::DeleteAccount => {
            follows::follow(&scenario.app, user, scenario.ana).await.unwrap();
        }
        // The mentions of other users are in comments on the post.
        Way::RemoveMentionFromPost if user == scenario.ben => {
            edit_post(scenario, by_caro, "For @ana").await;
        }
        Way::RemoveMentionFromPost | Way::RemoveMentionFromComment => {
            let comment = create_comment(&scenario.app, user, by_caro, "Hello @ana", None);
            return Done::Comment(comment.await.unwrap());
        }
    }
    Done::Other
}

/// Undoes what Ben did last, in this way.
async fn withdraw(scenario: &Scenario, way: Way, by_caro: PostId, done: Done) {
    let Scenario { app, ana, ben, post, .. } = scenario;
    match (way, done) {
        (Way::RemoveHeart, _) => scenario.remove_heart(*ben).await,
        (Way::RemoveReaction, _) => scenario.remove_reaction(*ben).await,
        (Way::DeleteShare, _) => shares::delete(app, *ben, post.id).await.unwrap(),
        (
            Way::DeleteCommentAsAuthorOfThePost | Way::DeleteParentOfReply,
            Done::Comment(comment),
        ) => {
            comments::delete(app, *ana, comment).await.unwrap();
        }
        (Way::RemoveMentionFromComment, Done::Comment(comment)) => {
            let text = CommentText::parse("Hello").unwrap();
            comments::update(app, *ben, comment, text).await.unwrap();
        }
        (_, Done::Comment(comment)) => comments::delete(app, *ben, comment).await.unwrap(),
        (Way::Unfollow, _) => follows::unfollow(app, *ben, *ana).await.unwrap(),
        (Way::Block, _) => follows::block(app, *ana, *ben).await.unwrap(),
        (Way::BeBlocked, _) => follows::block(app, *ben, *ana).await.unwrap(),
        (Way::DeleteAccount, _) => accounts::delete(app, *ben).await.unwrap(),
        _ => edit_post(scenario, by_caro, "For rain").await,
    }
}

/// Ana's only comment on Caro's post.
async fn comment_of_ana(scenario: &Scenario, by_caro: PostId) -> CommentId {
    let page = grateful_testkit::MAX_PAGE;
    let listed = comments::list(&scenario.app, scenario.ana, by_caro, page).await.unwrap().items;
    let visible = listed.iter().filter_map(|listed| match listed {
        ListedComment::Visible(comment) => Some(&comment.comment),
        ListedComment::Hidden(_) => None,
    });
    match visible.into_iter().find(|comment| comment.author == scenario.ana) {
        Some(comment) => comment.id,
        None => create_comment(&scenario.app, scenario.ana, by_caro, "Well", None).await.unwrap(),
    }
}

async fn create_post_by_caro(scenario: &Scenario) -> PostId {
    create_post(&scenario.app, scenario.caro, draft("For rain"), None).await.unwrap()
}

async fn edit_post(scenario: &Scenario, post: PostId, text: &str) {
    let edit = PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };
    posts::update(&scenario.app, scenario.caro, post, edit, |_| true).await.unwrap();
}

/// The number of the last change of Ana's list.
async fn last_seq(scenario: &Scenario) -> i64 {
    let mut conn = scenario.database.connect().await;
    conn.notifications().find_inbox_position(scenario.ana).await.unwrap().last_seq
}
