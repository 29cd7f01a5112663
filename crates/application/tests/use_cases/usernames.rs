//! Usernames that were given up, or whose accounts were deleted (docs/rules.md#usernames-that-are-given-up).

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::housekeeping::sweep;
use grateful_application::{App, Error, Result, accounts, profiles, users};
use grateful_domain::{ProfileEdit, UserId, Username, UsernameBatch, Viewer};
use grateful_testkit::{TestApp, a_user, create_user};

use crate::support::{assert_not_found, sign_up_data};

const MONTH: TimeDelta = TimeDelta::days(30);

#[tokio::test]
async fn a_username_that_was_given_up_is_taken_for_thirty_days() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let celeb = a_user().with_username("Celeb").insert_into(&database).await.id;
    let other = create_user(&database).await;

    rename(&app, celeb, "celeb2").await.unwrap();

    clock.advance(MONTH - TimeDelta::seconds(1));
    assert_taken(sign_up(&app, "cELEB").await);
    assert_taken(rename(&app, other, "celeb").await);
    assert_eq!(database.count("users WHERE lower(username) = 'celeb'").await, 0);
    clock.advance(TimeDelta::seconds(1));
    let newcomer = sign_up(&app, "celeb").await.unwrap();
    assert_eq!(find(&app, other, "celeb").await, newcomer);
    assert_eq!(database.count("released_usernames").await, 0);
}

#[tokio::test]
async fn the_former_owner_takes_a_username_back_at_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let celeb = a_user().with_username("celeb").insert_into(&database).await.id;
    let other = create_user(&database).await;
    rename(&app, celeb, "second").await.unwrap();
    rename(&app, celeb, "third").await.unwrap();

    rename(&app, celeb, "CELEB").await.unwrap();

    assert_eq!(find(&app, other, "celeb").await, celeb);
    for name in ["second", "third"] {
        assert_taken(rename(&app, other, name).await);
    }
    // Another spelling is the same name, and gives none up.
    rename(&app, celeb, "Celeb").await.unwrap();
    assert_eq!(database.count("released_usernames").await, 2);
}

#[tokio::test]
async fn look_ups_by_a_former_username_lead_to_its_former_owner() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let celeb = a_user().with_username("celeb").insert_into(&database).await.id;
    let me = create_user(&database).await;
    rename(&app, celeb, "celeb2").await.unwrap();

    for name in ["celeb", "CELEB.", "celeb2"] {
        let (id, username) = users::find_by_username(&app, me, name).await.unwrap();
        assert_eq!((id, username.as_str()), (celeb, "celeb2"), "{name}");
        let profile = profiles::get_by_username(&app, Viewer::User(me), name).await.unwrap();
        assert_eq!(profile.author.id, celeb, "{name}");
    }
    let names = ["Celeb", "celeb2", "unknown"].map(str::to_owned).to_vec();
    let validation = users::validate_usernames(&app, me, UsernameBatch::new(names)).await.unwrap();
    assert_eq!(validation.valid, ["Celeb", "celeb2"]);
    assert_eq!(validation.invalid, ["unknown"]);
    grateful_testkit::block(&database, celeb, me).await;
    assert_not_found(users::find_by_username(&app, me, "celeb").await);
    assert_not_found(profiles::get_by_username(&app, Viewer::User(me), "celeb").await);
}

#[tokio::test]
async fn the_usernames_of_a_deleted_account_are_taken_for_thirty_days_and_lead_nowhere() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let gone = a_user().with_username("Gone").insert_into(&database).await.id;
    let me = create_user(&database).await;
    rename(&app, gone, "farewell").await.unwrap();

    accounts::delete(&app, gone).await.unwrap();

    for name in ["gone", "farewell"] {
        assert_taken(sign_up(&app, name).await);
        assert_taken(rename(&app, me, name).await);
        assert_not_found(users::find_by_username(&app, me, name).await);
        assert_not_found(profiles::get_by_username(&app, Viewer::User(me), name).await);
    }
    clock.advance(MONTH);
    sign_up(&app, "gone").await.unwrap();
    rename(&app, me, "farewell").await.unwrap();
}

