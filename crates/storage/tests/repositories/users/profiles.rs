//! What people say of themselves, through [`Users`].

use grateful_domain::{
    Bio, City, DisplayName, Institutions, Location, OwnProfile, Preferences, ProfileEdit, UserId,
    Username, Viewer, Websites,
};
use grateful_storage::{Repositories, StorageError, Users};
use grateful_testkit::{TestDatabase, a_user, create_user};
use serde_json::{Map, Value, json};

use crate::support::follows::insert_follow;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Something for every field.
fn everything() -> ProfileEdit {
    let place = json!({"display_name": "Lisboa", "lat": 38.7, "lon": -9.1, "x": {"y": [1, null]}});
    ProfileEdit {
        username: Some(Username::parse("New.Name").unwrap()),
        display_name: Some(Some(DisplayName::parse("Ana Lima").unwrap())),
        bio: Some(Bio::parse("Rain\nand sun").unwrap()),
        city: Some(City::parse("Lisboa").unwrap()),
        location: Some(Some(Location::parse(object(&place)).unwrap())),
        institutions: Some(Institutions::parse(&["Farm".to_owned()]).unwrap()),
        websites: Some(Websites::parse(&["https://example.org".to_owned()]).unwrap()),
        preferences: Some(Preferences::parse(object(&json!({"approve_followers": true}))).unwrap()),
    }
}

/// What an edit that says something of every field makes of a page.
fn assert_says(own: &OwnProfile, edit: &ProfileEdit) {
    let OwnProfile { profile, preferences, .. } = own;
    assert_eq!(
        Some(profile.author.username.as_str()),
        edit.username.as_ref().map(Username::as_str)
    );
    assert_eq!(Some(&profile.author.display_name), edit.display_name.as_ref());
    assert_eq!(Some(&profile.bio), edit.bio.as_ref());
    assert_eq!(Some(&profile.city), edit.city.as_ref());
    assert_eq!(Some(&profile.location), edit.location.as_ref());
    assert_eq!(Some(&profile.institutions), edit.institutions.as_ref());
    assert_eq!(Some(&profile.websites), edit.websites.as_ref());
    assert_eq!(Some(preferences), edit.preferences.as_ref());
}

#[tokio::test]
async fn what_was_said_is_found_again() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;

    let edited = conn.users().update_profile(ana, &everything()).await.unwrap().unwrap();

    assert_says(&edited, &everything());
    assert_eq!(conn.users().find_own_profile(ana).await.unwrap(), Some(edited.clone()));
    let seen = conn.users().find_profile(Viewer::User(ana), ana).await.unwrap();
    assert_eq!(seen, Some(edited.profile));
}

#[tokio::test]
async fn each_field_is_cleared_by_itself() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;
    conn.users().update_profile(ana, &everything()).await.unwrap();
    let nothing = ProfileEdit::default;

    let mut expected = everything();
    for clear in [
        ProfileEdit { display_name: Some(None), ..nothing() },
        ProfileEdit { bio: Some(None), ..nothing() },
        ProfileEdit { city: Some(None), ..nothing() },
        ProfileEdit { location: Some(None), ..nothing() },
        ProfileEdit { institutions: Some(Institutions::default()), ..nothing() },
        ProfileEdit { websites: Some(Websites::default()), ..nothing() },
        ProfileEdit { preferences: Some(Preferences::default()), ..nothing() },
    ] {
        let edited = conn.users().update_profile(ana, &clear).await.unwrap().unwrap();
        expected = ProfileEdit {
            username: expected.username,
            display_name: clear.display_name.or(expected.display_name),
            bio: clear.bio.or(expected.bio),
            city: clear.city.or(expected.city),
            location: clear.location.or(expected.location),
            institutions: clear.institutions.or(expected.institutions),
            websites: clear.websites.or(expected.websites),
            preferences: clear.preferences.or(expected.preferences),
        };
        assert_says(&edited, &expected);
    }
    assert_eq!(database.count("users WHERE bio IS NULL AND location IS NULL").await, 1);
}

