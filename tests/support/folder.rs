//! Where a server keeps what it keeps.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::eventually;
use crate::processes::{self, Pid, Signal};

/// A folder for everything that a server writes: its private PostgreSQL and its uploads. It goes when its last server
/// has gone, and waits for a PostgreSQL that is still stopping.
#[derive(Debug)]
pub struct Folder {
    temporary: TempDir,
}

impl Folder {
    /// A folder with nothing in it.
    pub(crate) fn create() -> Self {
        let mut folder = tempfile::Builder::new();
        // Run by root, PostgreSQL belongs to another account, which has to pass here.
        folder.prefix("grateful-test-").permissions(Permissions::from_mode(0o755));
        let temporary = folder.tempdir_in("/dev/shm").or_else(|_| folder.tempdir()).unwrap();
        Self { temporary }
    }

    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Where the private PostgreSQL is.
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Where the uploads are.
    pub fn uploads(&self) -> PathBuf {
        self.path().join("uploads")
    }

    /// The first process of the private PostgreSQL, which all others of it belong to.
    pub fn postmaster(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.data().join("cluster/postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok().map(Pid::from_raw)
    }

    /// Ends the private PostgreSQL where it stands (`kill -9`). Its other processes notice, and end as well.
    pub async fn kill_postgres(&self) {
        let postmaster = self.postmaster().expect("a PostgreSQL that runs");
        processes::send(Signal::SIGKILL, postmaster);
        let is_dead = || !processes::is_alive(postmaster);
        eventually("PostgreSQL is dead", is_dead).await;
    }

    /// Where the private PostgreSQL answers, once it does.
    pub(crate) fn database_url(&self) -> Option<String> {
        let file = fs::read_to_string(self.data().join("cluster/postmaster.pid")).ok()?;
        let socket = file.lines().nth(4).filter(|line| !line.is_empty())?.replace('/', "%2F");
        Some(format!("postgresql://grateful@{socket}/grateful"))
    }

    /// The processes that work in this folder or below.
    pub fn inhabitants(&self) -> Vec<Pid> {
        processes::working_below(self.path())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let begun = Instant::now();
        while !self.inhabitants().is_empty() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
