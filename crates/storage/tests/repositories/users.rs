//! The `users` table through [`Users`].

mod photos;
mod profiles;
mod search;

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::future::join_all;
use grateful_domain::{Email, PasswordHash, UserId, Username, Viewer};
use grateful_storage::{NewUser, Participants, Repositories, Result, StorageError, Users};
use grateful_test_database::{NOON, TestDatabase, a_comment, a_post, a_user, create_user};

use crate::support::follows::insert_follow;
use crate::support::sql::lines;

fn new_user(username: &str) -> NewUser {
    NewUser {
        username: Username::parse(username).unwrap(),
        email: Email::parse(&format!("{username}@example.org")).unwrap(),
        password: PasswordHash::from("first hash".to_owned()),
        created_at: NOON,
    }
}

const MISSING_ID: i64 = 4_711;

#[tokio::test]
async fn a_new_user_is_found_by_id_and_username() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    let ana = conn.users().insert(&new_user("Ana.Lima")).await.unwrap();

    assert_eq!(ana.username.as_str(), "Ana.Lima");
    assert_eq!(ana.email.as_str(), "Ana.Lima@example.org");
    assert_eq!(ana.created_at, NOON);
    assert_eq!(conn.users().find(ana.id).await.unwrap(), Some(ana.clone()));
    assert_eq!(conn.users().find_by_username("Ana.Lima").await.unwrap(), Some(ana));
}

#[tokio::test]
async fn a_missing_user_is_not_found() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let missing = UserId::from(MISSING_ID);

    assert_eq!(conn.users().find(missing).await.unwrap(), None);
    assert_eq!(conn.users().find_by_username("unknown").await.unwrap(), None);
    assert!(conn.users().find_credentials_by_email("unknown@example.org").await.unwrap().is_none());
    assert!(conn.users().find_credentials(missing).await.unwrap().is_none());
    assert!(!conn.users().lock(missing).await.unwrap());
}

#[tokio::test]
async fn usernames_and_email_addresses_are_found_in_any_case() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = conn.users().insert(&new_user("Ana_Lima")).await.unwrap();

    for name in ["Ana_Lima", "ana_lima", "ANA_LIMA"] {
        let found = conn.users().find_by_username(name).await.unwrap();
        assert_eq!(found.map(|user| user.id), Some(ana.id), "{name}");

        let address = format!("{name}@EXAMPLE.org");
        let found = conn.users().find_credentials_by_email(&address).await.unwrap();
        assert_eq!(found.map(|credentials| credentials.user), Some(ana.id), "{address}");
    }
}

/// SQL wildcards have no meaning in a username.
#[tokio::test]
async fn an_underscore_in_a_username_is_not_a_wildcard() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    conn.users().insert(&new_user("anaxlima")).await.unwrap();

    assert_eq!(conn.users().find_by_username("ana_lima").await.unwrap(), None);
}

#[tokio::test]
async fn a_username_is_taken_in_any_case() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    conn.users().insert(&new_user("ana")).await.unwrap();

    let second = NewUser { email: Email::parse("other@example.org").unwrap(), ..new_user("ANA") };

    assert_eq!(violated_constraint(conn.users().insert(&second).await), Users::USERNAME_KEY);
}

#[tokio::test]
async fn an_email_address_is_taken_in_any_case() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    conn.users().insert(&new_user("ana")).await.unwrap();

    let second = NewUser { email: Email::parse("ANA@Example.ORG").unwrap(), ..new_user("other") };

    assert_eq!(violated_constraint(conn.users().insert(&second).await), Users::EMAIL_KEY);
}

/// The test cluster uses C.UTF-8 where the machine has it, which folds Ä to ä. The columns use the collation C, which does
/// not.
#[tokio::test]
async fn letters_outside_ascii_are_not_folded() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    for (username, email) in
        [("first", "Ä@example.org"), ("second", "ä@example.org"), ("third", "İ@example.org")]
    {
        let email = Email::from_stored(email.to_owned());
        conn.users().insert(&NewUser { email, ..new_user(username) }).await.unwrap();
    }

    let found = conn.users().find_credentials_by_email("Ä@EXAMPLE.ORG").await.unwrap().unwrap();

    let first = conn.users().find_by_username("first").await.unwrap().unwrap();
    assert_eq!(found.user, first.id);
}

