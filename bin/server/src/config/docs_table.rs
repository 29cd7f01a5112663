//! The settings as the handbook of operators shows them: taken from what `--help` says, so that both say the same.

use std::path::Path;

use clap::{Arg, CommandFactory as _};

use super::Cli;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
const BEGINNING: &str =
    "<!-- settings: written by the test of bin/server/src/config/table.rs -->\n";
const END: &str = "<!-- end of settings -->";

/// `GRATEFUL_UPDATE_DOCS=1 cargo test -p grateful-server settings_of_the_handbook` writes it anew.
#[test]
fn the_settings_of_the_handbook_are_those_of_the_program() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGINNING).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let table = table();

    if std::env::var_os("GRATEFUL_UPDATE_DOCS").is_some() {
        let page = format!("{before}{BEGINNING}{table}{END}{after}");
        std::fs::write(Path::new(PAGE), page).unwrap();
    } else {
        assert_eq!(written, table, "docs/operations.md is out of date");
    }
}

fn table() -> String {
    let mut command = Cli::command();
    command.build();
    let settings = command.get_arguments().filter(|it| it.get_env().is_some());
    let rows = settings.map(row).collect::<String>();
    format!("| variable | flag | default | meaning |\n|---|---|---|---|\n{rows}")
}

fn row(setting: &Arg) -> String {
    let variable = setting.get_env().unwrap_or_default().to_string_lossy().into_owned();
    let flag = setting.get_long().unwrap_or_default();
    let defaults = setting.get_default_values().iter();
    let default = defaults.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
    let help = setting.get_long_help().or(setting.get_help()).map(ToString::to_string);
    let meaning = help.unwrap_or_default().replace('\n', " ").replace('|', "\\|");
    format!("| `{variable}` | `--{flag}` | {default} | {meaning} |\n")
}
