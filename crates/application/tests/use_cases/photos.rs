//! The photos of people: which files there are, and when they go.

use futures_util::future::join_all;
use grateful_application::photos;
use grateful_application::{
    App, Error, Focus, IdempotencyKey, IdempotentRequest, QueryLog, RecordedResponse, Resource,
    Result,
};
use grateful_domain::{PhotoSize, ProfilePhoto, UserId};
use grateful_testkit::{TestApp, a_png, create_user};
use object_store::ObjectStoreExt as _;

use crate::support::{
    assert_invalid, assert_not_found, assert_unauthenticated, files, in_a_folder, sides_of, upload,
};

#[tokio::test]
async fn a_photo_is_four_files_and_the_medium_one_is_shown() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;

    let photo = photo_in(&give(&app, ana, &a_png(300, 200), None).await.unwrap());

    assert_eq!(files(&app).await, files_of(&photo));
    for (size, side) in PhotoSize::ALL.into_iter().zip([64, 128, 256, 512]) {
        assert_eq!(sides_of(&app, &photo.file(size)).await, (side, side));
    }
    assert_eq!(shown(&app, ana).await, Some(photo.url(PhotoSize::Medium)));
}

#[tokio::test]
async fn the_focus_decides_what_is_seen() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let mut seen = vec![];

    for focus in [Focus::new(0.0, 0.5), Focus::new(1.0, 0.5), Focus::new(0.0, 0.5)] {
        let sent = upload(&app, &a_png(300, 100));
        let photo = photo_in(&photos::upload(&app, ana, sent, focus, None, named).await.unwrap());
        let file = app.files.get_range(&photo.file(PhotoSize::Medium).into(), 0..1 << 20).await;
        seen.push(file.unwrap());
    }

    assert_ne!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2], "the same again is the same to the byte");
}

#[tokio::test]
async fn another_photo_takes_the_place_of_the_files_too() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let bens = photo_in(&give(&app, ben, &a_png(90, 90), None).await.unwrap());
    let first = photo_in(&give(&app, ana, &a_png(90, 90), None).await.unwrap());

    let second = photo_in(&give(&app, ana, &a_png(90, 90), None).await.unwrap());

    assert_ne!(first, second, "what is under a name never changes");
    let mut left = [files_of(&bens), files_of(&second)].concat();
    left.sort();
    assert_eq!(files(&app).await, left);
    assert_eq!(shown(&app, ana).await, Some(second.url(PhotoSize::Medium)));
}

#[tokio::test]
async fn a_photo_that_is_taken_away_leaves_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    give(&app, ana, &a_png(90, 90), None).await.unwrap();

    photos::delete(&app, ana).await.unwrap();

    assert_eq!(files(&app).await, [""; 0]);
    assert_eq!(shown(&app, ana).await, None);
    let again = photos::delete(&app, ana).await.unwrap_err();
    assert!(matches!(again, Error::NotFound { resource: Resource::Photo, id: None }), "{again:?}");
}

#[tokio::test]
async fn nobody_has_no_photo_and_nothing_that_stands_for_it() {
    let TestApp { app, .. } = TestApp::create().await;
    let nobody = UserId::from(4_711);

    assert_unauthenticated(give(&app, nobody, &a_png(9, 9), None).await);
    assert_unauthenticated(photos::delete(&app, nobody).await);
    assert_not_found(photos::find_default_avatar_user(&app, nobody).await);
}

#[tokio::test]
async fn what_is_no_picture_leaves_everything_as_it_was() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let photo = photo_in(&give(&app, ana, &a_png(90, 90), None).await.unwrap());

    let text = give(&app, ana, b"<svg xmlns='http://www.w3.org/2000/svg'/>", None).await;
    let half = a_png(90, 90);
    let broken = give(&app, ana, &half[..half.len() / 2], None).await;

    assert!(matches!(text, Err(Error::UnsupportedMediaType { .. })), "{text:?}");
    assert_invalid(broken, "file");
    assert_eq!(files(&app).await, files_of(&photo));
    assert_eq!(shown(&app, ana).await, Some(photo.url(PhotoSize::Medium)));
}

