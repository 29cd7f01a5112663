//! The working directory of a server.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::eventually;
use crate::processes::{self, Pid, Signal};

/// A temporary directory for everything a server writes: its private PostgreSQL and its uploads.
///
/// Dropping it waits up to ten seconds for a PostgreSQL that is still stopping, then deletes the directory.
#[derive(Debug)]
pub struct WorkingDir {
    temporary: TempDir,
}

impl WorkingDir {
    /// Creates an empty directory.
    pub fn create() -> Self {
        let mut builder = tempfile::Builder::new();
        // When root runs the tests, PostgreSQL runs as another user, which needs access to this directory.
        builder.prefix("grateful-test-").permissions(Permissions::from_mode(0o755));
        let temporary = builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir()).unwrap();
        Self { temporary }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// The data directory of the private PostgreSQL.
    pub fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The directory of the uploads.
    pub fn uploads_dir(&self) -> PathBuf {
        self.path().join("uploads")
    }

    /// The postmaster of the private PostgreSQL: the parent of its other processes.
    pub fn postmaster(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.data_dir().join("cluster/postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok().map(Pid::from_raw)
    }

    /// Kills the postmaster (`kill -9`). Its child processes detect that and exit.
    pub async fn kill_postgres(&self) {
        let postmaster = self.postmaster().expect("a running PostgreSQL");
        processes::send_signal(Signal::SIGKILL, postmaster);
        let is_dead = || !processes::is_alive(postmaster);
        eventually("PostgreSQL is dead", is_dead).await;
    }

    /// Removes the socket of the private PostgreSQL and its directory, as something that cleans `/tmp` up does.
    pub fn remove_postgres_socket(&self) {
        let file = fs::read_to_string(self.data_dir().join("cluster/postmaster.pid")).unwrap();
        fs::remove_dir_all(file.lines().nth(4).unwrap()).unwrap();
    }

    /// The URL of the private PostgreSQL, once it accepts connections.
    pub(crate) fn database_url(&self) -> Option<String> {
        let file = fs::read_to_string(self.data_dir().join("cluster/postmaster.pid")).ok()?;
        let socket = file.lines().nth(4).filter(|line| !line.is_empty())?.replace('/', "%2F");
        Some(format!("postgresql://grateful@{socket}/grateful"))
    }

    /// All processes whose working directory is this one or below it.
    pub fn processes(&self) -> Vec<Pid> {
        processes::find_by_working_dir(self.path())
    }
}

impl Drop for WorkingDir {
    fn drop(&mut self) {
        let start = Instant::now();
        while !self.processes().is_empty() && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
