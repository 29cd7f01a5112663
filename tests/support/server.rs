//! A server that runs.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::processes::{self, Pid, Signal};
use crate::{Client, Setup, Sql, Wire, eventually};

/// A server that runs until it is dropped, at the latest.
pub struct Server {
    setup: Setup,
    child: Child,
    output: Lines,
    log: Option<Lines>,
}

impl Server {
    /// Starts one, and does not wait for it.
    pub(crate) fn begin(setup: Setup) -> Self {
        let mut server = Self::begin_logging_to(setup, Stdio::piped());
        server.log = server.child.stderr.take().map(Lines::read);
        server
    }

    /// Starts one whose log goes elsewhere, and does not wait for it.
    pub(crate) fn begin_logging_to(setup: Setup, log: impl Into<Stdio>) -> Self {
        let mut command = setup.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let output = Lines::read(child.stdout.take().unwrap());
        Self { setup, child, output, log: None }
    }

    /// Waits until it says where it listens.
    pub async fn ready(&mut self) {
        eventually("the server listens", || {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {ended:?}\n{}", self.log().join("\n"));
            !self.output().is_empty()
        })
        .await;
    }

    /// How it is run.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Where it listens, as it said: a host and a port.
    pub fn address(&self) -> String {
        let line = self.output().into_iter().next().expect("a server that is ready");
        line.strip_prefix("listening on http://").expect("where it listens").to_owned()
    }

    /// Somebody who asks it over HTTP, on connections of their own.
    pub fn client(&self) -> Client {
        Client::of(&self.address())
    }

    /// A connection to send bytes on.
    pub async fn wire(&self) -> Wire {
        Wire::to(&self.address()).await
    }

    /// A connection to its database, past itself.
    pub async fn sql(&self) -> Sql {
        self.setup.sql().await
    }

    /// What it wrote to standard output, by lines.
    pub fn output(&self) -> Vec<String> {
        self.output.heard()
    }

    /// What it wrote to standard error, by lines.
    pub fn log(&self) -> Vec<String> {
        self.log.as_ref().map(Lines::heard).unwrap_or_default()
    }

    /// Its log, where that is JSON.
    pub fn log_as_json(&self) -> Vec<Value> {
        let parse = |line: &String| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        self.log().iter().map(parse).collect()
    }

    /// How many bytes of memory it holds.
    pub fn resident_bytes(&self) -> u64 {
        processes::resident_bytes(self.pid())
    }

    /// Lets no file that it writes grow beyond so many bytes from now on, as if the disk were full; with none, there is room
    /// again. Needs [`Setup::with_bounded_files`].
    pub fn bound_files(&self, bytes: Option<u64>) {
        processes::bound_files(self.pid(), bytes);
    }

    /// Orders it to stop, as whatever runs services does (SIGTERM).
    pub fn terminate(&self) {
        processes::send(Signal::SIGTERM, self.pid());
    }

    /// Orders it to stop, as somebody at a terminal does (SIGINT).
    pub fn interrupt(&self) {
        processes::send(Signal::SIGINT, self.pid());
    }

    /// Ends it where it stands (`kill -9`).
    pub async fn kill(mut self) {
        self.child.kill().unwrap();
        self.ended().await;
    }

    /// Waits until it has ended and all that it wrote is here.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the server ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        // Whoever else held them would keep a pipe of the caller's open.
        eventually("its output ends with it", || {
            self.output.is_complete() && self.log.as_ref().is_none_or(Lines::is_complete)
        })
        .await;
        status.unwrap()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
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

/// What a process writes, line by line as it comes.
#[derive(Debug)]
struct Lines {
    heard: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

impl Lines {
    fn read(pipe: impl Read + Send + 'static) -> Self {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let hear = Arc::clone(&heard);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                hear.lock().unwrap().push(line.unwrap());
            }
        });
        Self { heard, reader }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    fn is_complete(&self) -> bool {
        self.reader.is_finished()
    }
}
