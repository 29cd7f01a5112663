//! A small process that outlives all processes that use a cluster and stops PostgreSQL after the last one.
//!
//! A parent-death signal would be bound to a thread, would stop the server while another process uses it, and would
//! need unsafe code. Instead, every process shares a lock that the reaper waits to take exclusively; the kernel
//! releases a lock however its holder ends.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::Error;
use crate::account::Account;
use crate::cluster_dir::{ClusterDir, Retention};
use crate::file_lock::FileLock;

const SCRIPT: &str = include_str!("reaper.sh");

/// Starts a reaper if none runs. The caller holds the start lock, so no other process does the same.
pub(crate) fn ensure_running(dir: &ClusterDir, account: &Account) -> Result<Option<Child>, Error> {
    // Probes with a shared lock: another process that only probes at the same time must not look like a reaper.
    if !FileLock::open(dir.reaper_lock())?.is_shareable()? {
        return Ok(None);
    }
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/bin:/bin";
    spawn(dir, account, &path).map(Some)
}

fn spawn(dir: &ClusterDir, account: &Account, path: &str) -> Result<Child, Error> {
    let retention = if dir.retention == Retention::Remove { "remove" } else { "keep" };
    let mut command = account.command("/bin/sh", Path::new("/"));
    command.args(["-c", SCRIPT, "grateful-reaper"]).arg(&dir.path).arg(retention);
    command.arg(dir.socket_dir(account)).env_clear().env("PATH", path);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().map_err(Error::io("run", Path::new("/bin/sh")))?;

    // Waits until the reaper holds its lock, since other processes detect it by the lock.
    let mut message = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout)
            .read_line(&mut message)
            .map_err(Error::io("read from the reaper of", &dir.path))?;
    }
    if message.trim() == "ready" {
        return Ok(child);
    }
    let status = child.wait().map_err(Error::io("wait for", Path::new("/bin/sh")))?;
    Err(match message.trim() {
        "none" => Error::NoFlock,
        other => Error::CommandFailed {
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
    use crate::deadline::Deadline;

    #[test]
    fn without_flock_and_perl_the_error_says_what_to_install() {
        let (_temporary, dir) = cluster_dir();

        let error = spawn(&dir, &Account::choose().unwrap(), "/nowhere").unwrap_err();

        assert!(error.to_string().contains("`util-linux`"), "{error}");
    }

    #[rstest]
    #[case::flock("flock")]
    #[case::perl("perl")]
    fn the_reaper_exits_after_the_last_process_releases_the_cluster(#[case] wait_program: &str) {
        let (temporary, dir) = cluster_dir();
        for program in [wait_program, "rm", "rmdir", "readlink", "sleep", "ps"] {
            symlink(find_on_path(program), temporary.path().join(program)).unwrap();
        }
        let users = [(); 2].map(|()| FileLock::open(dir.users_lock()).unwrap());
        assert!(users.iter().all(|lock| lock.try_lock_shared().unwrap()));
        let reaper_lock = FileLock::open(dir.reaper_lock()).unwrap();

        let path = temporary.path().display().to_string();
        let mut reaper = spawn(&dir, &Account::choose().unwrap(), &path).unwrap();

        let [first, last] = users;
        drop(first);
        assert!(!reaper_lock.is_shareable().unwrap());
        assert!(reaper.try_wait().unwrap().is_none());
        drop(last);
        let deadline = Deadline::after(Duration::from_secs(10));
        while reaper.try_wait().unwrap().is_none() {
            assert!(deadline.wait(), "the reaper does not exit");
        }
        assert!(reaper_lock.is_shareable().unwrap());
    }

    fn cluster_dir() -> (tempfile::TempDir, ClusterDir) {
        let temporary = tempfile::tempdir().unwrap();
        fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = temporary.path().to_owned();
        (temporary, ClusterDir { path, retention: Retention::Keep })
    }

    fn find_on_path(program: &str) -> PathBuf {
        let path = std::env::var_os("PATH").unwrap();
        let mut candidates = std::env::split_paths(&path).map(|directory| directory.join(program));
        candidates.find(|program| program.is_file()).expect("a standard program")
    }
}
