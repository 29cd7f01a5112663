//! All columns that refer to a user: where an export contains their rows, and how a deletion removes them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use diesel_async::SimpleAsyncConnection as _;
use grateful_application::background_jobs::run_pending;
use grateful_application::export::{Section, SectionItems, export};
use grateful_application::notifications::issue_ticket;
use grateful_application::verify::{Repair, verify};
use grateful_application::{
    App, IdempotencyKey, IdempotentRequest, RecordedResponse, accounts, comments, follows, hearts,
    profiles, reactions, shares,
};
use grateful_domain::{
    CommentForViewer, CommentId, CommentText, Emoji, PostId, ProfileEdit, Recipients, ShareDetails,
    ShareMessage, UserId, Username,
};
use grateful_testkit::{
    TestApp, TestDatabase, a_post, a_user, block, create_user, draft, wait_until_blocked,
};
use uuid::Uuid;

use crate::support::{assert_not_found, create_post, session_of};

/// How the deletion of an account removes a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Removal {
    /// In batches, with its counts and its notifications.
    InBatches,
    /// With the row of the user, by a foreign key. No count depends on it.
    Cascade,
    /// Not at all, for this reason: the row belongs to another user.
    Stays(&'static str),
}

/// Where an export contains a row.
#[derive(Debug)]
enum Export {
    /// In these sections, for rows that match this condition.
    Sections(&'static [Section], &'static str),
    /// In no section, for this reason.
    Excluded(&'static str),
}

use Export::{Excluded, Sections};
use Removal::{Cascade, InBatches, Stays};

/// All columns that refer to a user. A new column must be added here, with its removal and its export.
const COLUMNS: [(&str, Removal, Export); 24] = [
    ("background_jobs.other_user_id", InBatches, Excluded("work in progress, done within minutes")),
    ("background_jobs.user_id", InBatches, Excluded("work in progress, done within minutes")),
    ("comments.author_id", InBatches, Sections(&[Section::Comments], "true")),
    ("emoji_reactions.user_id", InBatches, Sections(&[Section::Reactions], "true")),
    // A block is personal data of the blocking user.
    (
        "follows.follower_id",
        InBatches,
        Sections(&[Section::Following, Section::RequestsSent], "status <> 'blocked'"),
    ),
    (
        "follows.followed_id",
        InBatches,
        Sections(&[Section::Followers, Section::RequestsReceived, Section::Blocks], "true"),
    ),
    (
        "idempotency_keys.user_id",
        Cascade,
        Excluded("responses about rows that are exported themselves; deleted within a day"),
    ),
    ("inboxes.user_id", Cascade, Excluded("a lock, a sequence number and counts")),
    ("likes.user_id", InBatches, Sections(&[Section::Hearts], "true")),
    ("marks.user_id", Cascade, Excluded("a position in the log of the database")),
    (
        "notification_quotas.actor_ids",
        Stays("a number that is no user's any more; the next window of the recipient replaces it"),
        Excluded("how many notifications the user started for others within the hour"),
    ),
    (
        "notification_quotas.user_id",
        Cascade,
        Excluded("the number of notifications of a type within the hour"),
    ),
    (
        "notification_removals.user_id",
        Cascade,
        Excluded("ids of removed notifications; deleted within a day"),
    ),
    (
        "notifications.actor_id",
        InBatches,
        Excluded("notifications of other users about acts that are exported themselves"),
    ),
    ("notifications.user_id", InBatches, Sections(&[Section::Notifications], "true")),
    ("posts.author_id", InBatches, Sections(&[Section::Posts], "true")),
    (
        "released_usernames.user_id",
        Stays("the name is reserved for 30 days, without its former owner"),
        Excluded("former usernames; deleted within 30 days"),
    ),
    ("sessions.user_id", Cascade, Sections(&[Section::Sessions], "true")),
    ("share_recipients.user_id", Cascade, Sections(&[Section::ReceivedShares], "true")),
    ("shares.user_id", InBatches, Sections(&[Section::Shares], "true")),
    (
        "suppressed_notifications.actor_id",
        Cascade,
        Excluded(
            "acts that are exported themselves, and why another user was not notified of them",
        ),
    ),
    (
        "suppressed_notifications.user_id",
        Cascade,
        Excluded("acts of other users that did not notify the user, and a reason of the server"),
    ),
    (
        "withdrawn_notifications.actor_id",
        Cascade,
        Excluded("acts that were undone; deleted within a day"),
    ),
    (
        "withdrawn_notifications.user_id",
        Cascade,
        Excluded("acts of other users that were undone; deleted within a day"),
    ),
];

#[tokio::test]
async fn the_table_contains_every_column_that_refers_to_a_user() {
    let TestApp { database, .. } = TestApp::create().await;

    assert_eq!(
        columns(&database).await,
        COLUMNS.iter().map(|(column, ..)| (*column).to_owned()).collect()
    );
}

#[tokio::test]
async fn a_column_missing_in_the_table_is_found_with_or_without_a_foreign_key() {
    let TestApp { database, .. } = TestApp::create().await;
    database.execute(
        "CREATE TABLE careless (id bigint, owner bigint REFERENCES users (id), muted_user_id bigint, actor_id bigint)",
    )
    .await;

    let known: BTreeSet<String> = COLUMNS.iter().map(|(column, ..)| (*column).to_owned()).collect();
    let found = columns(&database).await;

    let new: Vec<&String> = found.difference(&known).collect();
    assert_eq!(new, ["careless.actor_id", "careless.muted_user_id", "careless.owner"]);
}

#[test]
fn every_section_belongs_to_exactly_one_column() {
    let exported: Vec<Section> = COLUMNS
        .iter()
        .filter_map(
            |(_, _, export)| {
                if let Sections(sections, _) = export { Some(*sections) } else { None }
            },
        )
        .flatten()
        .copied()
        .collect();

    assert_eq!(exported.len(), Section::ALL.len());
    assert!(Section::ALL.iter().all(|section| exported.contains(section)));
}

#[tokio::test]
async fn an_export_contains_every_row_that_refers_to_the_user() {
    let scenario = Scenario::create().await;

    let counts = scenario.export_counts().await;

    for (column, _, export) in &COLUMNS {
        let rows = scenario.rows(column, "true").await;
        assert!(0 < rows, "the scenario has no row with {column}");
        match export {
            Sections(sections, condition) => {
                let items: i64 =
                    sections.iter().map(|section| counts[&format!("{section:?}")]).sum();
                assert_eq!(items, scenario.rows(column, condition).await, "{column} {counts:?}");
                for section in *sections {
                    assert!(0 < counts[&format!("{section:?}")], "{section:?}");
                }
            }
            Excluded(why) => assert!(!why.is_empty()),
        }
    }
}

#[tokio::test]
async fn a_deleted_account_leaves_no_references_and_no_counts() {
    let scenario = Scenario::create().await;

    accounts::delete(&scenario.app, scenario.ana).await.unwrap();

    scenario.assert_gone().await;
}

/// Interrupts a deletion in each step, as `kill -9` does. Completed steps persist, and housekeeping on any node continues.
#[tokio::test]
async fn an_interrupted_deletion_is_continued_without_a_request() {
    let scenario = Scenario::create().await;
    let ben = scenario.ben;
    let [heart, reaction, link, message, comment] = scenario.posts;
    let locked_rows = [
        format!("users WHERE id = {ben}"),
        format!("inboxes WHERE user_id = {ben}"),
        format!("posts WHERE id = '{heart}'"),
        format!("posts WHERE id = '{reaction}'"),
        format!("posts WHERE id = '{link}'"),
        format!("posts WHERE id = '{message}'"),
        format!("posts WHERE id = '{comment}'"),
        format!("posts WHERE author_id = {}", scenario.ana),
    ];
    let mut remaining_rows = scenario.all_rows().await;

    for (step, row) in locked_rows.iter().enumerate() {
        let mut lock = scenario.database.begin(&format!("SELECT FROM {row} FOR UPDATE")).await;
        let deletion = tokio::spawn({
            let (app, ana) = (scenario.app.clone(), scenario.ana);
            async move {
                if step == 0 {
                    accounts::delete(&app, ana).await.unwrap();
                } else {
                    run_pending(&app).await.unwrap();
                }
            }
        });
        wait_until_blocked(&scenario.database, 1).await;
        deletion.abort();
        assert!(deletion.await.unwrap_err().is_cancelled(), "{row}");
        lock.batch_execute("ROLLBACK").await.unwrap();

        let now = scenario.all_rows().await;
        assert!(
            now <= remaining_rows
                && 0 < scenario.database.count(&format!("users WHERE id = {}", scenario.ana)).await
        );
        remaining_rows = now;
        scenario.assert_consistent(row).await;
        assert_not_found(accounts::delete(&scenario.app, scenario.ana).await);
    }

    run_pending(&scenario.app).await.unwrap();
    scenario.assert_gone().await;
}

async fn rename(app: &App, user: UserId, username: &str) {
    let username = Some(Username::parse(username).unwrap());
    let edit = ProfileEdit { username, ..ProfileEdit::default() };
    profiles::update(app, user, edit, None).await.unwrap();
}

/// Ana and Ben, who have performed every kind of act on each other's data and undone some; and further users.
struct Scenario {
    app: App,
    database: TestDatabase,
    ana: UserId,
    ben: UserId,
    /// Ben's posts with a heart, a reaction, a link share, a message share and a comment by Ana.
    posts: [PostId; 5],
}

impl Scenario {
    async fn create() -> Self {
        let TestApp { app, database, .. } = TestApp::create().await;
        let ana = a_user().with_username("ana_before").insert_into(&database).await;
        let ben = a_user().with_username("ben").insert_into(&database).await.id;
        issue_ticket(&app, &session_of(&app, &ana).await).await.unwrap();
        let ana = ana.id;
        rename(&app, ana, "ana").await;
        let mut posts_by_other = Vec::new();
        for (one, other) in [(ben, ana), (ana, ben)] {
            posts_by_other = create_engagement(&app, &database, one, other).await;
            follows::follow(&app, one, other).await.unwrap();
            // A third user does the same, so that there are batches, and counts that remain.
            let caro = create_user(&database).await;
            let post = a_post().by(other).insert_into(&database).await.id;
            for user in [one, caro] {
                hearts::add(&app, user, post).await.unwrap();
                reactions::set(&app, user, post, Emoji::Star).await.unwrap();
            }
            follows::follow(&app, caro, other).await.unwrap();
            follows::follow(&app, one, caro).await.unwrap();
            // An act that is undone and repeated restores its notification.
            hearts::remove(&app, one, posts_by_other[0]).await.unwrap();
            hearts::add(&app, one, posts_by_other[0]).await.unwrap();
            // Undone acts are stored for a day.
            hearts::add(&app, one, posts_by_other[1]).await.unwrap();
            hearts::remove(&app, one, posts_by_other[1]).await.unwrap();
            exchange_requests(&app, &database, one).await;
            block(&database, one, create_user(&database).await).await;
            block(&database, create_user(&database).await, one).await;
        }
        let key = IdempotencyKey::parse("once").unwrap();
        let idempotency = IdempotentRequest { key, fingerprint: [7; 32] };
        create_post(&app, ana, draft("For rain"), Some(idempotency)).await.unwrap();
        database
            .execute(&format!(
                "INSERT INTO background_jobs (id, kind, user_id, other_user_id, requested_at)
                 VALUES (gen_random_uuid(), 'withdraw_between', {ana}, {ben}, now()),
                     (gen_random_uuid(), 'withdraw_between', {ben}, {ana}, now())"
            ))
            .await;
        database.execute("INSERT INTO marks (user_id, lsn) SELECT id, 1 FROM users").await;
        let posts = posts_by_other.try_into().unwrap();
        let scenario = Self { app, database, ana, ben, posts };
        scenario.assert_consistent("before the deletion").await;
        scenario
    }

