//! `grateful user`: accounts, on behalf of the operator, by the rules that hold for their owners.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{anyhow, bail, ensure};
use grateful_application::{App, accounts, profiles, sessions};
use grateful_domain::{ProfileEdit, User, UserId, Username};

use super::{Apps, open_migrated, password};
use crate::config::{Settings, UserCommand};

/// How long `delete` works on what belongs to the account. A server does the rest, if there is more.
const DELETION_TIME: Duration = Duration::from_hours(1);

pub(super) async fn run(settings: Settings, command: UserCommand) -> anyhow::Result<()> {
    if let UserCommand::Password { username } = &command {
        return password::reset(settings, username).await;
    }
    let postgres = open_migrated(&settings).await?;
    let app = Apps::new(&settings, postgres.config.clone())?.jobs;
    let app = App { job_budget: DELETION_TIME, ..app };
    let done = run_with(&app, command).await;
    postgres.close()?;
    done
}

async fn run_with(app: &App, command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::List { after, count } => list(app, after, count).await,
        UserCommand::Show { username } => show(app, &username).await,
        UserCommand::Rename { username, new_username } => {
            rename(app, &username, &new_username).await
        }
        UserCommand::Delete { username, yes } => delete(app, &username, yes).await,
        // Done by `run`.
        UserCommand::Password { .. } => Ok(()),
    }
}

async fn list(app: &App, after: i64, count: i64) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    for user in accounts::list(app, Some(UserId::from(after)), count).await? {
        let (id, created_at) = (user.id, signup_time(&user));
        let (username, email) = (user.username.as_str(), user.email.as_str());
        writeln!(stdout, "{id}\t{username}\t{email}\t{created_at}")?;
    }
    Ok(())
}

fn signup_time(user: &User) -> String {
    user.created_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

async fn show(app: &App, username: &str) -> anyhow::Result<()> {
    let user = accounts::find(app, username).await?;
    let profile = profiles::get_own(app, user.id).await?.profile;
    let sessions = sessions::list(app, user.id).await?.len();
    let display_name = profile.author.display_name.as_ref().map_or("", |name| name.as_str());
    let created_at = signup_time(&user);
    println!(
        "id: {}\nusername: {}\ndisplay name: {display_name}\nemail: {}\nsigned up: {created_at}",
        user.id,
        user.username.as_str(),
        user.email.as_str()
    );
    println!(
        "posts: {}\nfollowers: {}\nfollowing: {}\nsessions: {sessions}",
        profile.posts, profile.followers, profile.following
    );
    Ok(())
}

async fn rename(app: &App, username: &str, new_username: &str) -> anyhow::Result<()> {
    let new = Username::parse(new_username).map_err(|error| anyhow!("the new username {error}"))?;
    let user = accounts::find(app, username).await?;
    let edit = ProfileEdit { username: Some(new), ..ProfileEdit::default() };
    let renamed = profiles::update(app, user.id, edit, None).await?;
    let new = renamed.profile.author.username;
    println!("{} is {} now", user.username.as_str(), new.as_str());
    Ok(())
}

async fn delete(app: &App, username: &str, is_confirmed: bool) -> anyhow::Result<()> {
    let user = accounts::find(app, username).await?;
    if !is_confirmed {
        confirm(user.username.as_str())?;
    }
    accounts::delete(app, user.id).await?;
    println!("{} is deleted", user.username.as_str());
    Ok(())
}

/// Asks for the username on the terminal.
fn confirm(username: &str) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() {
        bail!("deleting an account needs --yes, unless it is confirmed on a terminal");
    }
    eprint!("Delete {username} with all posts and comments? Type the username: ");
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    ensure!(line.trim() == username, "nothing was deleted");
    Ok(())
}
