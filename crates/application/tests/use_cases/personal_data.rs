//! Wherever a person is referred to: what an export tells of it, and that nothing of it is left when they have gone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use diesel_async::SimpleAsyncConnection as _;
use grateful_application::export::{Section, SectionItems, export};
use grateful_application::notifications::issue_ticket;
use grateful_application::verify::{Repair, verify};
use grateful_application::{
    App, IdempotencyKey, IdempotentRequest, RecordedResponse, accounts, comments, follows, hearts,
    reactions, shares,
};
use grateful_domain::{
    CommentForViewer, CommentId, CommentText, Emoji, PostId, Recipients, ShareDetails,
    ShareMessage, UserId,
};
use grateful_testkit::{TestApp, TestDatabase, a_post, a_user, block, create_user};
use uuid::Uuid;

use crate::support::{assert_not_found, draft, publish, session_of, until_waiting};

/// How the row is gone when the account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// In steps, with what it counts for and what others were told of it.
    InSteps,
    /// With the row of the person, which it refers to: nobody counts it.
    WithThePerson,
}

/// Whether the person is told of it in an export.
#[derive(Debug)]
enum Told {
    /// In these sections, but for rows that are another's to tell of.
    In(&'static [Section], &'static str),
    /// Nowhere, and why.
    Nowhere(&'static str),
}

use Leaves::{InSteps, WithThePerson};
use Told::{In, Nowhere};

/// Every column that refers to a person. Whoever adds one decides both.
const COLUMNS: [(&str, Leaves, Told); 17] = [
    ("comments.author_id", InSteps, In(&[Section::Comments], "true")),
    ("emoji_reactions.user_id", InSteps, In(&[Section::Reactions], "true")),
    // Who has blocked somebody is for those to tell who have.
    (
        "follows.follower_id",
        InSteps,
        In(&[Section::Following, Section::RequestsSent], "status <> 'blocked'"),
    ),
    (
        "follows.followed_id",
        InSteps,
        In(&[Section::Followers, Section::RequestsReceived, Section::Blocks], "true"),
    ),
    (
        "idempotency_keys.user_id",
        WithThePerson,
        Nowhere("answers that are told as what they are about; gone within a day"),
    ),
    ("inboxes.user_id", WithThePerson, Nowhere("a lock, and a number of changes")),
    ("likes.user_id", InSteps, In(&[Section::Hearts], "true")),
    (
        "notification_quotas.user_id",
        WithThePerson,
        Nowhere("how many of a kind were told within the hour"),
    ),
    (
        "notification_removals.user_id",
        WithThePerson,
        Nowhere("ids of what is there no more; gone within a day"),
    ),
    (
        "notifications.actor_id",
        InSteps,
        Nowhere("what others were told of acts which are told themselves"),
    ),
    ("notifications.user_id", InSteps, In(&[Section::Notifications], "true")),
    ("posts.author_id", InSteps, In(&[Section::Posts], "true")),
    ("sessions.user_id", WithThePerson, In(&[Section::Sessions], "true")),
    ("share_recipients.user_id", WithThePerson, In(&[Section::ReceivedShares], "true")),
    ("shares.user_id", InSteps, In(&[Section::Shares], "true")),
    (
        "withdrawn_notifications.actor_id",
        WithThePerson,
        Nowhere("that an act was undone; gone within a day"),
    ),
    (
        "withdrawn_notifications.user_id",
        WithThePerson,
        Nowhere("that another's act was undone; gone within a day"),
    ),
];

#[tokio::test]
async fn every_column_that_refers_to_a_person_is_in_the_table() {
    let TestApp { database, .. } = TestApp::create().await;

    assert_eq!(columns(&database).await, COLUMNS.iter().map(|(it, ..)| (*it).to_owned()).collect());
}

#[tokio::test]
async fn a_column_that_is_not_in_the_table_is_found_with_a_key_or_without() {
    let TestApp { database, .. } = TestApp::create().await;
    database.execute(
        "CREATE TABLE careless (id bigint, owner bigint REFERENCES users (id), muted_user_id bigint, actor_id bigint)",
    )
    .await;

    let known: BTreeSet<String> = COLUMNS.iter().map(|(it, ..)| (*it).to_owned()).collect();
    let found = columns(&database).await;

    let new: Vec<&String> = found.difference(&known).collect();
    assert_eq!(new, ["careless.actor_id", "careless.muted_user_id", "careless.owner"]);
}

#[test]
fn every_section_tells_of_a_column_and_no_section_of_two() {
    let told: Vec<Section> = COLUMNS
        .iter()
        .filter_map(|(_, _, told)| if let In(sections, _) = told { Some(*sections) } else { None })
        .flatten()
        .copied()
        .collect();

    assert_eq!(told.len(), Section::ALL.len());
    assert!(Section::ALL.iter().all(|section| told.contains(section)));
}

#[tokio::test]
async fn an_export_tells_every_row_that_refers_to_the_person() {
    let world = World::create().await;

    let told = world.exported().await;

    for (column, _, what) in &COLUMNS {
        let rows = world.rows(column, "true").await;
        assert!(0 < rows, "a world without {column} shows nothing");
        match what {
            In(sections, which) => {
                let entries: i64 =
                    sections.iter().map(|section| told[&format!("{section:?}")]).sum();
                assert_eq!(entries, world.rows(column, which).await, "{column} {told:?}");
                for section in *sections {
                    assert!(0 < told[&format!("{section:?}")], "{section:?}");
                }
            }
            Nowhere(why) => assert!(!why.is_empty()),
        }
    }
}

#[tokio::test]
async fn whoever_has_gone_is_referred_to_nowhere_and_counted_by_nobody() {
    let world = World::create().await;

    accounts::delete(&world.app, world.ana).await.unwrap();

    world.assert_gone().await;
}

/// Each time in the midst of another step, as by a `kill -9`: what was done stays done, and the next attempt goes on.
#[tokio::test]
async fn a_deletion_that_is_cut_short_anywhere_goes_on_from_there() {
    let world = World::create().await;
    let ben = world.ben;
    let [heart, reaction, link, sent, said] = world.posts;
    let held = [
        format!("inboxes WHERE user_id = {ben}"),
        format!("users WHERE id = {ben}"),
        format!("posts WHERE id = '{heart}'"),
        format!("posts WHERE id = '{reaction}'"),
        format!("posts WHERE id = '{link}'"),
        format!("posts WHERE id = '{sent}'"),
        format!("posts WHERE id = '{said}'"),
        format!("posts WHERE author_id = {}", world.ana),
    ];
    let mut left = world.all_rows().await;

    for row in &held {
        let mut holder = world.database.begin(&format!("SELECT FROM {row} FOR UPDATE")).await;
        let deletion = tokio::spawn({
            let (app, ana) = (world.app.clone(), world.ana);
            async move { accounts::delete(&app, ana).await }
        });
        until_waiting(&world.database, 1).await;
        deletion.abort();
        assert!(deletion.await.unwrap_err().is_cancelled(), "{row}");
        holder.batch_execute("ROLLBACK").await.unwrap();

        let now = world.all_rows().await;
        assert!(
            now <= left
                && 0 < world.database.count(&format!("users WHERE id = {}", world.ana)).await
        );
        left = now;
        world.assert_numbers_right(row).await;
    }

    accounts::delete(&world.app, world.ana).await.unwrap();
    world.assert_gone().await;
    assert_not_found(accounts::delete(&world.app, world.ana).await);
    world.assert_gone().await;
}

/// Ana and Ben, who have done to each other whatever can be done, and undone some of it; and others beside them.
struct World {
    app: App,
    database: TestDatabase,
    ana: UserId,
    ben: UserId,
    /// Of Ben's posts those that have Ana's heart, her emoji, her link, what she sent, and what she said.
    posts: [PostId; 5],
}

impl World {
    async fn create() -> Self {
        let TestApp { app, database, .. } = TestApp::create().await;
        let ana = a_user().with_username("ana").insert_into(&database).await;
        let ben = a_user().with_username("ben").insert_into(&database).await.id;
        issue_ticket(&app, &session_of(&app, &ana).await).await.unwrap();
        let ana = ana.id;
        let mut theirs = Vec::new();
        for (one, other) in [(ben, ana), (ana, ben)] {
            theirs = a_post_for_each_act(&app, &database, one, other).await;
            follows::follow(&app, one, other).await.unwrap();
            // Somebody else does the same, so that there are batches, and numbers that stay.
            let caro = create_user(&database).await;
            let post = a_post().by(other).insert_into(&database).await.id;
            for who in [one, caro] {
                hearts::add(&app, who, post).await.unwrap();
                reactions::set(&app, who, post, Emoji::Star).await.unwrap();
            }
            follows::follow(&app, caro, other).await.unwrap();
            follows::follow(&app, one, caro).await.unwrap();
            // Done and undone, which is remembered for a day.
            hearts::add(&app, one, theirs[1]).await.unwrap();
            hearts::remove(&app, one, theirs[1]).await.unwrap();
            ask(&app, &database, one).await;
            block(&database, one, create_user(&database).await).await;
            block(&database, create_user(&database).await, one).await;
        }
        let key = IdempotencyKey::parse("once").unwrap();
        let idempotency = IdempotentRequest { key, fingerprint: [7; 32] };
        publish(&app, ana, draft("For rain"), Some(idempotency)).await.unwrap();
        let posts = theirs.try_into().unwrap();
        let world = Self { app, database, ana, ben, posts };
        world.assert_numbers_right("the beginning").await;
        world
    }

