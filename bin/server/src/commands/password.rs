//! `grateful password`: the operator's way to let somebody in again, since no mail is sent.

use std::io::{self, BufRead as _, IsTerminal as _};

use anyhow::{Context as _, anyhow};
use grateful_application::accounts;
use grateful_domain::Password;

use super::{AppFactory, JOB_POOL, migrate_database};
use crate::config::Settings;
use crate::database::Postgres;

pub(super) async fn reset(settings: Settings, username: &str) -> anyhow::Result<()> {
    let new = Password::parse(read()?).map_err(|error| anyhow!("the password {error}"))?;
    let postgres = Postgres::open(&settings)?;
    if settings.migrate {
        migrate_database(&postgres.config).await?;
    }
    let shared = AppFactory::new(&settings, postgres.config.clone())?;
    let ended = accounts::reset_password(&shared.app(JOB_POOL), username, new).await?;
    println!("{username} has a new password; sessions ended: {ended}");
    postgres.close()
}

/// A line of standard input; on a terminal it is asked for and not shown.
fn read() -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password("New password: ")?);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("no password on standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
