//! Profiles, and turning off follow approval.

use futures_util::future::join_all;
use grateful_application::housekeeping::sweep;
use grateful_application::notifications::{self, ReadFilter};
use grateful_application::verify::{Repair, verify};
use grateful_application::{App, Error, Resource, Result, follows, profiles};
use grateful_domain::{
    Bio, FollowState, Limit, OwnProfile, PageRequest, Preferences, PreferencesPatch, ProfileEdit,
    UserId, Username, Viewer,
};
use grateful_testkit::{
    TestApp, TestDatabase, a_user, assert_queries, block, create_user, wait_until_blocked,
};
use serde_json::{Value, json};

use crate::support::{assert_invalid, assert_not_found, assert_unauthenticated};

/// How many requests one transaction accepts.
const BATCH_SIZE: i64 = 200;

#[tokio::test]
async fn a_profile_needs_one_statement_for_any_viewer() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("ana").insert_into(&database).await.id;
    let ben = create_user(&database).await;
    for _ in 0..3 {
        follows::follow(&app, create_user(&database).await, ana).await.unwrap();
        block(&database, ben, create_user(&database).await).await;
    }

    assert_queries!(1, profiles::get_own(&app, ana));
    for viewer in [Viewer::User(ana), Viewer::User(ben)] {
        let by_id = assert_queries!(1, profiles::get(&app, viewer, ana));
        let by_name = assert_queries!(1, profiles::get_by_username(&app, viewer, "Ana."));
        assert_eq!((by_id.followers, &by_id), (3, &by_name));
    }
}

#[tokio::test]
async fn an_edit_needs_the_same_number_of_statements_for_any_number_of_followers() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    for _ in 0..3 {
        follows::follow(&app, create_user(&database).await, ana).await.unwrap();
        // Locks the user, and updates the row.
        assert_queries!(3, profiles::update(&app, ana, bio(), None));
        assert_queries!(3, profiles::update(&app, ana, approval(true), None));
        assert_queries!(4, merge(&app, ana, json!({"theme": "light"})));
        // Also looks up pending requests.
        assert_queries!(6, profiles::update(&app, ana, approval(false), None));
    }
}

#[tokio::test]
async fn profiles_of_unknown_users_are_not_found() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let unknown_user = UserId::from(4_711);

    for viewer in [Viewer::Guest, Viewer::User(ana)] {
        assert_not_found(profiles::get(&app, viewer, unknown_user).await);
        for name in ["unknown", "", ".", "%", "a\0b", "\0"] {
            assert_not_found(profiles::get_by_username(&app, viewer, name).await);
        }
    }
    assert_unauthenticated(profiles::get_own(&app, unknown_user).await);
    assert_unauthenticated(profiles::update(&app, unknown_user, bio(), None).await);
    assert_unauthenticated(profiles::update(&app, unknown_user, approval(false), None).await);
    assert_unauthenticated(merge(&app, unknown_user, json!({})).await);
}

#[tokio::test]
async fn one_of_eight_concurrent_renames_to_one_username_succeeds() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let users = join_all((0..8).map(|_| create_user(&database))).await;
    let rename = || ProfileEdit {
        username: Some(Username::parse("Wanted").unwrap()),
        ..ProfileEdit::default()
    };

    let results =
        join_all(users.iter().map(|user| profiles::update(&app, *user, rename(), None))).await;

    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for rejected in results.into_iter().filter_map(Result::err) {
        let Error::AlreadyExists { resource: Resource::User, reason } = rejected else {
            panic!("{rejected:?}")
        };
        assert_eq!(reason, "Username already taken");
    }
}

#[tokio::test]
async fn turning_off_approval_accepts_all_requests_and_notifies_the_requesters() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let sue = a_user().with_username("sue").insert_into(&database).await.id;
    profiles::update(&app, sue, approval(true), None).await.unwrap();
    let requesters = [create_user(&database).await, create_user(&database).await];
    for requester in requesters {
        follows::follow(&app, requester, sue).await.unwrap();
    }
    assert_eq!(messages(&app, sue).await.len(), 2);
    profiles::update(&app, sue, bio(), None).await.unwrap();
    assert_eq!(count_pending(&database).await, 2, "approval is still on");

    let own = profiles::update(&app, sue, approval(false), None).await.unwrap();

    assert_eq!((own.profile.followers, count_pending(&database).await), (2, 0));
    for requester in requesters {
        assert_eq!(
            follows::get_relationship(&app, requester, sue).await.unwrap().outgoing,
            FollowState::Active
        );
        assert_eq!(messages(&app, requester).await, ["sue accepted your follow request"]);
        assert_eq!(profiles::get_own(&app, requester).await.unwrap().profile.following, 1);
    }
    assert_eq!(messages(&app, sue).await, [""; 0]);
    assert_eq!(mismatches(&app).await, 0);
}

