//! Profiles through [`Users`].

use grateful_domain::{
    Bio, City, DisplayName, Institutions, Location, OwnProfile, Preferences, ProfileEdit, UserId,
    Username, Viewer, Websites,
};
use grateful_storage::{Repositories, StorageError, Users};
use grateful_test_database::{NOON, TestDatabase, a_user, create_user};
use serde_json::{Map, Value, json};

use crate::support::follows::insert_follow;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// An edit that sets every field.
fn full_edit() -> ProfileEdit {
    let location =
        json!({"display_name": "Lisboa", "lat": 38.7, "lon": -9.1, "x": {"y": [1, null]}});
    ProfileEdit {
        username: Some(Username::parse("New.Name").unwrap()),
        display_name: Some(Some(DisplayName::parse("Ana Lima").unwrap())),
        bio: Some(Bio::parse("Rain\nand sun").unwrap()),
        city: Some(City::parse("Lisboa").unwrap()),
        location: Some(Some(Location::parse(object(&location)).unwrap())),
        institutions: Some(Institutions::parse(&["Farm".to_owned()]).unwrap()),
        websites: Some(Websites::from_stored(vec!["https://example.org".to_owned()])),
        preferences: Some(Preferences::parse(object(&json!({"approve_followers": true}))).unwrap()),
    }
}

/// Checks that every field of the profile has the value of `edit`, which sets every field.
fn assert_matches_edit(own: &OwnProfile, edit: &ProfileEdit) {
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
async fn an_edited_profile_is_found_unchanged() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;

    let edited = conn.users().update_profile(ana, &full_edit(), NOON).await.unwrap().unwrap();

    assert_matches_edit(&edited, &full_edit());
    assert_eq!(conn.users().find_own_profile(ana).await.unwrap(), Some(edited.clone()));
    let profile = conn.users().find_profile(Viewer::User(ana), ana).await.unwrap();
    assert_eq!(profile, Some(edited.profile));
}

#[tokio::test]
async fn each_field_can_be_cleared_on_its_own() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;
    conn.users().update_profile(ana, &full_edit(), NOON).await.unwrap();
    let no_changes = ProfileEdit::default;

    let mut expected = full_edit();
    for clear in [
        ProfileEdit { display_name: Some(None), ..no_changes() },
        ProfileEdit { bio: Some(None), ..no_changes() },
        ProfileEdit { city: Some(None), ..no_changes() },
        ProfileEdit { location: Some(None), ..no_changes() },
        ProfileEdit { institutions: Some(Institutions::default()), ..no_changes() },
        ProfileEdit { websites: Some(Websites::default()), ..no_changes() },
        ProfileEdit { preferences: Some(Preferences::default()), ..no_changes() },
    ] {
        let edited = conn.users().update_profile(ana, &clear, NOON).await.unwrap().unwrap();
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
        assert_matches_edit(&edited, &expected);
    }
    assert_eq!(database.count("users WHERE bio IS NULL AND location IS NULL").await, 1);
}

#[tokio::test]
async fn preferences_are_read_under_the_lock_of_the_row() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;
    assert_eq!(conn.users().lock_preferences(UserId::from(-1)).await.unwrap(), None);
    assert_eq!(conn.users().lock_preferences(ana).await.unwrap(), Some(Preferences::default()));
    conn.users().update_profile(ana, &full_edit(), NOON).await.unwrap();

    let mut locking = database.begin("SELECT 1").await;
    let locked = locking.users().lock_preferences(ana).await.unwrap();

    assert_eq!(locked, full_edit().preferences);
    let skipped =
        format!("users WHERE id IN (SELECT id FROM users WHERE id = {ana} FOR UPDATE SKIP LOCKED)");
    assert_eq!(database.count(&skipped).await, 0);
    drop(locking);
}

#[tokio::test]
async fn an_edit_without_changes_writes_nothing() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;
    database.execute("ALTER TABLE users ADD CONSTRAINT never CHECK (false) NOT VALID").await;

    let unchanged = conn.users().update_profile(ana, &ProfileEdit::default(), NOON).await.unwrap();

    assert_eq!(unchanged, conn.users().find_own_profile(ana).await.unwrap());
    assert!(unchanged.is_some());
}

