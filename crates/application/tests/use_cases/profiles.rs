//! What people say of themselves, and what it changes about who follows them.

use futures_util::future::join_all;
use grateful_application::housekeeping::sweep;
use grateful_application::notifications::{self, ReadFilter};
use grateful_application::verify::{Repair, verify};
use grateful_application::{App, Error, Resource, follows, profiles};
use grateful_domain::{
    Bio, FollowState, Limit, PageRequest, Preferences, ProfileEdit, UserId, Username, Viewer,
};
use grateful_testkit::{TestApp, TestDatabase, a_user, assert_queries, block, create_user};
use serde_json::json;

use crate::support::{assert_not_found, assert_unauthenticated, until_waiting};

/// How many requests one step answers.
const STEP: i64 = 200;

#[tokio::test]
async fn a_page_costs_one_statement_whoever_looks() {
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
async fn an_edit_costs_the_same_however_many_follow() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    for _ in 0..3 {
        follows::follow(&app, create_user(&database).await, ana).await.unwrap();
        // Which locks the person, and writes.
        assert_queries!(3, profiles::update(&app, ana, bio()));
        assert_queries!(3, profiles::update(&app, ana, asking(true)));
        // Whether anybody has asked is looked up.
        assert_queries!(6, profiles::update(&app, ana, asking(false)));
    }
}

#[tokio::test]
async fn nobody_is_found_where_there_is_nobody() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let nobody = UserId::from(4_711);

    for viewer in [Viewer::Guest, Viewer::User(ana)] {
        assert_not_found(profiles::get(&app, viewer, nobody).await);
        for name in ["nobody", "", ".", "%", "a\0b", "\0"] {
            assert_not_found(profiles::get_by_username(&app, viewer, name).await);
        }
    }
    assert_unauthenticated(profiles::get_own(&app, nobody).await);
    assert_unauthenticated(profiles::update(&app, nobody, bio()).await);
    assert_unauthenticated(profiles::update(&app, nobody, asking(false)).await);
}

#[tokio::test]
async fn of_many_who_want_one_name_at_once_one_gets_it() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let people = join_all((0..8).map(|_| create_user(&database))).await;
    let named = || ProfileEdit {
        username: Some(Username::parse("Wanted").unwrap()),
        ..ProfileEdit::default()
    };

    let outcomes = join_all(people.iter().map(|it| profiles::update(&app, *it, named()))).await;

    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter_map(Result::err) {
        let Error::AlreadyExists { resource: Resource::User, reason } = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(reason, "Username already taken");
    }
}

#[tokio::test]
async fn whoever_asks_for_it_no_more_lets_those_follow_who_have_asked_and_tells_them() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let sue = a_user().with_username("sue").insert_into(&database).await.id;
    profiles::update(&app, sue, asking(true)).await.unwrap();
    let askers = [create_user(&database).await, create_user(&database).await];
    for asker in askers {
        follows::follow(&app, asker, sue).await.unwrap();
    }
    assert_eq!(told(&app, sue).await.len(), 2);
    profiles::update(&app, sue, bio()).await.unwrap();
    assert_eq!(pending(&database).await, 2, "they still ask for it");

    let own = profiles::update(&app, sue, asking(false)).await.unwrap();

    assert_eq!((own.profile.followers, pending(&database).await), (2, 0));
    for asker in askers {
        assert_eq!(
            follows::get_relationship(&app, asker, sue).await.unwrap().outgoing,
            FollowState::Active
        );
        assert_eq!(told(&app, asker).await, ["sue accepted your follow request"]);
        assert_eq!(profiles::get_own(&app, asker).await.unwrap().profile.following, 1);
    }
    assert_eq!(told(&app, sue).await, [""; 0]);
    assert_eq!(differences(&app).await, 0);
}

#[tokio::test]
async fn more_than_one_step_of_requests_are_answered() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let sue = create_user(&database).await;
    asked_by(&app, &database, sue, STEP + 5).await;

    let own = profiles::update(&app, sue, asking(false)).await.unwrap();

    assert_eq!((own.profile.followers, pending(&database).await), (STEP + 5, 0));
    assert_eq!(differences(&app).await, 0);
}

