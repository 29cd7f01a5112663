//! pgbench, PostgreSQL's load generator, as the reference.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use grateful_local_postgres::Installation;

use crate::temporary_cluster::with_settings;

/// The settings with which the server plans its statements (`DatabaseConfig` of storage).
const SERVER_SETTINGS: &[&str] =
    &["plan_cache_mode=force_generic_plan", "max_parallel_workers_per_gather=0", "jit=off"];

/// A script for pgbench.
pub(crate) struct Script {
    pub(crate) sql: String,
    /// Values of the variables in it.
    pub(crate) variables: Vec<(String, String)>,
}

impl Script {
    /// A script without variables.
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), variables: Vec::new() }
    }

    /// Runs the script on this many connections, with prepared statements. Returns its executions per second.
    ///
    /// pgbench counts whole seconds: less than one is 50 executions on each connection.
    ///
    /// # Panics
    ///
    /// If a statement fails, or none was executed.
    pub(crate) fn run(&self, url: &str, connections: usize, duration: Duration) -> f64 {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(self.sql.as_bytes()).expect("a script");
        let variables =
            self.variables.iter().map(|(name, value)| format!("--define={name}={value}"));
        let output = Command::new(program())
            .args(["--protocol=prepared", "--no-vacuum", "--jobs=2"])
            .arg(format!("--client={connections}"))
            .arg(match duration.as_secs() {
                0 => "--transactions=50".to_owned(),
                seconds => format!("--time={seconds}"),
            })
            .arg(format!("--file={}", file.path().display()))
            .args(variables)
            .arg(with_settings(url, SERVER_SETTINGS))
            .output()
            .expect("pgbench to start");
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{:?}\n{stderr}", self.sql, self.variables);
        let per_second = stdout.lines().find_map(|line| line.strip_prefix("tps = "));
        let per_second = per_second.and_then(|line| line.split(' ').next()?.parse().ok());
        let per_second: f64 = per_second.expect("the throughput");
        assert!(0.0 < per_second, "pgbench executed nothing: {stdout}");
        per_second
    }
}

/// The path of pgbench. Debian does not put it on `PATH`.
fn program() -> PathBuf {
    let installation = Installation::find().expect("a PostgreSQL installation");
    installation.program("pgbench").expect("pgbench, from PostgreSQL's contrib package")
}