#[tokio::test]
async fn a_username_is_taken_in_any_case_but_its_owner_may_change_its_case() {
    let database = TestDatabase::create().await;
    let ana = a_user().with_username("Ana").insert_into(&database).await.id;
    a_user().with_username("Ben").insert_into(&database).await;
    let mut conn = database.connect().await;
    let with_name = |name| ProfileEdit {
        username: Some(Username::parse(name).unwrap()),
        ..ProfileEdit::default()
    };

    let rejected = conn.users().update_profile(ana, &with_name("bEN"), NOON).await;

    let Err(StorageError::UniqueViolation { constraint }) = rejected else {
        panic!("{rejected:?}")
    };
    assert_eq!(constraint, Users::USERNAME_KEY);
    let own = conn.users().update_profile(ana, &with_name("aNA"), NOON).await.unwrap().unwrap();
    assert_eq!(own.profile.author.username.as_str(), "aNA");
}

#[tokio::test]
async fn a_missing_user_has_no_profile() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let missing = UserId::from(4_711);

    for viewer in [Viewer::Guest, Viewer::User(missing), Viewer::User(create_user(&database).await)]
    {
        assert_eq!(conn.users().find_profile(viewer, missing).await.unwrap(), None);
        assert_eq!(conn.users().find_profile_by_username(viewer, "unknown").await.unwrap(), None);
    }
    assert_eq!(conn.users().find_own_profile(missing).await.unwrap(), None);
    assert_eq!(conn.users().update_profile(missing, &full_edit(), NOON).await.unwrap(), None);
    assert_eq!(
        conn.users().update_profile(missing, &ProfileEdit::default(), NOON).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_profile_is_hidden_across_a_block_and_shown_to_all_others() {
    let database = TestDatabase::create().await;
    let ana = a_user().with_username("Ana.Lima").insert_into(&database).await.id;
    let mut conn = database.connect().await;
    let (blocked_by_ana, blocking_ana, follower) =
        (create_user(&database).await, create_user(&database).await, create_user(&database).await);
    insert_follow(&database, blocked_by_ana, ana, "blocked").await;
    insert_follow(&database, ana, blocking_ana, "blocked").await;
    insert_follow(&database, follower, ana, "active").await;

    for (viewer, is_visible) in [
        (Viewer::User(blocked_by_ana), false),
        (Viewer::User(blocking_ana), false),
        (Viewer::User(follower), true),
        (Viewer::User(ana), true),
        (Viewer::Guest, true),
    ] {
        let by_id = conn.users().find_profile(viewer, ana).await.unwrap();
        let by_name = conn.users().find_profile_by_username(viewer, "aNA.lima").await.unwrap();
        assert_eq!(by_id.is_some(), is_visible, "{viewer:?}");
        assert_eq!(by_id, by_name);
    }
}

#[tokio::test]
async fn only_the_author_sees_the_number_of_private_posts() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let numbers =
        "posts_count = 7, public_posts_count = 4, followers_count = 3, following_count = 2";
    database.execute(&format!("UPDATE users SET {numbers} WHERE id = {ana}")).await;
    let other = create_user(&database).await;
    let mut conn = database.connect().await;

    for (viewer, posts) in [(Viewer::User(ana), 7), (Viewer::User(other), 4), (Viewer::Guest, 4)] {
        let profile = conn.users().find_profile(viewer, ana).await.unwrap().unwrap();
        assert_eq!(
            (profile.posts, profile.followers, profile.following),
            (posts, 3, 2),
            "{viewer:?}"
        );
    }
}

#[tokio::test]
async fn a_json_list_with_other_items_than_strings_is_reported_as_corrupt() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;

    for (column, junk) in [("institutions", "[1]"), ("websites", "[null]")] {
        let mut conn = database.begin(&format!("UPDATE users SET {column} = '{junk}'")).await;
        let found = conn.users().find_own_profile(ana).await;
        assert!(matches!(found, Err(StorageError::Corrupt { .. })), "{column}: {found:?}");
    }
}
