//! The `users` table through [`Users`].

mod photos;
mod profiles;
mod search;

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::future::join_all;
use grateful_domain::{Email, PasswordHash, UserId, Username, Viewer};
use grateful_storage::{NewUser, Participants, Repositories, Result, StorageError, Users};
use grateful_testkit::{NOON, TestDatabase, a_comment, a_post, a_user, create_user};

use crate::support::follows::insert_follow;
use crate::support::sql::lines;

fn named(username: &str) -> NewUser {
    NewUser {
        username: Username::parse(username).unwrap(),
        email: Email::parse(&format!("{username}@example.org")).unwrap(),
        password: PasswordHash::from("first hash".to_owned()),
        created_at: NOON,
    }
}

const NOBODY: i64 = 4_711;

#[tokio::test]
async fn somebody_new_is_found_by_what_they_said() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    let ana = conn.users().insert(&named("Ana.Lima")).await.unwrap();

    assert_eq!(ana.username.as_str(), "Ana.Lima");
    assert_eq!(ana.email.as_str(), "Ana.Lima@example.org");
    assert_eq!(ana.created_at, NOON);
    assert_eq!(conn.users().find(ana.id).await.unwrap(), Some(ana.clone()));
    assert_eq!(conn.users().find_by_username("Ana.Lima").await.unwrap(), Some(ana));
}

#[tokio::test]
async fn nobody_is_found_where_there_is_nobody() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let nobody = UserId::from(NOBODY);

    assert_eq!(conn.users().find(nobody).await.unwrap(), None);
    assert_eq!(conn.users().find_by_username("nobody").await.unwrap(), None);
    assert!(conn.users().find_credentials_by_email("nobody@example.org").await.unwrap().is_none());
    assert!(conn.users().find_credentials(nobody).await.unwrap().is_none());
    assert!(!conn.users().lock(nobody).await.unwrap());
}

#[tokio::test]
async fn names_and_addresses_are_found_whatever_their_case() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = conn.users().insert(&named("Ana_Lima")).await.unwrap();

    for name in ["Ana_Lima", "ana_lima", "ANA_LIMA"] {
        let found = conn.users().find_by_username(name).await.unwrap();
        assert_eq!(found.map(|user| user.id), Some(ana.id), "{name}");

        let address = format!("{name}@EXAMPLE.org");
        let found = conn.users().find_credentials_by_email(&address).await.unwrap();
        assert_eq!(found.map(|known| known.user), Some(ana.id), "{address}");
    }
}

/// The pattern signs of SQL mean nothing in a name.
#[tokio::test]
async fn an_underscore_stands_for_itself_alone() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    conn.users().insert(&named("anaxlima")).await.unwrap();

    assert_eq!(conn.users().find_by_username("ana_lima").await.unwrap(), None);
}

#[tokio::test]
async fn a_name_is_taken_whatever_its_case() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    conn.users().insert(&named("ana")).await.unwrap();

    let second =
        NewUser { email: Email::parse("other@example.org").unwrap(), ..with_username("ANA") };

    assert_eq!(taken(conn.users().insert(&second).await), Users::USERNAME_KEY);
}

#[tokio::test]
async fn an_address_is_taken_whatever_its_case() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    conn.users().insert(&named("ana")).await.unwrap();

    let second =
        NewUser { email: Email::parse("ANA@Example.ORG").unwrap(), ..with_username("other") };

    assert_eq!(taken(conn.users().insert(&second).await), Users::EMAIL_KEY);
}

/// The throw-away cluster folds by C.UTF-8 where the machine has it, which makes Ä an ä; the columns do not.
#[tokio::test]
async fn letters_beyond_ascii_are_never_folded() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    for (username, email) in
        [("first", "Ä@example.org"), ("second", "ä@example.org"), ("third", "İ@example.org")]
    {
        let email = Email::from_stored(email.to_owned());
        conn.users().insert(&NewUser { email, ..with_username(username) }).await.unwrap();
    }

    let found = conn.users().find_credentials_by_email("Ä@EXAMPLE.ORG").await.unwrap().unwrap();

    let first = conn.users().find_by_username("first").await.unwrap().unwrap();
    assert_eq!(found.user, first.id);
}

#[tokio::test]
async fn of_many_who_want_one_name_at_once_one_gets_it() {
    let database = TestDatabase::create().await;

    let attempts = (0..16).map(|number| {
        let address = format!("person{number}@example.org");
        let name = if number % 2 == 0 { "ana" } else { "ANA" };
        let new = NewUser { email: Email::parse(&address).unwrap(), ..with_username(name) };
        let db = database.pool.clone();
        tokio::spawn(async move { db.acquire().await?.users().insert(&new).await })
    });
    let outcomes: Vec<_> = join_all(attempts).await.into_iter().map(Result::unwrap).collect();

    let (joined, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(joined.len(), 1);
    for outcome in refused {
        assert_eq!(taken(outcome), Users::USERNAME_KEY);
    }
}

#[tokio::test]
async fn credentials_are_those_that_were_given() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let ana = conn.users().insert(&named("ana")).await.unwrap();
    conn.users().insert(&named("ben")).await.unwrap();

    let by_address =
        conn.users().find_credentials_by_email("ana@example.org").await.unwrap().unwrap();
    let by_id = conn.users().find_credentials(ana.id).await.unwrap().unwrap();

    for known in [by_address, by_id] {
        assert_eq!(known.user, ana.id);
        assert_eq!(known.password.as_str(), "first hash");
    }
}

