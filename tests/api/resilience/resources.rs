//! Limits on open files, and on connections to the database.

use std::time::{Duration, Instant};

use grateful_tests::{Server, Setup, TIMEOUT, eventually};

#[tokio::test]
async fn a_low_soft_limit_on_open_files_keeps_no_client_out() {
    let setup = Setup::with_test_database().await.with_open_files(256);
    let server = setup.start().await;
    let mut connections = Vec::new();

    for _ in 0..400 {
        let mut connection = server.connect().await;
        connection.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        connections.push(connection);
    }

    for connection in &mut connections {
        connection.read_response().await.expect("a response").expect(200);
    }
    assert!(server.open_files_limit().is_none_or(|limit| 256 < limit));
}

#[tokio::test]
async fn a_lack_of_open_files_is_reported_as_such_and_restarts_no_postgresql() {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    // Its threads open files of their own when they start.
    wait_until_ready(&server).await;
    let postmaster = setup.working_dir().postmaster();
    let limit = server.open_files_limit();

    server.limit_open_files(Some(1));
    let is_reported = || {
        let log = server.log();
        log.iter().any(|line| {
            line.contains("Cannot check whether PostgreSQL is running")
                && line.contains("Too many open files")
        })
    };
    eventually("the lack of open files is reported", is_reported).await;
    server.limit_open_files(limit);

    wait_until_ready(&server).await;
    assert_eq!(setup.working_dir().postmaster(), postmaster);
    let log = server.log().join("\n");
    assert!(!log.contains("PostgreSQL is not running"), "{log}");
    assert!(!log.contains("restarting"), "{log}");
}

#[tokio::test]
async fn a_server_whose_socket_directory_was_removed_serves_again() {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    let ana = server.client().sign_up("ana").await;

    setup.working_dir().remove_postgres_socket();

    let is_noticed = || server.log().iter().any(|line| line.contains("is gone; restarting"));
    eventually("the loss of the socket is noticed", is_noticed).await;
    wait_until_ready(&server).await;
    server.client().get_session(&ana).send().await.expect(200);
}

#[tokio::test]
async fn pools_that_exceed_the_connections_of_postgresql_are_reported_at_the_start() {
    let fitting = Setup::with_test_database().await.start().await;
    let exceeding =
        Setup::with_test_database().await.env("GRATEFUL_CONNECTIONS_PER_WORKER", 100).start().await;

    let warnings = |log: Vec<String>| {
        log.into_iter().filter(|line| line.contains("max_connections")).collect::<Vec<_>>()
    };
    // The log is read by a thread of the test, so a line can arrive after the ready line.
    eventually("the warning is logged", || !warnings(exceeding.log()).is_empty()).await;
    let [warning] = <[String; 1]>::try_from(warnings(exceeding.log())).unwrap();
    assert!(warning.contains(r#""limit":200,"needed":207"#), "{warning}");
    assert_eq!(warnings(fitting.log()), [""; 0]);
}

#[tokio::test]
async fn a_private_postgresql_has_room_for_the_pools_of_many_workers() {
    let server = Setup::with_private_postgres().env("GRATEFUL_WORKERS", 64).start().await;

    let setting = server.sql().await.run("SHOW max_connections").await;

    assert_eq!(setting, (64 * (8 + 2) + 3 + 35).to_string());
    let log = server.log().join("\n");
    assert!(!log.contains("more connections than"), "{log}");
}

async fn wait_until_ready(server: &Server) {
    let start = Instant::now();
    while server.client().get("/readyz").send().await.status != 200 {
        assert!(start.elapsed() < TIMEOUT, "not ready: {:#?}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
