//! The `comments` table through [`Comments`](grateful_storage::Comments).

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_domain::{
    Comment, CommentForViewer, CommentId, CommentText, HiddenComment, HiddenComments,
    ListedComment, Post, PostId, UserId,
};
use grateful_storage::{Comments, Database, Repositories, Result, StorageError, Thread};
use grateful_test_database::{
    NOON, TestDatabase, a_comment, a_post, block, create_user, load_engagement,
};

use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn a_reply_to_a_comment_on_another_post_is_rejected_and_not_counted() {
    let database = TestDatabase::create().await;
    let [sun, rain] =
        [a_post().insert_into(&database).await, a_post().insert_into(&database).await];
    let about_sun = a_comment().on(&sun).insert_into(&database).await;
    let stray =
        a_comment().by(create_user(&database).await).replying_to(&about_sun).on(&rain).build();

    assert_rejected_for_its_parent(insert(&database, &stray).await);

    assert_eq!(load_engagement(&database, sun.id).await.comments, 1);
    assert_eq!(load_engagement(&database, rain.id).await.comments, 0);
}

#[tokio::test]
async fn an_edit_changes_only_that_comment() {
    let database = TestDatabase::create().await;
    let comment = a_comment().insert_into(&database).await;
    let untouched = a_comment().insert_into(&database).await;
    let text = CommentText::parse("On second thoughts").unwrap();
    let edited = comment.edited(text, NOON + TimeDelta::hours(1));

    let replaced = database.connect().await.comments().update(&edited).await.unwrap();

    assert_eq!(replaced, Some(comment.text.clone()));
    assert_ne!(edited, comment);
    for expected in [&edited, &untouched] {
        let found = find(&database, comment.author, expected.id).await.unwrap();
        assert_eq!(&found.comment, expected);
    }
    assert_eq!(load_engagement(&database, comment.post).await.comments, 1);
}

#[tokio::test]
async fn a_comment_cannot_be_deleted_through_another_post() {
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
async fn a_thousand_nested_replies_are_deleted_at_once() {
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
async fn paging_by_cursor_returns_each_comment_once_during_writes() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let mut comments = Vec::new();
    for _ in 0..5 {
        comments.push(a_comment().on(&post).at(NOON).insert_into(&database).await);
    }
    let mut pages = 0;

    let found = collect_pages(2, async |page| {
        let mut conn = database.connect().await;
        let page = conn.comments().list(post.author, post.id, HiddenComments::LeftOut, page).await;
        // Deletes a comment that was already returned, and adds one that sorts before all and need not be returned.
        delete(&database, post.id, comments[0].id).await;
        a_comment().on(&post).at(NOON - TimeDelta::hours(1)).insert_into(&database).await;
        pages += 1;
        page.unwrap()
    })
    .await;

    let found: Vec<_> = found.into_iter().map(visible).collect();
    assert_eq!(ids(&found), comments.iter().map(|comment| comment.id).collect::<Vec<_>>());
    assert_eq!(pages, 3);
}

#[tokio::test]
async fn paging_by_cursor_returns_each_reply_once() {
    let database = TestDatabase::create().await;
    let comment = a_comment().insert_into(&database).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        let reply = a_comment().replying_to(&comment).at(NOON).insert_into(&database).await;
        expected.push(reply.id);
    }

    let found = collect_pages(2, async |page| {
        let mut conn = database.connect().await;
        let hidden = HiddenComments::LeftOut;
        conn.comments().list_replies(comment.author, comment.id, hidden, page).await.unwrap()
    })
    .await;

    assert_eq!(ids(&found.into_iter().map(visible).collect::<Vec<_>>()), expected);
}

/// The author of a post is notified of the visible replies, and has to reach them.
#[tokio::test]
async fn a_placeholder_stands_for_a_comment_across_a_block_with_visible_replies() {
    for is_blocker in [true, false] {
        let database = TestDatabase::create().await;
        let [eve, fay] = [create_user(&database).await, create_user(&database).await];
        let post = a_post().insert_into(&database).await;
        let without_replies = a_comment().by(eve).on(&post).insert_into(&database).await;
        let only_own = a_comment().by(eve).on(&post).insert_into(&database).await;
        a_comment().by(eve).replying_to(&only_own).insert_into(&database).await;
        let answered = a_comment().by(eve).on(&post).insert_into(&database).await;
        let answer = a_comment().by(fay).replying_to(&answered).insert_into(&database).await;
        a_comment().by(eve).replying_to(&answered).insert_into(&database).await;
        let (blocker, blocked) = if is_blocker { (post.author, eve) } else { (eve, post.author) };
        block(&database, blocker, blocked).await;

        let hidden = HiddenComments::Placeholders;
        let mut conn = database.connect().await;
        let list = conn.comments().list(post.author, post.id, hidden, first_page(100)).await;

        let Comment { id, post: on, parent, created_at, updated_at, .. } = answered;
        let placeholder =
            HiddenComment { id, post: on, parent, created_at, updated_at, replies: 1 };
        assert_eq!(list.unwrap().items, [ListedComment::Hidden(placeholder)]);
        let replies = replies_with_placeholders(&database, post.author, &answered).await;
        assert_eq!(replies, [(answer.id, 0, true)]);
        for (comment, expected) in
            [(&answered, Some(post.id)), (&only_own, None), (&without_replies, None)]
        {
            let found = conn.comments().find_post_of_listed(post.author, comment.id).await;
            assert_eq!(found.unwrap(), expected);
        }
        assert!(find(&database, post.author, answered.id).await.is_none());
    }
}