#[tokio::test]
async fn a_password_is_replaced_only_while_it_is_the_known_one() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let [ana, ben] = [named("ana"), named("ben")];
    let ana = conn.users().insert(&ana).await.unwrap().id;
    let ben = conn.users().insert(&ben).await.unwrap().id;
    let [first, second, third] =
        ["first hash", "second", "third"].map(|hash| PasswordHash::from(hash.to_owned()));

    assert!(conn.users().replace_password(ana, &first, &second).await.unwrap());
    assert!(!conn.users().replace_password(ana, &first, &third).await.unwrap());

    let kept = conn.users().find_credentials(ana).await.unwrap().unwrap();
    assert_eq!(kept.password.as_str(), "second");
    let others = conn.users().find_credentials(ben).await.unwrap().unwrap();
    assert_eq!(others.password.as_str(), "first hash");
}

#[tokio::test]
async fn across_a_block_nobody_exists_for_the_other() {
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
        (Viewer::Guest, UserId::from(NOBODY), false),
        (Viewer::User(ana), UserId::from(NOBODY), false),
    ] {
        let found = conn.users().exists_for(viewer, user).await.unwrap();
        assert_eq!(found, exists, "{viewer:?} {user:?}");
    }
}

#[tokio::test]
async fn a_locked_person_can_be_referred_to_but_not_changed() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut locker = database.connect().await;
    let mut other = database.connect().await;

    locker
        .transaction(async |tx| {
            assert!(tx.users().lock(ana).await.unwrap());

            let refer = format!("SELECT FROM users WHERE id = {ana} FOR KEY SHARE NOWAIT");
            other.batch_execute(&refer).await.unwrap();
            let change = format!("SELECT FROM users WHERE id = {ana} FOR NO KEY UPDATE NOWAIT");
            let refused = other.batch_execute(&change).await.unwrap_err();
            assert_eq!(refused.to_string(), "could not obtain lock on row in relation \"users\"");
            Ok::<_, diesel::result::Error>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn all_whom_an_act_concerns_are_held_by_their_ids_each_once() {
    let database = TestDatabase::create().await;
    let caro = a_user().with_username("Caro").insert_into(&database).await.id;
    let ana = a_user().with_username("ana").insert_into(&database).await.id;
    let ben = a_user().with_username("ben").insert_into(&database).await.id;
    let other = a_user().with_username("benn").insert_into(&database).await.id;
    let post = a_post().by(ana).insert_into(&database).await;
    let comment = a_comment().by(ben).on(&post).insert_into(&database).await.id;
    let names = ["cARO", "ana", "nobody", "b_n", "be%"];
    let all = Participants {
        users: &[ana, UserId::from(NOBODY)],
        author_of_post: Some(post.id),
        author_of_comment: Some(comment),
        usernames: &names,
    };
    let (mut holder, mut meanwhile) = (database.connect().await, database.connect().await);

    holder
        .transaction(async |tx| {
            let held = tx.users().lock_participants(all).await.unwrap();

            assert_eq!(held.iter().map(|it| it.id).collect::<Vec<_>>(), [caro, ana, ben]);
            assert_eq!(held[0].username.as_str(), "Caro");
            // Others hold them as well, and may change them; nobody takes them away.
            assert_eq!(meanwhile.users().lock_participants(all).await.unwrap(), held);
            for person in [caro, ana, ben] {
                let lock = |how| format!("SELECT FROM users WHERE id = {person} FOR {how} NOWAIT");
                meanwhile.batch_execute(&lock("NO KEY UPDATE")).await.unwrap();
                meanwhile.batch_execute(&lock("UPDATE")).await.unwrap_err();
            }
            assert!(meanwhile.users().lock_for_deletion(other).await.unwrap());
            Ok::<_, diesel::result::Error>(())
        })
        .await
        .unwrap();
    let nobody = holder.users().lock_participants(Participants::default()).await.unwrap();
    assert_eq!(nobody, []);
}

#[tokio::test]
async fn no_number_of_anything_sinks_below_nothing() {
    let database = TestDatabase::create().await;
    let ana = a_user().insert_into(&database).await.id;
    let mut conn = database.connect().await;

    for (column, value) in [
        ("followers_count", "-1"),
        ("following_count", "-1"),
        ("posts_count", "-1"),
        ("public_posts_count", "-1"),
        // More public ones than there are at all.
        ("public_posts_count", "1"),
    ] {
        let sql = format!("UPDATE users SET {column} = {value} WHERE id = {ana}");
        let refused = conn.batch_execute(&sql).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("\"users_{column}_check\"")), "{refused}");
    }
}

#[tokio::test]
async fn a_profile_holds_lists_and_objects_where_they_belong() {
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
        let refused = conn.batch_execute(&sql).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("\"users_{column}_check\"")), "{refused}");
    }
}

/// Nobody may choose an id: the next person would stumble over it.
#[tokio::test]
async fn ids_of_people_are_the_database_s_to_give() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    let chosen =
        "INSERT INTO users (id, email, username, hashed_password) VALUES (7, 'a', 'a', '')";
    let refused = conn.batch_execute(chosen).await.unwrap_err().to_string();

    assert!(refused.contains("non-DEFAULT value into column \"id\""), "{refused}");
    assert_eq!(lines(&mut conn, "SELECT id::text AS line FROM users").await, [""; 0]);
}

/// Has the one block the other.
async fn block(database: &TestDatabase, one: UserId, other: UserId) {
    insert_follow(database, other, one, "blocked").await;
}

#[track_caller]
fn taken<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    match outcome {
        Err(StorageError::Taken { constraint }) => constraint,
        other => panic!("{other:?}"),
    }
}
