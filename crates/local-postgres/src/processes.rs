//! Finds the processes that serve a data directory.
//!
//! Asks the kernel, since a pid file can outlive its process.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use nix::unistd::Pid;

use crate::file_lock::same_file;
use crate::short_hash::short_hash;

/// All running PostgreSQL processes that work in this data directory. Empty on systems without `/proc`.
pub(crate) fn server_processes(data_dir: &Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .map(Pid::from_raw)
        .filter(|pid| is_server_process(*pid, data_dir))
        .collect()
}

/// Whether this process is running, is PostgreSQL and works in this data directory.
pub(crate) fn is_server_process(pid: Pid, data_dir: &Path) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        return is_postgres_by_ps(pid);
    }
    is_postgres(pid) && is_alive(pid) && works_in(pid, data_dir)
}

/// The check for systems without `/proc`. It cannot verify the working directory.
fn is_postgres_by_ps(pid: Pid) -> bool {
    let output =
        Command::new("ps").args(["-o", "stat=", "-o", "comm=", "-p"]).arg(pid.to_string()).output();
    output.is_ok_and(|output| {
        let line = String::from_utf8_lossy(&output.stdout);
        line.contains("postgres") && !line.trim_start().starts_with('Z')
    })
}

/// Checks the process name, since a shell may have the data directory as its working directory too.
fn is_postgres(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .is_ok_and(|name| matches!(name.trim_end(), "postgres" | "postmaster"))
}

/// A zombie does not count as alive: in a container it may never be reaped.
fn is_alive(pid: Pid) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.starts_with(['Z', 'X'])
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

        assert!(!is_server_process(Pid::this(), &current_dir));
        assert!(!is_postgres_by_ps(Pid::this()));
    }
}
