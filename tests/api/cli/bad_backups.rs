//! Archives that `grateful restore` refuses, and targets that both commands refuse.

use std::fs;
use std::path::Path;

use grateful_tests::{ProcessOutput, Setup};

use super::backups::{all_files, path_in, server_with_uploads};

/// Asserts that a command failed with one sentence that contains this text.
#[track_caller]
fn assert_refused(output: ProcessOutput, text: &str) {
    let output = output.expect(1);
    let lines: Vec<&str> =
        output.stderr.lines().filter(|line| line.starts_with("grateful: ")).collect();
    assert_eq!(lines.len(), 1, "{}", output.stderr);
    assert!(lines[0].contains(text), "{text}: {}", output.stderr);
    assert!(output.stderr.ends_with(&format!("{}\n", lines[0])), "one line: {}", output.stderr);
    assert_eq!(output.stdout, "");
}

/// Asserts that a setup has neither rows nor files.
async fn assert_untouched(setup: &Setup) {
    let rows = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname = 'users' AND relnamespace = 'public'::regnamespace";
    if setup.sql().await.run(rows).await == "1" {
        assert_eq!(setup.sql().await.run("SELECT count(*) FROM users").await, "0");
    }
    assert_eq!(all_files(&setup.working_dir().uploads_dir()).len(), 0);
}

/// Changes one byte, this far after the first occurrence of a text.
fn flip(bytes: &mut [u8], text: &str, offset: usize) {
    let found = bytes.windows(text.len()).position(|window| window == text.as_bytes());
    bytes[found.unwrap() + offset] ^= 1;
}

#[tokio::test]
async fn foreign_newer_truncated_and_damaged_archives_are_refused_and_change_nothing() {
    let server = server_with_uploads().await;
    let archive = path_in(server.setup(), "a.tar");
    server.setup().run(&["backup", &archive]).expect(0);
    let whole = fs::read(&archive).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        bytes
    };
    let manifest_start = whole.windows(13).rposition(|window| window == b"manifest.json").unwrap();
    let empty = Setup::with_empty_database().await;

    for (bytes, text) in [
        (b"any other file".to_vec(), "is no backup of Grateful"),
        (vec![0; 4_096], "is no backup of Grateful"),
        (Vec::new(), "is no backup of Grateful"),
        (changed(&|bytes| flip(bytes, "\"format\": 1", 10)), "is no backup of Grateful"),
        (
            changed(&|bytes| replace(bytes, "\"format\": 1", "\"format\": 7")),
            "was written by a newer version of Grateful",
        ),
        (changed(&|bytes| bytes.truncate(bytes.len() / 2)), "is incomplete"),
        (changed(&|bytes| bytes.truncate(700)), "is incomplete"),
        (changed(&|bytes| bytes.truncate(1_536)), "is incomplete"),
        (changed(&|bytes| bytes.truncate(manifest_start + 600)), "is incomplete"),
        (changed(&|bytes| bytes.truncate(manifest_start)), "is incomplete"),
        (changed(&|bytes| flip(bytes, "uploads/posts/", 512 + 30)), "is damaged"),
        (changed(&|bytes| flip(bytes, "/tables/users/", 512 + 30)), "is damaged"),
        (changed(&|bytes| flip(bytes, "/tables/users/", 3)), "is damaged"),
        (changed(&|bytes| flip(bytes, "/checksums/", 512 + 5)), "is damaged"),
    ] {
        let path = path_in(&empty, "bad.tar");
        fs::write(&path, &bytes).unwrap();
        assert_refused(empty.run(&["restore", &path]), text);
        assert_refused(empty.run(&["restore", &path, "--rehearse"]), text);
        assert_untouched(&empty).await;
    }
    assert_refused(empty.run(&["restore", &path_in(&empty, "none.tar")]), "cannot open ");
}

fn replace(bytes: &mut [u8], from: &str, to: &str) {
    let found = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[found..found + to.len()].copy_from_slice(to.as_bytes());
}

#[tokio::test]
async fn folders_that_lack_a_file_or_have_newer_migrations_are_refused() {
    let server = server_with_uploads().await;
    let folder = path_in(server.setup(), "folder/");
    server.setup().run(&["backup", &folder]).expect(0);
    let empty = Setup::with_empty_database().await;

    let manifest = Path::new(&folder).join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let newer = text.replacen("\"migrations\": [", "\"migrations\": [\"29991231235959\",", 1);
    assert_ne!(newer, text);
    fs::write(&manifest, newer).unwrap();
    assert_refused(empty.run(&["restore", &folder]), "from a newer version of Grateful");

    fs::write(
        &manifest,
        text.replace("uploads/", "../uploads/").replace("snapshot-", "../snapshot-"),
    )
    .unwrap();
    assert_refused(empty.run(&["restore", &folder]), "is damaged");

    fs::write(&manifest, text).unwrap();
    let uploads = Path::new(&folder).join("uploads");
    let (name, _) = all_files(&uploads).pop_first().unwrap();
    fs::remove_file(uploads.join(name)).unwrap();
    assert_refused(empty.run(&["restore", &folder]), "is damaged");
    assert_untouched(&empty).await;
}

