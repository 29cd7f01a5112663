//! PostgreSQL's own load generator, as the measure of what is possible.

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

/// What to run, and by how many at once.
pub(crate) struct Script<'a> {
    pub(crate) url: &'a str,
    pub(crate) sql: &'a str,
    pub(crate) connections: usize,
}

impl Script<'_> {
    /// Runs it for this long, prepared. Returns how many times a second it ran.
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
            .expect("pgbench, which comes with PostgreSQL");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{}\n{}",
            self.sql,
            String::from_utf8_lossy(&output.stderr)
        );
        let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")).expect("a figure");
        tps.split(' ').next().and_then(|figure| figure.parse().ok()).expect("a number")
    }
}

/// Debian keeps it out of `PATH`.
fn program() -> std::path::PathBuf {
    let programs =
        grateful_local_postgres::Installation::find().expect("a PostgreSQL installation");
    programs.program("pgbench").expect("pgbench, which comes with PostgreSQL's contrib package")
}
