//! pgbench, PostgreSQL's load generator, as the reference.

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

/// A script for pgbench, and the number of concurrent connections.
pub(crate) struct Script<'a> {
    pub(crate) url: &'a str,
    pub(crate) sql: &'a str,
    pub(crate) connections: usize,
}

impl Script<'_> {
    /// Runs the script with prepared statements. Returns its executions per second.
    pub(crate) fn run(&self, duration: Duration) -> f64 {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(self.sql.as_bytes()).expect("a script");
        let output = Command::new(program())
            .args(["--protocol=prepared", "--no-vacuum", "--jobs=2"])
            .arg(format!("--client={}", self.connections))
            .arg(format!("--time={}", duration.as_secs()))
            .arg(format!("--file={}", file.path().display()))
            .arg(self.url)
            .output()
            .expect("pgbench to start");
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{}\n{}",
            self.sql,
            String::from_utf8_lossy(&output.stderr)
        );
        let tps =
            stdout.lines().find_map(|line| line.strip_prefix("tps = ")).expect("the throughput");
        tps.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
    }
}

/// The path of pgbench. Debian does not put it on `PATH`.
fn program() -> std::path::PathBuf {
    let installation =
        grateful_local_postgres::Installation::find().expect("a PostgreSQL installation");
    installation.program("pgbench").expect("pgbench, from PostgreSQL's contrib package")
}
