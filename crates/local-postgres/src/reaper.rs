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
    // The glance of another who only wants to know must not pass for a reaper.
    if !Lock::open(home.reaper_lock())?.is_shareable()? {
        return Ok(None);
    }
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
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;
    use std::time::Duration;

    use rstest::rstest;

    use super::*;
    use crate::patience::Patience;

    #[test]
    fn without_flock_and_perl_one_sentence_says_what_to_install() {
        let (_folder, home) = home();

        let error = spawn(&home, &Account::choose().unwrap(), "/nowhere").unwrap_err();

        assert!(error.to_string().contains("`util-linux`"), "{error}");
    }

    #[rstest]
    #[case::flock("flock")]
    #[case::perl("perl")]
    fn it_stays_until_the_last_user_leaves(#[case] waiting: &str) {
        let (folder, home) = home();
        for program in [waiting, "rm", "rmdir", "readlink", "sleep", "ps"] {
            symlink(on_path(program), folder.path().join(program)).unwrap();
        }
        let users = [(); 2].map(|()| Lock::open(home.users_lock()).unwrap());
        assert!(users.iter().all(|lock| lock.try_shared().unwrap()));
        let reaper_lock = Lock::open(home.reaper_lock()).unwrap();

        let path = folder.path().display().to_string();
        let mut reaper = spawn(&home, &Account::choose().unwrap(), &path).unwrap();

        let [first, last] = users;
        drop(first);
        assert!(!reaper_lock.is_shareable().unwrap());
        assert!(reaper.try_wait().unwrap().is_none());
        drop(last);
        let patience = Patience::of(Duration::from_secs(10));
        while reaper.try_wait().unwrap().is_none() {
            assert!(patience.pause(), "the reaper stays");
        }
        assert!(reaper_lock.is_shareable().unwrap());
    }

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = folder.path().to_owned();
        (folder, Home { path, fate: Fate::Keep })
    }

    fn on_path(program: &str) -> PathBuf {
        let path = std::env::var_os("PATH").unwrap();
        let mut found = std::env::split_paths(&path).map(|folder| folder.join(program));
        found.find(|program| program.is_file()).expect("a usual program")
    }
}
