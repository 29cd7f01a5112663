use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use grateful_local_postgres::{Cluster, Error};
use nix::unistd::{User, geteuid};

use crate::support::{Scene, ask, open_folder, socket};

#[test]
fn an_ordinary_account_is_served_as_well() {
    if !geteuid().is_root() {
        println!("this whole run is an ordinary account's");
        return;
    }
    let nobody = User::from_name("nobody").unwrap().expect("an account without rights");
    let place = open_folder();
    let copy = place.path().join("tests");
    // By another process: a file that this one had open for writing might still be open in a fork, and then not run.
    let copied = Command::new("cp").args([&std::env::current_exe().unwrap(), &copy]).status();
    assert!(copied.unwrap().success());

    let mut tests = Command::new(copy);
    tests.args(["a_fresh_folder", "with_its_last_user", "death::", "at_once", "somebody_else"]);
    tests.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    tests.current_dir("/").env("HOME", "/nonexistent").env_remove("TMPDIR");
    let output = tests.output().unwrap();

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn for_root_an_account_without_rights_runs_postgresql() {
    let Some(()) = root() else { return };
    let scene = Scene::new();

    let cluster = scene.open();

    let owner = fs::metadata(scene.folder().join("cluster")).unwrap().uid();
    assert_ne!(owner, 0);
    assert_eq!(fs::metadata(format!("/proc/{}", scene.server())).unwrap().uid(), owner);
    assert_eq!(fs::metadata(socket(&cluster.url("thanks"))).unwrap().uid(), owner);
    cluster.close().unwrap();
}

#[test]
fn a_folder_under_a_closed_home_of_root_is_replaced_by_one_that_can_be_entered() {
    let Some(()) = root() else { return };
    let closed = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir();
    let closed = closed.unwrap();
    let folder = closed.path().join("data");
    let cluster = Cluster::open(&folder, "thanks").unwrap();
    ask(&cluster.url("thanks"), "CREATE TABLE notes AS SELECT 'thank you' AS text");
    let real = cluster.folder().to_owned();
    cluster.close().unwrap();

    let cluster = Cluster::open(&folder, "thanks").unwrap();

    assert!(!real.starts_with(&folder));
    assert_eq!(ask(&cluster.url("thanks"), "SELECT text FROM notes"), "thank you");
    let note = fs::read_to_string(folder.join("where")).unwrap();
    assert!(note.contains(real.to_str().unwrap()), "{note}");
    cluster.close().unwrap();
    fs::remove_dir_all(&real).unwrap();
    // Others may have clusters there.
    let _ = fs::remove_dir(real.parent().unwrap());
}

#[test]
fn data_that_became_unreachable_are_not_replaced_by_an_empty_cluster() {
    let Some(()) = root() else { return };
    let scene = Scene::new();
    scene.open().close().unwrap();
    fs::set_permissions(scene.folder(), Permissions::from_mode(0o700)).unwrap();

    let error = Cluster::open(&scene.folder(), "thanks").unwrap_err();

    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[test]
fn a_folder_that_belongs_to_somebody_else_is_refused() {
    let scene = Scene::new();
    let folder = match root() {
        Some(()) => {
            fs::create_dir(scene.folder()).unwrap();
            std::os::unix::fs::chown(scene.folder(), Some(54_321), None).unwrap();
            scene.folder()
        }
        None => "/usr".into(),
    };

    let error = Cluster::open(&folder, "thanks").unwrap_err();

    assert!(matches!(error, Error::Foreign { .. }), "{error}");
    assert!(!folder.join("start.lock").exists());
}

#[test]
fn a_link_in_the_place_of_the_socket_folder_is_refused() {
    let scene = Scene::new();
    let cluster = scene.open();
    let place = socket(&cluster.url("thanks"));
    cluster.close().unwrap();
    let trap = open_folder();
    symlink(trap.path(), &place).unwrap();

    let outcome = Cluster::open(&scene.folder(), "thanks");
    fs::remove_file(&place).unwrap();

    assert!(outcome.is_err());
    assert!(is_empty(trap.path()));
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).expect("a folder").next().is_none()
}

fn root() -> Option<()> {
    if geteuid().is_root() {
        return Some(());
    }
    println!("not root, so this was not tried: run the tests as root to cover it");
    None
}
