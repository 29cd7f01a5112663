//! The settings of sessions, which are sent when a session starts.

use diesel_async::SimpleAsyncConnection;
use grateful_storage::migrate;
use grateful_test_database::TestDatabase;

use crate::support::sql::lines;

/// A pooler that lends a session to many clients sees the parameters of its start, but not that a statement changes it.
#[tokio::test]
async fn the_settings_are_those_that_the_session_started_with() {
    let database = TestDatabase::create().await;
    let changed =
        "SELECT name AS line FROM pg_settings WHERE source = 'session' ORDER BY name COLLATE \"C\"";
    let limits =
        "SELECT current_setting('statement_timeout') || ' ' || current_setting('jit') AS line";

    let mut conn = database.pool.acquire().await.unwrap();

    // What Diesel sets on each connection, to the values that it has already.
    let by_diesel = ["TimeZone", "client_encoding"];
    assert_eq!(lines(&mut conn, changed).await, by_diesel);
    conn.batch_execute("RESET ALL").await.unwrap();
    assert_eq!(lines(&mut conn, limits).await, ["1min off"]);
}

#[tokio::test]
async fn options_in_the_url_are_kept() {
    let database = TestDatabase::create().await;
    let url = format!("{}?options=-c%20work_mem=5MB%20-c%20jit=on", database.url());
    let pool = database.pool_with(|mut config| {
        config.url = url;
        config
    });
    let settings = "SELECT current_setting('work_mem') || ' ' || current_setting('jit') AS line";

    assert_eq!(lines(&mut pool.acquire().await.unwrap(), settings).await, ["5MB off"]);
}

#[tokio::test]
async fn the_time_limits_of_a_database_do_not_end_its_migrations() {
    let database = TestDatabase::create_empty().await;
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    for limit in ["statement_timeout", "lock_timeout"] {
        database.execute(&format!("ALTER DATABASE {name} SET {limit} = '1ms'")).await;
    }

    assert!(40 < migrate(&database.url()).await.unwrap().len());
}
