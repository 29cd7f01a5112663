//! A folder for a cluster, a process that uses one, and questions to both.

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

/// Tells a copy of this program to use a cluster; see [`holder`].
const HOLD: &str = "GRATEFUL_TEST_HOLD";
const DEADLINE: Duration = Duration::from_secs(30);

/// A folder with nothing in it yet.
pub(crate) struct Scene {
    temporary: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { temporary: open_folder() }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.temporary.path().join("data")
    }

    pub(crate) fn open(&self) -> Cluster {
        Cluster::open(&self.folder(), "thanks").expect("a cluster")
    }

    /// Another process that uses the same cluster.
    pub(crate) fn holder(&self) -> Holder {
        Holder::spawn(&self.folder().display().to_string()).ready()
    }

    pub(crate) fn server(&self) -> Pid {
        server(&self.folder()).expect("a server")
    }

    /// Waits until no process works in the folder.
    pub(crate) fn falls_silent(&self) {
        eventually("all processes end", || inhabitants(&self.folder()).is_empty());
    }
}

/// Another process that uses a cluster until it is told to leave or killed.
pub(crate) struct Holder {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
}

impl Holder {
    /// Begins; `what` is a folder, or `throwaway:` and a name.
    pub(crate) fn spawn(what: &str) -> Self {
        Self::from(Command::new(std::env::current_exe().expect("this program")), what)
    }

    pub(crate) fn from(mut program: Command, what: &str) -> Self {
        program.args(["support::holder", "--exact", "--nocapture"]).env(HOLD, what);
        let mut child =
            program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, out, url: String::new(), folder: PathBuf::new() }
    }

    /// Waits until it has the cluster.
    pub(crate) fn ready(mut self) -> Self {
        let mut heard = String::new();
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).expect("readable output");
            assert_ne!(read, 0, "the other process failed: {heard}");
            if let Some(answer) = line.strip_prefix("\u{1}") {
                let (url, folder) = answer.trim().split_once(' ').expect("two words");
                (self.url, self.folder) = (url.to_owned(), folder.into());
                return self;
            }
            heard += &line;
        }
    }

    /// Lets it close the cluster and end.
    pub(crate) fn leave(mut self) {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("readable output");
        assert!(self.child.wait().expect("its end").success(), "{rest}");
    }

    /// `kill -9`, and its funeral.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Makes it neither see nor do anything any more.
    pub(crate) fn freeze(&self) {
        let pid = self.child.id().try_into().expect("a process");
        kill(Pid::from_raw(pid), Signal::SIGSTOP).expect("a living process");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// No test, but what [`Holder`] runs in another process.
#[test]
fn holder() {
    let Ok(what) = std::env::var(HOLD) else { return };
    let cluster = match what.strip_prefix("throwaway:") {
        Some(name) => Cluster::throwaway(name),
        None => Cluster::open(Path::new(&what), "thanks"),
    };
    let cluster = cluster.expect("a cluster");
    let database = if what.starts_with('/') { "thanks" } else { "postgres" };
    println!("\n\u{1}{} {}", cluster.url(database), cluster.folder().display());
    std::io::stdin().read_to_end(&mut Vec::new()).expect("standard input");
    cluster.close().expect("an orderly end");
}

/// A temporary folder that every account can enter, in memory where there is such a place.
pub(crate) fn open_folder() -> TempDir {
    let open = Permissions::from_mode(0o755);
    let mut folder = tempfile::Builder::new();
    folder.permissions(open);
    folder.tempdir_in("/dev/shm").or_else(|_| folder.tempdir()).expect("a folder")
}

/// Asks until the answer is yes.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < DEADLINE, "did not happen in time: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The answer to a statement: its first value, or why there is none.
pub(crate) fn try_ask(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
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

pub(crate) fn ask(url: &str, sql: &str) -> String {
    try_ask(url, sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
}

/// The first line of the pid file.
pub(crate) fn server(home: &Path) -> Option<Pid> {
    let file = fs::read_to_string(home.join("cluster/postmaster.pid")).ok()?;
    file.lines().next()?.parse().ok().map(Pid::from_raw)
}

pub(crate) fn kill_hard(pid: Pid) {
    kill(pid, Signal::SIGKILL).expect("a living process");
    // The kernel closes what it held before it counts as dead.
    eventually("it is dead", || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_none_or(|rest| rest.is_empty() || rest.starts_with(" Z"))
    });
}

/// The processes of PostgreSQL that work below this folder.
pub(crate) fn inhabitants(home: &Path) -> Vec<Pid> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(home))
    })
    .map(Pid::from_raw)
    .collect()
}

/// The reaper of the cluster in this folder.
pub(crate) fn reaper(home: &Path) -> Option<Pid> {
    let home = home.to_str().expect("a readable name");
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(|pid: &i32| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.contains("\0grateful-reaper\0") && line.contains(home)
    })
    .map(Pid::from_raw)
}

/// The folder of the socket that a URL names.
pub(crate) fn socket(url: &str) -> PathBuf {
    let host = url.split_once('@').expect("a user").1.rsplit_once('/').expect("a database").0;
    host.replace("%2F", "/").into()
}
