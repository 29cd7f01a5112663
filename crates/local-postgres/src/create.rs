//! Creates a data directory, which gets its final name only when it is complete.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::Error;
use crate::cluster_context::ClusterContext;
use crate::cluster_dir::private_dir;
use crate::command::{failure, run};

const ATTEMPT_PREFIX: &str = "cluster.new-";

/// Creates the data directory, and `database` in it if there is one. The caller holds the start lock.
pub(crate) fn create(context: &ClusterContext, database: Option<&str>) -> Result<(), Error> {
    context.account.check_can_create()?;
    let dir = &context.dir.path;
    remove_incomplete_attempts(context);
    let attempt = dir.join(format!("{ATTEMPT_PREFIX}{}", std::process::id()));
    tracing::info!(directory = %dir.display(), "Creating a PostgreSQL cluster");

    if let Err(error) = initdb(context, &attempt, "C.UTF-8") {
        tracing::debug!(%error, "initdb failed with the locale C.UTF-8; trying C");
        fs::remove_dir_all(&attempt).map_err(Error::io("remove", &attempt))?;
        initdb(context, &attempt, "C")?;
    }
    if let Some(name) = database {
        create_database(context, &attempt, name)?;
    }

    fs::rename(&attempt, context.dir.data_dir()).map_err(Error::io("rename", &attempt))?;
    File::open(dir).and_then(|directory| directory.sync_all()).map_err(Error::io("sync", dir))
}

/// Removes what killed processes left half created and killed reapers left half removed.
fn remove_incomplete_attempts(context: &ClusterContext) {
    let dir = &context.dir.path;
    remove_with_prefix(dir, ATTEMPT_PREFIX);
    if let (true, Some(parent), Some(name)) =
        (context.is_throwaway(), dir.parent(), dir.file_name())
    {
        remove_with_prefix(parent, &format!("{}.gone.", name.display()));
    }
}

fn remove_with_prefix(directory: &Path, prefix: &str) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn initdb(context: &ClusterContext, data_dir: &Path, locale: &str) -> Result<(), Error> {
    private_dir(data_dir, &context.account)?;
    let mut initdb = context.program("initdb");
    initdb.arg("-D").arg(data_dir).args(["-U", "grateful", "--auth=trust", "--encoding=UTF8"]);
    initdb.arg(format!("--locale={locale}")).arg("--no-instructions");
    if context.is_throwaway() {
        initdb.arg("--no-sync");
    }
    run(&mut initdb).map(|_| ())
}

/// Creates the database in single-user mode, which needs neither a running server nor a client.
fn create_database(context: &ClusterContext, data_dir: &Path, name: &str) -> Result<(), Error> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Error::InvalidDatabaseName { name: name.to_owned() });
    }
    let mut postgres = context.program("postgres");
    postgres.args(["--single", "-D"]).arg(data_dir).args(["-c", "exit_on_error=on", "postgres"]);
    postgres.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());

    let write_error = Error::io("write to postgres on", data_dir);
    let mut child = postgres.spawn().map_err(Error::io("run postgres on", data_dir))?;
    let statement = format!("CREATE DATABASE \"{}\";\n", name.replace('"', "\"\""));
    let written =
        child.stdin.take().map_or(Ok(()), |mut input| input.write_all(statement.as_bytes()));
    let output = child.wait_with_output().map_err(Error::io("wait for postgres on", data_dir))?;

    if !output.status.success() {
        return Err(failure(Path::new("postgres --single"), &output));
    }
    written.map_err(write_error)
}
