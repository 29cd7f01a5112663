//! What people say about posts.

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::comments::{self, CommentDraft};
use grateful_application::{Error, RecordedResponse, Resource};
use grateful_domain::{CommentId, PostId};
use grateful_testkit::{
    NOON, TestApp, a_comment, a_post, a_user, block, create_user, load_engagement,
};
use uuid::Uuid;

use crate::support::{
    ALL, about, assert_forbidden, assert_not_found, block_in_flight, commit_when_waited_for,
    deletion_in_flight, idempotent, reply, say, say_repeatably, words,
};

#[tokio::test]
async fn a_comment_is_counted_and_listed_with_its_author() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("ana").insert_into(&database).await;
    let post = a_post().insert_into(&database).await.id;

    let id = say(&app, ana.id, post).await.unwrap();

    let [seen] = comments::list(&app, ana.id, post, ALL).await.unwrap().items.try_into().unwrap();
    assert_eq!((seen.comment.id, seen.comment.post), (id, post));
    assert_eq!((seen.author.username, seen.comment.text), (ana.username, words("How lovely")));
    assert_eq!((seen.comment.created_at, seen.comment.updated_at), (NOON, None));
    assert_eq!((seen.comment.parent, seen.replies), (None, 0));
    assert_eq!(load_engagement(&database, post).await.comments, 1);
}

#[tokio::test]
async fn comments_nest_and_each_level_lists_its_own_oldest_first() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let next = async |parent| {
        clock.advance(TimeDelta::seconds(1));
        match parent {
            None => say(&app, ana, post).await.unwrap(),
            Some(parent) => reply(&app, ana, post, parent).await.unwrap(),
        }
    };
    let a = next(None).await;
    let b = next(None).await;
    let a1 = next(Some(a)).await;
    let a2 = next(Some(a)).await;
    let a1x = next(Some(a1)).await;

    let top = comments::list(&app, ana, post, ALL).await.unwrap().items;
    let below_a = comments::list_replies(&app, ana, a, ALL).await.unwrap().items;
    let below_a1 = comments::list_replies(&app, ana, a1, ALL).await.unwrap().items;

    let shape = |seen: &[grateful_domain::CommentForViewer]| -> Vec<(CommentId, i64)> {
        seen.iter().map(|seen| (seen.comment.id, seen.replies)).collect()
    };
    assert_eq!(shape(&top), [(a, 2), (b, 0)]);
    assert_eq!(shape(&below_a), [(a1, 1), (a2, 0)]);
    assert_eq!(shape(&below_a1), [(a1x, 0)]);
    assert_eq!(comments::list_replies(&app, ana, b, ALL).await.unwrap().items, []);
    assert_eq!(load_engagement(&database, post).await.comments, 5);
}

#[tokio::test]
async fn a_comment_answers_none_but_those_on_its_post() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let [sun, rain] =
        [a_post().insert_into(&database).await.id, a_post().insert_into(&database).await.id];
    let about_sun = say(&app, ana, sun).await.unwrap();

    assert_not_found(reply(&app, ana, rain, about_sun).await, Resource::Comment);
    assert_not_found(reply(&app, ana, rain, Uuid::nil().into()).await, Resource::Comment);

    assert_eq!(load_engagement(&database, rain).await.comments, 0);
}

#[tokio::test]
async fn a_post_that_one_may_not_see_is_not_there_to_comment_on() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let private = a_post().by(eve).private().insert_into(&database).await.id;
    let by_blocked = a_post().by(eve).insert_into(&database).await.id;
    let nowhere = PostId::from(Uuid::from_u128(7));
    block(&database, ana, eve).await;
    block(&database, eve, ben).await;

    for (user, post) in [(ana, private), (ana, nowhere), (ana, by_blocked), (ben, by_blocked)] {
        assert_not_found(say(&app, user, post).await, Resource::Post);
        assert_not_found(comments::list(&app, user, post, ALL).await, Resource::Post);
    }
    assert_eq!(database.count("comments").await, 0);
}

