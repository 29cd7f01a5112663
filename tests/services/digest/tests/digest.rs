//! Letters are sent exactly once, also if the program is killed in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "ids of a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use chrono::NaiveDate;
use grateful_domain::notification::{Act, Cause, Event, EventDetails};
use grateful_domain::{Limit, UserId};
use grateful_service_digest::{Folder, Report, prepare, run};
use grateful_storage::diesel_async::SimpleAsyncConnection as _;
use grateful_storage::{Connection, QueryLog, Repositories};
use grateful_test_database::{NOON, TestDatabase, a_post, create_user_named, wait_until_blocked};
use uuid::Uuid;

const NIGHT: NaiveDate = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
/// Three pages of users.
const USERS: usize = 230;

struct Scenario {
    database: TestDatabase,
    folder: PathBuf,
    users: Vec<UserId>,
}

impl Scenario {
    /// Every other user has an unread notification of a follow, and the first also one of a heart.
    async fn create(users: usize) -> Self {
        let database = TestDatabase::create().await;
        prepare(&database.pool).await.unwrap();
        let folder = std::env::temp_dir().join(format!("letters_{}", Uuid::now_v7().simple()));
        fs::create_dir(&folder).unwrap();
        let actor = create_user_named(&database, "actor").await;
        let sql = format!(
            "INSERT INTO users (username, email, hashed_password)
             SELECT 'user_' || n, 'user_' || n || '@example.org', '!' FROM generate_series(1, {users}) AS n"
        );
        database.execute(&sql).await;
        let ids = database
            .lines("SELECT id::text AS line FROM users WHERE username LIKE 'user_%' ORDER BY id");
        let users: Vec<UserId> =
            ids.await.iter().map(|id| UserId::from(id.parse::<i64>().unwrap())).collect();
        let mut events = vec![];
        for user in users.iter().copied().step_by(2) {
            events.push(event(user, actor, Act::Follow));
        }
        let post = a_post().by(users[0]).insert_into(&database).await;
        events.push(event(users[0], actor, Act::Heart { post: post.id }));
        database.connect().await.notifications().record(&events).await.unwrap();
        Self { database, folder, users }
    }

    /// Starts the program.
    fn start(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_grateful-service-digest"))
            .args([&NIGHT.to_string(), self.folder.to_str().unwrap()])
            .env("DATABASE_URL", self.database.url())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Kills the program once a statement of it waits for a lock.
    async fn kill_once_blocked(&self) {
        let mut program = self.start();
        wait_until_blocked(&self.database, 1).await;
        program.kill().unwrap();
        program.wait().unwrap();
    }

    fn finish(&self) -> String {
        let output = self.start().wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    async fn run(&self) -> Report {
        run(&self.database.pool, NIGHT, &Folder::new(&self.folder)).await.unwrap()
    }

    /// The letters by their address.
    fn letters(&self) -> BTreeMap<String, Vec<String>> {
        let mut letters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for file in fs::read_dir(&self.folder).unwrap() {
            let path = file.unwrap().path();
            // What was unfinished when the program was killed is no letter.
            if path.extension().is_some_and(|extension| extension == "txt") {
                let text = fs::read_to_string(path).unwrap();
                let (head, body) = text.split_once("\n\n").unwrap();
                letters.entry(head.to_owned()).or_default().push(body.to_owned());
            }
        }
        letters
    }

    /// Asserts that every user with unread notifications has one letter, and no other user has one.
    async fn assert_one_letter_each(&self) {
        let letters = self.letters();
        let addresses: Vec<String> = (0..self.users.len())
            .step_by(2)
            .map(|index| format!("To: user_{}@example.org", index + 1))
            .collect();
        assert_eq!(letters.len(), addresses.len());
        for address in addresses {
            assert_eq!(letters.get(&address).map(Vec::len), Some(1), "{address}");
        }
        let unsent = "digest_letters WHERE NOT is_sent";
        assert_eq!(self.database.count(unsent).await, 0);
    }
}

impl Drop for Scenario {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.folder);
    }
}

/// Ends the transaction at once. A dropped connection is closed by a task of this thread, which waits for the program.
async fn release(mut holder: Connection) {
    holder.batch_execute("ROLLBACK").await.unwrap();
}

