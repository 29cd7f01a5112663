//! Comments and replies.

use chrono::TimeDelta;
use grateful_application::comments::{self, CommentDraft};
use grateful_application::{App, Resource};
use grateful_domain::{CommentForViewer, CommentId, ListedComment, PostId, UserId};
use grateful_testkit::{
    MAX_PAGE, NOON, TestApp, a_comment, a_post, a_user, begin_block, block, commit_once_blocking,
    create_comment_idempotently, create_user, load_engagement,
};
use uuid::Uuid;

use crate::support::{
    assert_forbidden, assert_not_found, comment_text, create_comment, create_reply, draft_on,
};

#[tokio::test]
async fn a_comment_is_counted_and_listed_with_its_author() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("ana").insert_into(&database).await;
    let post = a_post().insert_into(&database).await.id;

    let id = create_comment(&app, ana.id, post).await.unwrap();

    let [found] = list(&app, ana.id, post).await.try_into().unwrap();
    assert_eq!((found.comment.id, found.comment.post), (id, post));
    assert_eq!(
        (found.author.username, found.comment.text),
        (ana.username, comment_text("How lovely"))
    );
    assert_eq!((found.comment.created_at, found.comment.updated_at), (NOON, None));
    assert_eq!((found.comment.parent, found.replies), (None, 0));
    assert_eq!(load_engagement(&database, post).await.comments, 1);
}

#[tokio::test]
async fn comments_nest_and_each_level_lists_its_own_comments_oldest_first() {
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let next = async |parent| {
        clock.advance(TimeDelta::seconds(1));
        match parent {
            None => create_comment(&app, ana, post).await.unwrap(),
            Some(parent) => create_reply(&app, ana, post, parent).await.unwrap(),
        }
    };
    let a = next(None).await;
    let b = next(None).await;
    let a1 = next(Some(a)).await;
    let a2 = next(Some(a)).await;
    let a1x = next(Some(a1)).await;

    let top = list(&app, ana, post).await;
    let below_a = list_replies(&app, ana, a).await;
    let below_a1 = list_replies(&app, ana, a1).await;

    let shape = |found: &[CommentForViewer]| -> Vec<(CommentId, i64)> {
        found.iter().map(|found| (found.comment.id, found.replies)).collect()
    };
    assert_eq!(shape(&top), [(a, 2), (b, 0)]);
    assert_eq!(shape(&below_a), [(a1, 1), (a2, 0)]);
    assert_eq!(shape(&below_a1), [(a1x, 0)]);
    assert_eq!(list_replies(&app, ana, b).await, []);
    assert_eq!(load_engagement(&database, post).await.comments, 5);
}

#[tokio::test]
async fn a_reply_to_a_comment_on_another_post_is_not_found() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let about_sun = create_comment(&app, ana, sun).await.unwrap();

    assert_not_found(create_reply(&app, ana, rain, about_sun).await, Resource::Comment);
    assert_not_found(create_reply(&app, ana, rain, Uuid::nil().into()).await, Resource::Comment);

    assert_eq!(load_engagement(&database, rain).await.comments, 0);
}