#[tokio::test]
async fn one_of_many_concurrent_sign_ups_gets_the_username() {
    let database = TestDatabase::create().await;

    let attempts = (0..16).map(|number| {
        let address = format!("person{number}@example.org");
        let name = if number % 2 == 0 { "ana" } else { "ANA" };
        let new = NewUser { email: Email::parse(&address).unwrap(), ..new_user(name) };
        let db = database.pool.clone();
        tokio::spawn(async move { db.acquire().await?.users().insert(&new).await })
    });
    let outcomes: Vec<_> = join_all(attempts).await.into_iter().map(Result::unwrap).collect();

    let (created, rejected): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(created.len(), 1);
    for outcome in rejected {
        assert_eq!(violated_constraint(outcome), Users::USERNAME_KEY);
    }
}

#[tokio::test]
async fn credentials_are_found_by_email_address_and_by_id() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = conn.users().insert(&new_user("ana")).await.unwrap();
    conn.users().insert(&new_user("ben")).await.unwrap();

    let by_address =
        conn.users().find_credentials_by_email("ana@example.org").await.unwrap().unwrap();
    let by_id = conn.users().find_credentials(ana.id).await.unwrap().unwrap();

    for credentials in [by_address, by_id] {
        assert_eq!(credentials.user, ana.id);
        assert_eq!(credentials.password.as_str(), "first hash");
    }
}

#[tokio::test]
async fn a_password_is_replaced_only_if_the_current_hash_matches() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [new_user("ana"), new_user("ben")];
    let ana = conn.users().insert(&ana).await.unwrap().id;
    let ben = conn.users().insert(&ben).await.unwrap().id;
    let [first, second, third] =
        ["first hash", "second", "third"].map(|hash| PasswordHash::from(hash.to_owned()));

    assert!(conn.users().replace_password(ana, &first, &second).await.unwrap());
    assert!(!conn.users().replace_password(ana, &first, &third).await.unwrap());

    let of_ana = conn.users().find_credentials(ana).await.unwrap().unwrap();
    assert_eq!(of_ana.password.as_str(), "second");
    let of_ben = conn.users().find_credentials(ben).await.unwrap().unwrap();
    assert_eq!(of_ben.password.as_str(), "first hash");
}

#[tokio::test]
async fn users_across_a_block_do_not_exist_for_each_other() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben, eve] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    block(&database, ana, ben).await;
    insert_follow(&database, ben, eve, "active").await;
    insert_follow(&database, eve, ana, "pending").await;

    for (viewer, user, exists) in [
        (Viewer::User(ana), ben, false),
        (Viewer::User(ben), ana, false),
        (Viewer::User(ben), eve, true),
        (Viewer::User(eve), ben, true),
        (Viewer::User(eve), ana, true),
        (Viewer::User(ana), ana, true),
        (Viewer::User(ben), ben, true),
        (Viewer::Guest, ana, true),
        (Viewer::Guest, ben, true),
        (Viewer::Guest, UserId::from(MISSING_ID), false),
        (Viewer::User(ana), UserId::from(MISSING_ID), false),
    ] {
        let found = conn.users().exists_for(viewer, user).await.unwrap();
        assert_eq!(found, exists, "{viewer:?} {user:?}");
    }
}

