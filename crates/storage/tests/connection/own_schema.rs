//! The tables in a schema of their own, and lists of migrations of several services.

use diesel_async::{AsyncMigrationHarness, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use grateful_domain::{Email, PasswordHash, Username, Viewer};
use grateful_storage::{
    Connection, Database, DatabaseConfig, MIGRATIONS, NewUser, PostQuery, Repositories,
    applied_migrations, migrate, migrate_on, pending_migrations, plan_migrations,
};
use grateful_test_database::{NOON, TestDatabase, a_heart, a_post};

use crate::support::sql::lines;

/// Tables of another service, whose names are also those of tables of this crate, with other columns.
const FOREIGN: &str = "
    CREATE TABLE users (uid text PRIMARY KEY, credit int NOT NULL);
    CREATE TABLE posts (uid text REFERENCES users, letter text);
    CREATE TABLE follows (who text, whose text);
    CREATE TABLE notifications (body text);
    CREATE TABLE grateful_migrations (version text);
    CREATE INDEX idx_notifications_inbox ON notifications (body);
    CREATE FUNCTION hidden_users(viewer_id bigint) RETURNS SETOF text LANGUAGE sql AS $$ SELECT uid FROM users $$;
    INSERT INTO users VALUES ('u-1', 7);
    INSERT INTO posts VALUES ('u-1', 'parcel');
    INSERT INTO grateful_migrations VALUES ('20261123090000'), ('1');
    CREATE SCHEMA thanks";

/// The contents of these tables.
const FOREIGN_ROWS: &str = "
    SELECT concat_ws(' ', uid, credit, letter, (SELECT count(*) FROM public.grateful_migrations),
        (SELECT count(*) FROM public.follows), (SELECT count(*) FROM public.notifications)) AS line
    FROM public.users JOIN public.posts USING (uid)";

#[tokio::test]
async fn a_schema_of_its_own_stands_beside_foreign_tables_of_the_same_names() {
    for search_path in ["thanks", "thanks,public"] {
        let database = TestDatabase::create_empty().await;
        database.execute(FOREIGN).await;
        let mut conn = database.connect().await;
        conn.batch_execute(&format!("SET search_path = {search_path}")).await.unwrap();
        let pending = pending_migrations(&mut conn).await.unwrap();

        assert_eq!(migrate_on(&mut conn).await.unwrap(), pending);

        use_tables(&mut conn).await;
        assert_eq!(lines(&mut conn, FOREIGN_ROWS).await, ["u-1 7 parcel 2 0 0"], "{search_path}");
        let tables = "SELECT count(*)::text AS line FROM pg_tables WHERE schemaname = 'thanks'";
        assert_ne!(lines(&mut conn, tables).await, ["0"]);
    }
}

/// Pools, their readers and `migrate` take the schema from the URL.
#[tokio::test]
async fn a_url_can_name_the_schema() {
    let database = TestDatabase::create_empty().await;
    database.execute(FOREIGN).await;
    let url = database.url();
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}options=-csearch_path%3Dthanks");
    assert_eq!(plan_migrations(&url).await.unwrap().len(), migrate(&url).await.unwrap().len());

    let db = Database::connect_lazily(DatabaseConfig::new(url));
    use_tables(&mut db.acquire().await.unwrap()).await;
    let listed = db.read(async |mut conn| {
        conn.posts().list(PostQuery::visible_to(Viewer::Guest).with_total(9)).await
    });

    assert_eq!(listed.await.unwrap().items.len(), 1);
    assert_eq!(lines(&mut database.connect().await, FOREIGN_ROWS).await, ["u-1 7 parcel 2 0 0"]);
}

/// A user, a post and a heart.
async fn use_tables(conn: &mut Connection) {
    let new = NewUser {
        username: Username::parse("ana").unwrap(),
        email: Email::parse("ana@example.org").unwrap(),
        password: PasswordHash::from(String::new()),
        created_at: NOON,
    };
    let ana = conn.users().insert(&new).await.unwrap().id;
    let post = a_post().by(ana).build();
    conn.posts().insert(&post).await.unwrap();
    conn.hearts().add(&[a_heart(ana, post.id)]).await.unwrap();
    let found = conn.posts().find(Viewer::User(ana), post.id).await.unwrap().unwrap();
    assert_eq!(found.post.engagement.hearts, 1);
}

/// Migrations of a service that uses Diesel itself.
const OTHER_SERVICE: EmbeddedMigrations = embed_migrations!("tests/connection/other_service");

#[tokio::test(flavor = "multi_thread")]
async fn the_migrations_of_a_service_that_uses_diesel_do_not_collide_with_these() {
    for is_first in [true, false] {
        let database = TestDatabase::create_empty().await;
        let mut conn = database.connect().await;
        if !is_first {
            migrate_on(&mut conn).await.unwrap();
        }

        let mut harness = AsyncMigrationHarness::new(conn);
        assert_eq!(harness.run_pending_migrations(OTHER_SERVICE).unwrap().len(), 1);
        let mut conn = harness.into_inner();
        migrate_on(&mut conn).await.unwrap();
        let applied = applied_migrations(&mut conn).await.unwrap();
        // Diesel would look for the newest one in its list among the migrations of the service.
        let mut harness = AsyncMigrationHarness::new(conn);
        harness.revert_all_migrations(OTHER_SERVICE).unwrap();

        let mut conn = harness.into_inner();
        assert_eq!(applied_migrations(&mut conn).await.unwrap(), applied);
        assert_eq!(pending_migrations(&mut conn).await.unwrap(), [""; 0]);
        assert_eq!(database.count("users").await, 0);
    }
}

/// An earlier build shared the list of Diesel with the service.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_an_earlier_build_is_taken_over_without_foreign_migrations() {
    let database = TestDatabase::create_empty().await;
    let mut harness = AsyncMigrationHarness::new(database.connect().await);
    harness.run_pending_migrations(OTHER_SERVICE).unwrap();
    for _ in 0..3 {
        harness.run_next_migration(MIGRATIONS).unwrap();
    }
    let mut conn = harness.into_inner();
    let before = applied_migrations(&mut conn).await.unwrap();
    let pending = pending_migrations(&mut conn).await.unwrap();
    assert_eq!(before.len(), 3);

    assert_eq!(migrate_on(&mut conn).await.unwrap(), pending);

    let applied = applied_migrations(&mut conn).await.unwrap();
    assert_eq!(applied[..3], before[..]);
    assert!(!applied.contains(&"20260101000000".to_owned()), "{applied:?}");
    // Nodes of the earlier build still find what they know.
    assert_eq!(database.count("__diesel_schema_migrations").await, 4);
}
