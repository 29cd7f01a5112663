use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use grateful_local_postgres::{Cluster, Error};
use nix::unistd::{User, geteuid};

use crate::support::{ClusterFixture, accessible_dir, query, socket_dir};

#[test]
fn an_ordinary_account_can_run_clusters() {
    if !geteuid().is_root() {
        println!("skipped: all tests of this run use an ordinary account");
        return;
    }
    let unprivileged = User::from_name("nobody").unwrap().expect("an unprivileged account");
    let directory = accessible_dir();
    let copy = directory.path().join("tests");
    // `cp` in another process: a file that this process had open for writing might still be open in a forked child,
    // and could then not be executed.
    let copied = Command::new("cp").args([&std::env::current_exe().unwrap(), &copy]).status();
    assert!(copied.unwrap().success());

    let mut tests = Command::new(copy);
    tests.args([
        "an_empty_directory",
        "with_its_last_process",
        "crash_recovery::",
        "at_once",
        "another_user",
    ]);
    tests.uid(unprivileged.uid.as_raw()).gid(unprivileged.gid.as_raw());
    tests.current_dir("/").env("HOME", "/nonexistent").env_remove("TMPDIR");
    let output = tests.output().unwrap();

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_user_id_without_a_name_gets_an_error_that_says_what_to_do() {
    let Some(()) = root() else { return };
    let directory = accessible_dir();
    std::os::unix::fs::chown(directory.path(), Some(UNNAMED), Some(UNNAMED)).unwrap();
    let copy = directory.path().join("tests");
    let copied = Command::new("cp").args([&std::env::current_exe().unwrap(), &copy]).status();
    assert!(copied.unwrap().success());

    let mut test = Command::new(copy);
    test.args(["accounts::open_without_a_name", "--exact", "--nocapture"]).env(OPEN, "1");
    test.uid(UNNAMED).gid(UNNAMED).current_dir(directory.path());
    let output = test.output().unwrap();

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(!directory.path().join("data/cluster").exists());
}

/// A user id that the password file does not have.
const UNNAMED: u32 = 54_321;
/// Makes a copy of this program open a cluster as [`UNNAMED`].
const OPEN: &str = "GRATEFUL_TEST_OPEN_WITHOUT_A_NAME";

/// Not a test: runs in the process that the test above starts.
#[test]
fn open_without_a_name() {
    if std::env::var_os(OPEN).is_some() {
        let error = Cluster::open(Path::new("data"), "thanks").unwrap_err();
        assert!(matches!(error, Error::NoPasswdEntry { uid: UNNAMED, gid: UNNAMED }), "{error}");
        assert!(error.to_string().contains("/etc/passwd"), "{error}");
    }
}

#[test]
fn for_root_an_unprivileged_account_runs_postgresql() {
    let Some(()) = root() else { return };
    let fixture = ClusterFixture::new();

    let cluster = fixture.open();

    let owner = fs::metadata(fixture.directory().join("cluster")).unwrap().uid();
    assert_ne!(owner, 0);
    assert_eq!(fs::metadata(format!("/proc/{}", fixture.server_pid())).unwrap().uid(), owner);
    assert_eq!(fs::metadata(socket_dir(&cluster.url("thanks"))).unwrap().uid(), owner);
    cluster.close().unwrap();
}

#[test]
fn a_directory_that_the_account_cannot_enter_is_replaced_by_one_under_var_lib() {
    let Some(()) = root() else { return };
    let private = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir();
    let private = private.unwrap();
    let requested = private.path().join("data");
    let cluster = Cluster::open(&requested, "thanks").unwrap();
    query(&cluster.url("thanks"), "CREATE TABLE notes AS SELECT 'thank you' AS text");
    let actual = cluster.directory().to_owned();
    cluster.close().unwrap();

    let cluster = Cluster::open(&requested, "thanks").unwrap();

    assert!(!actual.starts_with(&requested));
    assert_eq!(query(&cluster.url("thanks"), "SELECT text FROM notes"), "thank you");
    let note = fs::read_to_string(requested.join("where")).unwrap();
    assert!(note.contains(actual.to_str().unwrap()), "{note}");
    cluster.close().unwrap();
    fs::remove_dir_all(&actual).unwrap();
    // Fails if other clusters are there.
    let _ = fs::remove_dir(actual.parent().unwrap());
}

#[test]
fn data_that_became_inaccessible_is_not_replaced_by_an_empty_cluster() {
    let Some(()) = root() else { return };
    let fixture = ClusterFixture::new();
    fixture.open().close().unwrap();
    fs::set_permissions(fixture.directory(), Permissions::from_mode(0o700)).unwrap();

    let error = Cluster::open(&fixture.directory(), "thanks").unwrap_err();

    assert!(matches!(error, Error::Inaccessible { .. }), "{error}");
}

#[test]
fn a_directory_of_another_user_is_rejected() {
    let fixture = ClusterFixture::new();
    let directory = match root() {
        Some(()) => {
            fs::create_dir(fixture.directory()).unwrap();
            std::os::unix::fs::chown(fixture.directory(), Some(54_321), None).unwrap();
            fixture.directory()
        }
        None => "/usr".into(),
    };

    let error = Cluster::open(&directory, "thanks").unwrap_err();

    assert!(matches!(error, Error::WrongOwner { .. }), "{error}");
    assert!(!directory.join("start.lock").exists());
}

#[test]
fn a_symbolic_link_in_place_of_the_socket_directory_is_rejected() {
    let fixture = ClusterFixture::new();
    let cluster = fixture.open();
    let socket_dir = socket_dir(&cluster.url("thanks"));
    cluster.close().unwrap();
    let link_target = accessible_dir();
    symlink(link_target.path(), &socket_dir).unwrap();

    let result = Cluster::open(&fixture.directory(), "thanks");
    fs::remove_file(&socket_dir).unwrap();

    assert!(result.is_err());
    assert!(is_empty(link_target.path()));
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).expect("a directory").next().is_none()
}

fn root() -> Option<()> {
    if geteuid().is_root() {
        return Some(());
    }
    println!("skipped: this test needs root");
    None
}
