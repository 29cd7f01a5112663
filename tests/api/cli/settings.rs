//! The help texts, and errors for invalid settings.

use std::net::TcpListener;

use grateful_tests::Setup;

/// All environment variables with their defaults, in the order of the help text.
const SETTINGS: [(&str, &str); 40] = [
    ("DATABASE_URL", ""),
    ("GRATEFUL_REPLICA_URLS", ""),
    ("GRATEFUL_REPLICA_STALENESS_MS", "500"),
    ("GRATEFUL_LISTEN", "localhost:8000"),
    ("GRATEFUL_DATA_DIR", ".data"),
    ("GRATEFUL_UPLOADS_DIR", "uploads"),
    ("GRATEFUL_UPLOADS_BUCKET", "\"\""),
    ("GRATEFUL_ORPHAN_MINUTES", "60"),
    ("GRATEFUL_FRONTEND_URL", "http://localhost:3000"),
    ("GRATEFUL_ALLOWED_ORIGINS", "\"\""),
    ("GRATEFUL_WORKERS", "0"),
    ("GRATEFUL_CONNECTIONS_PER_WORKER", "8"),
    ("GRATEFUL_READERS_PER_WORKER", "2"),
    ("GRATEFUL_STATEMENT_TIMEOUT_MS", "5000"),
    ("GRATEFUL_SLOW_STATEMENT_MS", "100"),
    ("GRATEFUL_REPEATED_STATEMENTS", "5"),
    ("GRATEFUL_METRICS", "on"),
    ("GRATEFUL_SERVER_TIMING", "off"),
    ("GRATEFUL_SITE", "on"),
    ("GRATEFUL_STATUS", "off"),
    ("GRATEFUL_NOTIFICATION_DAYS", "90"),
    ("GRATEFUL_UNREAD_NOTIFICATION_DAYS", "365"),
    ("GRATEFUL_SESSION_DAYS", "7"),
    ("GRATEFUL_RATE_LIMITS", "on"),
    ("GRATEFUL_NODES", "1"),
    ("GRATEFUL_TRUSTED_PROXIES", "auto"),
    ("GRATEFUL_LIMIT_SIGNUPS", "10/h"),
    ("GRATEFUL_LIMIT_LOGINS", "10/min"),
    ("GRATEFUL_LIMIT_FAILED_LOGINS", "10/15min"),
    ("GRATEFUL_LIMIT_SEARCHES", "60/min"),
    ("GRATEFUL_LIMIT_VALIDATIONS", "600/min"),
    ("GRATEFUL_LIMIT_WRITES", "120/min"),
    ("GRATEFUL_LIMIT_UPLOADS", "20/h"),
    ("GRATEFUL_NOMINATIM_URL", "https://nominatim.openstreetmap.org"),
    ("GRATEFUL_NOMINATIM_USER_AGENT", "\"\""),
    ("GRATEFUL_NOMINATIM_INTERVAL_MS", "1000"),
    ("GRATEFUL_SHUTDOWN_SECONDS", "30"),
    ("GRATEFUL_NO_MIGRATE", "false"),
    ("GRATEFUL_LOG_FORMAT", "auto"),
    ("RUST_LOG", "info"),
];

#[test]
fn help_names_every_variable_and_its_default() {
    for arguments in [&["--help"][..], &["serve", "--help"], &["migrate", "--help"]] {
        let help = Setup::with_private_postgres().run(arguments).expect(0).stdout;
        // The help text is wrapped at the width of the terminal.
        let text = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let sections: Vec<&str> = text.split("[env: ").skip(1).collect();

        assert_eq!(sections.len(), SETTINGS.len(), "{help}");
        for (message, (variable, default)) in sections.into_iter().zip(SETTINGS) {
            let (name, rest) = message.split_at(variable.len());
            assert_eq!(name, variable, "{help}");
            assert!(rest.starts_with(['=', ']']), "{help}");
            let has_default = rest.contains(&format!("[default: {default}]"));
            assert_eq!(has_default, !default.is_empty(), "{variable}: {help}");
        }
    }
}

