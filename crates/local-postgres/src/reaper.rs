//! The small process that outlives all users of a cluster and stops PostgreSQL behind the last one.
//!
//! A signal at the parent's death would follow a thread, stop the server under a second user, and need unsafe code.
//! A lock file that every user shares and the reaper wants for itself has none of these troubles: the kernel
//! lets a lock go whatever way its holder ends.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::Error;
use crate::account::Account;
use crate::home::{Fate, Home};
use crate::lock::Lock;

const SCRIPT: &str = include_str!("reaper.sh");

/// Starts a reaper unless there is one. The caller holds the start lock, so nobody else is at it.
pub(crate) fn ensure(home: &Home, account: &Account) -> Result<Option<Child>, Error> {
    let lock = Lock::open(home.reaper_lock())?;
    // Shared, because others who only look must not pass for a reaper.
    if !lock.try_shared()? {
        return Ok(None);
    }
    drop(lock);
    let search = std::env::var("PATH").unwrap_or_default() + ":/usr/bin:/bin";
    spawn(home, account, &search).map(Some)
}

fn spawn(home: &Home, account: &Account, search: &str) -> Result<Child, Error> {
    let fate = if home.fate == Fate::Remove { "remove" } else { "keep" };
    let mut command = account.command("/bin/sh", Path::new("/"));
    command.args(["-c", SCRIPT, "grateful-reaper"]).arg(&home.path).arg(fate);
    command.arg(home.socket(account)).env_clear().env("PATH", search);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().map_err(Error::io("run", Path::new("/bin/sh")))?;

    // Only a reaper that holds its lock can be seen by the next one who looks.
    let mut answer = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut answer).map_err(Error::io("hear", &home.path))?;
    }
    if answer.trim() == "ready" {
        return Ok(child);
    }
    let status = child.wait().map_err(Error::io("wait for", Path::new("/bin/sh")))?;
    Err(match answer.trim() {
        "none" => Error::NoFlock,
        other => Error::Failed {
            program: "reaper".into(),
            status: status.to_string(),
            output: other.into(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_flock_and_perl_one_sentence_says_what_to_install() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home { path: folder.path().to_owned(), fate: Fate::Keep };

        let error = spawn(&home, &Account::choose().unwrap(), "/nowhere").unwrap_err();

        assert!(error.to_string().contains("util-linux"), "{error}");
    }
}
