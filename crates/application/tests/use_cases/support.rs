//! Shared helpers.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use grateful_application::accounts::{LogIn, SignUp};
use grateful_application::{
    AccessToken, App, Error, IdempotentRequest, RecordedResponse, Result, Upload, accounts, posts,
    sessions,
};
use grateful_domain::{
    Draft, Email, Password, PostForViewer, PostId, Session, User, UserId, Username,
};
use grateful_media::ImageHeader;
use grateful_storage::Connection;
use grateful_testkit::{PASSWORD, TestApp, TestDatabase};
use object_store::ObjectStoreExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

/// Creates a post. The response is its id and content.
pub(crate) async fn create_post(
    app: &App,
    author: UserId,
    draft: Draft,
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    posts::create(app, author, draft, idempotency, to_response).await
}

fn to_response(created: &PostForViewer) -> Vec<u8> {
    format!("{} {}", created.post.id, created.post.draft.content.as_str()).into_bytes()
}

/// Creates a post with an image. The response is its id and content.
pub(crate) async fn create_post_with_image(
    app: &App,
    author: UserId,
    draft: Draft,
    image: &[u8],
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    posts::create_with_image(app, author, draft, upload(app, image), idempotency, to_response).await
}

/// An upload of a file, with its permit.
pub(crate) fn upload(app: &App, file: &[u8]) -> Upload {
    Upload { bytes: file.to_vec(), field: "file", permit: app.image_processor.admit().unwrap() }
}

/// The paths of all files, sorted.
pub(crate) async fn files(app: &App) -> Vec<String> {
    let files = app.files.list(None).map_ok(|file| file.location.to_string());
    let mut files: Vec<String> = files.try_collect().await.unwrap();
    files.sort();
    files
}

/// Width and height of a stored image, in pixels.
pub(crate) async fn dimensions_of(app: &App, file: &str) -> (u32, u32) {
    let file = app.files.get(&Path::from(file)).await.unwrap().bytes().await.unwrap();
    let header = ImageHeader::read(&file).unwrap();
    (header.width(), header.height())
}

/// Stores uploads in a folder, as a server does.
pub(crate) fn use_upload_folder(app: &mut TestApp) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    app.app.files = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    folder
}

/// The id of the post in a response of [`create_post`].
pub(crate) fn post_id_in(response: &RecordedResponse) -> PostId {
    let (RecordedResponse::New(body) | RecordedResponse::Replayed(body)) = response;
    let id = str::from_utf8(body).unwrap().split(' ').next().unwrap();
    Uuid::parse_str(id).unwrap().into()
}

/// Data of a new account with [`PASSWORD`].
pub(crate) fn sign_up_data(username: &str, email: &str) -> SignUp {
    SignUp {
        username: Username::parse(username).unwrap(),
        email: Email::parse(email).unwrap(),
        password: password(PASSWORD),
        user_agent: Some("Tests/1.0".to_owned()),
    }
}

/// A valid password.
pub(crate) fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

/// Credentials of a login.
pub(crate) fn credentials(email: &str, password: &str) -> LogIn {
    LogIn { email: email.to_owned(), password: password.to_owned(), user_agent: None }
}

/// Logs in a user whose password is [`PASSWORD`].
pub(crate) async fn log_in(app: &App, user: &User) -> AccessToken {
    accounts::log_in(app, credentials(user.email.as_str(), PASSWORD)).await.unwrap()
}

/// A new session of a user whose password is [`PASSWORD`].
pub(crate) async fn session_of(app: &App, user: &User) -> Session {
    sessions::authenticate(app, &log_in(app, user).await).await.unwrap()
}

#[track_caller]
pub(crate) fn assert_unauthenticated<T>(result: Result<T>) {
    let error = result.err().expect("an error is expected");
    assert!(matches!(error, Error::Unauthenticated(_)), "{error:?}");
}

#[track_caller]
pub(crate) fn assert_not_found<T>(result: Result<T>) {
    let error = result.err().expect("an error is expected");
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[track_caller]
pub(crate) fn assert_forbidden<T>(result: Result<T>) {
    let error = result.err().expect("an error is expected");
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
}

#[track_caller]
pub(crate) fn assert_invalid<T>(result: Result<T>, field: &str) {
    let error = result.err().expect("an error is expected");
    let Error::Invalid(validation) = error else { panic!("{error:?}") };
    assert!(validation.fields().contains_key(field), "{validation}");
}

/// Locks the row of a user, so that updates of its counts wait until the connection is dropped.
pub(crate) async fn lock_user(database: &TestDatabase, user: UserId) -> Connection {
    database.begin(&format!("SELECT FROM users WHERE id = {user} FOR NO KEY UPDATE")).await
}
