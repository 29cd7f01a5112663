//! Installations that `grateful doctor` checks.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use grateful_tests::{Setup, Value};

/// The address of a server that answers every request with an empty list, as Nominatim does if it finds nothing.
fn nominatim() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            _ = stream.read(&mut [0; 4_096]);
            let response =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]";
            _ = stream.write_all(response.as_bytes());
        }
    });
    url
}

/// Runs the checks and returns those that are not ok: the name, the status, and the detail with the advice.
fn problems(setup: Setup, code: i32) -> Vec<(String, String, String)> {
    // Requests are not limited in tests, which is a warning.
    let setup = setup.env("GRATEFUL_RATE_LIMITS", "on");
    let output = setup.run(&["doctor", "--json"]).expect(code);
    let checks: Value = serde_json::from_str(&output.stdout).unwrap();
    let text = |check: &Value, member: &str| check[member].as_str().unwrap_or_default().to_owned();
    let checks = checks.as_array().unwrap().iter();
    let problems = checks.filter(|check| check["status"] != "ok").map(|check| {
        assert!(check["advice"].is_string(), "a problem without advice: {check}");
        let explanation = format!("{} | {}", text(check, "detail"), text(check, "advice"));
        (text(check, "check"), text(check, "status"), explanation)
    });
    problems.collect()
}

async fn healthy() -> Setup {
    Setup::with_test_database().await.env("GRATEFUL_NOMINATIM_URL", nominatim().as_str())
}

#[track_caller]
fn assert_problem(setup: Setup, code: i32, expected: (&str, &str, &str)) {
    let problems = problems(setup, code);
    let (check, status, text) = expected;
    let found = problems.iter().find(|(name, ..)| name == check);
    let found = found.unwrap_or_else(|| panic!("{check} is no problem: {problems:?}"));
    assert_eq!(found.1, status, "{problems:?}");
    assert!(found.2.contains(text), "{text}: {problems:?}");
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[tokio::test]
async fn a_healthy_installation_passes_every_check() {
    let setup = healthy().await.env("GRATEFUL_RATE_LIMITS", "on");

    let output = setup.run(&["doctor"]).expect(0).stdout;

    let checks: Vec<&str> =
        output.lines().map(|line| line.get(6..18).unwrap_or(line).trim()).collect();
    assert_eq!(
        checks,
        [
            "settings",
            "postgresql",
            "role",
            "encoding",
            "clock",
            "connections",
            "migrations",
            "uploads",
            "space",
            "open files",
            "proxies",
            "nominatim"
        ]
    );
    assert!(output.lines().all(|line| line.starts_with("ok    ")), "{output}");
    assert_eq!(std::fs::read_dir(setup.working_dir().uploads_dir()).unwrap().count(), 0);
}

#[tokio::test]
async fn invalid_settings_fail() {
    let setup = Setup::with_private_postgres().env("GRATEFUL_WORKERS", "many");

    assert_problem(setup, 1, ("settings", "fail", "GRATEFUL_WORKERS must be a whole number"));
}

#[tokio::test]
async fn an_unreachable_database_fails_and_the_rest_is_still_checked() {
    let url = "postgresql://ana:sesame@127.0.0.1:1/grateful";
    let setup = Setup::with_database_url(url).env("GRATEFUL_NOMINATIM_URL", nominatim().as_str());

    assert!(!setup.run(&["doctor"]).expect(1).stdout.contains("sesame"));
    assert_problem(setup, 1, ("postgresql", "fail", "compare DATABASE_URL"));
}

#[tokio::test]
async fn a_database_with_another_encoding_fails() {
    let setup = healthy().await;
    let sql = setup.sql().await;
    let name = format!("{}_ascii", sql.run("SELECT current_database()").await);
    sql.run(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"))
        .await;
    let url = format!("{}_ascii", setup.database_url());

    let found = problems(setup.clone().env("DATABASE_URL", url.as_str()), 1);

    sql.run(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    let found: Vec<(&str, &str)> =
        found.iter().map(|(check, status, _)| (&**check, &**status)).collect();
    assert_eq!(found, [("encoding", "fail"), ("migrations", "warn")]);
}

#[tokio::test]
async fn pending_migrations_are_a_warning_and_are_not_run() {
    let setup =
        Setup::with_empty_database().await.env("GRATEFUL_NOMINATIM_URL", nominatim().as_str());

    assert_problem(setup.clone(), 0, ("migrations", "warn", " pending | make a backup"));
    assert_eq!(
        setup.sql().await.run("SELECT count(*) FROM pg_class WHERE relname = 'users'").await,
        "0"
    );
}

#[tokio::test]
async fn uploads_that_cannot_be_written_fail() {
    let setup = healthy().await;
    std::fs::write(setup.working_dir().uploads_dir(), "a file").unwrap();

    assert_problem(setup, 1, ("uploads", "fail", "cannot be used"));
}

#[tokio::test]
async fn more_connections_than_postgresql_allows_are_a_warning() {
    let setup = healthy().await.env("GRATEFUL_CONNECTIONS_PER_WORKER", 1_000);

    assert_problem(setup, 0, ("connections", "warn", "a server opens up to 2007"));
}

#[tokio::test]
async fn a_low_limit_of_open_files_fails() {
    let setup = healthy().await.with_ulimit("-n 64");

    assert_problem(setup, 1, ("open files", "fail", "up to 64"));
}

#[tokio::test]
async fn trusting_every_proxy_fails_and_trusting_none_in_public_is_a_warning() {
    let every = healthy().await.env("GRATEFUL_TRUSTED_PROXIES", "0.0.0.0/0");
    assert_problem(every, 1, ("proxies", "fail", "every client is a trusted proxy"));

    let none = healthy().await.env("GRATEFUL_LISTEN", "0.0.0.0:8000");
    assert_problem(none, 0, ("proxies", "warn", "GRATEFUL_TRUSTED_PROXIES"));
}

#[tokio::test]
async fn a_misspelt_variable_and_an_unreachable_nominatim_are_warnings() {
    let misspelt = healthy().await.env("GRATEFUL_UPLOAD_DIR", "/srv/uploads");
    assert_problem(misspelt, 0, ("settings", "warn", "GRATEFUL_UPLOAD_DIR is no setting"));

    let unreachable = healthy().await.env("GRATEFUL_NOMINATIM_URL", "http://127.0.0.1:1");
    assert_problem(unreachable, 0, ("nominatim", "warn", "find no locations"));
}

#[test]
fn the_private_postgresql_is_not_created_by_a_check() {
    let setup = Setup::with_private_postgres().env("GRATEFUL_NOMINATIM_URL", nominatim().as_str());

    assert_eq!(problems(setup.clone(), 0), []);

    assert!(!setup.working_dir().data_dir().exists());
}

#[tokio::test]
async fn a_replica_that_is_none_is_reported_and_one_that_is_down_is_a_warning() {
    let setup = healthy().await;
    let itself = setup.clone().env("GRATEFUL_REPLICA_URLS", &*setup.database_url());
    let down = setup.env("GRATEFUL_REPLICA_URLS", "postgresql://ana:sesame@127.0.0.1:1/x");

    assert_problem(itself, 1, ("replica", "fail", "is not a replica"));
    assert_problem(down, 0, ("replica", "warn", "127.0.0.1:1: "));
}
