//! Shared helpers.

use std::fmt::Debug;

use grateful_application::comments::CommentDraft;
use grateful_application::{App, Error, Resource, Result};
use grateful_domain::{CommentId, CommentText, PostId, ShareDetails, UserId};
use uuid::Uuid;

pub(crate) async fn create_share(
    app: &App,
    user: UserId,
    post: PostId,
    details: ShareDetails,
) -> Result<Uuid> {
    let response = grateful_testkit::create_share(app, user, post, details, None).await?;
    Ok(grateful_testkit::recorded_id(&response))
}

pub(crate) async fn create_comment(app: &App, author: UserId, post: PostId) -> Result<CommentId> {
    grateful_testkit::create_comment(app, author, post, "How lovely", None).await
}

pub(crate) async fn create_reply(
    app: &App,
    author: UserId,
    post: PostId,
    parent: CommentId,
) -> Result<CommentId> {
    grateful_testkit::create_comment(app, author, post, "How lovely", Some(parent)).await
}

pub(crate) fn draft_on(post: PostId) -> CommentDraft {
    CommentDraft { post, parent: None, text: comment_text("How lovely") }
}

pub(crate) fn comment_text(text: &str) -> CommentText {
    CommentText::parse(text).unwrap()
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

/// A word for the result of an act.
pub(crate) fn outcome<T>(result: &Result<T>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(Error::AlreadyExists { .. }) => "exists",
        Err(Error::NotFound { resource: Resource::Post, .. }) => "no post",
        Err(Error::NotFound { resource: Resource::User, .. }) => "no user",
        Err(Error::NotFound { .. }) => "nothing there",
        Err(Error::Forbidden { .. }) => "forbidden",
        Err(Error::Unauthenticated(_)) => "no account",
        Err(Error::Unavailable(_)) => "unavailable",
        Err(Error::Internal(_)) => "internal",
        Err(_) => "another error",
    }
}