#[test]
fn help_does_not_show_the_password_of_the_database() {
    let url = "postgresql://ana:sesame@db/grateful";
    let setup = Setup::with_database_url(url).env("GRATEFUL_REPLICA_URLS", url);
    let help = setup.run(&["--help"]).expect(0);

    assert!(!help.stdout.contains("sesame"), "{}", help.stdout);
}

#[test]
fn all_invalid_settings_are_reported_at_once() {
    let setup = Setup::with_database_url("mysql://ana:sesame@db/grateful")
        .env("GRATEFUL_REPLICA_URLS", "postgresql://ana:sesame@a,b/x")
        .env("GRATEFUL_REPLICA_STALENESS_MS", 100)
        .env("GRATEFUL_LISTEN", "8000")
        .env("GRATEFUL_WORKERS", "many")
        .env("GRATEFUL_CONNECTIONS_PER_WORKER", 0)
        .env("GRATEFUL_READERS_PER_WORKER", 101)
        .env("GRATEFUL_STATEMENT_TIMEOUT_MS", -1)
        .env("GRATEFUL_SLOW_STATEMENT_MS", "soon")
        .env("GRATEFUL_REPEATED_STATEMENTS", 1)
        .env("GRATEFUL_METRICS", "some")
        .env("GRATEFUL_SERVER_TIMING", "slowly")
        .env("GRATEFUL_SITE", "maybe")
        .env("GRATEFUL_STATUS", "maybe")
        .env("GRATEFUL_UPLOADS_BUCKET", "ftp://images")
        .env("GRATEFUL_ORPHAN_MINUTES", -1)
        .env("GRATEFUL_SESSION_DAYS", 0)
        .env("GRATEFUL_SHUTDOWN_SECONDS", "1e3")
        .env("GRATEFUL_NOTIFICATION_DAYS", 1)
        .env("GRATEFUL_UNREAD_NOTIFICATION_DAYS", 1)
        .env("GRATEFUL_UPLOADS_BUCKET", "https://images")
        .env("GRATEFUL_ORPHAN_MINUTES", "old")
        .env("GRATEFUL_RATE_LIMITS", "sometimes")
        .env("GRATEFUL_NODES", 0)
        .env("GRATEFUL_TRUSTED_PROXIES", "10.0.0.0/33")
        .env("GRATEFUL_LIMIT_SIGNUPS", 10)
        .env("GRATEFUL_LIMIT_LOGINS", "0/min")
        .env("GRATEFUL_LIMIT_FAILED_LOGINS", "10/month")
        .env("GRATEFUL_LIMIT_SEARCHES", "many/min")
        .env("GRATEFUL_LIMIT_VALIDATIONS", "600/")
        .env("GRATEFUL_LIMIT_WRITES", "120 a minute")
        .env("GRATEFUL_LIMIT_UPLOADS", "20/48h")
        .env("GRATEFUL_NOMINATIM_URL", "ftp://maps.example")
        .env("GRATEFUL_NOMINATIM_USER_AGENT", "grateful\r\nHost: x")
        .env("GRATEFUL_NOMINATIM_INTERVAL_MS", "1s")
        .env("GRATEFUL_FRONTEND_URL", "localhost:3000")
        .env("GRATEFUL_ALLOWED_ORIGINS", "javascript:alert(1)")
        .env("GRATEFUL_NO_MIGRATE", "maybe")
        .env("GRATEFUL_LOG_FORMAT", "xml")
        .env("RUST_LOG", "a=b=c");

    let output = setup.run(&[]).expect(1);

    let mut message = output.stderr.lines();
    assert_eq!(message.next(), Some("grateful: invalid settings (see grateful --help)"));
    let reported: Vec<&str> = message.map(|line| line.trim().split(' ').next().unwrap()).collect();
    let unchecked = ["GRATEFUL_DATA_DIR", "GRATEFUL_UPLOADS_DIR"];
    let expected = SETTINGS.iter().map(|(variable, _)| *variable);
    let mut expected: Vec<&str> =
        expected.filter(|variable| !unchecked.contains(variable)).collect();
    expected.sort_unstable();
    let mut sorted = reported.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected, "{}", output.stderr);
    assert!(!output.stderr.contains("sesame"), "{}", output.stderr);
    assert_eq!(output.stdout, "");
}

