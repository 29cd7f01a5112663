//! Rows of many ids are locked in the order of the ids, with any plan that finds them.
//!
//! An index on the ids returns the rows in their order anyway. So these tests turn indexes off, store the rows the other way
//! round, and pass the ids the other way round.

use diesel_async::SimpleAsyncConnection;
use futures_util::future::join;
use grateful_domain::notification::{Act, Cause};
use grateful_domain::{PostId, UserId};
use grateful_storage::{
    Connection, Participants, Repositories, Result, StorageError, transaction_on,
};
use grateful_test_database::{
    NOON, TestDatabase, a_heart, a_post, a_reaction, create_user, wait_until_blocked,
};

use super::notifications::event;
use crate::support::sql::lines;

/// Two rows of a table, as SQL.
struct Rows {
    table: &'static str,
    key: &'static str,
    /// A column that can be written.
    column: &'static str,
    lower: String,
    higher: String,
}

impl Rows {
    fn users(lower: UserId, higher: UserId) -> Self {
        let [lower, higher] = [lower, higher].map(|user| user.to_string());
        Self { table: "users", key: "id", column: "created_at", lower, higher }
    }

    fn inboxes(lower: UserId, higher: UserId) -> Self {
        let users = Self::users(lower, higher);
        Self { table: "inboxes", key: "user_id", column: "last_seq", ..users }
    }

    fn posts(lower: PostId, higher: PostId) -> Self {
        let [lower, higher] = [lower, higher].map(|id| format!("'{id}'"));
        Self { table: "posts", key: "id", column: "created_at", lower, higher }
    }

    fn of(&self, id: &str) -> String {
        format!("SELECT {key} FROM {table} WHERE {key} = {id}", key = self.key, table = self.table)
    }
}

/// While another transaction holds the lower row, an act that needs both must not hold the higher one.
async fn assert_lower_first<T>(
    database: &TestDatabase,
    rows: &Rows,
    act: impl AsyncFnOnce(&mut Connection) -> Result<T>,
) {
    let Rows { table, key, column, lower, higher } = rows;
    // A row that is changed moves to the end.
    let change = format!("UPDATE {table} SET {column} = {column} WHERE {key} = {lower}");
    database.execute(&change).await;
    let mut conn = database.connect().await;
    let scans = ["indexscan", "indexonlyscan", "bitmapscan"];
    let off = scans.map(|scan| format!("SET enable_{scan} = off;")).concat();
    conn.batch_execute(&off).await.unwrap();
    let stored =
        format!("SELECT {key}::text AS line FROM {table} WHERE {key} IN ({higher}, {lower})");
    let expected = [higher, lower].map(|id| id.trim_matches('\'').to_owned());
    assert_eq!(
        lines(&mut conn, &stored).await,
        expected,
        "the rows are stored the other way round"
    );
    let holder = database.begin(&format!("{} FOR UPDATE", rows.of(lower))).await;

    let observe = async {
        wait_until_blocked(database, 1).await;
        let lock = format!("{} FOR UPDATE NOWAIT", rows.of(higher));
        let locked = database.connect().await.batch_execute(&lock).await;
        drop(holder);
        locked
    };
    // Rolled back, so that the rows stay where they are.
    let undone = transaction_on(&mut conn, async |tx| -> Result<()> {
        act(tx).await?;
        Err(StorageError::Corrupt { column: "none" })
    });
    let (undone, locked) = join(undone, observe).await;

    assert!(matches!(undone, Err(StorageError::Corrupt { column: "none" })), "{undone:?}");
    locked.unwrap_or_else(|error| panic!("the higher row of {table} was locked first: {error}"));
}

#[tokio::test]
async fn users_are_locked_in_id_order() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let rows = Rows::users(ana, ben);

    let lock = async |tx: &mut Connection| {
        let participants = Participants { users: &[ben, ana], ..Participants::default() };
        tx.users().lock_participants(participants).await
    };
    assert_lower_first(&database, &rows, lock).await;
    let lock_all = async |tx: &mut Connection| tx.users().lock_all(&[ben, ana]).await;
    assert_lower_first(&database, &rows, lock_all).await;
    let posts = [ben, ana].map(|author| a_post().by(author).build());
    let publish = async |tx: &mut Connection| tx.posts().insert_many(&posts).await;
    assert_lower_first(&database, &rows, publish).await;
}

#[tokio::test]
async fn posts_are_locked_in_id_order() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let lower = a_post().by(ana).insert_into(&database).await.id;
    let higher = a_post().by(ana).insert_into(&database).await.id;
    let rows = Rows::posts(lower, higher);

    let add = async |tx: &mut Connection| {
        tx.hearts().add(&[a_heart(ana, higher), a_heart(ana, lower)]).await
    };
    assert_lower_first(&database, &rows, add).await;
    let react = async |tx: &mut Connection| {
        tx.emoji_reactions().set(&[a_reaction(ana, higher), a_reaction(ana, lower)]).await
    };
    assert_lower_first(&database, &rows, react).await;
    let remove =
        async |tx: &mut Connection| tx.hearts().remove(&[(ana, higher), (ana, lower)]).await;
    assert_lower_first(&database, &rows, remove).await;
}

#[tokio::test]
async fn inboxes_are_locked_in_the_order_of_their_users() {
    let database = TestDatabase::create().await;
    let [ana, ben, caro] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let post = a_post().by(ana).insert_into(&database).await.id;
    let follow = |recipient| event(Cause { recipient, actor: caro, act: Act::Follow }, NOON);
    let heart = |recipient| event(Cause { recipient, actor: caro, act: Act::Heart { post } }, NOON);
    database.connect().await.notifications().record(&[follow(ana), follow(ben)]).await.unwrap();
    // Without indexes, users are found as they are stored.
    database.execute(&format!("UPDATE users SET created_at = created_at WHERE id = {ana}")).await;

    let record =
        async |tx: &mut Connection| tx.notifications().record(&[heart(ben), heart(ana)]).await;
    assert_lower_first(&database, &Rows::inboxes(ana, ben), record).await;
}
