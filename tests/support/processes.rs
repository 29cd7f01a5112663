//! Other processes, as the kernel shows them.

use std::fs;
use std::path::Path;

pub(crate) use nix::sys::signal::Signal;
pub(crate) use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit};

pub(crate) fn send(signal: Signal, to: Pid) {
    nix::sys::signal::kill(to, signal).unwrap();
}

/// Whether a process lives. A zombie is dead: in a container there may be nobody to bury it.
pub(crate) fn is_alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

/// Every process whose working folder is this one or lies in it.
pub(crate) fn working_below(folder: &Path) -> Vec<Pid> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let works = |pid: &i32| {
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
    };
    pids.filter(works).map(Pid::from_raw).collect()
}

/// Lets no file that a process writes grow beyond so many bytes from now on, or as far as it may again.
pub(crate) fn bound_files(pid: Pid, bytes: Option<u64>) {
    let process = rustix::process::Pid::from_raw(pid.as_raw());
    // The soft limit alone, which may be raised again.
    let maximum = rustix::process::getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit { current: bytes.or(maximum), maximum };
    rustix::process::prlimit(process, Resource::Fsize, limit).unwrap();
}

/// How many bytes of memory a process holds.
pub(crate) fn resident_bytes(pid: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}
