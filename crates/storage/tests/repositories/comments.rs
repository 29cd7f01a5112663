//! The `comments` table through [`Comments`](grateful_storage::Comments).

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_domain::{Comment, CommentForViewer, CommentId, CommentText, Post, PostId, UserId};
use grateful_storage::{Comments, Database, Repositories, Result, StorageError};
use grateful_testkit::{
    NOON, TestDatabase, a_comment, a_post, a_user, block, create_user, load_engagement,
};
use uuid::Uuid;

use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn a_comment_is_counted_and_comes_back_with_its_author() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let ana = a_user().with_username("ana").insert_into(&database).await;
    let comment = a_comment().by(ana.id).on(&post).with_text("Yes 💜\nYes").build();

    assert!(insert(&database, &comment).await.unwrap());

    assert_eq!(load_engagement(&database, post.id).await.comments, 1);
    let seen = find(&database, ana.id, comment.id).await.unwrap();
    assert_eq!((seen.comment, seen.replies), (comment, 0));
    assert_eq!((seen.author.id, seen.author.username), (ana.id, ana.username));
}

#[tokio::test]
async fn an_answer_counts_for_the_post_and_for_the_comment_that_it_answers() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let ana = create_user(&database).await;
    let comment = a_comment().on(&post).insert_into(&database).await;
    let other = a_comment().on(&post).insert_into(&database).await;

    let answer = a_comment().replying_to(&comment).insert_into(&database).await;
    let nested = a_comment().replying_to(&answer).insert_into(&database).await;

    assert_eq!(load_engagement(&database, post.id).await.comments, 4);
    for (comment, replies) in [(&comment, 1), (&other, 0), (&answer, 1), (&nested, 0)] {
        let seen = find(&database, ana, comment.id).await.unwrap();
        assert_eq!((&seen.comment, seen.replies), (comment, replies));
    }
}

#[tokio::test]
async fn an_answer_to_a_comment_on_another_post_is_refused_and_counts_nowhere() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await, a_post().insert_into(&database).await];
    let about_sun = a_comment().on(&sun).insert_into(&database).await;
    let stray =
        a_comment().by(create_user(&database).await).replying_to(&about_sun).on(&rain).build();

    assert_refused_for_its_parent(insert(&database, &stray).await);

    assert_eq!(load_engagement(&database, sun.id).await.comments, 1);
    assert_eq!(load_engagement(&database, rain.id).await.comments, 0);
}

#[tokio::test]
async fn an_answer_to_a_comment_that_is_gone_is_refused() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let comment = a_comment().on(&post).insert_into(&database).await;
    let answer = a_comment().by(create_user(&database).await).replying_to(&comment).build();
    assert_eq!(delete(&database, post.id, comment.id).await, 1);

    assert_refused_for_its_parent(insert(&database, &answer).await);

    assert_eq!(load_engagement(&database, post.id).await.comments, 0);
}

#[tokio::test]
async fn nobody_but_its_author_comments_on_a_private_post() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).private().insert_into(&database).await;

    assert!(!insert(&database, &a_comment().by(ben).on(&post).build()).await.unwrap());
    assert!(insert(&database, &a_comment().by(ana).on(&post).build()).await.unwrap());

    assert_eq!(load_engagement(&database, post.id).await.comments, 1);
    assert_eq!(database.count(&format!("comments WHERE author_id = {ben}")).await, 0);
}

#[tokio::test]
async fn a_post_that_is_gone_takes_no_comment() {
    let database = TestDatabase::create().await;
    let mut comment = a_comment().insert_into(&database).await;
    (comment.id, comment.post) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());

    assert!(!insert(&database, &comment).await.unwrap());
}

#[tokio::test]
async fn other_words_change_nothing_else() {
    let database = TestDatabase::create().await;
    let comment = a_comment().insert_into(&database).await;
    let untouched = a_comment().insert_into(&database).await;
    let words = CommentText::parse("On second thoughts").unwrap();
    let edited = comment.edited(words, NOON + TimeDelta::hours(1));

    let replaced = database.connect().await.comments().update(&edited).await.unwrap();

    assert_eq!(replaced, Some(comment.text.clone()));
    assert_ne!(edited, comment);
    for expected in [&edited, &untouched] {
        let seen = find(&database, comment.author, expected.id).await.unwrap();
        assert_eq!(&seen.comment, expected);
    }
    assert_eq!(load_engagement(&database, comment.post).await.comments, 1);
}

#[tokio::test]
async fn a_comment_that_is_gone_takes_no_other_words() {
    let database = TestDatabase::create().await;
    let comment = a_comment().insert_into(&database).await;
    delete(&database, comment.post, comment.id).await;

    assert_eq!(database.connect().await.comments().update(&comment).await.unwrap(), None);
}

