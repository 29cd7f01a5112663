//! Starts PostgreSQL, or joins it if it runs.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};

use crate::cluster_context::ClusterContext;
use crate::deadline::Deadline;
use crate::postmaster::{Postmaster, State};
use crate::processes::cluster_name;
use crate::stale_files::remove_if_exists;
use crate::{Error, children, stale_files};

const MAX_LOG_BYTES: u64 = 8 << 20;
/// A smart shutdown waits until all sessions have ended, and pooled sessions never end by themselves.
const SMART_SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Settings of every cluster: no network, one socket, no log line per failed statement.
const COMMON_SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "port=5432",
    "shared_buffers=128MB",
    "shared_preload_libraries=",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_destination=stderr",
    "logging_collector=off",
    "log_checkpoints=off",
    "log_min_messages=log",
    "log_min_error_statement=panic",
    // Nearly halves what the first acts after a checkpoint write. Every build of PostgreSQL can do this.
    "wal_compression=on",
];

/// A throwaway cluster does not have to survive a crash of the machine, so it runs without fsync. Commits still wait
/// until the kernel has the data, so that they survive a killed server here too; without fsync, waiting costs nothing.
const THROWAWAY_SETTINGS: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "min_wal_size=32MB",
    "max_wal_size=128MB",
];

/// Ensures that PostgreSQL accepts connections. The caller holds the start lock, so no other process does the same.
///
/// Returns the server process if this call started it.
pub(crate) fn ensure_running(
    context: &ClusterContext,
    deadline: &Deadline,
) -> Result<Option<Child>, Error> {
    stale_files::await_starting_server(context)?;
    loop {
        if join_running(context, deadline)? {
            return Ok(None);
        }
        stale_files::clean_up(context, deadline)?;
        match start(context, deadline) {
            Ok(child) => return Ok(Some(child)),
            // PostgreSQL runs at most one server per data directory, and another one was first.
            Err(_)
                if Postmaster::running_in(&context.dir.data_dir())?.is_some()
                    && deadline.wait() => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits while a server is starting or stopping, and stops one that has lost its socket. Returns whether one is ready.
fn join_running(context: &ClusterContext, deadline: &Deadline) -> Result<bool, Error> {
    let started = Instant::now();
    while let Some(running) = Postmaster::running_in(&context.dir.data_dir())? {
        match running.state {
            // A server opens its socket once, at its start.
            State::Ready if running.has_lost_socket() => {
                let _ = kill(running.pid, Signal::SIGINT);
            }
            State::Ready => {
                remove_if_exists(&context.dir.starting_marker())?;
                return Ok(true);
            }
            State::Stopping if started.elapsed() > SMART_SHUTDOWN_GRACE => {
                let _ = kill(running.pid, Signal::SIGINT);
            }
            State::Starting | State::Stopping => {}
        }
        if !deadline.wait() {
            return Err(context.not_ready("has been starting or stopping for too long"));
        }
    }
    Ok(false)
}

fn start(context: &ClusterContext, deadline: &Deadline) -> Result<Child, Error> {
    let marker = context.dir.starting_marker();
    open(OpenOptions::new().write(true), &marker)?;
    let mut child = spawn(context)?;
    match await_ready(context, &mut child, deadline) {
        Ok(()) => {
            remove_if_exists(&marker)?;
            tracing::info!(
                pid = child.id(),
                directory = %context.dir.path.display(),
                "PostgreSQL is running"
            );
            Ok(child)
        }
        Err(error) => {
            // A process that is still starting may become ready later, so its marker stays.
            if !matches!(child.try_wait(), Ok(None)) {
                remove_if_exists(&marker)?;
            }
            children::adopt(child);
            Err(error)
        }
    }
}

fn spawn(context: &ClusterContext) -> Result<Child, Error> {
    let data_dir = context.dir.data_dir();
    let mut postgres = context.program("postgres");
    // In the data directory from the first moment, since that is how its processes are recognised.
    postgres.arg("-D").arg(&data_dir).current_dir(&data_dir);
    let extra_settings: &[&str] = if context.is_throwaway() { THROWAWAY_SETTINGS } else { &[] };
    for setting in COMMON_SETTINGS.iter().chain(extra_settings) {
        postgres.args(["-c", setting]);
    }
    for setting in &context.settings {
        postgres.arg("-c").arg(setting);
    }
    postgres.arg("-c").arg(format!("max_connections={}", context.max_connections));
    postgres.arg("-c").arg(format!("cluster_name={}", cluster_name(&data_dir)));
    postgres.arg("-c").arg(format!("unix_socket_directories={}", context.socket_dir.display()));

    let stdout = open_log(&context.dir.log_file())?;
    let stderr = stdout.try_clone().map_err(Error::io("open", &context.dir.log_file()))?;
    // In its own process group, so that Ctrl-C in the terminal reaches only this process.
    postgres.stdout(stdout).stderr(stderr).process_group(0);
    postgres.spawn().map_err(Error::io("run postgres on", &data_dir))
}

fn await_ready(
    context: &ClusterContext,
    child: &mut Child,
    deadline: &Deadline,
) -> Result<(), Error> {
    let data_dir = context.dir.data_dir();
    loop {
        let exited = child.try_wait().map_err(Error::io("wait for postgres on", &data_dir))?;
        if let Some(status) = exited {
            return Err(context.not_ready(&format!("exited during startup ({status})")));
        }
        if Postmaster::running_in(&data_dir)?.is_some_and(|running| running.state == State::Ready) {
            return Ok(());
        }
        if !deadline.wait() {
            return Err(context.not_ready("did not become ready in time"));
        }
    }
}

fn open_log(path: &Path) -> Result<File, Error> {
    if path.metadata().is_ok_and(|log| log.len() > MAX_LOG_BYTES) {
        fs::rename(path, path.with_extension("log.1")).map_err(Error::io("rename", path))?;
    }
    open(OpenOptions::new().append(true), path)
}

/// Does not follow links: root writes here to a directory that an unprivileged account can change.
fn open(options: &mut OpenOptions, path: &Path) -> Result<File, Error> {
    options.create(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    options.open(path).map_err(Error::io("open", path))
}
