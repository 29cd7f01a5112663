//! A new data folder, which appears under its name only when it is complete.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::Error;
use crate::home::private_folder;
use crate::site::{Site, failure, run};

const ATTEMPT: &str = "cluster.new-";

/// Makes the data folder, with a database when one is named. The caller holds the start lock.
pub(crate) fn create(site: &Site, database: Option<&str>) -> Result<(), Error> {
    let home = &site.home.path;
    forget_attempts(site);
    let attempt = home.join(format!("{ATTEMPT}{}", std::process::id()));
    tracing::info!(folder = %home.display(), "creating a PostgreSQL cluster");

    if let Err(error) = initdb(site, &attempt, "C.UTF-8") {
        tracing::debug!(%error, "no locale C.UTF-8, so C");
        fs::remove_dir_all(&attempt).map_err(Error::io("remove", &attempt))?;
        initdb(site, &attempt, "C")?;
    }
    if let Some(name) = database {
        create_database(site, &attempt, name)?;
    }

    fs::rename(&attempt, site.home.data()).map_err(Error::io("rename", &attempt))?;
    File::open(home).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", home))
}

/// Removes what killed processes left half made, and killed reapers half removed.
fn forget_attempts(site: &Site) {
    let home = &site.home.path;
    remove_those_named(home, ATTEMPT);
    if let (true, Some(folder), Some(name)) = (site.is_throwaway(), home.parent(), home.file_name())
    {
        remove_those_named(folder, &format!("{}.gone.", name.display()));
    }
}

fn remove_those_named(folder: &Path, start: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(start) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn initdb(site: &Site, data: &Path, locale: &str) -> Result<(), Error> {
    private_folder(data, &site.account)?;
    let mut initdb = site.program("initdb");
    initdb.arg("-D").arg(data).args(["-U", "grateful", "--auth=trust", "--encoding=UTF8"]);
    initdb.arg(format!("--locale={locale}")).arg("--no-instructions");
    if site.is_throwaway() {
        initdb.arg("--no-sync");
    }
    run(&mut initdb).map(|_| ())
}

/// In single-user mode, which needs neither a running server nor a client.
fn create_database(site: &Site, data: &Path, name: &str) -> Result<(), Error> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Error::BadName { name: name.to_owned() });
    }
    let mut single = site.program("postgres");
    single.args(["--single", "-D"]).arg(data).args(["-c", "exit_on_error=on", "postgres"]);
    single.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());

    let broken = Error::io("talk to", data);
    let mut child = single.spawn().map_err(Error::io("run postgres on", data))?;
    let statement = format!("CREATE DATABASE \"{}\";\n", name.replace('"', "\"\""));
    let told = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(statement.as_bytes()));
    let output = child.wait_with_output().map_err(Error::io("wait for postgres on", data))?;

    if !output.status.success() {
        return Err(failure(Path::new("postgres --single"), &output));
    }
    told.map_err(broken)
}