#[tokio::test]
async fn comments_on_a_hidden_post_are_not_found() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await;
    let comment = a_comment().by(ana).on(&post).insert_into(&database).await.id;
    database.execute("UPDATE posts SET is_public = false").await;

    assert_not_found(comments::list_replies(&app, ana, comment, MAX_PAGE).await, Resource::Comment);
    assert_not_found(
        comments::update(&app, ana, comment, comment_text("No")).await,
        Resource::Comment,
    );
    assert_not_found(
        comments::delete(&app, create_user(&database).await, comment).await,
        Resource::Comment,
    );

    assert_eq!(comments::list(&app, post.author, post.id, MAX_PAGE).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn comments_across_a_block_are_not_found_listed_or_counted_as_replies() {
    let (TestApp { app, database, .. }, [ana, ben, eve]) = TestApp::with_users().await;
    let post = a_post().by(eve).insert_into(&database).await.id;
    let by_eve = create_comment(&app, eve, post).await.unwrap();
    let by_ana = create_reply(&app, ana, post, by_eve).await.unwrap();
    create_reply(&app, ben, post, by_eve).await.unwrap();
    block(&database, ana, ben).await;

    assert_not_found(create_reply(&app, ben, post, by_ana).await, Resource::Comment);
    assert_not_found(comments::list_replies(&app, ben, by_ana, MAX_PAGE).await, Resource::Comment);
    assert_not_found(comments::delete(&app, ben, by_ana).await, Resource::Comment);
    for user in [ana, ben] {
        let [found] = list(&app, user, post).await.try_into().unwrap();
        assert_eq!(found.replies, 1);
        let [reply] = list_replies(&app, user, by_eve).await.try_into().unwrap();
        assert_eq!(reply.author.id, user);
    }
    assert_eq!(load_engagement(&database, post).await.comments, 3);
}

/// Ana wrote the post and has a block with Eve, whose comments Fay answered.
#[tokio::test]
async fn the_author_of_a_post_reaches_visible_replies_below_a_comment_across_a_block() {
    let (TestApp { app, database, .. }, [ana, eve, fay]) = TestApp::with_users().await;
    let post = a_post().by(ana).insert_into(&database).await.id;
    let by_eve = create_comment(&app, eve, post).await.unwrap();
    let without_replies = create_comment(&app, eve, post).await.unwrap();
    let by_fay = create_reply(&app, fay, post, by_eve).await.unwrap();
    block(&database, ana, eve).await;

    let listed = comments::list(&app, ana, post, MAX_PAGE).await.unwrap().items;

    let [ListedComment::Hidden(placeholder)] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((placeholder.id, placeholder.replies), (by_eve, 1));
    assert_eq!(list_replies(&app, ana, by_eve).await[0].comment.id, by_fay);
    for act in [
        create_reply(&app, ana, post, by_eve).await.map(drop),
        comments::update(&app, ana, by_eve, comment_text("No")).await.map(drop),
    ] {
        assert_not_found(act, Resource::Comment);
    }
    assert_not_found(
        comments::list_replies(&app, ana, without_replies, MAX_PAGE).await,
        Resource::Comment,
    );
    assert_eq!(list(&app, fay, post).await.len(), 2);
}

/// Only the author of the post is notified of all comments on it.
#[tokio::test]
async fn other_users_get_no_placeholders() {
    let (TestApp { app, database, .. }, [ana, eve, fay]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let by_eve = create_comment(&app, eve, post).await.unwrap();
    create_reply(&app, fay, post, by_eve).await.unwrap();
    block(&database, ana, eve).await;

    assert_eq!(list(&app, ana, post).await, []);
    assert_not_found(comments::list_replies(&app, ana, by_eve, MAX_PAGE).await, Resource::Comment);
}

#[tokio::test]
async fn an_edited_comment_shows_the_time_of_the_edit() {
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let comment = create_comment(&app, ana, post).await.unwrap();
    create_reply(&app, ana, post, comment).await.unwrap();
    clock.advance(TimeDelta::hours(1));

    let edited = comments::update(&app, ana, comment, comment_text("So lovely")).await.unwrap();

    assert_eq!(edited.comment.text, comment_text("So lovely"));
    assert_eq!(edited.comment.updated_at, Some(NOON + TimeDelta::hours(1)));
    assert_eq!((edited.comment.created_at, edited.replies), (NOON, 1));
    assert_eq!(list(&app, ana, post).await, [edited]);
}

#[tokio::test]
async fn an_edit_to_the_same_text_changes_nothing() {
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let comment = create_comment(&app, ana, post).await.unwrap();
    clock.advance(TimeDelta::hours(1));

    let edited = comments::update(&app, ana, comment, comment_text("How lovely")).await.unwrap();

    assert_eq!(edited.comment.updated_at, None);
}

#[tokio::test]
async fn only_its_author_can_edit_a_comment() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().by(ben).insert_into(&database).await.id;
    let comment = create_comment(&app, ana, post).await.unwrap();

    for user in [ben, create_user(&database).await] {
        assert_forbidden(
            comments::update(&app, user, comment, comment_text("Mine")).await,
            Resource::Comment,
        );
    }

    assert_eq!(database.count("comments WHERE content = 'How lovely'").await, 1);
}

#[tokio::test]
async fn the_author_of_a_comment_and_the_author_of_its_post_may_delete_it() {
    let (TestApp { app, database, .. }, [ana, ben, eve]) = TestApp::with_users().await;
    let post = a_post().by(ben).insert_into(&database).await.id;

    for (user, may) in [(ana, true), (ben, true), (eve, false)] {
        let comment = create_comment(&app, ana, post).await.unwrap();
        let result = comments::delete(&app, user, comment).await;

        if may {
            result.unwrap();
        } else {
            assert_forbidden(result, Resource::Comment);
        }
    }
    assert_eq!(load_engagement(&database, post).await.comments, 1);
}

#[tokio::test]
async fn the_author_of_a_post_can_delete_a_comment_across_a_block_with_its_replies() {
    for is_blocker in [true, false] {
        let TestApp { app, database, .. } = TestApp::create().await;
        let [ana, ben, eve] = [
            create_user(&database).await,
            create_user(&database).await,
            create_user(&database).await,
        ];
        let post = a_post().by(ben).insert_into(&database).await.id;
        let by_ana = create_comment(&app, ana, post).await.unwrap();
        create_reply(&app, eve, post, by_ana).await.unwrap();
        let (blocker, blocked) = if is_blocker { (ben, ana) } else { (ana, ben) };
        block(&database, blocker, blocked).await;

        assert_not_found(
            comments::update(&app, ben, by_ana, comment_text("No")).await,
            Resource::Comment,
        );
        comments::delete(&app, ben, by_ana).await.unwrap();

        assert_eq!(load_engagement(&database, post).await.comments, 0);
        assert_eq!(comments::list(&app, eve, post, MAX_PAGE).await.unwrap().items, []);
        assert_eq!(database.count("notifications").await, 0);
    }
}

#[tokio::test]
async fn the_author_of_a_comment_cannot_delete_a_reply_except_with_the_comment() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let comment = create_comment(&app, ana, post).await.unwrap();
    let reply = create_reply(&app, ben, post, comment).await.unwrap();
    create_reply(&app, ana, post, reply).await.unwrap();
    create_comment(&app, ben, post).await.unwrap();

    assert_forbidden(comments::delete(&app, ana, reply).await, Resource::Comment);
    comments::delete(&app, ana, comment).await.unwrap();

    assert_eq!(load_engagement(&database, post).await.comments, 1);
    assert_not_found(comments::list_replies(&app, ben, reply, MAX_PAGE).await, Resource::Comment);
}