#[tokio::test]
async fn a_locked_user_can_be_referenced_but_not_changed() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut locker = database.connect().await;
    let mut other = database.connect().await;

    locker
        .transaction(async |tx| {
            assert!(tx.users().lock(ana).await.unwrap());

            let reference = format!("SELECT FROM users WHERE id = {ana} FOR KEY SHARE NOWAIT");
            other.batch_execute(&reference).await.unwrap();
            let change = format!("SELECT FROM users WHERE id = {ana} FOR NO KEY UPDATE NOWAIT");
            let error = other.batch_execute(&change).await.unwrap_err();
            assert_eq!(error.to_string(), "could not obtain lock on row in relation \"users\"");
            Ok::<_, diesel::result::Error>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn participants_are_locked_once_each_in_id_order() {
    let database = TestDatabase::create().await;
    let caro = a_user().with_username("Caro").insert_into(&database).await.id;
    let ana = a_user().with_username("ana").insert_into(&database).await.id;
    let ben = a_user().with_username("ben").insert_into(&database).await.id;
    let other = a_user().with_username("benn").insert_into(&database).await.id;
    let post = a_post().by(ana).insert_into(&database).await;
    let comment = a_comment().by(ben).on(&post).insert_into(&database).await.id;
    let names = ["cARO", "ana", "unknown", "b_n", "be%"];
    let all = Participants {
        users: &[ana, UserId::from(MISSING_ID)],
        authors_of_posts: &[post.id],
        author_of_comment: Some(comment),
        usernames: &names,
    };
    let (mut locker, mut concurrent) = (database.connect().await, database.connect().await);

    locker
        .transaction(async |tx| {
            let locked = tx.users().lock_participants(all).await.unwrap();

            assert_eq!(
                locked.users.iter().map(|participant| participant.id).collect::<Vec<_>>(),
                [caro, ana, ben]
            );
            assert_eq!(locked.users[0].username.as_str(), "Caro");
            assert_eq!(locked.ids_by_username(&["unknown", "Ana", "caro"]), [ana, caro]);
            // Other transactions can lock the same users and change them, but cannot delete them.
            assert_eq!(concurrent.users().lock_participants(all).await.unwrap(), locked);
            for user in [caro, ana, ben] {
                let lock = |mode| format!("SELECT FROM users WHERE id = {user} FOR {mode} NOWAIT");
                concurrent.batch_execute(&lock("NO KEY UPDATE")).await.unwrap();
                concurrent.batch_execute(&lock("UPDATE")).await.unwrap_err();
            }
            assert!(concurrent.users().mark_deleted(other, NOON).await.unwrap());
            Ok::<_, diesel::result::Error>(())
        })
        .await
        .unwrap();
    let none = locker.users().lock_participants(Participants::default()).await.unwrap();
    assert_eq!(none.users, []);
}

#[tokio::test]
async fn counters_of_a_user_cannot_become_invalid() {
    let database = TestDatabase::create().await;
    let ana = a_user().insert_into(&database).await.id;
    let mut conn = database.connect().await;

    for (column, value) in [
        ("followers_count", "-1"),
        ("following_count", "-1"),
        ("posts_count", "-1"),
        ("public_posts_count", "-1"),
        // More public posts than posts.
        ("public_posts_count", "1"),
    ] {
        let sql = format!("UPDATE users SET {column} = {value} WHERE id = {ana}");
        let error = conn.batch_execute(&sql).await.unwrap_err().to_string();
        assert!(error.contains(&format!("\"users_{column}_check\"")), "{error}");
    }
}

#[tokio::test]
async fn json_columns_of_a_profile_accept_only_the_right_json_type() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut conn = database.connect().await;

    for (column, wrong) in [
        ("institutions", "{}"),
        ("websites", "\"https://example.org\""),
        ("location", "[]"),
        ("profile_preferences", "null"),
    ] {
        let sql = format!("UPDATE users SET {column} = '{wrong}' WHERE id = {ana}");
        let error = conn.batch_execute(&sql).await.unwrap_err().to_string();
        assert!(error.contains(&format!("\"users_{column}_check\"")), "{error}");
    }
}

/// A chosen id would collide with the next generated one.
#[tokio::test]
async fn user_ids_can_only_be_generated() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    let chosen =
        "INSERT INTO users (id, email, username, hashed_password) VALUES (7, 'a', 'a', '')";
    let error = conn.batch_execute(chosen).await.unwrap_err().to_string();

    assert!(error.contains("non-DEFAULT value into column \"id\""), "{error}");
    assert_eq!(lines(&mut conn, "SELECT id::text AS line FROM users").await, [""; 0]);
}

/// Lets `blocker` block `blocked`.
async fn block(database: &TestDatabase, blocker: UserId, blocked: UserId) {
    insert_follow(database, blocked, blocker, "blocked").await;
}

#[track_caller]
fn violated_constraint<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    match outcome {
        Err(StorageError::UniqueViolation { constraint }) => constraint,
        outcome => panic!("{outcome:?}"),
    }
}
