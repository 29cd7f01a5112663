//! Tests of the settings as a whole. `tests/api/cli/settings.rs` runs the program with them.

use chrono::TimeDelta;
use grateful_domain::Rate;
use grateful_web::RateLimitsConfig;

use super::*;

fn settings(arguments: &[&str]) -> Settings {
    parse(["grateful"].iter().chain(arguments).map(OsString::from)).1.unwrap()
}

#[test]
fn a_switch_is_set_by_its_flag_alone_or_by_a_value() {
    for (arguments, no_migrate) in [
        (&[][..], false),
        (&["--no-migrate"], true),
        (&["--no-migrate", "serve"], true),
        (&["serve", "--no-migrate"], true),
        (&["--no-migrate=1"], true),
        (&["--no-migrate=off"], false),
    ] {
        assert_eq!(settings(arguments).no_migrate, no_migrate, "{arguments:?}");
    }
}

#[test]
fn the_default_user_agent_contains_the_front_end_url() {
    let user_agent = |text: &str| {
        let text = format!("--nominatim-user-agent={text}");
        settings(&["--frontend-url=https://grateful.example/", &text]).nominatim().user_agent
    };

    let default = concat!("grateful/", env!("CARGO_PKG_VERSION"), " (+https://grateful.example)");
    assert_eq!(user_agent(" "), default);
    assert_eq!(user_agent("ours (ana@example.org)"), "ours (ana@example.org)");
}

#[test]
fn each_node_allows_its_part_of_the_limits() {
    let arguments = ["--nodes=3", "--limit-writes=120/min", "--limit-uploads=2/h"];
    let limits = settings(&arguments).request_limits().unwrap();

    assert_eq!(limits.writes, Rate::new(40, TimeDelta::minutes(1)));
    assert_eq!(limits.uploads, Rate::new(1, TimeDelta::hours(1)));
    assert_eq!(settings(&[]).request_limits(), Some(RateLimitsConfig::default()));
}

#[test]
fn the_declarations_are_consistent() {
    Settings::command().debug_assert();
    command_line().debug_assert();
}
