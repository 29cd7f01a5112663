//! `grateful backup` and `grateful restore`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use grateful_testkit::a_png;
use grateful_tests::{PASSWORD, Server, Setup, full_or_short};
use tokio::task::spawn_blocking;

use crate::resilience::post_load::PostLoad;
use crate::resilience::upload_load::UploadLoad;

/// A server with two users: ana has a photo and two posts with images, and ben likes one of them.
pub(super) async fn server_with_uploads() -> Server {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();
    let [ana, ben] = [client.sign_up("ana").await, client.sign_up("ben").await];
    client.upload_photo(&ana, &a_png(60, 40)).send().await.expect(200);
    let mut path = String::new();
    for text in ["Tabs:\t\\ and\nnew lines 💜", "\\N"] {
        let post = client.create_post_with_image(&ana, text, &a_png(80, 60)).send().await;
        path = format!("/api/v1/posts/{}/heart", post.expect(201).id());
    }
    client.post(&path).by(&ben).send().await.expect(201);
    server
}

/// A path in the directory of a test.
pub(super) fn path_in(setup: &Setup, name: &str) -> String {
    setup.working_dir().path().join(name).display().to_string()
}

/// All rows of all tables.
async fn all_rows(setup: &Setup) -> Vec<String> {
    let sql = setup.sql().await;
    let tables = "SELECT relname FROM pg_class
                  WHERE relkind = 'r' AND relpersistence = 'p' AND relnamespace = 'public'::regnamespace
                      AND relname NOT IN ('grateful_migrations', '__diesel_schema_migrations')
                  ORDER BY relname";
    let mut rows = Vec::new();
    for table in sql.query_column(tables).await {
        let of_table =
            format!("SELECT '{table}: ' || it::text AS row FROM {table} AS it ORDER BY row");
        rows.extend(sql.query_column(&of_table).await);
    }
    rows
}

/// All files below a directory with their content.
pub(super) fn all_files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

async fn restore_and_compare(archive: &str, original: &Setup) -> Setup {
    let copy = Setup::with_empty_database().await;
    let output = copy.run(&["restore", archive]).expect(0);
    assert!(output.stdout.starts_with("restored "), "{}", output.stdout);
    assert_eq!(all_rows(&copy).await, all_rows(original).await);
    let uploads = [&copy, original].map(|setup| all_files(&setup.working_dir().uploads_dir()));
    assert!(uploads[0] == uploads[1], "the uploads differ");
    copy
}

#[tokio::test]
async fn a_restored_backup_has_all_rows_files_and_sequences() {
    let server = server_with_uploads().await;
    let archive = path_in(server.setup(), "a.tar");

    let output = server.setup().run(&["backup", &archive]).expect(0);

    assert!(output.stdout.starts_with("backed up "), "{}", output.stdout);
    assert!(output.stdout.contains(" and 6 files ("), "{}", output.stdout);
    assert_eq!(fs::metadata(&archive).unwrap().mode() & 0o777, 0o600, "only its owner may read it");
    let copy = restore_and_compare(&archive, server.setup()).await;
    let verified = copy.run(&["verify"]).expect(0).stdout;
    assert!(verified.ends_with(" 0 mismatches\n"), "{verified}");
    let restored = copy.start().await;
    restored.client().log_in("ana", PASSWORD).send().await.expect(200);
    restored.client().sign_up("caro").await;
    let ids = copy.sql().await.query_column("SELECT id FROM users ORDER BY id").await;
    assert_eq!(ids, ["1", "2", "3"], "the sequence continues");
}

#[tokio::test]
async fn a_backup_goes_to_standard_output_without_anything_else() {
    let server = server_with_uploads().await;
    let archive = path_in(server.setup(), "piped.tar");

    let file = File::create(&archive).unwrap();
    let output = server.setup().run_into_file(&["backup", "-"], file).expect(0);

    assert!(output.stderr.contains("backed up "), "{}", output.stderr);
    _ = restore_and_compare(&archive, server.setup()).await;
}

