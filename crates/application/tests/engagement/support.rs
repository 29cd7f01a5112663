//! Shared helpers.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use grateful_application::comments::CommentDraft;
use grateful_application::{
    App, Error, IdempotencyKey, IdempotentRequest, RecordedResponse, Resource, Result, comments,
    shares,
};
use grateful_domain::{
    CommentForViewer, CommentId, CommentText, PageRequest, PostId, Recipients, Share, ShareDetails,
    ShareMessage, UserId,
};
use grateful_storage::Connection;
use grateful_testkit::TestDatabase;

/// The first page, at the maximum size.
pub(crate) const MAX_PAGE: PageRequest = PageRequest::first(grateful_domain::Limit::MAX);

/// A message share to these recipients.
pub(crate) fn message_to(sender: UserId, recipients: &[UserId]) -> ShareDetails {
    let ids: Vec<i64> = recipients.iter().copied().map(i64::from).collect();
    ShareDetails::Message {
        recipients: Recipients::parse(sender, &ids).unwrap(),
        message: ShareMessage::parse("Hi").unwrap(),
    }
}

/// Shares a post. Returns the id of the share.
pub(crate) async fn create_share(
    app: &App,
    user: UserId,
    post: PostId,
    details: ShareDetails,
) -> Result<String> {
    create_share_idempotently(app, user, post, details, None).await.map(|response| text(&response))
}

pub(crate) async fn create_share_idempotently(
    app: &App,
    user: UserId,
    post: PostId,
    details: ShareDetails,
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    let to_response = |share: &Share| share.id.to_string().into_bytes();
    shares::create(app, user, post, details, idempotency, to_response).await
}

/// Comments on a post.
pub(crate) async fn create_comment(app: &App, author: UserId, post: PostId) -> Result<CommentId> {
    let response = create_comment_idempotently(app, author, draft_on(post), None).await?;
    Ok(id(&response))
}

/// Replies to a comment on a post.
pub(crate) async fn create_reply(
    app: &App,
    author: UserId,
    post: PostId,
    parent: CommentId,
) -> Result<CommentId> {
    let draft = CommentDraft { parent: Some(parent), ..draft_on(post) };
    Ok(id(&create_comment_idempotently(app, author, draft, None).await?))
}

pub(crate) async fn create_comment_idempotently(
    app: &App,
    author: UserId,
    draft: CommentDraft,
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    let to_response = |comment: &CommentForViewer| comment.comment.id.to_string().into_bytes();
    comments::create(app, author, draft, idempotency, to_response).await
}

pub(crate) fn draft_on(post: PostId) -> CommentDraft {
    CommentDraft { post, parent: None, text: comment_text("How lovely") }
}

pub(crate) fn comment_text(text: &str) -> CommentText {
    CommentText::parse(text).unwrap()
}

/// A request with this idempotency key. Another `version` has another fingerprint.
pub(crate) fn idempotent_request(key: &str, version: u8) -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse(key).unwrap(), fingerprint: [version; 32] }
}

fn id(response: &RecordedResponse) -> CommentId {
    text(response).parse::<uuid::Uuid>().unwrap().into()
}

fn text(response: &RecordedResponse) -> String {
    let (RecordedResponse::New(body) | RecordedResponse::Replayed(body)) = response;
    String::from_utf8(body.clone()).unwrap()
}

#[track_caller]
pub(crate) fn assert_not_found<T: Debug>(result: Result<T>, expected: Resource) {
    match result {
        Err(Error::NotFound { resource, .. }) if resource == expected => (),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn assert_forbidden<T: Debug>(result: Result<T>, expected: Resource) {
    match result {
        Err(Error::Forbidden { resource, .. }) if resource == expected => (),
        other => panic!("{other:?}"),
    }
}

/// Deletes a post in a transaction that stays open. Acts on the post wait for its end.
pub(crate) async fn begin_post_deletion(database: &TestDatabase, post: PostId) -> Connection {
    database.begin(&format!("DELETE FROM posts WHERE id = '{post}'")).await
}

/// Lets a user block another in a transaction that stays open, with the locks of a real block.
pub(crate) async fn begin_block(
    database: &TestDatabase,
    blocker: UserId,
    blocked: UserId,
) -> Connection {
    let sql = format!(
        "SELECT FROM users WHERE id IN ({blocker}, {blocked}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {blocked}, {blocker}, 'blocked')"
    );
    database.begin(&sql).await
}

/// Commits a transaction as soon as it blocks this number of statements.
pub(crate) async fn commit_once_blocking(
    database: &TestDatabase,
    mut tx: Connection,
    blocked_statements: i64,
) {
    use diesel_async::SimpleAsyncConnection as _;

    wait_until_blocked(database, blocked_statements).await;
    tx.batch_execute("COMMIT").await.unwrap();
}

/// Waits until this number of statements in this database wait for a lock.
pub(crate) async fn wait_until_blocked(database: &TestDatabase, statements: i64) {
    let blocked_statements =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.count(blocked_statements).await < statements {
        assert!(Instant::now() < deadline, "fewer than {statements} statements wait");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