#[tokio::test]
async fn what_was_said_about_a_post_goes_out_of_sight_with_it() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await;
    let comment = a_comment().by(ana).on(&post).insert_into(&database).await.id;
    database.execute("UPDATE posts SET is_public = false").await;

    assert_not_found(comments::list_replies(&app, ana, comment, ALL).await, Resource::Comment);
    assert_not_found(comments::update(&app, ana, comment, words("No")).await, Resource::Comment);
    assert_not_found(comments::delete(&app, ana, comment).await, Resource::Comment);

    assert_eq!(comments::list(&app, post.author, post.id, ALL).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn across_a_block_no_comment_is_answered_listed_or_counted_as_an_answer() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let post = a_post().by(eve).insert_into(&database).await.id;
    let by_eve = say(&app, eve, post).await.unwrap();
    let by_ana = reply(&app, ana, post, by_eve).await.unwrap();
    reply(&app, ben, post, by_eve).await.unwrap();
    block(&database, ana, ben).await;

    assert_not_found(reply(&app, ben, post, by_ana).await, Resource::Comment);
    assert_not_found(comments::list_replies(&app, ben, by_ana, ALL).await, Resource::Comment);
    assert_not_found(comments::delete(&app, ben, by_ana).await, Resource::Comment);
    for user in [ana, ben] {
        let [seen] = comments::list(&app, user, post, ALL).await.unwrap().items.try_into().unwrap();
        assert_eq!(seen.replies, 1);
        let [answer] = comments::list_replies(&app, user, by_eve, ALL)
            .await
            .unwrap()
            .items
            .try_into()
            .unwrap();
        assert_eq!(answer.author.id, user);
    }
    assert_eq!(load_engagement(&database, post).await.comments, 3);
}

#[tokio::test]
async fn other_words_are_shown_with_when_they_were_found() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let comment = say(&app, ana, post).await.unwrap();
    reply(&app, ana, post, comment).await.unwrap();
    clock.advance(TimeDelta::hours(1));

    let edited = comments::update(&app, ana, comment, words("So lovely")).await.unwrap();

    assert_eq!(edited.comment.text, words("So lovely"));
    assert_eq!(edited.comment.updated_at, Some(NOON + TimeDelta::hours(1)));
    assert_eq!((edited.comment.created_at, edited.replies), (NOON, 1));
    assert_eq!(comments::list(&app, ana, post, ALL).await.unwrap().items, [edited]);
}

#[tokio::test]
async fn the_same_words_are_no_change() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let comment = say(&app, ana, post).await.unwrap();
    clock.advance(TimeDelta::hours(1));

    let edited = comments::update(&app, ana, comment, words("How lovely")).await.unwrap();

    assert_eq!(edited.comment.updated_at, None);
}

#[tokio::test]
async fn nobody_rewords_the_comments_of_others_not_even_on_their_own_post() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ben).insert_into(&database).await.id;
    let comment = say(&app, ana, post).await.unwrap();

    for user in [ben, create_user(&database).await] {
        assert_forbidden(
            comments::update(&app, user, comment, words("Mine")).await,
            Resource::Comment,
        );
    }

    assert_eq!(database.count("comments WHERE content = 'How lovely'").await, 1);
}

#[tokio::test]
async fn the_author_of_a_comment_and_the_author_of_its_post_may_delete_it() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ben).insert_into(&database).await.id;

    for (user, may) in [(ana, true), (ben, true), (eve, false)] {
        let comment = say(&app, ana, post).await.unwrap();
        let outcome = comments::delete(&app, user, comment).await;

        if may {
            outcome.unwrap();
        } else {
            assert_forbidden(outcome, Resource::Comment);
        }
    }
    assert_eq!(load_engagement(&database, post).await.comments, 1);
}

#[tokio::test]
async fn whoever_is_answered_may_not_delete_the_answer_but_takes_it_along() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    let comment = say(&app, ana, post).await.unwrap();
    let answer = reply(&app, ben, post, comment).await.unwrap();
    reply(&app, ana, post, answer).await.unwrap();
    say(&app, ben, post).await.unwrap();

    assert_forbidden(comments::delete(&app, ana, answer).await, Resource::Comment);
    comments::delete(&app, ana, comment).await.unwrap();

    assert_eq!(load_engagement(&database, post).await.comments, 1);
    assert_not_found(comments::list_replies(&app, ben, answer, ALL).await, Resource::Comment);
}