#[test]
fn a_flag_overrides_its_variable() {
    let setup = Setup::with_private_postgres().env("GRATEFUL_WORKERS", "many");

    setup.run(&["openapi", "--workers=1"]).expect(0);
    setup.run(&["--workers=1", "openapi"]).expect(0);
    setup.run(&["openapi"]).expect(1);
}

#[test]
fn a_port_in_use_is_reported_in_one_line_before_postgresql_starts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let setup = Setup::with_private_postgres().env("GRATEFUL_LISTEN", &address);

    let output = setup.run(&["serve"]).expect(1);

    assert_eq!(output.stdout, "");
    let message: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(message.len(), 1, "{}", output.stderr);
    assert!(
        message[0].starts_with(&format!("grateful: cannot listen on {address}: ")),
        "{}",
        message[0]
    );
    assert!(message[0].contains("in use"), "{}", message[0]);
    assert!(!setup.working_dir().data_dir().exists());
}

#[test]
fn an_unreachable_or_invalid_database_url_is_reported_without_its_password() {
    let closed_address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable =
        Setup::with_database_url(&format!("postgresql://ana:sesame@{closed_address}/grateful"));
    let invalid = Setup::with_database_url("postgresql://ana:sesame@[host/grateful?x=sesame");

    for (setup, reason) in [
        (unreachable, "grateful: the database cannot be migrated: "),
        (invalid, "  DATABASE_URL is invalid: "),
    ] {
        for command in ["serve", "migrate"] {
            let output = setup.run(&[command]).expect(1);

            let message = output.stderr.lines().last().unwrap_or_default();
            assert!(message.starts_with(reason), "{message}");
            assert!(!output.stderr.contains("sesame"), "{}", output.stderr);
            assert_eq!(output.stdout, "");
        }
    }
}

#[test]
fn the_error_names_a_data_directory_that_cannot_be_created() {
    let setup = Setup::with_private_postgres().env("GRATEFUL_DATA_DIR", "/dev/null/data");

    let output = setup.run(&["serve"]).expect(1);

    let message = output.stderr.lines().last().unwrap_or_default();
    assert!(message.starts_with("grateful: DATABASE_URL is not set, and "), "{message}");
    assert!(message.contains("/dev/null/data"), "{message}");
}

#[tokio::test]
async fn localhost_listens_on_ipv4_and_ipv6() {
    let server =
        Setup::with_test_database().await.env("GRATEFUL_LISTEN", "localhost:0").start().await;

    let port = server.address().strip_prefix("127.0.0.1:").expect("127.0.0.1").to_owned();

    server.client().get("/livez").send().await.expect(200);
    let supports_ipv6 = TcpListener::bind("[::1]:0").is_ok();
    let accepts_ipv6 = std::net::TcpStream::connect(format!("[::1]:{port}")).is_ok();
    assert_eq!(accepts_ipv6, supports_ipv6);
}

#[tokio::test]
async fn cors_allows_only_the_configured_origins() {
    let setup = Setup::with_test_database()
        .await
        .env("GRATEFUL_FRONTEND_URL", "https://grateful.example/app")
        .env("GRATEFUL_ALLOWED_ORIGINS", "https://admin.example, http://localhost:9");
    let server = setup.start().await;

    for (origin, is_allowed) in [
        ("https://grateful.example", true),
        ("https://admin.example", true),
        ("http://localhost:9", true),
        ("http://localhost:3000", false),
        ("https://grateful.example.evil.example", false),
        ("null", false),
    ] {
        let response = server.client().get("/health").header("Origin", origin).send().await;
        let allowed_origin = response.header("access-control-allow-origin");
        assert_eq!(allowed_origin, is_allowed.then_some(origin), "{response}");
    }
}

#[tokio::test]
async fn a_session_expires_after_the_configured_number_of_days() {
    let server = Setup::with_test_database().await.env("GRATEFUL_SESSION_DAYS", 30).start().await;
    let ana = server.client().sign_up("ana").await;

    server.client().get("/api/v1/auth/sessions").by(&ana).send().await.expect(200);

    let sql = server.sql().await;
    assert_eq!(sql.run("SELECT expires_at - created_at FROM sessions").await, "30 days");
}