#[tokio::test]
async fn more_requests_than_one_batch_are_accepted() {
    let (TestApp { app, database, .. }, [sue]) = TestApp::with_users().await;
    create_requests(&app, &database, sue, BATCH_SIZE + 5).await;

    let own = profiles::update(&app, sue, approval(false), None).await.unwrap();

    assert_eq!((own.profile.followers, count_pending(&database).await), (BATCH_SIZE + 5, 0));
    assert_eq!(mismatches(&app).await, 0);
}

/// The rows are as after a crash between the edit and the acceptance of requests.
#[tokio::test]
async fn a_sweep_accepts_requests_that_an_interruption_left() {
    let (TestApp { app, database, .. }, [sue, other]) = TestApp::with_users().await;
    create_requests(&app, &database, sue, 3).await;
    create_requests(&app, &database, other, 2).await;
    let sql = "UPDATE users SET profile_preferences = '{}'";
    database.execute(&format!("{sql} WHERE id = {sue}")).await;

    let swept = [sweep(&app).await.unwrap().requests, sweep(&app).await.unwrap().requests];

    assert_eq!((swept, count_pending(&database).await), ([3, 0], 2));
    assert_eq!(profiles::get_own(&app, sue).await.unwrap().profile.followers, 3);
    assert_eq!(mismatches(&app).await, 0);
}

#[tokio::test]
async fn a_failure_while_accepting_requests_keeps_complete_batches_and_a_sweep_accepts_the_rest() {
    let (TestApp { app, database, .. }, [sue]) = TestApp::with_users().await;
    create_requests(&app, &database, sue, BATCH_SIZE + 5).await;
    // Notifications fail once more users follow than one batch accepts.
    database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF (SELECT count(*) FROM follows WHERE status = 'active') > 200 THEN
                 RAISE EXCEPTION 'no more';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON notifications FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await;

    let failed = profiles::update(&app, sue, approval(false), None).await;

    assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    assert_eq!(count_pending(&database).await, 5);
    assert_eq!(mismatches(&app).await, 0);
    database.execute("DROP TRIGGER refuse ON notifications").await;
    assert_eq!(sweep(&app).await.unwrap().requests, 5);
    assert_eq!(profiles::get_own(&app, sue).await.unwrap().profile.followers, BATCH_SIZE + 5);
    assert_eq!(mismatches(&app).await, 0);
}

#[tokio::test]
async fn turning_approval_on_again_keeps_the_remaining_requests() {
    let (TestApp { app, database, .. }, [requester, sue]) = TestApp::with_users().await;
    profiles::update(&app, sue, approval(true), None).await.unwrap();
    follows::follow(&app, requester, sue).await.unwrap();
    // The requester has the lower id and is locked first, so that no other row is locked during the wait.
    let lock =
        database.begin(&format!("SELECT FROM users WHERE id = {requester} FOR UPDATE")).await;

    let turning_off = tokio::spawn({
        let app = app.clone();
        async move { profiles::update(&app, sue, approval(false), None).await }
    });
    wait_until_blocked(&database, 1).await;
    profiles::update(&app, sue, approval(true), None).await.unwrap();
    drop(lock);
    turning_off.await.unwrap().unwrap();

    assert_eq!(count_pending(&database).await, 1);
    assert_eq!(sweep(&app).await.unwrap().requests, 0);
    assert_eq!(messages(&app, requester).await, [""; 0]);
    assert_eq!(mismatches(&app).await, 0);
}

