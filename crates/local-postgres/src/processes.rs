//! Which processes serve a data folder, asked of the kernel, since a pid file outlives its process.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use nix::unistd::Pid;

use crate::lock::same_file;
use crate::tag::tag;

/// Every live process of PostgreSQL that works in this data folder; none where there is no `/proc` to look in.
pub(crate) fn serving(data: &Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .map(Pid::from_raw)
        .filter(|pid| serves(*pid, data))
        .collect()
}

/// Whether this process lives, is PostgreSQL and works in this data folder.
pub(crate) fn serves(pid: Pid, data: &Path) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        return is_postgres_to_ps(pid);
    }
    is_postgres(pid) && is_alive(pid) && works_in(pid, data)
}

/// The same where there is no `/proc`, except that the folder is taken on trust.
fn is_postgres_to_ps(pid: Pid) -> bool {
    let asked =
        Command::new("ps").args(["-o", "stat=", "-o", "comm=", "-p"]).arg(pid.to_string()).output();
    asked.is_ok_and(|answer| {
        let line = String::from_utf8_lossy(&answer.stdout);
        line.contains("postgres") && !line.trim_start().starts_with('Z')
    })
}

/// The name tells PostgreSQL from a shell somebody left in the folder.
fn is_postgres(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .is_ok_and(|name| matches!(name.trim_end(), "postgres" | "postmaster"))
}

/// A zombie is dead: in a container there may be nobody to bury it.
fn is_alive(pid: Pid) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.starts_with(['Z', 'X'])
}

fn works_in(pid: Pid, data: &Path) -> bool {
    match fs::metadata(format!("/proc/{pid}/cwd")) {
        Ok(there) => fs::metadata(data).is_ok_and(|here| same_file(&here, &there)),
        // Root in a container may not look into another account's process; the command line stays readable.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => is_named_for(pid, data),
        Err(_) => false,
    }
}

fn is_named_for(pid: Pid, data: &Path) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    line.starts_with(&format!("postgres: {}", cluster_name(data)))
        || line.contains(&format!("\0-D\0{}\0", data.display()))
}

/// The name that all processes of a cluster carry in the process list.
pub(crate) fn cluster_name(data: &Path) -> String {
    format!("grateful-{}", tag(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_another_name_is_not_taken_for_postgresql() {
        let here = std::env::current_dir().unwrap();

        assert!(!serves(Pid::this(), &here));
        assert!(!is_postgres_to_ps(Pid::this()));
    }
}
