//! A cluster directory, a process that uses it, and queries.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use grateful_local_postgres::Cluster;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// Makes a copy of this program use a cluster; see [`user_process`].
const USE_CLUSTER: &str = "GRATEFUL_TEST_USE_CLUSTER";
const TIMEOUT: Duration = Duration::from_secs(30);

/// An empty directory for a cluster.
pub(crate) struct ClusterFixture {
    temporary: TempDir,
}

impl ClusterFixture {
    pub(crate) fn new() -> Self {
        Self { temporary: accessible_dir() }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.temporary.path().join("data")
    }

    pub(crate) fn open(&self) -> Cluster {
        Cluster::open(&self.directory(), "thanks").expect("a cluster")
    }

    /// Starts another process that uses the same cluster.
    pub(crate) fn spawn_user(&self) -> UserProcess {
        UserProcess::spawn(&self.directory().display().to_string()).ready()
    }

    pub(crate) fn server_pid(&self) -> Pid {
        server_pid(&self.directory()).expect("a server")
    }

    /// Waits until no process works in the directory.
    pub(crate) fn wait_for_no_processes(&self) {
        eventually("all processes end", || processes_below(&self.directory()).is_empty());
    }
}

/// Another process that uses a cluster until it is asked to exit or killed.
pub(crate) struct UserProcess {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) url: String,
    pub(crate) directory: PathBuf,
}

impl UserProcess {
    /// Starts the process. `cluster` is a directory, or `throwaway:` and a name.
    pub(crate) fn spawn(cluster: &str) -> Self {
        Self::from(Command::new(std::env::current_exe().expect("this program")), cluster)
    }

    pub(crate) fn from(mut program: Command, cluster: &str) -> Self {
        program.args(["support::user_process", "--exact", "--nocapture"]).env(USE_CLUSTER, cluster);
        let mut child =
            program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, stdout, url: String::new(), directory: PathBuf::new() }
    }

    /// Waits until the process has opened the cluster.
    pub(crate) fn ready(mut self) -> Self {
        let mut output = String::new();
        loop {
            let mut line = String::new();
            let read = self.stdout.read_line(&mut line).expect("readable output");
            assert_ne!(read, 0, "the other process failed: {output}");
            if let Some(report) = line.strip_prefix("\u{1}") {
                let (url, directory) = report.trim().split_once(' ').expect("two fields");
                (self.url, self.directory) = (url.to_owned(), directory.into());
                return self;
            }
            output += &line;
        }
    }

    /// Makes the process close the cluster and exit.
    pub(crate) fn exit(mut self) {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("readable output");
        assert!(self.child.wait().expect("its exit status").success(), "{rest}");
    }

    /// Sends SIGKILL and reaps the process.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Stops the process from running, with SIGSTOP.
    pub(crate) fn suspend(&self) {
        let pid = self.child.id().try_into().expect("a process");
        kill(Pid::from_raw(pid), Signal::SIGSTOP).expect("a running process");
    }
}

impl Drop for UserProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test: runs in the process of [`UserProcess`].
#[test]
fn user_process() {
    let Ok(cluster) = std::env::var(USE_CLUSTER) else { return };
    let handle = match cluster.strip_prefix("throwaway:") {
        Some(name) => Cluster::throwaway(name),
        None => Cluster::open(Path::new(&cluster), "thanks"),
    };
    let handle = handle.expect("a cluster");
    let database = if cluster.starts_with('/') { "thanks" } else { "postgres" };
    println!("\n\u{1}{} {}", handle.url(database), handle.directory().display());
    std::io::stdin().read_to_end(&mut Vec::new()).expect("standard input");
    handle.close().expect("a clean shutdown");
}

/// A temporary directory that every account can enter, in memory if possible.
pub(crate) fn accessible_dir() -> TempDir {
    let mut builder = tempfile::Builder::new();
    builder.permissions(Permissions::from_mode(0o755));
    builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir()).expect("a directory")
}

/// Polls until the condition holds, and panics after the timeout.
pub(crate) fn eventually(description: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < TIMEOUT, "did not happen in time: {description}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a statement and returns the first value of the first row, or an empty string.
pub(crate) fn try_query(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await?;
        drop(client);
        let _ = connection.await;
        let value = messages.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok(value.unwrap_or_default())
    })
}

pub(crate) fn query(url: &str, sql: &str) -> String {
    try_query(url, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
}

/// The pid in the first line of the pid file.
pub(crate) fn server_pid(directory: &Path) -> Option<Pid> {
    let pid_file = fs::read_to_string(directory.join("cluster/postmaster.pid")).ok()?;
    pid_file.lines().next()?.parse().ok().map(Pid::from_raw)
}

pub(crate) fn kill_and_wait(pid: Pid) {
    kill(pid, Signal::SIGKILL).expect("a running process");
    // The kernel closes the files of a process before the process becomes a zombie.
    eventually("the process is dead", || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_none_or(|rest| rest.is_empty() || rest.starts_with(" Z"))
    });
}

/// The processes whose working directory is below this directory.
pub(crate) fn processes_below(directory: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(directory))
    })
    .map(Pid::from_raw)
    .collect()
}

/// The reaper of the cluster in this directory.
pub(crate) fn reaper_pid(directory: &Path) -> Option<Pid> {
    let directory = directory.to_str().expect("a UTF-8 path");
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(|pid: &i32| {
        let command_line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command_line.contains("\0grateful-reaper\0") && command_line.contains(directory)
    })
    .map(Pid::from_raw)
}

/// The socket directory in a connection URL.
pub(crate) fn socket_dir(url: &str) -> PathBuf {
    let host = url.split_once('@').expect("a user").1.rsplit_once('/').expect("a database").0;
    host.replace("%2F", "/").into()
}
