//! Tests of the validation of settings.

use super::*;

fn validate(arguments: &[&str]) -> Result<Settings, SettingErrors> {
    Settings::validate(Cli::parse_from(["grateful"].iter().chain(arguments)).settings)
}

#[test]
fn all_invalid_settings_are_reported_at_once() {
    let errors = validate(&[
        "--listen=8000",
        "--workers=many",
        "--session-days=0",
        "--frontend-url=localhost:3000",
        "--allowed-origins=https://a.example,javascript:alert(1)",
        "--uploads-bucket=ftp://images",
        "--log-format=xml",
        "--no-migrate=maybe",
        "--database-url=mysql://secret@example.org/x",
    ]);
    let message = errors.unwrap_err().to_string();
    for variable in [
        "GRATEFUL_LISTEN",
        "GRATEFUL_WORKERS",
        "GRATEFUL_SESSION_DAYS",
        "GRATEFUL_FRONTEND_URL",
        "GRATEFUL_ALLOWED_ORIGINS",
        "GRATEFUL_UPLOADS_BUCKET",
        "GRATEFUL_LOG_FORMAT",
        "GRATEFUL_NO_MIGRATE",
        "DATABASE_URL",
    ] {
        assert!(message.contains(variable), "{message}");
    }
    assert!(!message.contains("secret"), "{message}");
}

#[test]
fn origins_are_stripped_of_their_paths() {
    let settings = validate(&[
        "--frontend-url=https://grateful.example/app",
        "--allowed-origins=http://a:1, http://b/",
    ]);
    assert_eq!(
        settings.unwrap().allowed_origins,
        ["https://grateful.example", "http://a:1", "http://b"]
    );
}

#[test]
fn a_switch_is_set_by_its_flag_alone_or_by_a_value() {
    for (arguments, migrate) in [
        (&[][..], true),
        (&["--no-migrate"], false),
        (&["--no-migrate", "serve"], false),
        (&["serve", "--no-migrate"], false),
        (&["--no-migrate=1"], false),
        (&["--no-migrate=off"], true),
    ] {
        assert_eq!(validate(arguments).unwrap().migrate, migrate, "{arguments:?}");
    }
}

#[test]
fn listen_addresses_may_be_ipv4_or_ipv6() {
    let listen = |text: &str| text.parse::<ListenAddress>().unwrap();
    assert_eq!(listen("[::1]:0"), ListenAddress { host: "::1".to_owned(), port: 0 });
    assert_eq!(listen("0.0.0.0:80"), ListenAddress { host: "0.0.0.0".to_owned(), port: 80 });
    assert!("localhost:99999".parse::<ListenAddress>().is_err());
}

#[test]
fn help_names_every_variable_and_default() {
    use clap::CommandFactory as _;

    let help = Cli::command().render_long_help().to_string();
    for argument in Cli::command()
        .get_arguments()
        .filter(|argument| argument.get_id() != "help" && argument.get_id() != "version")
    {
        let variable = argument.get_env().unwrap().to_str().unwrap();
        assert!(help.contains(variable), "{variable} is missing");
    }
}
