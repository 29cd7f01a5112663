//! `grateful completions` and `grateful man`: the command line as shells and `man` read it.

use std::io::{self, Write as _};

use anyhow::Context as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::config::command_line;

const NAME: &str = "grateful";

pub(super) fn print_completions(shell: Shell) -> anyhow::Result<()> {
    // In memory first: the generator panics if the reader of a pipe has ended.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line(), NAME, &mut script);
    print(&script)
}

/// Prints one page for the program: its commands, each with its own arguments, then the settings, which all of them have.
pub(super) fn print_page() -> anyhow::Result<()> {
    let mut program = command_line();
    program.build();
    let commands: Vec<clap::Command> = program.get_subcommands().cloned().collect();
    let page = Man::new(program);
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    for command in commands {
        render_command(command, &mut text)?;
    }
    page.render_options_section(&mut text)?;
    print(&text)
}

fn render_command(command: clap::Command, text: &mut Vec<u8>) -> io::Result<()> {
    if command.get_name() == "help" {
        return Ok(());
    }
    let children: Vec<clap::Command> = command.get_subcommands().cloned().collect();
    let title = command.get_bin_name().unwrap_or_default().to_uppercase();
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string);
    let about = about.unwrap_or_default().replace('\\', "\\\\");
    writeln!(text, ".SH \"{title}\"\n{about}")?;
    let own = command.mut_args(|argument| {
        let is_setting = argument.get_env().is_some();
        argument.hide(is_setting)
    });
    let mut options = Vec::new();
    Man::new(own).render_options_section(&mut options)?;
    text.extend(String::from_utf8_lossy(&options).replace(".SH OPTIONS", ".SS Options").bytes());
    children.into_iter().try_for_each(|child| render_command(child, text))
}

fn print(text: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text).and_then(|()| stdout.flush()).context("cannot write to standard output")
}
