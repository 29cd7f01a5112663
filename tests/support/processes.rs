//! Signals, limits and `/proc` entries of other processes.

use std::fs;
use std::path::Path;

pub(crate) use nix::sys::signal::Signal;
pub(crate) use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit};

pub(crate) fn send_signal(signal: Signal, pid: Pid) {
    nix::sys::signal::kill(pid, signal).unwrap();
}

/// Whether a process runs. A zombie does not: in a container there may be no parent that reaps it.
pub(crate) fn is_alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

/// All processes whose working directory is `directory` or below it.
pub(crate) fn find_by_working_dir(directory: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_in_directory = |pid: &i32| {
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(directory))
    };
    pids.filter(is_in_directory).map(Pid::from_raw).collect()
}

/// Limits the size of the files that a process writes from now on. `None` lifts the limit.
pub(crate) fn limit_file_size(pid: Pid, bytes: Option<u64>) {
    let process = rustix::process::Pid::from_raw(pid.as_raw());
    // Only the soft limit, which can be raised again.
    let maximum = rustix::process::getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit { current: bytes.or(maximum), maximum };
    rustix::process::prlimit(process, Resource::Fsize, limit).unwrap();
}

/// Limits the number of files that a process may have open. `None` lifts the limit.
pub(crate) fn limit_open_files(pid: Pid, count: Option<u64>) {
    let process = rustix::process::Pid::from_raw(pid.as_raw());
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: count.or(maximum), maximum };
    rustix::process::prlimit(process, Resource::Nofile, limit).unwrap();
}

/// The soft limit on the number of files that a process may have open.
pub(crate) fn open_files_limit(pid: Pid) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().ok()
}

/// The resident set size of a process in bytes.
pub(crate) fn resident_bytes(pid: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}