/// As if the process had stopped right behind the edit, and another time in the midst of its answers.
#[tokio::test]
async fn what_was_cut_short_is_taken_up_again() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let [sue, shy] = [create_user(&database).await, create_user(&database).await];
    asked_by(&app, &database, sue, 3).await;
    asked_by(&app, &database, shy, 2).await;
    let off = "UPDATE users SET profile_preferences = '{}'";
    database.execute(&format!("{off} WHERE id = {sue}")).await;

    let swept = [sweep(&app).await.unwrap().requests, sweep(&app).await.unwrap().requests];

    assert_eq!((swept, pending(&database).await), ([3, 0], 2));
    assert_eq!(profiles::get_own(&app, sue).await.unwrap().profile.followers, 3);
    assert_eq!(differences(&app).await, 0);
}

#[tokio::test]
async fn an_answer_that_fails_half_way_leaves_whole_steps_and_is_taken_up_again() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let sue = create_user(&database).await;
    asked_by(&app, &database, sue, STEP + 5).await;
    // Nobody can be told once more than one step's people follow.
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

    let failed = profiles::update(&app, sue, asking(false)).await;

    assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    assert_eq!(pending(&database).await, 5);
    assert_eq!(differences(&app).await, 0);
    database.execute("DROP TRIGGER refuse ON notifications").await;
    assert_eq!(sweep(&app).await.unwrap().requests, 5);
    assert_eq!(profiles::get_own(&app, sue).await.unwrap().profile.followers, STEP + 5);
    assert_eq!(differences(&app).await, 0);
}

#[tokio::test]
async fn whoever_asks_for_it_again_meanwhile_is_asked_still() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let asker = create_user(&database).await;
    let sue = create_user(&database).await;
    profiles::update(&app, sue, asking(true)).await.unwrap();
    follows::follow(&app, asker, sue).await.unwrap();
    // The asker comes first in the order of locks, so that nobody is locked while they are waited for.
    let held = database.begin(&format!("SELECT FROM users WHERE id = {asker} FOR UPDATE")).await;

    let opening = tokio::spawn({
        let app = app.clone();
        async move { profiles::update(&app, sue, asking(false)).await }
    });
    until_waiting(&database, 1).await;
    profiles::update(&app, sue, asking(true)).await.unwrap();
    drop(held);
    opening.await.unwrap().unwrap();

    assert_eq!(pending(&database).await, 1);
    assert_eq!(sweep(&app).await.unwrap().requests, 0);
    assert_eq!(told(&app, asker).await, [""; 0]);
    assert_eq!(differences(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_asks_while_it_is_turned_off_follows() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let sue = create_user(&database).await;
    let mut total = 0;
    for _ in 0..6 {
        profiles::update(&app, sue, asking(true)).await.unwrap();
        let fans = join_all((0..5).map(|_| create_user(&database))).await;

        let asking_now = join_all(fans.iter().map(|fan| follows::follow(&app, *fan, sue)));
        let (opened, asked) = tokio::join!(profiles::update(&app, sue, asking(false)), asking_now);

        opened.unwrap();
        assert!(asked.iter().all(Result::is_ok), "{asked:?}");
        total += 5;
        assert_eq!(pending(&database).await, 0);
        assert_eq!(profiles::get_own(&app, sue).await.unwrap().profile.followers, total);
    }
    assert_eq!(differences(&app).await, 0);
}

fn asking(approve: bool) -> ProfileEdit {
    let wanted = json!({"approve_followers": approve, "theme": "dark"});
    let preferences = Preferences::parse(wanted.as_object().unwrap().clone()).unwrap();
    ProfileEdit { preferences: Some(preferences), ..ProfileEdit::default() }
}

fn bio() -> ProfileEdit {
    ProfileEdit { bio: Some(Bio::parse("Rain and sun").unwrap()), ..ProfileEdit::default() }
}

/// Has so many people ask to follow somebody.
async fn asked_by(app: &App, database: &TestDatabase, shy: UserId, people: i64) {
    profiles::update(app, shy, asking(true)).await.unwrap();
    for _ in 0..people {
        follows::follow(app, create_user(database).await, shy).await.unwrap();
    }
}

async fn pending(database: &TestDatabase) -> i64 {
    database.count("follows WHERE status = 'pending'").await
}

/// What somebody's list says.
async fn told(app: &App, user: UserId) -> Vec<String> {
    let list = notifications::list(app, user, ReadFilter::All, PageRequest::first(Limit::MAX))
        .await
        .unwrap();
    list.items.into_iter().map(|seen| seen.notification.text.message).collect()
}

async fn differences(app: &App) -> u64 {
    verify(app, Repair::No, |_| ()).await.unwrap()
}