#[tokio::test]
async fn a_comment_goes_with_all_answers_below_it_and_none_beside_it() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let root = a_comment().on(&post).insert_into(&database).await;
    let gone = a_comment().replying_to(&root).insert_into(&database).await;
    let beside = a_comment().replying_to(&root).insert_into(&database).await;
    for _ in 0..2 {
        let below = a_comment().replying_to(&gone).insert_into(&database).await;
        a_comment().replying_to(&below).insert_into(&database).await;
    }

    let removed = delete(&database, post.id, gone.id).await;

    assert_eq!(removed, 5);
    assert_eq!(load_engagement(&database, post.id).await.comments, 2);
    assert_eq!(database.count("comments").await, 2);
    for kept in [&root, &beside] {
        assert!(find(&database, post.author, kept.id).await.is_some());
    }
}

#[tokio::test]
async fn a_comment_that_is_gone_already_counts_nothing() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let comment = a_comment().on(&post).insert_into(&database).await;
    a_comment().on(&post).insert_into(&database).await;
    delete(&database, post.id, comment.id).await;

    assert_eq!(delete(&database, post.id, comment.id).await, 0);

    assert_eq!(load_engagement(&database, post.id).await.comments, 1);
}

#[tokio::test]
async fn a_comment_is_not_removed_from_a_post_that_it_is_not_on() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await, a_post().insert_into(&database).await];
    let about_sun = a_comment().on(&sun).insert_into(&database).await;
    a_comment().on(&rain).insert_into(&database).await;

    assert_eq!(delete(&database, rain.id, about_sun.id).await, 0);

    assert_eq!(load_engagement(&database, sun.id).await.comments, 1);
    assert_eq!(load_engagement(&database, rain.id).await.comments, 1);
    assert_eq!(database.count("comments").await, 2);
}

#[tokio::test]
async fn a_thousand_answers_one_below_the_other_go_at_once() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let root = a_comment().on(&post).insert_into(&database).await;
    database
        .execute(&format!(
            "INSERT INTO comments (id, author_id, post_id, parent_id, content)
         SELECT md5(n::text)::uuid, {author}, '{post}',
                CASE n WHEN 1 THEN '{root}' ELSE md5((n - 1)::text)::uuid END, 'Deeper'
         FROM generate_series(1, 1000) n;
         UPDATE posts SET comments_count = 1001",
            author = post.author,
            post = post.id,
            root = root.id
        ))
        .await;

    assert_eq!(delete(&database, post.id, root.id).await, 1001);

    assert_eq!(load_engagement(&database, post.id).await.comments, 0);
    assert_eq!(database.count("comments").await, 0);
}

#[tokio::test]
async fn comments_on_a_post_are_listed_oldest_first_without_the_answers_to_them() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let late = a_comment().on(&post).at(NOON + TimeDelta::hours(1)).insert_into(&database).await;
    let [a, b] = [
        a_comment().on(&post).at(NOON).insert_into(&database).await,
        a_comment().on(&post).at(NOON).insert_into(&database).await,
    ];
    a_comment().replying_to(&a).insert_into(&database).await;
    a_comment().insert_into(&database).await;

    let listed = list(&database, post.author, &post).await;

    assert_eq!(ids(&listed), [a.id, b.id, late.id]);
    assert_eq!(listed.iter().map(|seen| seen.replies).collect::<Vec<_>>(), [1, 0, 0]);
}

#[tokio::test]
async fn answers_are_listed_oldest_first_without_the_answers_to_them() {
    let database = TestDatabase::create().await;
    let comment = a_comment().insert_into(&database).await;
    let late = a_comment().replying_to(&comment).at(NOON + TimeDelta::hours(1));
    let late = late.insert_into(&database).await;
    let early = a_comment().replying_to(&comment).at(NOON).insert_into(&database).await;
    a_comment().replying_to(&early).insert_into(&database).await;

    let listed = replies(&database, comment.author, &comment).await;

    assert_eq!(ids(&listed), [early.id, late.id]);
    assert_eq!(listed[0].replies, 1);
}

#[tokio::test]
async fn a_reader_who_goes_on_by_cursor_meets_each_comment_once_while_others_write() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let mut comments = Vec::new();
    for _ in 0..5 {
        comments.push(a_comment().on(&post).at(NOON).insert_into(&database).await);
    }
    let mut rounds = 0;

    let met = collect_pages(2, async |page| {
        let slice = database.connect().await.comments().list(post.author, post.id, page).await;
        // One that the reader has met goes; one that is older than all comes, which they need not meet.
        delete(&database, post.id, comments[0].id).await;
        a_comment().on(&post).at(NOON - TimeDelta::hours(1)).insert_into(&database).await;
        rounds += 1;
        slice.unwrap()
    })
    .await;

    assert_eq!(ids(&met), comments.iter().map(|comment| comment.id).collect::<Vec<_>>());
    assert_eq!(rounds, 3);
}

