//! The command line: commands and settings.

mod commands;
#[cfg(test)]
mod docs_table;
mod parsers;
mod settings;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::ffi::OsString;
use std::fmt;

use clap::builder::{OsStringValueParser, Resettable};
use clap::{Arg, ArgMatches, Args as _, CommandFactory as _, FromArgMatches as _, Subcommand as _};

pub(crate) use self::commands::{Command, ImportArgs, OpenapiVersion, SeedArgs, UserCommand};
pub(crate) use self::parsers::ListenAddress;
pub(crate) use self::settings::Settings;

/// The command line as clap describes it: all commands, and the settings as flags of each.
///
/// It accepts any text for a setting: clap would stop at the first invalid value, and would validate a variable that a flag
/// overrides.
pub(crate) fn command_line() -> clap::Command {
    let any_text = |setting: Arg| setting.global(true).value_parser(OsStringValueParser::new());
    let commands = Command::augment_subcommands(clap::Command::new("grateful"));
    Settings::augment_args(commands).mut_args(any_text)
}

/// The names of the environment variables that are settings.
pub(crate) fn variables() -> Vec<String> {
    let settings = Settings::command();
    let variables = settings.get_arguments().filter_map(Arg::get_env);
    variables.map(|variable| variable.to_string_lossy().into_owned()).collect()
}

/// Reads the command and the settings from the arguments, and the settings that have no argument from their environment
/// variables. Ends the process if the command line is malformed or asks for help.
///
/// # Errors
/// In place of the settings, lists every invalid one with its variable.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> (Command, Result<Settings, SettingErrors>) {
    let given = command_line().get_matches_from(arguments);
    let command = given.subcommand_name().map(|_| Command::from_arg_matches(&given));
    let command = command.unwrap_or(Ok(Command::Serve)).unwrap_or_else(|error| error.exit());
    (command, parse_settings(&given))
}

fn parse_settings(given: &ArgMatches) -> Result<Settings, SettingErrors> {
    let mut errors = Vec::new();
    let mut valid = Vec::new();
    for setting in Settings::command().get_arguments() {
        let Some(variable) = setting.get_env() else { continue };
        let flag = setting.get_long().unwrap_or_default();
        for value in given.get_raw(setting.get_id().as_str()).into_iter().flatten() {
            let mut argument = OsString::from(format!("--{flag}="));
            argument.push(value);
            let only = clap::Command::new("setting").no_binary_name(true);
            match only.arg(without_variable(setting.clone())).try_get_matches_from([&argument]) {
                Ok(_) => valid.push(argument),
                Err(error) => errors.push(format!("{} {}", variable.display(), reason(&error))),
            }
        }
    }
    if !errors.is_empty() {
        return Err(SettingErrors(errors));
    }
    let settings = Settings::command().no_binary_name(true).mut_args(without_variable);
    let settings = Settings::from_arg_matches(&settings.get_matches_from(valid));
    Ok(settings.unwrap_or_else(|error| error.exit()))
}

fn without_variable(setting: Arg) -> Arg {
    setting.env(Resettable::Reset)
}

/// What the parser of a setting says about an invalid value.
fn reason(error: &clap::Error) -> String {
    let reason = error.source().map(ToString::to_string);
    reason.unwrap_or_else(|| "must be UTF-8, and not empty".to_owned())
}

/// All invalid settings, each with its variable and the reason.
#[derive(Debug)]
pub(crate) struct SettingErrors(Vec<String>);

impl SettingErrors {
    /// The reasons, each after its variable.
    pub(crate) fn reasons(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for SettingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid settings (see grateful --help)")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl Error for SettingErrors {}