fn event(recipient: UserId, actor: UserId, act: Act) -> Event {
    Event {
        cause: Cause { recipient, actor, act },
        details: EventDetails::default(),
        at: NOON,
        id: Uuid::now_v7().into(),
        batch_id: Uuid::now_v7().into(),
    }
}

#[tokio::test]
async fn each_user_gets_one_letter_about_all_unread_notifications() {
    let scenario = Scenario::create(USERS).await;

    let (report, log) = QueryLog::record(scenario.run()).await;

    assert_eq!(report, Report { claimed: USERS / 2, sent: USERS / 2 });
    scenario.assert_one_letter_each().await;
    let body = &scenario.letters()["To: user_1@example.org"][0];
    assert!(body.starts_with("Dear user_1,\n\n- "), "{body}");
    assert_eq!(body.matches("\n- ").count(), 2, "{body}");
    // Three pages of users and an empty one, the claims of three, and the unsent letters; four for each letter.
    assert_eq!(log.total(), 4 * 2 + 3 + 1 + 4 * 115, "{log:#?}");
    assert_eq!(scenario.run().await, Report::default());
    scenario.assert_one_letter_each().await;
}

/// The claims are committed, and half of the letters are sent.
#[tokio::test]
async fn a_run_that_is_killed_between_claim_and_letter_is_completed_by_the_next() {
    let scenario = Scenario::create(USERS).await;
    let middle = scenario.users[114];
    // Claimed by an earlier attempt, and held by the test.
    let claim = format!(
        "INSERT INTO digest_letters (id, user_id, night, address, body) VALUES
         (gen_random_uuid(), {middle}, '{NIGHT}', 'user_115@example.org', 'Dear user_115,')"
    );
    scenario.database.execute(&claim).await;
    let lock = format!("SELECT FROM digest_letters WHERE user_id = {middle} FOR UPDATE");
    let holder = scenario.database.begin(&lock).await;

    scenario.kill_once_blocked().await;

    assert_eq!(scenario.letters().len(), 57);
    assert_eq!(scenario.database.count("digest_letters").await, 115);
    release(holder).await;
    let report = scenario.finish();
    assert_eq!(report, "0 letters written, 58 sent\n");
    scenario.assert_one_letter_each().await;
}

/// A trigger holds the program after it has sent a letter, and before that is committed.
#[tokio::test]
async fn a_letter_that_was_sent_before_the_kill_is_not_sent_again() {
    let scenario = Scenario::create(20).await;
    let stop = format!(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$;
         CREATE TRIGGER stop BEFORE UPDATE ON digest_letters FOR EACH ROW
             WHEN (NEW.user_id = {}) EXECUTE FUNCTION stop()",
        scenario.users[4]
    );
    scenario.database.execute(&stop).await;
    let holder = scenario.database.begin("SELECT pg_advisory_xact_lock(7)").await;

    scenario.kill_once_blocked().await;

    assert_eq!(scenario.letters().len(), 3);
    assert_eq!(scenario.database.count("digest_letters WHERE is_sent").await, 2);
    release(holder).await;
    assert_eq!(scenario.finish(), "0 letters written, 8 sent\n");
    scenario.assert_one_letter_each().await;
}

#[tokio::test]
async fn runs_at_the_same_time_send_each_letter_once() {
    let scenario = Scenario::create(60).await;

    let reports = tokio::join!(scenario.run(), scenario.run(), scenario.run());

    let sent = reports.0.sent + reports.1.sent + reports.2.sent;
    let claimed = reports.0.claimed + reports.1.claimed + reports.2.claimed;
    assert_eq!((claimed, sent), (30, 30));
    scenario.assert_one_letter_each().await;
}

#[tokio::test]
async fn the_unread_notifications_of_many_users_take_one_statement() {
    let scenario = Scenario::create(60).await;
    let mut conn = scenario.database.pool.acquire().await.unwrap();
    for users in [&scenario.users[..1], &scenario.users[..]] {
        let (unread, log) =
            QueryLog::record(conn.notifications().unread_of(users, Limit::DEFAULT)).await;

        assert_eq!(unread.unwrap().len(), users.len().div_ceil(2));
        assert_eq!(log.total(), 1);
    }
}
