//! What the tests of several subjects share.

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

/// All of a list, as far as one page reaches.
pub(crate) const ALL: PageRequest = PageRequest::first(grateful_domain::Limit::MAX);

/// Hi, to these people.
pub(crate) fn hi(sender: UserId, people: &[UserId]) -> ShareDetails {
    let ids: Vec<i64> = people.iter().copied().map(i64::from).collect();
    ShareDetails::Message {
        recipients: Recipients::parse(sender, &ids).unwrap(),
        message: ShareMessage::parse("Hi").unwrap(),
    }
}

/// Passes a post on, and keeps the id of the share and its recipients as the answer.
pub(crate) async fn share(
    app: &App,
    user: UserId,
    post: PostId,
    how: ShareDetails,
) -> Result<String> {
    share_repeatably(app, user, post, how, None).await.map(|answer| text(&answer))
}

pub(crate) async fn share_repeatably(
    app: &App,
    user: UserId,
    post: PostId,
    how: ShareDetails,
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    let record = |share: &Share| share.id.to_string().into_bytes();
    shares::create(app, user, post, how, idempotency, record).await
}

/// Says something about a post.
pub(crate) async fn say(app: &App, author: UserId, post: PostId) -> Result<CommentId> {
    let answer = say_repeatably(app, author, about(post), None).await?;
    Ok(id(&answer))
}

/// Answers a comment on a post.
pub(crate) async fn reply(
    app: &App,
    author: UserId,
    post: PostId,
    parent: CommentId,
) -> Result<CommentId> {
    let say = CommentDraft { parent: Some(parent), ..about(post) };
    Ok(id(&say_repeatably(app, author, say, None).await?))
}

pub(crate) async fn say_repeatably(
    app: &App,
    author: UserId,
    say: CommentDraft,
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    let record = |seen: &CommentForViewer| seen.comment.id.to_string().into_bytes();
    comments::create(app, author, say, idempotency, record).await
}

pub(crate) fn about(post: PostId) -> CommentDraft {
    CommentDraft { post, parent: None, text: words("How lovely") }
}

pub(crate) fn words(text: &str) -> CommentText {
    CommentText::parse(text).unwrap()
}

/// A request of this name; another `version` of it says something else.
pub(crate) fn idempotent(name: &str, version: u8) -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse(name).unwrap(), fingerprint: [version; 32] }
}

fn id(answer: &RecordedResponse) -> CommentId {
    text(answer).parse::<uuid::Uuid>().unwrap().into()
}

fn text(answer: &RecordedResponse) -> String {
    let (RecordedResponse::New(kept) | RecordedResponse::Replayed(kept)) = answer;
    String::from_utf8(kept.clone()).unwrap()
}

#[track_caller]
pub(crate) fn assert_not_found<T: Debug>(outcome: Result<T>, what: Resource) {
    match outcome {
        Err(Error::NotFound { resource, .. }) if resource == what => (),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn assert_forbidden<T: Debug>(outcome: Result<T>, what: Resource) {
    match outcome {
        Err(Error::Forbidden { resource, .. }) if resource == what => (),
        other => panic!("{other:?}"),
    }
}

/// Deletes a post in a transaction that is still open: whoever acts on the post waits for what becomes of it.
pub(crate) async fn deletion_in_flight(database: &TestDatabase, post: PostId) -> Connection {
    database.begin(&format!("DELETE FROM posts WHERE id = '{post}'")).await
}

/// Lets one person block another in a transaction that is still open, as a block does it.
pub(crate) async fn block_in_flight(
    database: &TestDatabase,
    who: UserId,
    whom: UserId,
) -> Connection {
    let sql = format!(
        "SELECT FROM users WHERE id IN ({who}, {whom}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {whom}, {who}, 'blocked')"
    );
    database.begin(&sql).await
}

/// Ends a transaction in flight as soon as so many statements wait for it.
pub(crate) async fn commit_when_waited_for(
    database: &TestDatabase,
    mut tx: Connection,
    waiting: i64,
) {
    use diesel_async::SimpleAsyncConnection as _;

    until_waiting(database, waiting).await;
    tx.batch_execute("COMMIT").await.unwrap();
}

/// Waits until so many statements in this database wait for a lock.
pub(crate) async fn until_waiting(database: &TestDatabase, statements: i64) {
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.count(waiting).await < statements {
        assert!(Instant::now() < deadline, "nobody waits");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