#[tokio::test]
async fn housekeeping_deletes_names_that_are_free_again() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let celeb = a_user().with_username("celeb").insert_into(&database).await.id;
    rename(&app, celeb, "celeb2").await.unwrap();
    clock.advance(TimeDelta::days(1));
    rename(&app, celeb, "celeb3").await.unwrap();

    clock.advance(MONTH - TimeDelta::days(1));

    assert_eq!(sweep(&app).await.unwrap().usernames, 1);
    assert_eq!(database.count("released_usernames WHERE username = 'celeb2'").await, 1);
}

#[tokio::test]
async fn a_clock_that_was_ahead_reserves_no_name_for_more_than_thirty_days() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let celeb = a_user().with_username("celeb").insert_into(&database).await.id;
    clock.advance(TimeDelta::days(400));
    rename(&app, celeb, "celeb2").await.unwrap();
    clock.advance(TimeDelta::days(-400));
    assert_taken(sign_up(&app, "celeb").await);

    sweep(&app).await.unwrap();

    assert_taken(sign_up(&app, "celeb").await);
    clock.advance(MONTH);
    sign_up(&app, "celeb").await.unwrap();
}

/// A sign-up waits for the transaction that gives the name up, and must then see that it is reserved.
#[tokio::test]
async fn sign_ups_while_a_name_is_given_up_do_not_get_it() {
    let TestApp { app, database, .. } = TestApp::create().await;
    for round in 0..5 {
        let name = format!("celeb{round}");
        let celeb = a_user().with_username(&name).insert_into(&database).await.id;
        let renamed = format!("other{round}");
        let (renaming, sign_ups) = tokio::join!(
            rename(&app, celeb, &renamed),
            join_all((0..6).map(|number| sign_up_as(&app, &name, number)))
        );

        renaming.unwrap();
        for result in sign_ups {
            assert_taken(result);
        }
        assert_eq!(find(&app, celeb, &name).await, celeb);
    }
}

#[tokio::test]
async fn of_many_who_take_a_free_name_at_once_one_gets_it() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let celeb = a_user().with_username("celeb").insert_into(&database).await.id;
    rename(&app, celeb, "celeb2").await.unwrap();
    clock.advance(MONTH);
    let others = [create_user(&database).await, create_user(&database).await];

    let (sign_ups, renamings) = tokio::join!(
        join_all((0..4).map(|number| sign_up_as(&app, "celeb", number))),
        join_all(others.map(|other| rename(&app, other, "celeb")))
    );

    let successes = sign_ups.iter().filter(|result| result.is_ok()).count()
        + renamings.iter().filter(|result| result.is_ok()).count();
    assert_eq!(successes, 1, "{sign_ups:?}, {renamings:?}");
    assert_eq!(database.count("users WHERE lower(username) = 'celeb'").await, 1);
    assert_eq!(database.count("released_usernames WHERE username = 'celeb'").await, 0);
}

async fn rename(app: &App, user: UserId, username: &str) -> Result<()> {
    let username = Some(Username::parse(username).unwrap());
    profiles::update(app, user, ProfileEdit { username, ..ProfileEdit::default() }, None).await?;
    Ok(())
}

async fn sign_up(app: &App, username: &str) -> Result<UserId> {
    sign_up_as(app, username, 0).await
}

/// Signs up with a username and an email address of this number.
async fn sign_up_as(app: &App, username: &str, number: u32) -> Result<UserId> {
    let data = sign_up_data(username, &format!("{username}{number}@new.example"));
    Ok(accounts::sign_up(app, data).await?.0.id)
}

async fn find(app: &App, viewer: UserId, username: &str) -> UserId {
    users::find_by_username(app, viewer, username).await.unwrap().0
}

#[track_caller]
fn assert_taken<T>(result: Result<T>) {
    let error = result.err().expect("an error is expected");
    let is_taken = matches!(&error, Error::AlreadyExists { reason, .. } if *reason == "Username already taken");
    assert!(is_taken, "{error:?}");
}
