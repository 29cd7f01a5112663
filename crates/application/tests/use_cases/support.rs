//! What the tests of several subjects share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use grateful_application::accounts::{LogIn, SignUp};
use grateful_application::{
    AccessToken, App, Error, IdempotentRequest, RecordedResponse, Result, Upload, accounts, posts,
    sessions,
};
use grateful_domain::{
    Content, Draft, Email, Password, PostForViewer, PostId, PostType, Session, User, UserId,
    Username, Visibility,
};
use grateful_media::ImageHeader;
use grateful_storage::Connection;
use grateful_testkit::{PASSWORD, TestApp, TestDatabase};
use object_store::ObjectStoreExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

/// A public daily post that is yet to be published.
pub(crate) fn draft(content: &str) -> Draft {
    Draft {
        title: None,
        content: Content::parse(content, PostType::Daily).unwrap(),
        post_type: PostType::Daily,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    }
}

/// Publishes it, and keeps its id and words as the answer.
pub(crate) async fn publish(
    app: &App,
    author: UserId,
    draft: Draft,
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    posts::create(app, author, draft, idempotency, recorded).await
}

fn recorded(seen: &PostForViewer) -> Vec<u8> {
    format!("{} {}", seen.post.id, seen.post.draft.content.as_str()).into_bytes()
}

/// Publishes it with a picture, and keeps the same.
pub(crate) async fn publish_pictured(
    app: &App,
    author: UserId,
    draft: Draft,
    picture: &[u8],
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    posts::create_with_image(app, author, draft, upload(app, picture), idempotency, recorded).await
}

/// A file as it was sent, with its place in the queue.
pub(crate) fn upload(app: &App, file: &[u8]) -> Upload {
    Upload { bytes: file.to_vec(), field: "file", permit: app.image_processor.admit().unwrap() }
}

/// The paths of all files, in their order.
pub(crate) async fn files(app: &App) -> Vec<String> {
    let files = app.files.list(None).map_ok(|file| file.location.to_string());
    let mut files: Vec<String> = files.try_collect().await.unwrap();
    files.sort();
    files
}

/// Pixels across and down of a picture that was written.
pub(crate) async fn sides_of(app: &App, file: &str) -> (u32, u32) {
    let file = app.files.get(&Path::from(file)).await.unwrap().bytes().await.unwrap();
    let header = ImageHeader::read(&file).unwrap();
    (header.width(), header.height())
}

/// Has uploads go to a folder, as they do in a server.
pub(crate) fn in_a_folder(app: &mut TestApp) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    app.app.files = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    folder
}

/// The post that an answer of [`publish`] is about.
pub(crate) fn post_in(answer: &RecordedResponse) -> PostId {
    let (RecordedResponse::New(kept) | RecordedResponse::Replayed(kept)) = answer;
    let id = str::from_utf8(kept).unwrap().split(' ').next().unwrap();
    Uuid::parse_str(id).unwrap().into()
}

/// What it takes to join with [`PASSWORD`].
pub(crate) fn newcomer(username: &str, email: &str) -> SignUp {
    SignUp {
        username: Username::parse(username).unwrap(),
        email: Email::parse(email).unwrap(),
        password: password(PASSWORD),
        user_agent: Some("Tests/1.0".to_owned()),
    }
}

/// A password that fits the rule.
pub(crate) fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

/// What somebody types to sign in.
pub(crate) fn typed(email: &str, password: &str) -> LogIn {
    LogIn { email: email.to_owned(), password: password.to_owned(), user_agent: None }
}

/// Begins a session of somebody whose password is [`PASSWORD`].
pub(crate) async fn log_in(app: &App, user: &User) -> AccessToken {
    accounts::log_in(app, typed(user.email.as_str(), PASSWORD)).await.unwrap()
}

/// A new session of somebody whose password is [`PASSWORD`].
pub(crate) async fn session_of(app: &App, user: &User) -> Session {
    sessions::authenticate(app, &log_in(app, user).await).await.unwrap()
}

#[track_caller]
pub(crate) fn assert_unauthenticated<T>(outcome: Result<T>) {
    let error = outcome.err().expect("it is refused");
    assert!(matches!(error, Error::Unauthenticated(_)), "{error:?}");
}

#[track_caller]
pub(crate) fn assert_not_found<T>(outcome: Result<T>) {
    let error = outcome.err().expect("it is refused");
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[track_caller]
pub(crate) fn assert_forbidden<T>(outcome: Result<T>) {
    let error = outcome.err().expect("it is refused");
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
}

#[track_caller]
pub(crate) fn assert_invalid<T>(outcome: Result<T>, field: &str) {
    let error = outcome.err().expect("it is refused");
    let Error::Invalid(invalid) = error else { panic!("{error:?}") };
    assert!(invalid.fields().contains_key(field), "{invalid}");
}

/// Holds up whatever is counted on somebody's row, until it is dropped.
pub(crate) async fn hold(database: &TestDatabase, user: UserId) -> Connection {
    database.begin(&format!("SELECT FROM users WHERE id = {user} FOR NO KEY UPDATE")).await
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