    /// How many entries each section has.
    async fn exported(&self) -> BTreeMap<String, i64> {
        let mut told: BTreeMap<String, i64> = BTreeMap::new();
        export(&self.app, self.ana, async |section, entries| {
            *told.entry(format!("{section:?}")).or_default() += number_of(&entries);
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
        told
    }

    /// How many rows of these refer to Ana in this column.
    async fn rows(&self, column: &str, which: &str) -> i64 {
        let (table, _) = column.split_once('.').unwrap();
        self.database.count(&format!("{table} WHERE {column} = {} AND {which}", self.ana)).await
    }

    async fn all_rows(&self) -> i64 {
        let mut rows = 0;
        for (column, ..) in &COLUMNS {
            rows += self.rows(column, "true").await;
        }
        rows
    }

    async fn assert_gone(&self) {
        for (column, ..) in &COLUMNS {
            assert_eq!(self.rows(column, "true").await, 0, "{column}");
        }
        assert_eq!(self.database.count(&format!("users WHERE id = {}", self.ana)).await, 0);
        // Nor by name, in what others were told.
        let told = "notifications WHERE data ->> 'actor_username' = 'ana' OR message LIKE '%ana%'";
        assert_eq!(self.database.count(told).await, 0);
        // What Ben and the others did beside her is still there.
        let post =
            self.database.count("posts WHERE hearts_count = 1 AND reactions_count = 1").await;
        assert_eq!(post, 1);
        assert_eq!(verify(&self.app, Repair::No, |_| ()).await.unwrap(), 0);
    }

    async fn assert_numbers_right(&self, when: &str) {
        let mut found = Vec::new();
        verify(&self.app, Repair::No, |progress| found.push(format!("{progress:?}")))
            .await
            .unwrap();
        found.retain(|it| it.starts_with("Mismatch"));
        assert_eq!(found, [""; 0], "{when}");
    }
}

/// What one does to as many posts of the other: a heart, an emoji, a link, a message and comments.
async fn a_post_for_each_act(
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
    say(app, one, posts[4], None).await;
    let answered = say(app, other, posts[4], None).await;
    say(app, one, posts[4], Some(answered)).await;
    posts
}

/// Says something about a post. Tells its id.
async fn say(app: &App, who: UserId, post: PostId, parent: Option<CommentId>) -> CommentId {
    let say = comments::CommentDraft { post, parent, text: words() };
    let id = |seen: &CommentForViewer| seen.comment.id.to_string().into_bytes();
    let (RecordedResponse::New(id) | RecordedResponse::Replayed(id)) =
        comments::create(app, who, say, None, id).await.unwrap();
    Uuid::parse_str(str::from_utf8(&id).unwrap()).unwrap().into()
}

fn words() -> CommentText {
    CommentText::parse("How lovely").unwrap()
}

/// Has somebody ask somebody else, and be asked by them.
async fn ask(app: &App, database: &TestDatabase, who: UserId) {
    let shy = create_user(database).await;
    let sql = r#"UPDATE users SET profile_preferences = '{"approve_followers": true}' WHERE id IN"#;
    database.execute(&format!("{sql} ({who}, {shy})")).await;
    follows::follow(app, who, shy).await.unwrap();
    follows::follow(app, shy, who).await.unwrap();
}

fn number_of(entries: &SectionItems) -> i64 {
    let number = match entries {
        SectionItems::Sessions(some) => some.len(),
        SectionItems::Posts(some) => some.len(),
        SectionItems::Hearts(some) => some.len(),
        SectionItems::Reactions(some) => some.len(),
        SectionItems::Shares(some) => some.len(),
        SectionItems::ReceivedShares(some) => some.len(),
        SectionItems::Comments(some) => some.len(),
        SectionItems::Users(some) => some.len(),
        SectionItems::Notifications(some) => some.len(),
    };
    i64::try_from(number).unwrap()
}

/// The columns with a key to people, and those that sound like one.
async fn columns(database: &TestDatabase) -> BTreeSet<String> {
    let columns = database.lines(
        "SELECT conrelid::regclass || '.' || attname AS line
         FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
         WHERE contype = 'f' AND confrelid = 'users'::regclass
         UNION
         SELECT attrelid::regclass || '.' || attname
         FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT attisdropped
             AND atttypid = 'bigint'::regtype
             AND attname ~ '(^|_)(user|author|actor|follower|followed)_id$'",
    );
    columns.await.into_iter().collect()
}