#[tokio::test]
async fn a_comment_that_is_gone_is_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let comment = say(&app, ana, post).await.unwrap();
    comments::delete(&app, ana, comment).await.unwrap();

    assert_not_found(comments::delete(&app, ana, comment).await, Resource::Comment);
    assert_not_found(comments::update(&app, ana, comment, words("No")).await, Resource::Comment);
    assert_not_found(comments::list_replies(&app, ana, comment, ALL).await, Resource::Comment);
    assert_not_found(reply(&app, ana, post, comment).await, Resource::Comment);
    assert_eq!(load_engagement(&database, post).await.comments, 0);
}

#[tokio::test]
async fn ten_who_delete_the_same_comment_at_once_delete_it_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let comment = say(&app, ana, post).await.unwrap();
    reply(&app, ana, post, comment).await.unwrap();

    let outcomes = join_all((0..10).map(|_| comments::delete(&app, ana, comment))).await;

    let (deleted, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(deleted.len(), 1);
    for refused in refused {
        assert_not_found(refused, Resource::Comment);
    }
    assert_eq!(load_engagement(&database, post).await.comments, 0);
}

#[tokio::test]
async fn a_repeated_request_is_answered_with_the_first_comment() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let again = async |version| {
        say_repeatably(&app, ana, about(post), Some(idempotent("lovely", version))).await
    };

    let RecordedResponse::New(first) = again(1).await.unwrap() else { panic!() };
    let repeated = again(1).await.unwrap();
    let other = again(2).await;

    assert_eq!(repeated, RecordedResponse::Replayed(first));
    assert!(matches!(other, Err(Error::Invalid(_))), "{other:?}");
    assert_eq!(load_engagement(&database, post).await.comments, 1);
}

#[tokio::test]
async fn ten_requests_of_one_name_at_once_make_one_comment() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;

    let outcomes = join_all(
        (0..10).map(|_| say_repeatably(&app, ana, about(post), Some(idempotent("lovely", 1)))),
    )
    .await;

    let first = outcomes.iter().filter(|it| matches!(it, Ok(RecordedResponse::New(_)))).count();
    assert_eq!(first, 1);
    for outcome in outcomes {
        let expected = matches!(outcome, Ok(_) | Err(Error::Conflict { .. }));
        assert!(expected, "{outcome:?}");
    }
    assert_eq!(database.count("comments").await, 1);
}

#[tokio::test]
async fn a_post_that_is_deleted_while_it_is_commented_on_is_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    let deletion = deletion_in_flight(&database, post).await;

    let (outcome, ()) =
        tokio::join!(say(&app, ana, post), commit_when_waited_for(&database, deletion, 1));

    assert_not_found(outcome, Resource::Post);
}

#[tokio::test]
async fn a_comment_that_is_deleted_while_it_is_answered_or_reworded_is_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().insert_into(&database).await.id;
    for answers in [true, false] {
        let comment = say(&app, ana, post).await.unwrap();
        let deletion =
            database.begin(&format!("DELETE FROM comments WHERE id = '{comment}'")).await;

        let act = async {
            if answers {
                reply(&app, ana, post, comment).await.map(|_| ())
            } else {
                comments::update(&app, ana, comment, words("No")).await.map(|_| ())
            }
        };
        let (outcome, ()) = tokio::join!(act, commit_when_waited_for(&database, deletion, 1));

        assert_not_found(outcome, Resource::Comment);
    }
}

#[tokio::test]
async fn no_comment_slips_across_a_block_that_is_being_made() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ben).insert_into(&database).await.id;
    let block = block_in_flight(&database, ben, ana).await;

    let (outcome, ()) =
        tokio::join!(say(&app, ana, post), commit_when_waited_for(&database, block, 1));

    assert_not_found(outcome, Resource::Post);
    assert_eq!(load_engagement(&database, post).await.comments, 0);
}

#[tokio::test]
async fn no_answer_slips_across_a_block_between_the_two_who_comment() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await.id;
    let by_ben = say(&app, ben, post).await.unwrap();
    let block = block_in_flight(&database, ben, ana).await;
    let say = CommentDraft { parent: Some(by_ben), ..about(post) };

    let (outcome, ()) = tokio::join!(
        say_repeatably(&app, ana, say, None),
        commit_when_waited_for(&database, block, 1)
    );

    assert_not_found(outcome, Resource::Comment);
    assert_eq!(load_engagement(&database, post).await.comments, 1);
}
