//! `grateful import`: what an operator of the older Grateful does. What comes over is shown in `crates/import/tests`.

use std::fs;
use std::path::{Path, PathBuf};

use grateful_testkit::{TestDatabase, a_png};
use grateful_tests::{Setup, Value, json};

const TABLES: &str = include_str!("../../../crates/import/tests/older/tables.sql");
const WORLD: &str = include_str!("../../../crates/import/tests/older/world.sql");

/// The hash of `an old password` by bcrypt, with the least cost.
const HASH: &str = "$2a$04$QHEpjZAQM9/60ObDgyY/iupo8A7lXBtrM2BSUuATI.SgqJPKW.mSO";

/// The older database and its folder of uploads, in the working directory of the setup.
struct Older {
    database: TestDatabase,
    uploads: PathBuf,
}

impl Older {
    async fn create(setup: &Setup) -> Self {
        let database = TestDatabase::create_empty().await;
        database.execute(TABLES).await;
        database.execute(WORLD).await;
        database
            .execute(&format!("UPDATE users SET hashed_password = '{HASH}' WHERE id = 1"))
            .await;
        let uploads = setup.working_dir().path().join("older");
        let (posts, photos) = (uploads.join("posts"), uploads.join("profile_photos"));
        fs::create_dir_all(&posts).unwrap();
        fs::create_dir_all(&photos).unwrap();
        fs::write(posts.join("tomato.JPG"), a_png(40, 30)).unwrap();
        fs::write(posts.join("text.png"), "no picture").unwrap();
        fs::write(uploads.join("secret"), "outside").unwrap();
        for size in ["thumbnail", "small", "medium", "large"] {
            fs::write(photos.join(format!("profile_ana_{size}.jpg")), a_png(64, 64)).unwrap();
        }
        Self { database, uploads }
    }

    fn arguments<'a>(&'a self, url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let uploads = self.uploads.to_str().unwrap();
        [&["import", "--from", url, "--uploads", uploads], more].concat()
    }

    async fn rows(&self) -> Vec<String> {
        let sql =
            "SELECT it::text AS line FROM users AS it UNION ALL SELECT it::text FROM posts AS it
                   UNION ALL SELECT it::text FROM notifications AS it ORDER BY line";
        self.database.lines(sql).await
    }
}

fn files_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn people_of_the_older_grateful_find_their_posts_and_pictures_and_sign_in() {
    let setup = Setup::with_empty_database().await.env("GRATEFUL_NOTIFICATION_DAYS", 3_650);
    let older = Older::create(&setup).await;
    let (url, before) = (older.database.url(), older.rows().await);
    let posts = setup.working_dir().uploads_dir().join("posts");

    let dry = setup.run(&older.arguments(&url, &["--dry-run"])).expect(0).stdout;
    assert!(dry.ends_with("Dry run: nothing was imported.\n"), "{dry}");
    assert_eq!(setup.sql().await.run("SELECT count(*) FROM users").await, "0");
    assert_eq!(files_in(&posts), [""; 0]);

    let imported = setup.run(&older.arguments(&url, &[])).expect(0).stdout;
    let report = |output: &str| {
        let lines = output.lines().filter(|line| line.ends_with(')'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(report(&imported), report(&dry));
    assert!(imported.contains("users 3: username 'Ben' → Ben_3 (taken without regard to case)\n"));
    assert_eq!(older.rows().await, before);
    let verified = setup.run(&["verify"]).expect(0).stdout;
    assert!(verified.ends_with(": 0 mismatches\n"), "{verified}");

    let server = setup.start().await;
    let client = server.client();
    let credentials = json!({"email": "ANA@mail.example", "password": "an old password"});
    let login = client.post("/api/v1/auth/login").json(&credentials).send().await;
    let token = login.expect(200).token();
    let hash = setup.sql().await.run("SELECT hashed_password FROM users WHERE id = 1").await;
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let session = client.get_session(&token).send().await.expect(200).data();
    assert_eq!(session["username"], "ana");
    let image = "SELECT image_url FROM posts WHERE id = '00000000-0000-4000-8000-0000000000a1'";
    let image = setup.sql().await.run(image).await;
    client.get(&image).send().await.expect(200);
    client.get("/uploads/profile_photos/profile_ana_medium.jpg").send().await.expect(200);
    assert_eq!(files_in(&posts).len(), 1);
}

#[tokio::test]
async fn a_second_import_is_refused_and_the_report_can_be_a_file() {
    let setup = Setup::with_test_database().await;
    let older = Older::create(&setup).await;
    let url = older.database.url();
    let file = setup.working_dir().path().join("report.jsonl");
    setup.run(&older.arguments(&url, &["--report", file.to_str().unwrap()])).expect(0);
    let count = setup.sql().await.run("SELECT count(*) FROM notifications").await;

    let second = setup.run(&older.arguments(&url, &[])).expect(1);

    let refusal = "grateful: this database has users already; an import fills an empty one, so nothing was changed";
    assert_eq!(second.stderr.lines().last(), Some(refusal));
    assert_eq!(setup.sql().await.run("SELECT count(*) FROM notifications").await, count);
    let report = fs::read_to_string(&file).unwrap();
    let changes: Vec<Value> =
        report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(30 < changes.len(), "{report}");
    assert!(changes.iter().all(|it| it["table"].is_string() && it["why"].is_string()));
}

#[tokio::test]
async fn an_import_that_cannot_be_complete_is_refused_in_one_sentence() {
    let setup = Setup::with_test_database().await;
    let older = Older::create(&setup).await;
    let url = older.database.url();
    let folder = older.uploads.to_str().unwrap();
    let ours = TestDatabase::create().await;
    let gone = "postgresql://ana:secret@127.0.0.1:1/gone";
    for (arguments, sentence) in [
        (vec!["--from", &url], "the source names 5 pictures: give the older folder of uploads"),
        (vec!["--from", &url, "--uploads", "/nowhere"], "--uploads /nowhere is no directory"),
        (
            vec!["--from", &ours.url(), "--uploads", folder],
            "the source is a database of this Grateful",
        ),
        (vec!["--from", gone, "--uploads", folder], "the source cannot be reached"),
        (vec!["--from", "ana:secret@host"], "--from is not the address of a PostgreSQL database"),
    ] {
        let output = setup.run(&[&["import"], &arguments[..]].concat()).expect(1);

        let last = output.stderr.lines().last().unwrap();
        assert!(last.starts_with(&format!("grateful: {sentence}")), "{last}");
        assert!(!output.stderr.contains("secret"), "{}", output.stderr);
        assert_eq!(setup.sql().await.run("SELECT count(*) FROM users").await, "0");
    }
}

/// A lock on our posts keeps the import from its end, until it is killed.
#[tokio::test]
async fn an_import_that_is_killed_leaves_nothing_and_is_run_again() {
    let setup = Setup::with_test_database().await;
    let older = Older::create(&setup).await;
    let url = older.database.url();
    let posts = setup.working_dir().uploads_dir().join("posts");
    let (lock, sql) = (setup.sql().await, setup.sql().await);
    lock.run("BEGIN; LOCK TABLE posts").await;
    let arguments = older.arguments(&url, &[]);

    setup.run_and_kill_when(&arguments, async || 0 < sql.count_lock_waiters().await).await;
    lock.run("ROLLBACK").await;

    assert_eq!(sql.run("SELECT count(*) FROM users").await, "0");
    let stored = files_in(&posts);
    assert_eq!(stored.len(), 1);
    setup.run(&arguments).expect(0);
    assert_eq!(files_in(&posts), stored);
    assert_eq!(sql.run("SELECT count(*) FROM users").await, "5");
}
