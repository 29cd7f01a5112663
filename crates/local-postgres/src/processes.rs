//! Finds the processes that serve a data directory.
//!
//! Asks the kernel, since a pid file can outlive its process.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::Pid;

use crate::file_lock::same_file;
use crate::short_hash::short_hash;

/// All running PostgreSQL processes that work in this data directory. Empty on systems without `/proc`.
///
/// # Errors
/// The processes cannot be listed, for instance because this process has too many open files.
pub(crate) fn server_processes(data_dir: &Path) -> io::Result<Vec<Pid>> {
    let entries = match fs::read_dir("/proc") {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    for pid in pids.map(Pid::from_raw) {
        if is_server_process(pid, data_dir)? {
            found.push(pid);
        }
    }
    Ok(found)
}

/// Whether this process is running, is PostgreSQL and works in this data directory.
///
/// # Errors
/// It cannot be determined, for instance because this process has too many open files.
pub(crate) fn is_server_process(pid: Pid, data_dir: &Path) -> io::Result<bool> {
    if !Path::new("/proc/self/stat").exists() {
        return is_postgres_by_ps(pid);
    }
    Ok(is_postgres(pid)? && is_alive(pid)? && works_in(pid, data_dir))
}

/// The check for systems without `/proc`. It cannot verify the working directory.
fn is_postgres_by_ps(pid: Pid) -> io::Result<bool> {
    let mut ps = Command::new("ps");
    let output = ps.args(["-o", "stat=", "-o", "comm=", "-p"]).arg(pid.to_string()).output()?;
    let line = String::from_utf8_lossy(&output.stdout);
    Ok(line.contains("postgres") && !line.trim_start().starts_with('Z'))
}

/// Checks the process name, since a shell may have the data directory as its working directory too.
fn is_postgres(pid: Pid) -> io::Result<bool> {
    let name = read_of_process(pid, "comm")?;
    Ok(matches!(name.as_deref().map(str::trim_end), Some("postgres" | "postmaster")))
}

/// A zombie does not count as alive: in a container it may never be reaped.
fn is_alive(pid: Pid) -> io::Result<bool> {
    Ok(state_of(pid)?.is_some_and(|state| !['Z', 'X'].contains(&state)))
}

/// Whether a signal has stopped the process from running, or it has ended.
pub(crate) fn is_stopped(pid: Pid) -> io::Result<bool> {
    Ok(state_of(pid)?.is_none_or(|state| ['T', 'Z', 'X'].contains(&state)))
}

fn state_of(pid: Pid) -> io::Result<Option<char>> {
    let stat = read_of_process(pid, "stat")?;
    let after_name = stat.as_deref().and_then(|stat| stat.rsplit(')').next());
    Ok(after_name.and_then(|rest| rest.trim_start().chars().next()))
}

/// The processor time of a process and of its children that have ended. Zero if it does not exist any more.
pub(crate) fn cpu_time(pid: Pid) -> io::Result<Duration> {
    /// The unit of times in `/proc`, the same for all Linux programs on usual machines.
    const TICK: Duration = Duration::from_millis(10);

    let stat = read_of_process(pid, "stat")?.unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    // The times are fields 14 to 17, and the name is field 2.
    let times = after_name.split_whitespace().skip(11).take(4);
    let ticks: u32 = times.filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    Ok(TICK.saturating_mul(ticks))
}

/// Reads a file in `/proc/{pid}`. `None` if the process does not exist, ends during the read, or hides the file.
fn read_of_process(pid: Pid, name: &str) -> io::Result<Option<String>> {
    match fs::read(format!("/proc/{pid}/{name}")) {
        Ok(content) => Ok(Some(String::from_utf8_lossy(&content).into_owned())),
        Err(error)
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
                || error.raw_os_error() == Some(Errno::ESRCH as i32) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn works_in(pid: Pid, data_dir: &Path) -> bool {
    match fs::metadata(format!("/proc/{pid}/cwd")) {
        Ok(cwd) => fs::metadata(data_dir).is_ok_and(|directory| same_file(&directory, &cwd)),
        // Root in a container may be denied `cwd` of another account's process, but can read its command line.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            has_command_line_of(pid, data_dir)
        }
        Err(_) => false,
    }
}

fn has_command_line_of(pid: Pid, data_dir: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command_line = String::from_utf8_lossy(&command_line);
    command_line.starts_with(&format!("postgres: {}", cluster_name(data_dir)))
        || command_line.contains(&format!("\0-D\0{}\0", data_dir.display()))
}

/// The `cluster_name` setting, which all processes of a cluster show in the process list.
pub(crate) fn cluster_name(data_dir: &Path) -> String {
    format!("grateful-{}", short_hash(data_dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_another_name_is_not_a_server_process() {
        let current_dir = std::env::current_dir().unwrap();

        assert!(!is_server_process(Pid::this(), &current_dir).unwrap());
        assert!(!is_postgres_by_ps(Pid::this()).unwrap());
    }
}
