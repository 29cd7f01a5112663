//! Profile photos: their files, and when these are deleted.

use futures_util::future::join_all;
use grateful_application::image_files::{PhotoSize, photo_file, photo_url};
use grateful_application::{
    App, Error, Focus, IdempotencyKey, IdempotentRequest, QueryLog, RecordedResponse, Resource,
    Result, photos,
};
use grateful_domain::{ProfilePhoto, UserId};
use grateful_testkit::{TestApp, a_png, create_user};
use object_store::ObjectStoreExt as _;

use crate::support::{
    assert_invalid, assert_not_found, assert_unauthenticated, dimensions_of, files, upload,
    use_upload_folder,
};

#[tokio::test]
async fn a_photo_has_four_files_and_the_medium_one_is_shown() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;

    let photo = photo_in(&upload_photo(&app, ana, &a_png(300, 200), None).await.unwrap());

    assert_eq!(files(&app).await, files_of(&photo));
    for (size, side) in PhotoSize::ALL.into_iter().zip([64, 128, 256, 512]) {
        assert_eq!(dimensions_of(&app, &photo_file(&photo, size)).await, (side, side));
    }
    assert_eq!(shown_url(&app, ana).await, Some(photo_url(&photo, PhotoSize::Medium)));
}

#[tokio::test]
async fn the_focus_determines_the_crop() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let mut files_by_focus = vec![];

    for focus in [Focus::new(0.0, 0.5), Focus::new(1.0, 0.5), Focus::new(0.0, 0.5)] {
        let sent = upload(&app, &a_png(300, 100));
        let photo =
            photo_in(&photos::upload(&app, ana, sent, focus, None, to_response).await.unwrap());
        let file =
            app.files.get_range(&photo_file(&photo, PhotoSize::Medium).into(), 0..1 << 20).await;
        files_by_focus.push(file.unwrap());
    }

    assert_ne!(files_by_focus[0], files_by_focus[1]);
    assert_eq!(files_by_focus[0], files_by_focus[2], "equal input gives equal bytes");
}

#[tokio::test]
async fn a_new_photo_replaces_the_files_of_the_previous_one() {
    let (TestApp { app, .. }, [ana, ben]) = TestApp::with_users().await;
    let by_ben = photo_in(&upload_photo(&app, ben, &a_png(90, 90), None).await.unwrap());
    let first = photo_in(&upload_photo(&app, ana, &a_png(90, 90), None).await.unwrap());

    let second = photo_in(&upload_photo(&app, ana, &a_png(90, 90), None).await.unwrap());

    assert_ne!(first, second, "the content of a file never changes");
    let mut remaining = [files_of(&by_ben), files_of(&second)].concat();
    remaining.sort();
    assert_eq!(files(&app).await, remaining);
    assert_eq!(shown_url(&app, ana).await, Some(photo_url(&second, PhotoSize::Medium)));
}

#[tokio::test]
async fn deleting_a_photo_deletes_its_files() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    upload_photo(&app, ana, &a_png(90, 90), None).await.unwrap();

    photos::delete(&app, ana).await.unwrap();

    assert_eq!(files(&app).await, [""; 0]);
    assert_eq!(shown_url(&app, ana).await, None);
    let again = photos::delete(&app, ana).await.unwrap_err();
    assert!(matches!(again, Error::NotFound { resource: Resource::Photo, id: None }), "{again:?}");
}

#[tokio::test]
async fn an_unknown_user_has_neither_photo_nor_avatar() {
    let TestApp { app, .. } = TestApp::create().await;
    let unknown_user = UserId::from(4_711);

    assert_unauthenticated(upload_photo(&app, unknown_user, &a_png(9, 9), None).await);
    assert_unauthenticated(photos::delete(&app, unknown_user).await);
    assert_not_found(photos::find_default_avatar_user(&app, unknown_user).await);
}

#[tokio::test]
async fn an_invalid_image_changes_nothing() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let photo = photo_in(&upload_photo(&app, ana, &a_png(90, 90), None).await.unwrap());

    let text = upload_photo(&app, ana, b"<svg xmlns='http://www.w3.org/2000/svg'/>", None).await;
    let png = a_png(90, 90);
    let truncated = upload_photo(&app, ana, &png[..png.len() / 2], None).await;

    assert!(matches!(text, Err(Error::UnsupportedMediaType { .. })), "{text:?}");
    assert_invalid(truncated, "file");
    assert_eq!(files(&app).await, files_of(&photo));
    assert_eq!(shown_url(&app, ana).await, Some(photo_url(&photo, PhotoSize::Medium)));
}