    /// The number of exported items by section.
    async fn export_counts(&self) -> BTreeMap<String, i64> {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        export(&self.app, self.ana, async |section, items| {
            *counts.entry(format!("{section:?}")).or_default() += count_items(&items);
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
        counts
    }

    /// The number of rows that refer to Ana in this column and match the condition.
    async fn rows(&self, column: &str, condition: &str) -> i64 {
        let (table, _) = column.split_once('.').unwrap();
        let refers = if column.ends_with("_ids") { "= ANY" } else { "=" };
        let sql = format!("{table} WHERE {} {refers} ({column}) AND {condition}", self.ana);
        self.database.count(&sql).await
    }

    async fn all_rows(&self) -> i64 {
        let mut rows = 0;
        for (column, ..) in &COLUMNS {
            rows += self.rows(column, "true").await;
        }
        rows
    }

    async fn assert_gone(&self) {
        for (column, removal, _) in &COLUMNS {
            match removal {
                InBatches | Cascade => {
                    assert_eq!(self.rows(column, "true").await, 0, "{column}");
                }
                Stays(why) => assert!(!why.is_empty()),
            }
        }
        assert_eq!(self.database.count(&format!("users WHERE id = {}", self.ana)).await, 0);
        // Notifications of other users do not contain her name either.
        let with_her_name = "notifications WHERE data::text LIKE '%ana%' OR message LIKE '%ana%' OR title LIKE '%ana%'";
        assert_eq!(self.database.count(with_her_name).await, 0);
        // The data of other users still exists.
        let post =
            self.database.count("posts WHERE hearts_count = 1 AND reactions_count = 1").await;
        assert_eq!(post, 1);
        assert_eq!(verify(&self.app, Repair::No, |_| ()).await.unwrap(), 0);
    }

    /// Ignores missing notifications: an interrupted deletion has withdrawn those of acts that it has not deleted yet.
    async fn assert_consistent(&self, when: &str) {
        let mut found = Vec::new();
        verify(&self.app, Repair::No, |progress| found.push(format!("{progress:?}")))
            .await
            .unwrap();
        found.retain(|progress| !progress.starts_with("Verified"));
        assert_eq!(found, [""; 0], "{when}");
    }
}

/// Creates five posts of `other`, and a heart, a reaction, a link share, a message share and comments by `one`.
async fn create_engagement(
    app: &App,
    database: &TestDatabase,
    one: UserId,
    other: UserId,
) -> Vec<PostId> {
    let mut posts = Vec::new();
    for _ in 0..5 {
        posts.push(a_post().by(other).insert_into(database).await.id);
    }
    hearts::add(app, one, posts[0]).await.unwrap();
    reactions::set(app, one, posts[1], Emoji::Hug).await.unwrap();
    shares::create(app, one, posts[2], ShareDetails::Url, None, |_| Vec::new()).await.unwrap();
    let message = ShareDetails::Message {
        recipients: Recipients::parse(one, &[other.into()]).unwrap(),
        message: ShareMessage::parse("Look at that").unwrap(),
    };
    shares::create(app, one, posts[3], message, None, |_| Vec::new()).await.unwrap();
    create_comment(app, one, posts[4], None).await;
    let reply = create_comment(app, other, posts[4], None).await;
    create_comment(app, one, posts[4], Some(reply)).await;
    posts
}

/// Comments on a post. Returns the id of the comment.
async fn create_comment(
    app: &App,
    user: UserId,
    post: PostId,
    parent: Option<CommentId>,
) -> CommentId {
    let draft = comments::CommentDraft { post, parent, text: comment_text() };
    let to_response = |comment: &CommentForViewer| comment.comment.id.to_string().into_bytes();
    let (RecordedResponse::New(id) | RecordedResponse::Replayed(id)) =
        comments::create(app, user, draft, None, to_response).await.unwrap();
    Uuid::parse_str(str::from_utf8(&id).unwrap()).unwrap().into()
}

fn comment_text() -> CommentText {
    CommentText::parse("How lovely").unwrap()
}

/// Creates follow requests between a user and a new user, in both directions.
async fn exchange_requests(app: &App, database: &TestDatabase, user: UserId) {
    let other = create_user(database).await;
    let sql = r#"UPDATE users SET profile_preferences = '{"approve_followers": true}' WHERE id IN"#;
    database.execute(&format!("{sql} ({user}, {other})")).await;
    follows::follow(app, user, other).await.unwrap();
    follows::follow(app, other, user).await.unwrap();
}

fn count_items(items: &SectionItems) -> i64 {
    let count = match items {
        SectionItems::Sessions(items) => items.len(),
        SectionItems::Posts(items) => items.len(),
        SectionItems::Hearts(items) => items.len(),
        SectionItems::Reactions(items) => items.len(),
        SectionItems::Shares(items) => items.len(),
        SectionItems::ReceivedShares(items) => items.len(),
        SectionItems::Comments(items) => items.len(),
        SectionItems::Users(items) => items.len(),
        SectionItems::Notifications(items) => items.len(),
    };
    i64::try_from(count).unwrap()
}

/// All columns with a foreign key to `users` or with a name of one.
async fn columns(database: &TestDatabase) -> BTreeSet<String> {
    let columns = database.lines(
        "SELECT conrelid::regclass || '.' || attname AS line
         FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
         WHERE contype = 'f' AND confrelid = 'users'::regclass
         UNION
         SELECT attrelid::regclass || '.' || attname
         FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT attisdropped
             AND atttypid IN ('bigint'::regtype, 'bigint[]'::regtype)
             AND attname ~ '(^|_)(user|author|actor|follower|followed)_ids?$'",
    );
    columns.await.into_iter().collect()
}
