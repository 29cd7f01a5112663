//! What PostgreSQL says of itself in `postmaster.pid`, believed only when that process lives.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

use crate::processes::serves;

/// A running server.
#[derive(Debug)]
pub(crate) struct Postmaster {
    pub(crate) pid: Pid,
    pub(crate) state: State,
    /// The folder of its socket, once it has one.
    pub(crate) socket: Option<PathBuf>,
}

/// How far a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Starting,
    Ready,
    Stopping,
}

impl Postmaster {
    /// The server that runs on this data folder, if one does.
    pub(crate) fn of(data: &Path) -> Option<Self> {
        let file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let found = Self::parse(&file)?;
        serves(found.pid, data).then_some(found)
    }

    fn parse(file: &str) -> Option<Self> {
        let mut lines = file.lines();
        let pid = Pid::from_raw(lines.next()?.trim().parse().ok().filter(|pid| *pid > 0)?);
        // The lines between: data folder, time of the start, port. After the socket: address, shared memory, state.
        let socket = lines.nth(3).filter(|line| !line.is_empty()).map(PathBuf::from);
        let state = match lines.nth(2).map(str::trim) {
            Some("ready") => State::Ready,
            Some("stopping") => State::Stopping,
            _ => State::Starting,
        };
        Some(Self { pid, state, socket })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eighth_line_says_how_far_a_server_is() {
        let file = "71\n/d/cluster\n1790000000\n5432\n/tmp/s\n\n  123  0\nready   \n";

        let found = Postmaster::parse(file).unwrap();

        assert_eq!(found.pid, Pid::from_raw(71));
        assert_eq!(found.state, State::Ready);
        assert_eq!(found.socket, Some(PathBuf::from("/tmp/s")));
    }

    #[test]
    fn a_file_that_is_still_being_written_means_starting() {
        let found = Postmaster::parse("71\n/d/cluster\n1790000000\n5432\n").unwrap();

        assert_eq!(found.state, State::Starting);
        assert_eq!(found.socket, None);
    }

    #[test]
    fn a_file_without_a_process_means_nothing() {
        assert!(Postmaster::parse("").is_none());
        assert!(Postmaster::parse("-1\n").is_none());
        assert!(Postmaster::parse("many\n").is_none());
    }
}