#[tokio::test]
async fn a_reader_who_goes_on_by_cursor_meets_each_answer_once() {
    let database = TestDatabase::create().await;
    let comment = a_comment().insert_into(&database).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        let answer = a_comment().replying_to(&comment).at(NOON).insert_into(&database).await;
        expected.push(answer.id);
    }

    let met = collect_pages(2, async |page| {
        let mut conn = database.connect().await;
        conn.comments().list_replies(comment.author, comment.id, page).await.unwrap()
    })
    .await;

    assert_eq!(ids(&met), expected);
}

#[tokio::test]
async fn across_a_block_no_comment_is_found_listed_or_counted_as_an_answer() {
    let database = TestDatabase::create().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let post = a_post().by(eve).insert_into(&database).await;
    let by_eve = a_comment().by(eve).on(&post).insert_into(&database).await;
    let by_ana = a_comment().by(ana).replying_to(&by_eve).insert_into(&database).await;
    let by_ben = a_comment().by(ben).replying_to(&by_eve).insert_into(&database).await;
    let on_top = a_comment().by(ben).on(&post).insert_into(&database).await;
    block(&database, ana, ben).await;

    for (viewer, hidden, seen) in [(ana, &by_ben, &by_ana), (ben, &by_ana, &by_ben)] {
        assert!(find(&database, viewer, hidden.id).await.is_none());
        assert_eq!(ids(&replies(&database, viewer, &by_eve).await), [seen.id]);
        assert_eq!(find(&database, viewer, by_eve.id).await.unwrap().replies, 1);
    }
    assert_eq!(ids(&list(&database, ana, &post).await), [by_eve.id]);
    assert_eq!(ids(&list(&database, ben, &post).await), [by_eve.id, on_top.id]);
    assert_eq!(ids(&replies(&database, eve, &by_eve).await), [by_ana.id, by_ben.id]);
    assert_eq!(load_engagement(&database, post.id).await.comments, 4);
}

#[tokio::test]
async fn comments_of_many_at_once_are_each_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let ana = create_user(&database).await;

    let said = (0..16).map(|_| a_comment().by(ana).on(&post).build());
    let said = join_all(said.map(|comment| insert_at_once(&database.pool, comment))).await;

    assert!(said.iter().all(|is_there| *is_there));
    assert_eq!(load_engagement(&database, post.id).await.comments, 16);
}

#[tokio::test]
async fn a_tree_that_grows_while_it_is_removed_is_counted_to_the_last_answer() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let root = a_comment().on(&post).insert_into(&database).await;
    let answers = (0..12).map(|_| a_comment().by(post.author).replying_to(&root).build());

    let growing = join_all(answers.map(|answer| answer_at_once(&database.pool, answer)));
    let removing = remove_at_once(&database.pool, post.id, root.id);
    let (_, removed) = tokio::join!(growing, removing);

    assert!(1 <= removed);
    assert_eq!(database.count("comments").await, 0);
    assert_eq!(load_engagement(&database, post.id).await.comments, 0);
}

async fn insert(database: &TestDatabase, comment: &Comment) -> Result<bool> {
    database.connect().await.comments().insert(comment).await
}

async fn insert_at_once(db: &Database, comment: Comment) -> bool {
    db.acquire().await.unwrap().comments().insert(&comment).await.unwrap()
}

/// Whoever comes after the removal answers a comment that is gone.
async fn answer_at_once(db: &Database, answer: Comment) {
    match db.acquire().await.unwrap().comments().insert(&answer).await {
        Ok(true) => (),
        other => assert_refused_for_its_parent(other),
    }
}

async fn remove_at_once(db: &Database, post: PostId, comment: CommentId) -> i64 {
    let removed: Result<i64> = db
        .transaction(async |tx| {
            tx.posts().lock(post).await?;
            tx.comments().delete(post, comment).await
        })
        .await;
    removed.unwrap()
}

async fn delete(database: &TestDatabase, post: PostId, comment: CommentId) -> i64 {
    database.connect().await.comments().delete(post, comment).await.unwrap()
}

async fn find(
    database: &TestDatabase,
    viewer: UserId,
    comment: CommentId,
) -> Option<CommentForViewer> {
    database.connect().await.comments().find(viewer, comment).await.unwrap()
}

async fn list(database: &TestDatabase, viewer: UserId, post: &Post) -> Vec<CommentForViewer> {
    database.connect().await.comments().list(viewer, post.id, first_page(100)).await.unwrap().items
}

async fn replies(
    database: &TestDatabase,
    viewer: UserId,
    comment: &Comment,
) -> Vec<CommentForViewer> {
    database
        .connect()
        .await
        .comments()
        .list_replies(viewer, comment.id, first_page(100))
        .await
        .unwrap()
        .items
}

fn ids(seen: &[CommentForViewer]) -> Vec<CommentId> {
    seen.iter().map(|seen| seen.comment.id).collect()
}

#[track_caller]
fn assert_refused_for_its_parent(outcome: Result<bool>) {
    let Err(StorageError::Missing { constraint }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(constraint, Comments::PARENT_KEY);
}