#[tokio::test]
async fn a_deleted_comment_is_not_found() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let comment = create_comment(&app, ana, post).await.unwrap();
    comments::delete(&app, ana, comment).await.unwrap();

    assert_not_found(comments::delete(&app, ana, comment).await, Resource::Comment);
    assert_not_found(
        comments::update(&app, ana, comment, comment_text("No")).await,
        Resource::Comment,
    );
    assert_not_found(comments::list_replies(&app, ana, comment, MAX_PAGE).await, Resource::Comment);
    assert_not_found(create_reply(&app, ana, post, comment).await, Resource::Comment);
    assert_eq!(load_engagement(&database, post).await.comments, 0);
}

#[tokio::test]
async fn replying_to_or_editing_a_comment_during_its_deletion_is_not_found() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    for is_reply in [true, false] {
        let comment = create_comment(&app, ana, post).await.unwrap();
        let deletion =
            database.begin(&format!("DELETE FROM comments WHERE id = '{comment}'")).await;

        let act = async {
            if is_reply {
                create_reply(&app, ana, post, comment).await.map(|_| ())
            } else {
                comments::update(&app, ana, comment, comment_text("No")).await.map(|_| ())
            }
        };
        let (result, ()) = tokio::join!(act, commit_once_blocking(&database, deletion, 1));

        assert_not_found(result, Resource::Comment);
    }
}

#[tokio::test]
async fn no_reply_is_added_across_a_block_in_flight_between_the_commenters() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let by_ben = create_comment(&app, ben, post).await.unwrap();
    let block = begin_block(&database, ben, ana).await;
    let draft = CommentDraft { parent: Some(by_ben), ..draft_on(post) };

    let (result, ()) = tokio::join!(
        create_comment_idempotently(&app, ana, draft, None),
        commit_once_blocking(&database, block, 1)
    );

    assert_not_found(result, Resource::Comment);
    assert_eq!(load_engagement(&database, post).await.comments, 1);
}

/// The top-level comments on a post, without placeholders.
async fn list(app: &App, user: UserId, post: PostId) -> Vec<CommentForViewer> {
    visible(comments::list(app, user, post, MAX_PAGE).await.unwrap().items)
}

/// The replies to a comment, without placeholders.
async fn list_replies(app: &App, user: UserId, comment: CommentId) -> Vec<CommentForViewer> {
    visible(comments::list_replies(app, user, comment, MAX_PAGE).await.unwrap().items)
}

fn visible(listed: Vec<ListedComment>) -> Vec<CommentForViewer> {
    let visible = listed.into_iter().map(|comment| match comment {
        ListedComment::Visible(comment) => comment,
        ListedComment::Hidden(comment) => panic!("{comment:?}"),
    });
    visible.collect()
}