#[tokio::test]
async fn a_photo_that_cannot_be_written_leaves_the_one_before() {
    let mut made = TestApp::create().await;
    let folder = in_a_folder(&mut made);
    let TestApp { app, database, .. } = made;
    let ana = create_user(&database).await;
    let photo = photo_in(&give(&app, ana, &a_png(90, 90), None).await.unwrap());
    // Nothing can be put below a file.
    let (away, place) = (folder.path().join("away"), folder.path().join("profile_photos"));
    std::fs::rename(&place, &away).unwrap();
    std::fs::write(&place, "in the way").unwrap();

    let refused = give(&app, ana, &a_png(90, 90), Some(key("k", 1))).await;

    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert_eq!(shown(&app, ana).await, Some(photo.url(PhotoSize::Medium)));
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&away, &place).unwrap();
    assert_eq!(files(&app).await, files_of(&photo));
    // A request that failed leaves its key free.
    give(&app, ana, &a_png(90, 90), Some(key("k", 1))).await.unwrap();
}

#[tokio::test]
async fn the_same_request_again_gets_the_first_answer_and_makes_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let first = give(&app, ana, &a_png(90, 90), Some(key("k", 1))).await.unwrap();

    // Made anew, it would be refused.
    let again = give(&app, ana, b"no picture", Some(key("k", 1))).await.unwrap();
    let other = give(&app, ana, &a_png(80, 80), Some(key("k", 2))).await;

    assert_eq!(photo_in(&again), photo_in(&first));
    assert!(matches!((&first, &again), (RecordedResponse::New(_), RecordedResponse::Replayed(_))));
    assert_invalid(other, "Idempotency-Key");
    assert_eq!(files(&app).await, files_of(&photo_in(&first)));
}

#[tokio::test]
async fn a_request_that_failed_can_be_sent_again_with_its_key() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    assert!(give(&app, ana, b"no picture", Some(key("k", 1))).await.is_err());

    let answer = give(&app, ana, &a_png(90, 90), Some(key("k", 2))).await.unwrap();

    assert!(matches!(answer, RecordedResponse::New(_)));
}

#[tokio::test]
async fn of_many_photos_at_once_one_is_left_with_its_files() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;

    let picture = a_png(20, 20);
    let given = join_all((0..8).map(|_| give(&app, ana, &picture, None))).await;

    let given: Vec<ProfilePhoto> = given.iter().map(|it| photo_in(it.as_ref().unwrap())).collect();
    let left = shown(&app, ana).await;
    let left = given.iter().find(|it| Some(it.url(PhotoSize::Medium)) == left).unwrap();
    assert_eq!(files(&app).await, files_of(left));
}

#[tokio::test]
async fn a_photo_costs_a_few_statements_none_of_them_while_it_is_made() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let picture = a_png(20, 20);

    for (price, idempotency) in
        [(3, None), (3, None), (5, Some(key("k", 1))), (2, Some(key("k", 1)))]
    {
        let (given, queries) = QueryLog::record(give(&app, ana, &picture, idempotency)).await;
        given.unwrap();
        assert_eq!(queries.total(), price, "{queries:#?}");
    }
    let (_, queries) = QueryLog::record(give(&app, ana, b"no picture", None)).await;
    assert_eq!(queries.total(), 0);
    let (stood, queries) = QueryLog::record(photos::find_default_avatar_user(&app, ana)).await;
    assert_eq!((stood.unwrap().id, queries.total()), (ana, 1));
    let (removed, queries) = QueryLog::record(photos::delete(&app, ana)).await;
    removed.unwrap();
    assert_eq!(queries.total(), 1);
}

async fn give(
    app: &App,
    user: UserId,
    file: &[u8],
    idempotency: Option<IdempotentRequest>,
) -> Result<RecordedResponse> {
    photos::upload(app, user, upload(app, file), None, idempotency, named).await
}

fn named(photo: &ProfilePhoto) -> Vec<u8> {
    photo.as_str().as_bytes().to_vec()
}

fn photo_in(answer: &RecordedResponse) -> ProfilePhoto {
    let (RecordedResponse::New(kept) | RecordedResponse::Replayed(kept)) = answer;
    ProfilePhoto::from_stored(String::from_utf8(kept.clone()).unwrap())
}

async fn shown(app: &App, user: UserId) -> Option<String> {
    photos::find_default_avatar_user(app, user).await.unwrap().profile_image_url
}

/// In the order of their names.
fn files_of(photo: &ProfilePhoto) -> Vec<String> {
    let mut files: Vec<String> = PhotoSize::ALL.map(|size| photo.file(size)).into();
    files.sort();
    files
}

fn key(name: &str, fingerprint: u8) -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse(name).unwrap(), fingerprint: [fingerprint; 32] }
}
