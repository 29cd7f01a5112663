//! Reads `postmaster.pid`, PostgreSQL's report about itself, and checks that the process runs.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

use crate::Error;
use crate::processes::is_server_process;

/// The name of the socket in its directory.
pub(crate) const SOCKET: &str = ".s.PGSQL.5432";

/// A running server.
#[derive(Debug)]
pub(crate) struct Postmaster {
    pub(crate) pid: Pid,
    pub(crate) state: State,
    /// The directory of its socket, once it has one.
    pub(crate) socket_dir: Option<PathBuf>,
}

/// The server's phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Starting,
    Ready,
    Stopping,
}

impl Postmaster {
    /// The server that runs on this data directory, if there is one.
    ///
    /// # Errors
    /// It cannot be determined, for instance because this process has too many open files.
    pub(crate) fn running_in(data_dir: &Path) -> Result<Option<Self>, Error> {
        let pid_file = data_dir.join("postmaster.pid");
        let content = match fs::read(&pid_file) {
            Ok(content) => content,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(Error::io("read", &pid_file)(error)),
        };
        let Some(postmaster) = Self::parse(&String::from_utf8_lossy(&content)) else {
            return Ok(None);
        };
        let is_running = is_server_process(postmaster.pid, data_dir)
            .map_err(Error::io("find the process named in", &pid_file))?;
        Ok(is_running.then_some(postmaster))
    }

    /// Whether the server accepts connections on a socket that no longer exists, since something cleaned its directory up.
    /// It keeps its connections, and gets no new ones until it restarts.
    pub(crate) fn has_lost_socket(&self) -> bool {
        let socket = self.socket_dir.as_ref().map(|directory| directory.join(SOCKET));
        self.state == State::Ready
            && socket.is_some_and(|socket| {
                socket.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
            })
    }

    fn parse(pid_file: &str) -> Option<Self> {
        let mut lines = pid_file.lines();
        let pid = Pid::from_raw(lines.next()?.trim().parse().ok().filter(|pid| *pid > 0)?);
        // Skipped before the socket: data directory, start time, port. Skipped after it: address, shared memory.
        let socket_dir = lines.nth(3).filter(|line| !line.is_empty()).map(PathBuf::from);
        let state = match lines.nth(2).map(str::trim) {
            Some("ready") => State::Ready,
            Some("stopping") => State::Stopping,
            _ => State::Starting,
        };
        Some(Self { pid, state, socket_dir })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eighth_line_of_the_pid_file_holds_the_state() {
        let pid_file = "71\n/d/cluster\n1790000000\n5432\n/tmp/s\n\n  123  0\nready   \n";

        let postmaster = Postmaster::parse(pid_file).unwrap();

        assert_eq!(postmaster.pid, Pid::from_raw(71));
        assert_eq!(postmaster.state, State::Ready);
        assert_eq!(postmaster.socket_dir, Some(PathBuf::from("/tmp/s")));
    }

    #[test]
    fn an_incomplete_pid_file_means_that_the_server_is_starting() {
        let postmaster = Postmaster::parse("71\n/d/cluster\n1790000000\n5432\n").unwrap();

        assert_eq!(postmaster.state, State::Starting);
        assert_eq!(postmaster.socket_dir, None);
    }

    #[test]
    fn a_pid_file_without_a_pid_is_ignored() {
        assert!(Postmaster::parse("").is_none());
        assert!(Postmaster::parse("-1\n").is_none());
        assert!(Postmaster::parse("many\n").is_none());
    }
}