#[tokio::test]
async fn a_second_run_into_a_folder_copies_only_what_is_new_or_damaged() {
    let server = server_with_uploads().await;
    let (setup, client) = (server.setup(), server.client());
    let folder = path_in(setup, "folder/");
    setup.run(&["backup", &folder]).expect(0);
    let uploads = setup.working_dir().uploads_dir();
    let names: Vec<PathBuf> = all_files(&uploads).into_keys().collect();
    let copy = |name: &Path| Path::new(&folder).join("uploads").join(name);
    let inode = |name: &Path| fs::metadata(copy(name)).unwrap().ino();
    let before: Vec<u64> = names.iter().map(|name| inode(name)).collect();
    // The image of the first post is first.
    let damaged = copy(&names[1]);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[10] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let ben = client.log_in("ben", PASSWORD).send().await.expect(200).token();
    client.upload_photo(&ben, &a_png(50, 50)).send().await.expect(200);
    let ana = client.log_in("ana", PASSWORD).send().await.expect(200).token();
    let post = setup.sql().await.run("SELECT id FROM posts ORDER BY id LIMIT 1").await;
    client.delete(&format!("/api/v1/posts/{post}")).by(&ana).send().await.expect(204);

    setup.run(&["backup", &folder]).expect(0);

    assert!(
        all_files(&uploads) == all_files(&Path::new(&folder).join("uploads")),
        "the files differ"
    );
    assert!(!copy(&names[0]).exists(), "a deleted upload is removed");
    let kept = names.iter().zip(&before).skip(1);
    let kept: Vec<bool> = kept.map(|(name, inode_before)| inode(name) == *inode_before).collect();
    assert_eq!(kept, [false, true, true, true, true], "only the damaged copy is replaced");
    let snapshots = fs::read_dir(&folder).unwrap().flatten();
    let snapshots =
        snapshots.filter(|entry| entry.file_name().to_string_lossy().starts_with("snapshot-"));
    assert_eq!(snapshots.count(), 1);
    _ = restore_and_compare(&folder, setup).await;
}

#[tokio::test]
async fn an_interrupted_backup_into_a_folder_is_continued() {
    let server = server_with_uploads().await;
    let folder = path_in(server.setup(), "folder/");
    server.setup().run(&["backup", &folder]).expect(0);
    // As an interruption leaves it.
    fs::remove_file(Path::new(&folder).join("manifest.json")).unwrap();
    let empty = Setup::with_empty_database().await;
    let refused = empty.run(&["restore", &folder]).expect(1);
    assert!(refused.stderr.contains(" is incomplete: "), "{}", refused.stderr);

    server.setup().run(&["backup", &folder]).expect(0);

    _ = restore_and_compare(&folder, server.setup()).await;
}

/// The database of the backup has pending migrations, as before an upgrade.
#[tokio::test]
async fn a_backup_of_an_older_schema_is_migrated_by_the_restore() {
    let server = server_with_uploads().await;
    let setup = server.setup().clone();
    drop(server);
    let sql = setup.sql().await;
    let newest = "SELECT max(version) FROM grateful_migrations";
    let newest = sql.run(newest).await;
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let migrations = fs::read_dir(migrations).unwrap().flatten();
    let down = migrations.map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap().to_string_lossy().replace('-', "");
        name.starts_with(&newest)
    });
    let down = fs::read_to_string(down.unwrap().join("down.sql")).unwrap();
    sql.run(&down).await;
    sql.run(&format!("DELETE FROM grateful_migrations WHERE version = '{newest}'")).await;
    let archive = path_in(&setup, "old.tar");

    setup.run(&["backup", &archive]).expect(0);

    let copy = Setup::with_empty_database().await;
    copy.run(&["restore", &archive]).expect(0);
    assert_eq!(copy.run(&["migrate"]).expect(0).stdout, "applied 0 migrations\n");
    copy.run(&["verify"]).expect(0);
}