#[tokio::test]
async fn a_restore_refuses_everything_that_is_not_empty() {
    let server = server_with_uploads().await;
    let archive = path_in(server.setup(), "a.tar");
    server.setup().run(&["backup", &archive]).expect(0);

    assert_refused(server.setup().run(&["restore", &archive]), "the uploads are not empty");
    let other_uploads = path_in(server.setup(), "other");
    let full = server.setup().clone().env("GRATEFUL_UPLOADS_DIR", &other_uploads);
    assert_refused(full.run(&["restore", &archive]), "the database is not empty");
    assert_eq!(all_files(Path::new(&other_uploads)).len(), 0);

    let foreign = Setup::with_empty_database().await;
    foreign.sql().await.run("CREATE TABLE invoices (id int)").await;
    assert_refused(foreign.run(&["restore", &archive]), "tables of another program");
    let unmigrated = Setup::with_empty_database().await;
    let refused = unmigrated.run(&["backup", &path_in(&unmigrated, "b.tar")]);
    assert_refused(refused, "the database has no tables of Grateful");
    assert!(!Path::new(&path_in(&unmigrated, "b.tar")).exists());
}

#[tokio::test]
async fn a_backup_replaces_no_file_and_no_foreign_folder() {
    let server = server_with_uploads().await;
    let setup = server.setup();
    let (file, folder) = (path_in(setup, "notes"), path_in(setup, "documents"));
    fs::write(&file, "mine").unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(Path::new(&folder).join("letter"), "mine").unwrap();

    assert_refused(setup.run(&["backup", &file]), "exists already");
    assert_refused(setup.run(&["backup", &folder]), "has other files and is no backup");

    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(all_files(Path::new(&folder)).len(), 1);
}

/// A full disk is simulated by a limit on the size of files.
#[tokio::test]
async fn on_a_full_disk_a_backup_and_a_restore_leave_nothing() {
    let server = server_with_uploads().await;
    let archive = path_in(server.setup(), "a.tar");
    let full = server.setup().clone().with_sigxfsz_ignored().with_ulimit("-f 4");
    let written = full.run(&["backup", &archive]);
    assert_refused(written, "File too large");
    assert!(!Path::new(&archive).exists() && !Path::new(&format!("{archive}.partial")).exists());

    server.setup().run(&["backup", &archive]).expect(0);
    let empty = Setup::with_empty_database().await;
    let full = empty.clone().with_sigxfsz_ignored().with_ulimit("-f 1");
    assert_refused(full.run(&["restore", &archive]), "cannot be written");
    assert_untouched(&empty).await;
    empty.run(&["restore", &archive]).expect(0);
}

#[tokio::test]
async fn an_interrupted_backup_leaves_no_file() {
    let server = server_with_uploads().await;
    let (setup, archive) = (server.setup(), path_in(server.setup(), "a.tar"));
    let (blocker, observer) = (setup.sql().await, setup.sql().await);
    blocker.run("BEGIN; LOCK TABLE posts").await;

    let is_waiting = async || 0 < observer.count_lock_waiters().await;
    let output = setup.run_and_terminate_when(&["backup", &archive], is_waiting).await;

    assert_refused(output, "interrupted");
    assert!(!Path::new(&archive).exists() && !Path::new(&format!("{archive}.partial")).exists());
}

/// The lock holds the restore up when all files and rows are written, and nothing is committed.
#[tokio::test]
async fn an_interrupted_restore_leaves_neither_rows_nor_files() {
    let server = server_with_uploads().await;
    let archive = path_in(server.setup(), "a.tar");
    server.setup().run(&["backup", &archive]).expect(0);
    let target = Setup::with_test_database().await;
    let (blocker, observer) = (target.sql().await, target.sql().await);
    blocker.run("BEGIN; ALTER SEQUENCE users_id_seq INCREMENT 1").await;

    let is_waiting = async || 0 < observer.count_lock_waiters().await;
    let output = target.run_and_terminate_when(&["restore", &archive], is_waiting).await;

    assert_refused(output, "interrupted");
    blocker.run("ROLLBACK").await;
    assert_untouched(&target).await;
    target.run(&["restore", &archive]).expect(0);
}

#[tokio::test]
async fn a_file_of_many_megabytes_is_backed_up_and_restored_in_parts() {
    let server = server_with_uploads().await;
    let big = server.setup().working_dir().uploads_dir().join("big.bin");
    let content: Vec<u8> = (0..9_u32 << 18).flat_map(u32::to_le_bytes).collect();
    fs::write(&big, &content).unwrap();
    let archive = path_in(server.setup(), "a.tar");

    server.setup().run(&["backup", &archive]).expect(0);

    let empty = Setup::with_empty_database().await;
    empty.run(&["restore", &archive]).expect(0);
    let restored = fs::read(empty.working_dir().uploads_dir().join("big.bin")).unwrap();
    assert!(restored == content, "the content differs");
}
