//! How the program is run.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use grateful_testkit::TestDatabase;

use crate::{DEADLINE, Folder, Server, Sql};

/// How the program is run: with which settings, on which database, in which folder. Clones share the folder.
#[derive(Clone)]
#[must_use]
pub struct Setup {
    folder: Arc<Folder>,
    /// Kept as long as anybody may use it.
    database: Option<Arc<TestDatabase>>,
    settings: BTreeMap<String, String>,
    has_bounded_files: bool,
}

impl Setup {
    /// With a private PostgreSQL, in a folder of its own.
    pub fn private() -> Self {
        let folder = Folder::create();
        let path = |path: std::path::PathBuf| path.display().to_string();
        let settings = [
            ("GRATEFUL_LISTEN", "127.0.0.1:0".to_owned()),
            ("GRATEFUL_DATA_DIR", path(folder.data())),
            ("GRATEFUL_UPLOADS_DIR", path(folder.uploads())),
            // Whatever machine this is, so that connections to the database are counted on.
            ("GRATEFUL_WORKERS", "2".to_owned()),
            // Tests ask more than anybody; those of the limits switch them on.
            ("GRATEFUL_RATE_LIMITS", "off".to_owned()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        Self { folder: Arc::new(folder), database: None, settings, has_bounded_files: false }
    }

    /// On a migrated database of its own, in the PostgreSQL that all tests share.
    pub async fn on_a_test_database() -> Self {
        Self::on_this(TestDatabase::create().await)
    }

    /// On a database without any table.
    pub async fn on_an_empty_database() -> Self {
        Self::on_this(TestDatabase::create_empty().await)
    }

    fn on_this(database: TestDatabase) -> Self {
        let url = database.url();
        Self { database: Some(Arc::new(database)), ..Self::on(&url) }
    }

    /// On whatever is at this address.
    pub fn on(database: &str) -> Self {
        Self::private().with("DATABASE_URL", database)
    }

    /// With this setting.
    pub fn with(mut self, variable: &str, value: impl Display + Copy) -> Self {
        self.settings.insert(variable.to_owned(), value.to_string());
        self
    }

    /// So that [`Server::bound_files`] fails writes: the signal that comes along would end the program.
    pub fn with_bounded_files(self) -> Self {
        Self { has_bounded_files: true, ..self }
    }

    /// Where its database is.
    pub fn database_url(&self) -> String {
        let database = self.database.as_ref().map(|database| database.url());
        let given = || self.settings.get("DATABASE_URL").cloned();
        let database = database.or_else(given).or_else(|| self.folder.database_url());
        database.expect("a database that runs")
    }

    /// A connection to its database, past the server.
    pub async fn sql(&self) -> Sql {
        Sql::connect(&self.database_url()).await
    }

    /// Where it writes.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Starts a server, and waits until it says where it listens.
    pub async fn start(&self) -> Server {
        let mut server = self.begin();
        server.ready().await;
        server
    }

    /// Starts a server, and does not wait for it.
    pub fn begin(&self) -> Server {
        Server::begin(self.clone())
    }

    /// Starts a server whose log goes elsewhere, and waits until it says where it listens.
    pub async fn start_logging_to(&self, log: impl Into<Stdio>) -> Server {
        let mut server = Server::begin_logging_to(self.clone(), log);
        server.ready().await;
        server
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.run_with_input(arguments, "")
    }

    /// Runs the program to its end, with this on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        let mut command = self.command();
        command.args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that fails early does not read it.
        _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Finished {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program, and ends it where it stands (`kill -9`) as soon as it is time.
    pub async fn kill_when(&self, arguments: &[&str], mut is_time: impl AsyncFnMut() -> bool) {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let begun = Instant::now();
        while !is_time().await {
            assert_eq!(child.try_wait().unwrap(), None, "it ended before it was time");
            assert!(begun.elapsed() < DEADLINE, "its time did not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The program with these settings and no others, whatever surrounds the tests.
    pub(crate) fn command(&self) -> Command {
        let program = std::env::var_os("CARGO_BIN_EXE_grateful-under-test");
        let program = program.expect("run by cargo test");
        let mut command = if self.has_bounded_files {
            let mut shell = Command::new("sh");
            shell.args(["-c", r#"trap '' XFSZ; exec "$0" "$@""#]).arg(program);
            shell
        } else {
            Command::new(program)
        };
        let ours = |name: &str| name.starts_with("GRATEFUL_") || name.starts_with("RUST_");
        for (name, _) in std::env::vars_os() {
            if name == "DATABASE_URL" || name.to_str().is_some_and(ours) {
                command.env_remove(name);
            }
        }
        command.envs(&self.settings).current_dir(self.folder.path());
        command
    }
}

/// A program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// What it told its caller; nothing where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Finished {
    /// The same, if it ended with this code.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "mostly there is nothing more to ask")]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}