/// `GRATEFUL_FULL=1` runs it with 10,000 users and 500,000 posts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rehearsal_finds_no_difference_although_users_write_and_delete_during_the_backup() {
    const SHORT: [&str; 5] =
        ["--users=50", "--posts=200", "--engagements=1000", "--follows=200", "--notifications=500"];
    const FULL: [&str; 5] = [
        "--users=10000",
        "--posts=500000",
        "--engagements=2000000",
        "--follows=200000",
        "--notifications=500000",
    ];
    let setup = Setup::with_test_database().await;
    let size = full_or_short(FULL, SHORT);
    setup.run(&[&["seed"], &size[..]].concat()).expect(0);
    let server = setup.start().await;
    let mut users = Vec::new();
    for number in 0..4 {
        users.push(server.client().sign_up(&format!("uploader_{number}")).await);
    }
    let (uploads, posts) = (UploadLoad::start(&server, &users), PostLoad::start(&server, &users));

    for round in 0..full_or_short(1, 2) {
        uploads.wait_for_requests(20).await;
        let (setup, archive) = (setup.clone(), path_in(&setup, &format!("{round}.tar")));
        let rehearsed = spawn_blocking(move || {
            let started = std::time::Instant::now();
            let backup = setup.run(&["backup", &archive]).expect(0);
            let backed_up = started.elapsed();
            assert!(!backup.stderr.contains("warning"), "{}", backup.stderr);
            let started = std::time::Instant::now();
            let rehearsed = setup.run(&["restore", &archive, "--rehearse"]).expect(0).stdout;
            let rehearsal = started.elapsed();
            let size = fs::metadata(&archive).unwrap().len();
            fs::remove_file(archive).unwrap();
            println!("{size} bytes in {backed_up:?}, rehearsed in {rehearsal:?}");
            rehearsed
        });
        let rehearsed = rehearsed.await.unwrap();
        assert!(rehearsed.contains(" verified: 0 mismatches\n"), "{rehearsed}");
        assert!(rehearsed.ends_with("\n0 files that rows name are missing\n"), "{rehearsed}");
        println!("{rehearsed}");
    }

    let deleted = (uploads.stop().await.len(), posts.stop().await);
    println!("{} files acknowledged", deleted.0);
}

#[tokio::test]
async fn a_rehearsal_changes_nothing_and_leaves_nothing() {
    let server = server_with_uploads().await;
    let (setup, archive) = (server.setup(), path_in(server.setup(), "a.tar"));
    setup.run(&["backup", &archive]).expect(0);
    let temporary = setup.working_dir().path().join("temporary");
    fs::create_dir(&temporary).unwrap();
    let temporary_path = temporary.display().to_string();
    let before = all_rows(setup).await;

    let output = setup
        .clone()
        .env("TMPDIR", &temporary_path)
        .run(&["restore", "--rehearse", &archive])
        .expect(0);

    assert!(output.stdout.contains("2 users, 2 posts, "), "{}", output.stdout);
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    assert_eq!(all_rows(setup).await, before);
}

#[tokio::test]
async fn the_password_of_the_database_is_in_no_output() {
    let server = server_with_uploads().await;
    let url = server.setup().database_url().replace("://grateful@", "://grateful:sesame@");
    assert!(url.contains("sesame"));
    let setup = Setup::with_database_url(&url).env("RUST_LOG", "debug");

    let backup = setup.run(&["backup", &path_in(&setup, "a.tar")]).expect(0);
    let unreachable = Setup::with_database_url("postgresql://ana:sesame@127.0.0.1:1/grateful");
    let refused = unreachable.run(&["backup", &path_in(&unreachable, "b.tar")]).expect(1);

    for output in [backup, refused] {
        assert!(!(output.stdout + &output.stderr).contains("sesame"));
    }
}