#[tokio::test]
async fn a_photo_that_cannot_be_written_leaves_the_previous_one() {
    let mut test_app = TestApp::create().await;
    let folder = use_upload_folder(&mut test_app);
    let TestApp { app, database, .. } = test_app;
    let ana = create_user(&database).await;
    let photo = photo_in(&upload_photo(&app, ana, &a_png(90, 90), None).await.unwrap());
    // A file in place of the folder makes writes fail.
    let (moved_away, photo_folder) =
        (folder.path().join("away"), folder.path().join("profile_photos"));
    std::fs::rename(&photo_folder, &moved_away).unwrap();
    std::fs::write(&photo_folder, "in the way").unwrap();

    let rejected = upload_photo(&app, ana, &a_png(90, 90), Some(idempotent_request("k", 1))).await;

    assert!(matches!(rejected, Err(Error::Unavailable(_))), "{rejected:?}");
    assert_eq!(shown_url(&app, ana).await, Some(photo_url(&photo, PhotoSize::Medium)));
    std::fs::remove_file(&photo_folder).unwrap();
    std::fs::rename(&moved_away, &photo_folder).unwrap();
    assert_eq!(files(&app).await, files_of(&photo));
    // A request that failed leaves its key free.
    upload_photo(&app, ana, &a_png(90, 90), Some(idempotent_request("k", 1))).await.unwrap();
}

#[tokio::test]
async fn a_repeated_request_replays_the_first_response_without_processing_the_image() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let first =
        upload_photo(&app, ana, &a_png(90, 90), Some(idempotent_request("k", 1))).await.unwrap();

    // Processing this would fail.
    let again =
        upload_photo(&app, ana, b"no image", Some(idempotent_request("k", 1))).await.unwrap();
    let other = upload_photo(&app, ana, &a_png(80, 80), Some(idempotent_request("k", 2))).await;

    assert_eq!(photo_in(&again), photo_in(&first));
    assert!(matches!((&first, &again), (RecordedResponse::New(_), RecordedResponse::Replayed(_))));
    assert!(matches!(other, Err(Error::IdempotencyKeyReused)), "{other:?}");
    assert_eq!(files(&app).await, files_of(&photo_in(&first)));
}

#[tokio::test]
async fn a_request_that_failed_can_be_sent_again_with_its_key() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    assert!(upload_photo(&app, ana, b"no image", Some(idempotent_request("k", 1))).await.is_err());

    let response =
        upload_photo(&app, ana, &a_png(90, 90), Some(idempotent_request("k", 2))).await.unwrap();

    assert!(matches!(response, RecordedResponse::New(_)));
}

#[tokio::test]
async fn after_concurrent_uploads_one_photo_remains_with_its_files() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;

    let png = a_png(20, 20);
    let uploaded = join_all((0..8).map(|_| upload_photo(&app, ana, &png, None))).await;

    let uploaded: Vec<ProfilePhoto> =
        uploaded.iter().map(|result| photo_in(result.as_ref().unwrap())).collect();
    let remaining = shown_url(&app, ana).await;
    let remaining = uploaded
        .iter()
        .find(|photo| Some(photo_url(photo, PhotoSize::Medium)) == remaining)
        .unwrap();
    assert_eq!(files(&app).await, files_of(remaining));
}

#[tokio::test]
async fn an_upload_needs_a_few_statements_and_none_while_the_image_is_processed() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let png = a_png(20, 20);

    for (expected, idempotency) in [
        (3, None),
        (3, None),
        (5, Some(idempotent_request("k", 1))),
        (2, Some(idempotent_request("k", 1))),
    ] {
        let (uploaded, queries) =
            Box::pin(QueryLog::record(upload_photo(&app, ana, &png, idempotency))).await;
        uploaded.unwrap();
        assert_eq!(queries.total(), expected, "{queries:#?}");
    }
    let (_, queries) = Box::pin(QueryLog::record(upload_photo(&app, ana, b"no image", None))).await;
    assert_eq!(queries.total(), 0);
    let (user, queries) = QueryLog::record(photos::find_default_avatar_user(&app, ana)).await;
    assert_eq!((user.unwrap().id, queries.total()), (ana, 1));
    let (deleted, queries) = QueryLog::record(photos::delete(&app, ana)).await;
    deleted.unwrap();
    assert_eq!(queries.total(), 1);
}

async fn upload_photo(
    app: &App,
    user: UserId,
    file: &[u8],
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    photos::upload(app, user, upload(app, file), None, idempotency, to_response).await
}

fn to_response(photo: &ProfilePhoto) -> Vec<u8> {
    photo.as_str().as_bytes().to_vec()
}

fn photo_in(response: &RecordedResponse) -> ProfilePhoto {
    let (RecordedResponse::New(body) | RecordedResponse::Replayed(body)) = response;
    ProfilePhoto::from_stored(String::from_utf8(body.clone()).unwrap())
}

async fn shown_url(app: &App, user: UserId) -> Option<String> {
    photos::find_default_avatar_user(app, user).await.unwrap().profile_image_url
}

/// The files of a photo, sorted.
fn files_of(photo: &ProfilePhoto) -> Vec<String> {
    let mut files: Vec<String> = PhotoSize::ALL.map(|size| photo_file(photo, size)).into();
    files.sort();
    files
}

fn idempotent_request(name: &str, fingerprint: u8) -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse(name).unwrap(), fingerprint: [fingerprint; 32] }
}
