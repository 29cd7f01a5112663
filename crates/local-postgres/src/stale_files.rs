//! Cleans up after a killed server: its processes, pid file and socket.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Error;
use crate::cluster_context::ClusterContext;
use crate::cluster_dir::private_dir;
use crate::deadline::Deadline;
use crate::postmaster::SOCKET;
use crate::processes::server_processes;

const SOCKET_LOCK: &str = ".s.PGSQL.5432.lock";
/// How long a server may take from the start of its process until it has written its pid file.
const PID_FILE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a backend without its postmaster may take to exit before it gets SIGKILL.
const ORPHAN_GRACE: Duration = Duration::from_secs(3);

/// If a start was not completed, waits for its server process to appear. The process that started the server may have been
/// killed before the server wrote its pid file.
pub(crate) fn await_starting_server(context: &ClusterContext) -> Result<(), Error> {
    let deadline = Deadline::after(PID_FILE_TIMEOUT);
    let data_dir = context.dir.data_dir();
    while context.dir.starting_marker().exists()
        && find_processes(&data_dir)?.is_empty()
        && deadline.wait()
    {}
    Ok(())
}

fn find_processes(data_dir: &Path) -> Result<Vec<Pid>, Error> {
    server_processes(data_dir).map_err(Error::io("find the processes that work in", data_dir))
}

/// Ends the processes of a killed server, then removes its socket and pid file.
pub(crate) fn clean_up(context: &ClusterContext, deadline: &Deadline) -> Result<(), Error> {
    let pid_file = context.dir.data_dir().join("postmaster.pid");
    let stale = fs::read(&pid_file).ok();
    kill_orphans(context, deadline)?;

    private_dir(&context.socket_dir, &context.account)?;
    for name in [SOCKET, SOCKET_LOCK] {
        remove_if_exists(&context.socket_dir.join(name))?;
    }
    // If another process has this pid by now, PostgreSQL would believe that the server still runs.
    if stale.is_some() && fs::read(&pid_file).ok() == stale {
        remove_if_exists(&pid_file)?;
    }
    Ok(())
}

/// Kills backends without a postmaster: their shared memory is lost, and recovery will undo their work.
fn kill_orphans(context: &ClusterContext, deadline: &Deadline) -> Result<(), Error> {
    let started = Instant::now();
    loop {
        let orphans = find_processes(&context.dir.data_dir())?;
        if orphans.is_empty() {
            return Ok(());
        }
        let is_overdue = started.elapsed() > ORPHAN_GRACE;
        for orphan in orphans {
            let _ = kill(orphan, if is_overdue { Signal::SIGKILL } else { Signal::SIGQUIT });
        }
        if !deadline.wait() {
            return Err(context.not_ready("left processes that do not end"));
        }
    }
}

/// Removes a file if it exists.
pub(crate) fn remove_if_exists(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path).map_err(Error::io("remove", path)) {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}
