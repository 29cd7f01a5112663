//! Settings, database and working directory of a server or command.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_testkit::TestDatabase;

use crate::processes::{self, Pid, Signal};
use crate::{Server, SqlConnection, TIMEOUT, WorkingDir};

/// The environment variables, database and working directory with which `grateful` runs. Clones share the database and
/// the directory.
#[derive(Clone)]
#[must_use]
pub struct Setup {
    working_dir: Arc<WorkingDir>,
    /// Dropped with the last setup that uses it.
    database: Option<Arc<TestDatabase>>,
    variables: BTreeMap<String, String>,
    /// Shell commands that run before the program, in its process.
    prelude: String,
}

impl Setup {
    /// With a private PostgreSQL, which `grateful` itself starts, in a new directory.
    pub fn with_private_postgres() -> Self {
        let working_dir = WorkingDir::create();
        let path = |path: std::path::PathBuf| path.display().to_string();
        let variables = [
            ("GRATEFUL_LISTEN", "127.0.0.1:0".to_owned()),
            ("GRATEFUL_DATA_DIR", path(working_dir.data_dir())),
            ("GRATEFUL_UPLOADS_DIR", path(working_dir.uploads_dir())),
            // The same on all machines, so that the number of database connections is known.
            ("GRATEFUL_WORKERS", "2".to_owned()),
            // Tests send more requests than users do. Tests of the limits enable them.
            ("GRATEFUL_RATE_LIMITS", "off".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        let working_dir = Arc::new(working_dir);
        Self { working_dir, database: None, variables, prelude: String::new() }
    }

    /// With a new migrated database in the PostgreSQL that all tests share.
    pub async fn with_test_database() -> Self {
        Self::with_database(TestDatabase::create().await)
    }

    /// With a new database without tables in the PostgreSQL that all tests share.
    pub async fn with_empty_database() -> Self {
        Self::with_database(TestDatabase::create_empty().await)
    }

    fn with_database(database: TestDatabase) -> Self {
        let url = database.url();
        Self { database: Some(Arc::new(database)), ..Self::with_database_url(&url) }
    }

    /// With the database at this URL, which need not exist.
    pub fn with_database_url(url: &str) -> Self {
        Self::with_private_postgres().env("DATABASE_URL", url)
    }

    /// Sets an environment variable.
    pub fn env(mut self, variable: &str, value: impl Display + Copy) -> Self {
        self.variables.insert(variable.to_owned(), value.to_string());
        self
    }

    /// Ignores SIGXFSZ, so that a write beyond [`Server::limit_file_size`] returns an error instead of killing the
    /// process.
    pub fn with_sigxfsz_ignored(self) -> Self {
        self.with_prelude("trap '' XFSZ;")
    }

    /// Starts the process with this soft limit on open files, as a service manager or a shell does.
    pub fn with_open_files(self, soft_limit: u32) -> Self {
        self.with_prelude(&format!("ulimit -S -n {soft_limit};"))
    }

    /// Starts the process with a limit of the shell, such as `-n 64` for at most 64 open files.
    pub fn with_ulimit(self, limit: &str) -> Self {
        self.with_prelude(&format!("ulimit {limit};"))
    }

    fn with_prelude(self, commands: &str) -> Self {
        Self { prelude: self.prelude + commands, ..self }
    }

    /// The URL of the database.
    ///
    /// # Panics
    ///
    /// If the private PostgreSQL is not running.
    pub fn database_url(&self) -> String {
        let of_test_database = self.database.as_ref().map(|database| database.url());
        let configured = || self.variables.get("DATABASE_URL").cloned();
        let url = of_test_database.or_else(configured).or_else(|| self.working_dir.database_url());
        url.expect("a running database")
    }

    /// Connects to the database.
    pub async fn sql(&self) -> SqlConnection {
        SqlConnection::connect(&self.database_url()).await
    }

    /// The working directory.
    pub fn working_dir(&self) -> &WorkingDir {
        &self.working_dir
    }

    /// Starts a server and waits until it listens.
    pub async fn start(&self) -> Server {
        let mut server = self.spawn();
        server.wait_until_ready().await;
        server
    }

    /// Starts a server without waiting until it listens.
    pub fn spawn(&self) -> Server {
        Server::spawn(self.clone())
    }

    /// Starts a server that logs to `log`, and waits until it listens.
    pub async fn start_with_log(&self, log: impl Into<Stdio>) -> Server {
        let mut server = Server::spawn_with_log(self.clone(), log);
        server.wait_until_ready().await;
        server
    }

    /// Runs `grateful` with these arguments until it exits.
    pub fn run(&self, arguments: &[&str]) -> ProcessOutput {
        self.run_with_input(arguments, "")
    }

    /// Runs `grateful` with these arguments and this standard input until it exits.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> ProcessOutput {
        let mut command = self.command();
        command.args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A process that fails early may exit before it reads its input.
        _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        ProcessOutput::of(child)
    }

    /// Runs `grateful` with these arguments, and with its standard output in this file, until it exits.
    pub fn run_into_file(&self, arguments: &[&str], stdout: std::fs::File) -> ProcessOutput {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
        ProcessOutput::of(command.spawn().unwrap())
    }

    /// Runs `grateful` with these arguments and kills it (`kill -9`) as soon as the condition is true.
    ///
    /// # Panics
    ///
    /// If the process exits before the condition is true, or the condition is still false after [`TIMEOUT`].
    pub async fn run_and_kill_when(
        &self,
        arguments: &[&str],
        mut condition: impl AsyncFnMut() -> bool,
    ) {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let start = Instant::now();
        while !condition().await {
            assert_eq!(child.try_wait().unwrap(), None, "exited before the condition was true");
            assert!(start.elapsed() < TIMEOUT, "timeout: the condition is still false");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Runs `grateful` with these arguments, and stops it with SIGTERM as soon as the condition is true.
    ///
    /// # Panics
    ///
    /// If the condition is still false after [`TIMEOUT`].
    pub async fn run_and_terminate_when(
        &self,
        arguments: &[&str],
        mut condition: impl AsyncFnMut() -> bool,
    ) -> ProcessOutput {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let start = Instant::now();
        while !condition().await {
            assert!(start.elapsed() < TIMEOUT, "timeout: the condition is still false");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        processes::send_signal(Signal::SIGTERM, Pid::from_raw(child.id().try_into().unwrap()));
        ProcessOutput::of(child)
    }

    /// A command that runs `grateful` with these settings only, without those of the tests' own environment.
    pub(crate) fn command(&self) -> Command {
        let program = std::env::var_os("CARGO_BIN_EXE_grateful-under-test");
        let program = program.expect("run by cargo test");
        let mut command = if self.prelude.is_empty() {
            Command::new(program)
        } else {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!(r#"{} exec "$0" "$@""#, self.prelude)).arg(program);
            shell
        };
        let has_our_prefix =
            |name: &str| name.starts_with("GRATEFUL_") || name.starts_with("RUST_");
        for (name, _) in std::env::vars_os() {
            if name == "DATABASE_URL" || name.to_str().is_some_and(has_our_prefix) {
                command.env_remove(name);
            }
        }
        command.envs(&self.variables).current_dir(self.working_dir.path());
        command
    }
}

/// The exit code and output of a process.
#[derive(Debug)]
pub struct ProcessOutput {
    /// The exit code. `None` if a signal terminated the process.
    pub code: Option<i32>,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
}

impl ProcessOutput {
    /// Waits until a process exits whose output is piped.
    fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code and returns the output.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "many tests assert only the exit code")]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}
