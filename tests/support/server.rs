//! A running server process.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::processes::{self, Pid, Signal};
use crate::{Client, RawConnection, Setup, SqlConnection, eventually};

/// A running server. Dropping it kills the process.
pub struct Server {
    setup: Setup,
    child: Child,
    stdout: LineReader,
    log: Option<LineReader>,
}

impl Server {
    /// Starts a server without waiting until it is ready.
    pub(crate) fn spawn(setup: Setup) -> Self {
        let mut server = Self::spawn_with_log(setup, Stdio::piped());
        server.log = server.child.stderr.take().map(LineReader::spawn);
        server
    }

    /// Starts a server that logs to `log`, without waiting until it is ready.
    pub(crate) fn spawn_with_log(setup: Setup, log: impl Into<Stdio>) -> Self {
        let mut command = setup.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let stdout = LineReader::spawn(child.stdout.take().unwrap());
        Self { setup, child, stdout, log: None }
    }

    /// Waits until the server prints its address.
    pub async fn wait_until_ready(&mut self) {
        eventually("the server listens", || {
            let status = self.child.try_wait().unwrap();
            assert!(status.is_none(), "the server exited: {status:?}\n{}", self.log().join("\n"));
            !self.stdout().is_empty()
        })
        .await;
    }

    /// The setup of this server.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The host and port from the address that the server printed.
    pub fn address(&self) -> String {
        let line = self.stdout().into_iter().next().expect("a server that is ready");
        line.strip_prefix("listening on http://").expect("an address").to_owned()
    }

    /// Creates an HTTP client with connections of its own.
    pub fn client(&self) -> Client {
        Client::new(&self.address())
    }

    /// Opens a TCP connection to the server.
    pub async fn connect(&self) -> RawConnection {
        RawConnection::open(&self.address()).await
    }

    /// Connects to the server's database.
    pub async fn sql(&self) -> SqlConnection {
        self.setup.sql().await
    }

    /// The lines written to standard output so far.
    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lines()
    }

    /// The lines written to standard error so far.
    pub fn log(&self) -> Vec<String> {
        self.log.as_ref().map(LineReader::lines).unwrap_or_default()
    }

    /// The lines of the log, parsed as JSON.
    pub fn log_as_json(&self) -> Vec<Value> {
        let parse = |line: &String| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        self.log().iter().map(parse).collect()
    }

    /// The resident set size in bytes.
    pub fn resident_bytes(&self) -> u64 {
        processes::resident_bytes(self.pid())
    }

    /// Limits the size of the files that the server writes from now on, to simulate a full disk. `None` lifts the limit.
    /// Requires [`Setup::with_sigxfsz_ignored`].
    pub fn limit_file_size(&self, bytes: Option<u64>) {
        processes::limit_file_size(self.pid(), bytes);
    }

    /// Limits the number of files that the server may have open from now on. `None` lifts the limit.
    pub fn limit_open_files(&self, count: Option<u64>) {
        processes::limit_open_files(self.pid(), count);
    }

    /// The number of files that the server may have open. `None` if there is no limit.
    pub fn open_files_limit(&self) -> Option<u64> {
        processes::open_files_limit(self.pid())
    }

    /// Requests a graceful shutdown as a service manager does (SIGTERM).
    pub fn terminate(&self) {
        processes::send_signal(Signal::SIGTERM, self.pid());
    }

    /// Requests a graceful shutdown as Ctrl-C does (SIGINT).
    pub fn interrupt(&self) {
        processes::send_signal(Signal::SIGINT, self.pid());
    }

    /// Kills the server (`kill -9`) and waits until it has exited.
    pub async fn kill(mut self) {
        self.child.kill().unwrap();
        self.wait_for_exit().await;
    }

    /// Waits until the server has exited and all of its output is read.
    pub async fn wait_for_exit(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the server exits", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        // A process that had inherited the pipes would keep them open.
        eventually("the server's output ends", || {
            self.stdout.is_complete() && self.log.as_ref().is_none_or(LineReader::is_complete)
        })
        .await;
        status.unwrap()
    }

    /// Whether the server has exited.
    pub fn has_exited(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Collects the lines from a pipe on a thread of its own.
#[derive(Debug)]
struct LineReader {
    lines: Arc<Mutex<Vec<String>>>,
    thread: JoinHandle<()>,
}

impl LineReader {
    fn spawn(pipe: impl Read + Send + 'static) -> Self {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let collected = Arc::clone(&lines);
        let thread = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                collected.lock().unwrap().push(line.unwrap());
            }
        });
        Self { lines, thread }
    }

    /// The lines read so far.
    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Whether the pipe is closed and all of its lines are read.
    fn is_complete(&self) -> bool {
        self.thread.is_finished()
    }
}
