//! What a killed server leaves behind: processes, a pid file, a socket.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::Error;
use crate::home::private_folder;
use crate::patience::Patience;
use crate::processes::serving;
use crate::server::not_ready;
use crate::site::Site;

const SOCKET: &str = ".s.PGSQL.5432";
const SOCKET_LOCK: &str = ".s.PGSQL.5432.lock";
/// From a process's first moment to its pid file.
const BIRTH: Duration = Duration::from_secs(1);
/// How long a backend without its postmaster may take to notice.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Whoever was killed while starting PostgreSQL may have left one that has not written its pid file yet.
pub(crate) fn await_newborn(site: &Site) {
    let patience = Patience::of(BIRTH);
    let data = site.home.data();
    while site.home.starting().exists() && serving(&data).is_empty() && patience.pause() {}
}

/// Removes what a killed server left behind, once none of its processes is alive.
pub(crate) fn clear(site: &Site, patience: &Patience) -> Result<(), Error> {
    let data = site.home.data();
    let pid_file = data.join("postmaster.pid");
    let stale = fs::read(&pid_file).ok();
    end_orphans(site, patience)?;

    private_folder(&site.socket, &site.account)?;
    for left in [SOCKET, SOCKET_LOCK] {
        remove(&site.socket.join(left))?;
    }
    // PostgreSQL would take it for a living server's if another process has that number by now.
    if stale.is_some() && fs::read(&pid_file).ok() == stale {
        remove(&pid_file)?;
    }
    Ok(())
}

/// Their memory is lost and recovery will undo their work: no reason to let them finish it.
fn end_orphans(site: &Site, patience: &Patience) -> Result<(), Error> {
    let begin = Instant::now();
    loop {
        let orphans = serving(&site.home.data());
        if orphans.is_empty() {
            return Ok(());
        }
        let late = begin.elapsed() > LAST_WORDS;
        for orphan in orphans {
            let _ = kill(orphan, if late { Signal::SIGKILL } else { Signal::SIGQUIT });
        }
        if !patience.pause() {
            return Err(not_ready(site, "left processes behind that do not end"));
        }
    }
}

/// Removes a file that may be gone already.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path).map_err(Error::io("remove", path)) {
        Err(error) if !error.is_absence() => Err(error),
        _ => Ok(()),
    }
}
