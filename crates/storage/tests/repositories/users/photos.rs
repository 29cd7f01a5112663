//! Profile photos through [`Users`](grateful_storage::Users).

use std::collections::HashSet;

use futures_util::future::join_all;
use grateful_domain::{PhotoSize, ProfilePhoto, UserId};
use grateful_storage::{PreviousPhoto, Repositories};
use grateful_testkit::{TestDatabase, create_user};
use uuid::Uuid;

#[tokio::test]
async fn a_photo_is_kept_by_its_name_and_shown_by_its_medium_size() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);

    let before = set(&database, ana, Some(&photo(1))).await;

    assert_eq!(before, Some(PreviousPhoto(None)));
    let shown = database.connect().await.users().find_author(ana).await.unwrap().unwrap();
    assert_eq!(shown.profile_image_url, Some(photo(1).url(PhotoSize::Medium)));
    let other = database.connect().await.users().find_author(ben).await.unwrap().unwrap();
    assert_eq!(other.profile_image_url, None);
}

#[tokio::test]
async fn each_change_of_a_photo_tells_which_was_there_before() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;

    set(&database, ana, Some(&photo(1))).await;
    let replaced = set(&database, ana, Some(&photo(2))).await;
    let removed = set(&database, ana, None).await;
    let again = set(&database, ana, None).await;

    assert_eq!(replaced, Some(PreviousPhoto(Some(photo(1)))));
    assert_eq!(removed, Some(PreviousPhoto(Some(photo(2)))));
    assert_eq!(again, Some(PreviousPhoto(None)));
    let none = "users WHERE profile_photo_filename IS NULL AND profile_image_url IS NULL";
    assert_eq!(database.count(none).await, 1);
}

#[tokio::test]
async fn nobody_has_no_photo_to_change() {
    let database = TestDatabase::create().await;

    assert_eq!(set(&database, UserId::from(4_711), Some(&photo(1))).await, None);
    assert_eq!(set(&database, UserId::from(-1), None).await, None);
}

/// Else the files of one would stay, and those of another be removed twice.
#[tokio::test]
async fn of_many_changes_at_once_each_tells_of_another_photo_and_one_is_left() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let photos: Vec<_> = (1..=12).map(photo).collect();

    let changes = photos.iter().map(|photo| set(&database, ana, Some(photo)));
    let told = join_all(changes).await;

    let before: HashSet<ProfilePhoto> =
        told.iter().filter_map(|it| it.clone().unwrap().0).collect();
    let first = told.iter().filter(|it| **it == Some(PreviousPhoto(None))).count();
    assert_eq!((before.len(), first), (11, 1), "{told:?}");
    let all: HashSet<_> = photos.into_iter().collect();
    let left: Vec<_> = all.difference(&before).cloned().collect();
    let kept = database.connect().await.users().photos_in_use(&all).await.unwrap();
    assert_eq!(kept.into_iter().collect::<Vec<_>>(), left);
}

#[tokio::test]
async fn those_photos_are_found_that_are_anybodys() {
    let database = TestDatabase::create().await;
    for number in [1, 2] {
        set(&database, create_user(&database).await, Some(&photo(number))).await;
    }
    create_user(&database).await;
    let mut conn = database.connect().await;

    let asked = [1, 3, 4].map(photo).into();
    assert_eq!(conn.users().photos_in_use(&asked).await.unwrap(), [photo(1)].into());
    assert_eq!(conn.users().photos_in_use(&HashSet::new()).await.unwrap(), HashSet::new());
}

#[tokio::test]
async fn whoever_goes_leaves_word_of_their_photo() {
    let database = TestDatabase::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    set(&database, ana, Some(&photo(1))).await;
    let mut conn = database.connect().await;

    assert_eq!(conn.users().delete(ana).await.unwrap(), Some(PreviousPhoto(Some(photo(1)))));
    assert_eq!(conn.users().delete(ben).await.unwrap(), Some(PreviousPhoto(None)));
    assert_eq!(conn.users().delete(ana).await.unwrap(), None);
}

async fn set(
    database: &TestDatabase,
    user: UserId,
    photo: Option<&ProfilePhoto>,
) -> Option<PreviousPhoto> {
    database.connect().await.users().set_photo(user, photo).await.unwrap()
}

fn photo(number: u128) -> ProfilePhoto {
    ProfilePhoto::new(Uuid::from_u128(number))
}
