//! `grateful password`: lets the operator set a new password for a user, since the server sends no email.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::{Context as _, anyhow};
use grateful_application::accounts;
use grateful_domain::Password;

use super::{Apps, open_migrated};
use crate::config::Settings;

pub(super) async fn reset(settings: Settings, username: &str) -> anyhow::Result<()> {
    let password =
        Password::parse(&read_password()?).map_err(|error| anyhow!("the password {error}"))?;
    let postgres = open_migrated(&settings).await?;
    let app = Apps::new(&settings, postgres.config.clone())?.jobs;
    let ended_sessions = accounts::reset_password(&app, username, password).await?;
    println!("{username} has a new password; sessions ended: {ended_sessions}");
    postgres.close()
}

/// Reads one line of standard input. On a terminal it prompts and does not echo the input.
fn read_password() -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password("New password: ")?);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("no password on standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
