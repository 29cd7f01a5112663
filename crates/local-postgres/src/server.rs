//! Starting PostgreSQL, or joining it when it runs.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};

use crate::leftovers::remove;
use crate::patience::Patience;
use crate::postmaster::{Postmaster, State};
use crate::processes::cluster_name;
use crate::site::Site;
use crate::{Error, children, leftovers};

const LARGE_LOG: u64 = 8 << 20;
/// A smart shutdown waits for sessions to end by themselves, which those of a pool never do.
const POLITENESS: Duration = Duration::from_secs(1);

/// For every cluster: no network, one socket, no line in the log for every refused statement.
const ALWAYS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "port=5432",
    "max_connections=200",
    "shared_buffers=128MB",
    "shared_preload_libraries=",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_destination=stderr",
    "logging_collector=off",
    "log_checkpoints=off",
    "log_min_messages=log",
    "log_min_error_statement=panic",
];

/// What nobody minds losing with the machine need not reach a disk. Commits still wait for their write to the kernel,
/// which costs nothing without fsync, so that a killed server comes back with all of them here too.
const THROWAWAY: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "min_wal_size=32MB",
    "max_wal_size=128MB",
];

/// Makes sure that PostgreSQL answers. The caller holds the start lock, so that nobody else is at it.
///
/// A process only when this call started it.
pub(crate) fn ensure(site: &Site, patience: &Patience) -> Result<Option<Child>, Error> {
    leftovers::await_newborn(site);
    loop {
        if joins(site, patience)? {
            return Ok(None);
        }
        leftovers::clear(site, patience)?;
        match start(site, patience) {
            Ok(child) => return Ok(Some(child)),
            // PostgreSQL lets only one live on a data folder: this one came second.
            Err(_) if Postmaster::of(&site.home.data()).is_some() && patience.pause() => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits until the server that runs has made up its mind; whether it stays.
fn joins(site: &Site, patience: &Patience) -> Result<bool, Error> {
    let begin = Instant::now();
    while let Some(running) = Postmaster::of(&site.home.data()) {
        match running.state {
            State::Ready => {
                remove(&site.home.starting())?;
                return Ok(true);
            }
            State::Stopping if begin.elapsed() > POLITENESS => {
                let _ = kill(running.pid, Signal::SIGINT);
            }
            State::Starting | State::Stopping => {}
        }
        if !patience.pause() {
            return Err(not_ready(site, "has been starting or stopping for too long"));
        }
    }
    Ok(false)
}

fn start(site: &Site, patience: &Patience) -> Result<Child, Error> {
    let intent = site.home.starting();
    open(OpenOptions::new().write(true), &intent)?;
    let mut child = spawn(site)?;
    match await_ready(site, &mut child, patience) {
        Ok(()) => {
            remove(&intent)?;
            tracing::info!(pid = child.id(), folder = %site.home.path.display(), "PostgreSQL runs");
            Ok(child)
        }
        Err(error) => {
            // One that goes on starting is still to be expected.
            if !matches!(child.try_wait(), Ok(None)) {
                remove(&intent)?;
            }
            children::leave(child);
            Err(error)
        }
    }
}

fn spawn(site: &Site) -> Result<Child, Error> {
    let data = site.home.data();
    let mut postgres = site.program("postgres");
    // In the data folder from the first moment, because that is what its processes are known by.
    postgres.arg("-D").arg(&data).current_dir(&data);
    let own: &[&str] = if site.is_throwaway() { THROWAWAY } else { &[] };
    for setting in ALWAYS.iter().chain(own) {
        postgres.args(["-c", setting]);
    }
    postgres.arg("-c").arg(format!("cluster_name={}", cluster_name(&data)));
    postgres.arg("-c").arg(format!("unix_socket_directories={}", site.socket.display()));

    let log = open_log(&site.home.log())?;
    let log_too = log.try_clone().map_err(Error::io("open", &site.home.log()))?;
    // A group of its own, so that Ctrl-C in the terminal reaches us alone.
    postgres.stdout(log).stderr(log_too).process_group(0);
    postgres.spawn().map_err(Error::io("run postgres on", &data))
}

fn await_ready(site: &Site, child: &mut Child, patience: &Patience) -> Result<(), Error> {
    let data = site.home.data();
    loop {
        if let Some(status) = child.try_wait().map_err(Error::io("wait for postgres on", &data))? {
            return Err(not_ready(site, &format!("ended at once ({status})")));
        }
        if Postmaster::of(&data).is_some_and(|running| running.state == State::Ready) {
            return Ok(());
        }
        if !patience.pause() {
            return Err(not_ready(site, "did not get ready in time"));
        }
    }
}

fn open_log(path: &Path) -> Result<File, Error> {
    if path.metadata().is_ok_and(|log| log.len() > LARGE_LOG) {
        fs::rename(path, path.with_extension("log.1")).map_err(Error::io("rename", path))?;
    }
    open(OpenOptions::new().append(true), path)
}

/// Root writes here beside an account without rights, and so must not follow its links.
fn open(how: &mut OpenOptions, path: &Path) -> Result<File, Error> {
    how.create(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    how.open(path).map_err(Error::io("open", path))
}

pub(crate) fn not_ready(site: &Site, what: &str) -> Error {
    let log = fs::read(site.home.log()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.lines().collect();
    let end = lines[lines.len().saturating_sub(15)..].join("\n");
    Error::NotReady { what: what.to_owned(), log: end }
}
