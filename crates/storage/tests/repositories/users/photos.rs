//! Profile photos through [`Users`](grateful_storage::Users).

use std::collections::HashSet;

use futures_util::future::join_all;
use grateful_domain::{ProfilePhoto, UserId};
use grateful_storage::{PreviousPhoto, Repositories};
use grateful_test_database::{NOON, TestDatabase, create_user};

#[tokio::test]
async fn a_photo_is_stored_by_name_and_shown_by_its_url() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);

    let previous = set_photo(&database, ana, Some(&photo(1))).await;

    assert_eq!(previous, Some(PreviousPhoto(None)));
    let shown = database.connect().await.users().find_author(ana).await.unwrap().unwrap();
    assert_eq!(shown.profile_image_url, Some("/profile_1.jpg".to_owned()));
    let other = database.connect().await.users().find_author(ben).await.unwrap().unwrap();
    assert_eq!(other.profile_image_url, None);
}

#[tokio::test]
async fn changing_a_photo_returns_the_previous_one() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;

    set_photo(&database, ana, Some(&photo(1))).await;
    let replaced = set_photo(&database, ana, Some(&photo(2))).await;
    let removed = set_photo(&database, ana, None).await;
    let again = set_photo(&database, ana, None).await;

    assert_eq!(replaced, Some(PreviousPhoto(Some(photo(1)))));
    assert_eq!(removed, Some(PreviousPhoto(Some(photo(2)))));
    assert_eq!(again, Some(PreviousPhoto(None)));
    let none = "users WHERE profile_photo_filename IS NULL AND profile_image_url IS NULL";
    assert_eq!(database.count(none).await, 1);
}

#[tokio::test]
async fn the_photo_of_a_missing_user_cannot_change() {
    let database = TestDatabase::create().await;

    assert_eq!(set_photo(&database, UserId::from(4_711), Some(&photo(1))).await, None);
    assert_eq!(set_photo(&database, UserId::from(-1), None).await, None);
}

/// Otherwise the files of one photo would remain, and those of another would be deleted twice.
#[tokio::test]
async fn concurrent_changes_of_a_photo_each_return_another_previous_photo() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let photos: Vec<_> = (1..=12).map(photo).collect();

    let changes = photos.iter().map(|photo| set_photo(&database, ana, Some(photo)));
    let results = join_all(changes).await;

    let replaced: HashSet<ProfilePhoto> =
        results.iter().filter_map(|previous| previous.clone().unwrap().0).collect();
    let without_previous =
        results.iter().filter(|previous| **previous == Some(PreviousPhoto(None))).count();
    assert_eq!((replaced.len(), without_previous), (11, 1), "{results:?}");
    let all: HashSet<_> = photos.into_iter().collect();
    let left: Vec<_> = all.difference(&replaced).cloned().collect();
    let in_use = database.connect().await.users().photos_in_use(&all).await.unwrap();
    assert_eq!(in_use.into_iter().collect::<Vec<_>>(), left);
}

#[tokio::test]
async fn photos_in_use_are_those_of_existing_users() {
    let database = TestDatabase::create().await;
    for number in [1, 2] {
        set_photo(&database, create_user(&database).await, Some(&photo(number))).await;
    }
    create_user(&database).await;
    let mut conn = database.connect().await;

    let candidates = [1, 3, 4].map(photo).into();
    assert_eq!(conn.users().photos_in_use(&candidates).await.unwrap(), [photo(1)].into());
    assert_eq!(conn.users().photos_in_use(&HashSet::new()).await.unwrap(), HashSet::new());
}

#[tokio::test]
async fn deleting_a_user_returns_their_photo() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    set_photo(&database, ana, Some(&photo(1))).await;
    let mut conn = database.connect().await;

    assert_eq!(conn.users().delete(ana, NOON).await.unwrap(), Some(PreviousPhoto(Some(photo(1)))));
    assert_eq!(conn.users().delete(ben, NOON).await.unwrap(), Some(PreviousPhoto(None)));
    assert_eq!(conn.users().delete(ana, NOON).await.unwrap(), None);
}

async fn set_photo(
    database: &TestDatabase,
    user: UserId,
    photo: Option<&ProfilePhoto>,
) -> Option<PreviousPhoto> {
    let photo = photo.map(|photo| (photo, format!("/{}.jpg", photo.as_str())));
    database.connect().await.users().set_photo(user, photo).await.unwrap()
}

fn photo(number: u128) -> ProfilePhoto {
    ProfilePhoto::from_stored(format!("profile_{number}"))
}