/// Eve's comments are across a block. Fay's reply is three levels below the first of them.
#[tokio::test]
async fn placeholders_lead_to_visible_replies_at_any_depth() {
    let database = TestDatabase::create().await;
    let [eve, fay] = [create_user(&database).await, create_user(&database).await];
    let post = a_post().insert_into(&database).await;
    let top = a_comment().by(eve).on(&post).insert_into(&database).await;
    let middle = a_comment().by(eve).replying_to(&top).insert_into(&database).await;
    let visible = a_comment().by(fay).replying_to(&middle).insert_into(&database).await;
    let below = a_comment().by(eve).replying_to(&visible).insert_into(&database).await;
    let last = a_comment().by(fay).replying_to(&below).insert_into(&database).await;
    a_comment().by(eve).replying_to(&last).insert_into(&database).await;
    block(&database, post.author, eve).await;

    let replies = async |comment| replies_with_placeholders(&database, post.author, comment).await;

    assert_eq!(list_with_placeholders(&database, &post).await, [(top.id, 1, false)]);
    assert_eq!(replies(&top).await, [(middle.id, 1, false)]);
    assert_eq!(replies(&middle).await, [(visible.id, 1, true)]);
    assert_eq!(replies(&visible).await, [(below.id, 1, false)]);
    assert_eq!(replies(&below).await, [(last.id, 0, true)]);
    assert_eq!(find(&database, post.author, visible.id).await.unwrap().replies, 1);
    assert_eq!(find(&database, fay, visible.id).await.unwrap().replies, 1);
}

#[tokio::test]
async fn replies_added_during_the_deletion_of_a_thread_are_counted_correctly() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let root = a_comment().on(&post).insert_into(&database).await;
    let replies = (0..12).map(|_| a_comment().by(post.author).replying_to(&root).build());

    let replying = join_all(replies.map(|reply| reply_concurrently(&database.pool, reply)));
    let deleting = delete_concurrently(&database.pool, post.id, root.id);
    let (_, removed) = tokio::join!(replying, deleting);

    assert!(1 <= removed);
    assert_eq!(database.count("comments").await, 0);
    assert_eq!(load_engagement(&database, post.id).await.comments, 0);
}

async fn insert(database: &TestDatabase, comment: &Comment) -> Result<bool> {
    database.connect().await.comments().insert(comment).await
}

/// A reply after the deletion is rejected for its parent.
async fn reply_concurrently(pool: &Database, reply: Comment) {
    match pool.acquire().await.unwrap().comments().insert(&reply).await {
        Ok(true) => (),
        result => assert_rejected_for_its_parent(result),
    }
}

async fn delete_concurrently(pool: &Database, post: PostId, comment: CommentId) -> i64 {
    let removed: Result<i64> = pool
        .transaction(async |tx| {
            tx.posts().lock(post).await?;
            let thread = tx.comments().list_deepest(Thread::Below(comment), i64::MAX).await?;
            tx.comments().delete_all(post, &thread).await
        })
        .await;
    removed.unwrap()
}

async fn delete(database: &TestDatabase, post: PostId, comment: CommentId) -> i64 {
    delete_concurrently(&database.pool, post, comment).await
}

async fn find(
    database: &TestDatabase,
    viewer: UserId,
    comment: CommentId,
) -> Option<CommentForViewer> {
    database.connect().await.comments().find(viewer, comment).await.unwrap()
}

/// The comments on a post with placeholders, each with its number of replies and whether it is visible.
async fn list_with_placeholders(
    database: &TestDatabase,
    post: &Post,
) -> Vec<(CommentId, i64, bool)> {
    let hidden = HiddenComments::Placeholders;
    let mut conn = database.connect().await;
    let listed = conn.comments().list(post.author, post.id, hidden, first_page(100)).await;
    listed.unwrap().items.iter().map(shape).collect()
}

/// The replies to a comment, as in [`list_with_placeholders`].
async fn replies_with_placeholders(
    database: &TestDatabase,
    viewer: UserId,
    comment: &Comment,
) -> Vec<(CommentId, i64, bool)> {
    let hidden = HiddenComments::Placeholders;
    let mut conn = database.connect().await;
    let listed = conn.comments().list_replies(viewer, comment.id, hidden, first_page(100)).await;
    listed.unwrap().items.iter().map(shape).collect()
}

fn shape(comment: &ListedComment) -> (CommentId, i64, bool) {
    match comment {
        ListedComment::Visible(visible) => (visible.comment.id, visible.replies, true),
        ListedComment::Hidden(hidden) => (hidden.id, hidden.replies, false),
    }
}

fn visible(comment: ListedComment) -> CommentForViewer {
    match comment {
        ListedComment::Visible(comment) => comment,
        ListedComment::Hidden(comment) => panic!("{comment:?}"),
    }
}

fn ids(comments: &[CommentForViewer]) -> Vec<CommentId> {
    comments.iter().map(|found| found.comment.id).collect()
}

#[track_caller]
fn assert_rejected_for_its_parent(result: Result<bool>) {
    let Err(StorageError::ForeignKeyViolation { constraint }) = result else {
        panic!("{result:?}")
    };
    assert_eq!(constraint, Comments::PARENT_KEY);
}