#[tokio::test]
async fn an_edit_that_says_nothing_writes_nothing() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;
    database.execute("ALTER TABLE users ADD CONSTRAINT never CHECK (false) NOT VALID").await;

    let same = conn.users().update_profile(ana, &ProfileEdit::default()).await.unwrap();

    assert_eq!(same, conn.users().find_own_profile(ana).await.unwrap());
    assert!(same.is_some());
}

#[tokio::test]
async fn a_name_is_taken_in_any_case_but_ones_own_may_change_its_case() {
    let database = TestDatabase::create().await;
    let ana = a_user().with_username("Ana").insert_into(&database).await.id;
    a_user().with_username("Ben").insert_into(&database).await;
    let mut conn = database.connect().await;
    let named = |name| ProfileEdit {
        username: Some(Username::parse(name).unwrap()),
        ..ProfileEdit::default()
    };

    let refused = conn.users().update_profile(ana, &named("bEN")).await;

    let Err(StorageError::Taken { constraint }) = refused else { panic!("{refused:?}") };
    assert_eq!(constraint, Users::USERNAME_KEY);
    let own = conn.users().update_profile(ana, &named("aNA")).await.unwrap().unwrap();
    assert_eq!(own.profile.author.username.as_str(), "aNA");
}

#[tokio::test]
async fn nobody_has_no_page() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let nobody = UserId::from(4_711);

    for viewer in [Viewer::Guest, Viewer::User(nobody), Viewer::User(create_user(&database).await)]
    {
        assert_eq!(conn.users().find_profile(viewer, nobody).await.unwrap(), None);
        assert_eq!(conn.users().find_profile_by_username(viewer, "nobody").await.unwrap(), None);
    }
    assert_eq!(conn.users().find_own_profile(nobody).await.unwrap(), None);
    assert_eq!(conn.users().update_profile(nobody, &everything()).await.unwrap(), None);
    assert_eq!(conn.users().update_profile(nobody, &ProfileEdit::default()).await.unwrap(), None);
}

#[tokio::test]
async fn across_a_block_nobody_has_a_page_and_without_one_everybody() {
    let database = TestDatabase::create().await;
    let ana = a_user().with_username("Ana.Lima").insert_into(&database).await.id;
    let mut conn = database.connect().await;
    let (by_ana, of_ana, friend) =
        (create_user(&database).await, create_user(&database).await, create_user(&database).await);
    insert_follow(&database, by_ana, ana, "blocked").await;
    insert_follow(&database, ana, of_ana, "blocked").await;
    insert_follow(&database, friend, ana, "active").await;

    for (viewer, is_there) in [
        (Viewer::User(by_ana), false),
        (Viewer::User(of_ana), false),
        (Viewer::User(friend), true),
        (Viewer::User(ana), true),
        (Viewer::Guest, true),
    ] {
        let by_id = conn.users().find_profile(viewer, ana).await.unwrap();
        let by_name = conn.users().find_profile_by_username(viewer, "aNA.lima").await.unwrap();
        assert_eq!(by_id.is_some(), is_there, "{viewer:?}");
        assert_eq!(by_id, by_name);
    }
}

#[tokio::test]
async fn private_posts_count_for_their_author_alone() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let numbers =
        "posts_count = 7, public_posts_count = 4, followers_count = 3, following_count = 2";
    database.execute(&format!("UPDATE users SET {numbers} WHERE id = {ana}")).await;
    let other = create_user(&database).await;
    let mut conn = database.connect().await;

    for (viewer, posts) in [(Viewer::User(ana), 7), (Viewer::User(other), 4), (Viewer::Guest, 4)] {
        let seen = conn.users().find_profile(viewer, ana).await.unwrap().unwrap();
        assert_eq!((seen.posts, seen.followers, seen.following), (posts, 3, 2), "{viewer:?}");
    }
}

#[tokio::test]
async fn a_list_that_is_none_of_texts_is_corrupt() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;

    for (column, junk) in [("institutions", "[1]"), ("websites", "[null]")] {
        let mut conn = database.begin(&format!("UPDATE users SET {column} = '{junk}'")).await;
        let found = conn.users().find_own_profile(ana).await;
        assert!(matches!(found, Err(StorageError::Corrupt { .. })), "{column}: {found:?}");
    }
}