#[tokio::test]
async fn a_patch_that_turns_off_approval_accepts_all_requests() {
    let (TestApp { app, database, .. }, [sue]) = TestApp::with_users().await;
    for (number, change) in (1..).zip([json!(false), Value::Null]) {
        create_requests(&app, &database, sue, 1).await;
        merge(&app, sue, json!({"theme": "light", "notifications": {"like": false}}))
            .await
            .unwrap();
        assert_eq!(count_pending(&database).await, 1, "approval is still on");

        let own = merge(&app, sue, json!({"approve_followers": change})).await.unwrap();

        assert_eq!((own.profile.followers, count_pending(&database).await), (number, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_patches_do_not_lose_one_another() {
    let (TestApp { app, .. }, [sue]) = TestApp::with_users().await;
    merge(&app, sue, json!({"removed": 1, "notifications": {"like": false}})).await.unwrap();

    let patch = |number: usize| {
        let app = app.clone();
        let switch = format!("type{number}");
        let patch = json!({"removed": null, "notifications": {switch: true}, format!("key{number}"): number});
        tokio::spawn(async move { merge(&app, sue, patch).await })
    };
    let results = join_all((0..16).map(patch)).await;

    assert!(results.iter().all(|result| result.as_ref().is_ok_and(Result::is_ok)), "{results:?}");
    let preferences = profiles::get_own(&app, sue).await.unwrap().preferences;
    let merged = preferences.as_map();
    assert_eq!((merged.len(), merged.get("removed")), (17, None), "{merged:?}");
    assert_eq!(merged["notifications"].as_object().unwrap().len(), 17, "{merged:?}");
    assert_eq!(merged["notifications"]["like"], false);
}

#[tokio::test]
async fn the_size_limit_of_preferences_holds_for_the_merged_result() {
    let (TestApp { app, .. }, [sue]) = TestApp::with_users().await;
    let half = "x".repeat(9_000);
    merge(&app, sue, json!({"a": half})).await.unwrap();

    let rejected = merge(&app, sue, json!({"b": half})).await;

    assert_invalid(rejected, "profile_preferences");
    let preferences = profiles::get_own(&app, sue).await.unwrap().preferences;
    assert_eq!(preferences.as_map().keys().collect::<Vec<_>>(), ["a"]);
    merge(&app, sue, json!({"a": null, "b": half})).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_created_while_approval_is_turned_off_are_accepted() {
    let (TestApp { app, database, .. }, [sue]) = TestApp::with_users().await;
    let mut total = 0;
    for _ in 0..6 {
        profiles::update(&app, sue, approval(true), None).await.unwrap();
        let followers = join_all((0..5).map(|_| create_user(&database))).await;

        let requests =
            join_all(followers.iter().map(|follower| follows::follow(&app, *follower, sue)));
        let (turned_off, results) =
            tokio::join!(profiles::update(&app, sue, approval(false), None), requests);

        turned_off.unwrap();
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        total += 5;
        assert_eq!(count_pending(&database).await, 0);
        assert_eq!(profiles::get_own(&app, sue).await.unwrap().profile.followers, total);
    }
    assert_eq!(mismatches(&app).await, 0);
}

fn approval(approve_followers: bool) -> ProfileEdit {
    let preferences = json!({"approve_followers": approve_followers, "theme": "dark"});
    let preferences = Preferences::parse(preferences.as_object().unwrap().clone()).unwrap();
    ProfileEdit { preferences: Some(preferences), ..ProfileEdit::default() }
}

/// Merges a patch into the preferences of a user.
async fn merge(app: &App, user: UserId, patch: Value) -> Result<OwnProfile> {
    let patch = PreferencesPatch::parse(patch.as_object().unwrap().clone()).unwrap();
    profiles::update(app, user, ProfileEdit::default(), Some(patch)).await
}

fn bio() -> ProfileEdit {
    ProfileEdit { bio: Some(Bio::parse("Rain and sun").unwrap()), ..ProfileEdit::default() }
}

/// Creates follow requests by new users.
async fn create_requests(app: &App, database: &TestDatabase, other: UserId, count: i64) {
    profiles::update(app, other, approval(true), None).await.unwrap();
    for _ in 0..count {
        follows::follow(app, create_user(database).await, other).await.unwrap();
    }
}

async fn count_pending(database: &TestDatabase) -> i64 {
    database.count("follows WHERE status = 'pending'").await
}

/// The messages of a user's notifications.
async fn messages(app: &App, user: UserId) -> Vec<String> {
    let list = notifications::list(app, user, ReadFilter::All, PageRequest::first(Limit::MAX))
        .await
        .unwrap();
    list.items.into_iter().map(|rendered| rendered.text.message).collect()
}

async fn mismatches(app: &App) -> u64 {
    verify(app, Repair::No, |_| ()).await.unwrap()
}
