//! What reading costs in a large database: the statements are those that the code prepared, not copies.

use chrono::DateTime;
use diesel_async::SimpleAsyncConnection;
use grateful_domain::notification::{Act, Cause, Event, EventDetails};
use grateful_domain::{
    CommentId, ImageUrl, Limit, NotificationId, NotificationType, PageRequest, PageStart, Position,
    PostId, ProfilePhoto, UserId, Viewer,
};
use grateful_storage::query::PostOrder;
use grateful_storage::{
    Connection, CounterTable, NotificationQuery, Participants, PostQuery, RemovedMentions,
    Repositories, TokenHash,
};
use grateful_testkit::{NOON, TestDatabase};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::plan::Plan;

/// Read by all tests here, and written by none.
static WORLD: OnceCell<TestDatabase> = OnceCell::const_new();

/// Wrote a twentieth of all posts, and stands in a block with 40 people.
const PROLIFIC: i64 = 1;

/// Gave a heart to many more posts than most people, none of them new.
const GENEROUS: i64 = 149;

/// The id before that of the first post.
const FIRST_POST: u128 = 0x0193_0000_0000_7000_8000_0000_0000_0000;

/// What the lists bind for somebody who is signed in, up to their own conditions.
const LEFT_BY_PROLIFIC: &str = "1, 1, 1, 1";
const BLOCKS_OF_PROLIFIC: &str = "1, 'blocked', 1, 'blocked'";

/// As many as an answer has unless asked otherwise, and as many as it may have.
const SHORT: PageRequest = PageRequest::first(Limit::DEFAULT);
const LONG: PageRequest = PageRequest::first(Limit::MAX);

#[tokio::test]
async fn the_newest_posts_for_a_guest() {
    let query = PostQuery::visible_to(Viewer::Guest);

    check("NULL, 1, NULL, 1, 21", 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn the_newest_posts_for_somebody_with_blocks() {
    let query = signed_in(PROLIFIC);
    let arguments = format!("{LEFT_BY_PROLIFIC}, {BLOCKS_OF_PROLIFIC}, 21");

    check(&arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn the_newest_posts_for_somebody_who_left_hearts_all_over_the_place() {
    let query = signed_in(GENEROUS);

    let arguments = "149, 1, 149, 1, 149, 'blocked', 149, 'blocked', 21";
    check(arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn a_page_of_a_hundred_of_the_newest_posts() {
    let query = signed_in(PROLIFIC).page(PageRequest::first(Limit::MAX));
    let arguments = format!("{LEFT_BY_PROLIFIC}, {BLOCKS_OF_PROLIFIC}, 101");

    check(&arguments, 101, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn a_page_deep_down_the_newest_posts() {
    let (place, sql) = halfway();
    let query = signed_in(PROLIFIC).page(after(place));
    let arguments = format!("{LEFT_BY_PROLIFIC}, {BLOCKS_OF_PROLIFIC}, {sql}, 21");

    check(&arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn ones_own_posts() {
    let query = signed_in(PROLIFIC).by_author(UserId::from(PROLIFIC));
    let arguments = format!("{LEFT_BY_PROLIFIC}, 1, {BLOCKS_OF_PROLIFIC}, 1, 21");

    check(&arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn somebody_elses_posts() {
    let query = signed_in(GENEROUS).by_author(UserId::from(PROLIFIC));

    let arguments = "149, 1, 149, 1, 149, 149, 'blocked', 149, 'blocked', 1, 21";
    check(arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn a_page_deep_down_somebodys_posts() {
    let (place, sql) = halfway();
    let query = signed_in(PROLIFIC).by_author(UserId::from(PROLIFIC)).page(after(place));
    let arguments = format!("{LEFT_BY_PROLIFIC}, 1, {BLOCKS_OF_PROLIFIC}, 1, {sql}, 21");

    check(&arguments, 21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn the_posts_of_somebody_who_wrote_few() {
    let query = PostQuery::visible_to(Viewer::Guest).by_author(UserId::from(7_920));

    check("NULL, 1, NULL, 1, 7920, 21", 20, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn the_posts_of_a_page_of_the_feed() {
    let ids = (100_001..=100_020).map(|n| Uuid::from_u128(FIRST_POST + n)).collect::<Vec<_>>();
    let list = ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
    let posts = ids.into_iter().map(PostId::from).collect::<Vec<_>>();

    // Every tenth is private.
    let arguments = format!("149, 1, 149, 1, 149, 'blocked', 149, 'blocked', '{{{list}}}'");
    check(&arguments, 18, async |conn| {
        let viewer = Viewer::User(UserId::from(GENEROUS));
        assert_eq!(conn.posts().find_public(viewer, &posts).await.unwrap().len(), 18);
    })
    .await;
}

#[tokio::test]
async fn the_most_liked_post() {
    let post = favourite();

    let arguments = format!("149, 1, 149, 1, 149, 149, 'blocked', 149, 'blocked', '{post}', 1");
    check(&arguments, 1, async |conn| {
        let viewer = Viewer::User(UserId::from(GENEROUS));
        assert!(conn.posts().find(viewer, post).await.unwrap().unwrap().is_hearted);
    })
    .await;
}

#[tokio::test]
async fn the_session_of_a_token() {
    // As `large.sql` makes it.
    let token = TokenHash([7; 32]);

    let arguments = format!("'\\x{}', '2026-01-05', 1", "07".repeat(32));
    check(&arguments, 1, async |conn| {
        assert!(conn.sessions().find_active(token, NOON).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn the_sessions_of_somebody() {
    check("77, '2026-01-05', 100", 3, async |conn| {
        assert_eq!(conn.sessions().list_active(UserId::from(77), NOON).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn who_signs_in_with_an_address() {
    check("'person_77@example.org', 1", 1, async |conn| {
        assert!(
            conn.users()
                .find_credentials_by_email("Person_77@example.org")
                .await
                .unwrap()
                .is_some()
        );
    })
    .await;
}

#[tokio::test]
async fn who_has_a_username() {
    check("'person_77', 1", 1, async |conn| {
        assert!(conn.users().find_by_username("person_77").await.unwrap().is_some());
    })
    .await;
}

/// Fifty who are named, whoever names them, and the author of the post.
#[tokio::test]
async fn whom_an_act_concerns() {
    let names: Vec<String> = (50..100).map(|number| format!("Person_{number}")).collect();
    let lower: Vec<String> =
        names.iter().map(|name| format!("'{}'", name.to_lowercase())).collect();
    let arguments =
        format!("ARRAY[149::bigint], '{}', NULL, ARRAY[{}]", favourite(), lower.join(", "));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = world().await;
    let participants = Participants {
        users: &[GENEROUS.into()],
        author_of_post: Some(favourite()),
        author_of_comment: None,
        usernames: &names,
    };
    // The author of that post may be one of the fifty.
    let held = world.connect().await.users().lock_participants(participants).await.unwrap().len();
    let rows = u32::try_from(held).unwrap();
    assert!((51..=52).contains(&rows), "{rows}");

    let look = Looked { words: "FOR KEY SHARE", rows, read: 3 * rows };
    check_one(look, &arguments, async |conn| {
        conn.users().lock_participants(participants).await.unwrap();
    })
    .await;
}

/// A comment of somebody that names somebody else, on the post of a third.
#[tokio::test]
async fn what_a_mention_looks_at() {
    let act = Act::Mention { post: favourite(), comment: None };
    let cause = Cause { recipient: GENEROUS.into(), actor: 77.into(), act };
    let event = Event { cause, ..heart_of(77) };
    let arguments = format!(
        "ARRAY[{GENEROUS}]::bigint[], ARRAY[77]::bigint[], ARRAY['mention:post:x'], ARRAY['mention:post:x'],
         ARRAY['mention'], ARRAY['{}']::uuid[]",
        favourite()
    );

    let look = Looked { words: "profile_preferences", rows: 1, read: 20 };
    check_one(look, &arguments, async |conn| {
        undone(conn).await;
        conn.notifications().record(&[event]).await.unwrap();
    })
    .await;
}

/// A heart stands in for a mention.
#[tokio::test]
async fn what_those_were_told_who_are_named_no_longer() {
    let mention = Act::Mention { post: favourite(), comment: None };
    let gone = RemovedMentions { actor: 77.into(), mention, names: &["Person_1"] };

    let look = Looked { words: "username", rows: 1, read: 5 };
    check_one(look, "77::bigint, 'like:post:277', ARRAY['person_1']", async |conn| {
        conn.notifications().update_mentions(&[], gone, NOON).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn whether_somebody_exists_for_somebody() {
    check("149, 'blocked', 149, 'blocked', 77", 1, async |conn| {
        let viewer = Viewer::User(UserId::from(GENEROUS));
        assert!(conn.users().exists_for(viewer, UserId::from(77)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn the_hearts_of_the_most_liked_post() {
    let blocks = format!("'{}', 149, 'blocked', 149, 'blocked'", favourite());
    let hearts = async |conn: &mut Connection, page| {
        conn.hearts().list(GENEROUS.into(), favourite(), page).await.unwrap().next
    };

    check(&format!("{blocks}, 101"), 101, async |conn| _ = hearts(conn, LONG).await).await;
    let place = hearts(&mut world().await.connect().await, LONG).await.unwrap();
    check(&format!("{blocks}, {}, 21", in_sql(place)), 21, async |conn| {
        _ = hearts(conn, after(place)).await;
    })
    .await;
}

#[tokio::test]
async fn the_emoji_on_the_most_liked_post() {
    let blocks = format!("'{}', 149, 'blocked', 149, 'blocked'", favourite());
    let emoji = async |conn: &mut Connection, page| {
        conn.emoji_reactions().list(GENEROUS.into(), favourite(), page).await.unwrap().next
    };

    check(&format!("{blocks}, 101"), 101, async |conn| _ = emoji(conn, LONG).await).await;
    let place = emoji(&mut world().await.connect().await, LONG).await.unwrap();
    check(&format!("{blocks}, {}, 21", in_sql(place)), 21, async |conn| {
        _ = emoji(conn, after(place)).await;
    })
    .await;
}

/// The first two values are those of the number of answers.
#[tokio::test]
async fn the_comments_on_the_most_liked_post() {
    let blocks = format!("149, 149, 149, 'blocked', 149, 'blocked', '{}'", favourite());
    let comments = async |conn: &mut Connection, page| {
        conn.comments().list(GENEROUS.into(), favourite(), page).await.unwrap().next
    };

    check(&format!("{blocks}, 101"), 101, async |conn| _ = comments(conn, LONG).await).await;
    let place = comments(&mut world().await.connect().await, LONG).await.unwrap();
    check(&format!("{blocks}, {}, 21", in_sql(place)), 21, async |conn| {
        _ = comments(conn, after(place)).await;
    })
    .await;
}

#[tokio::test]
async fn the_answers_to_the_most_answered_comment() {
    // As `large.sql` makes it.
    let comment = CommentId::from(Uuid::from_u128(0xf5bf_c693_8e85_a6d5_79b3_6752_f449_1954));
    let blocks = format!("149, 149, 149, 'blocked', 149, 'blocked', '{comment}'");
    let answers = async |conn: &mut Connection, page| {
        conn.comments().list_replies(GENEROUS.into(), comment, page).await.unwrap().next
    };

    check(&format!("{blocks}, 101"), 101, async |conn| _ = answers(conn, LONG).await).await;
    let place = answers(&mut world().await.connect().await, LONG).await.unwrap();
    check(&format!("{blocks}, {}, 21", in_sql(place)), 21, async |conn| {
        _ = answers(conn, after(place)).await;
    })
    .await;
}

/// Ten rows have forty numbers.
#[tokio::test]
async fn the_numbers_beside_some_posts_and_people_in_the_middle_of_all() {
    let (place, _) = halfway();
    for (table, key) in
        [(CounterTable::Posts, place.id.to_string()), (CounterTable::Users, "5000".to_owned())]
    {
        check(&format!("'{key}', 10"), 40, async |conn| {
            let step = conn.counters().verify(table, Some(key.clone()), 10).await.unwrap();
            assert_eq!(step.unwrap().rows, 10);
        })
        .await;
    }
}

/// Of person 1, who has more than anybody else.
#[tokio::test]
async fn the_notifications_of_somebody() {
    async fn check_list<W: Clone>(query: NotificationQuery<W>) {
        let list = async |conn: &mut Connection, page| {
            conn.notifications().list(query.clone().page(page)).await.unwrap().next
        };
        let own = Looked { words: "\"last_updated_at\" DESC", rows: 21, read: 60 };
        check_one(own, "1, 21", async |conn| _ = list(conn, SHORT).await).await;

        let place = list(&mut world().await.connect().await, LONG).await.unwrap();
        check_one(own, &format!("1, {}, 21", in_sql(place)), async |conn| {
            _ = list(conn, after(place)).await;
        })
        .await;
    }

    check_list(NotificationQuery::of(PROLIFIC.into())).await;
    check_list(NotificationQuery::of(PROLIFIC.into()).unread()).await;
}

/// The first has ten thousand entries, of which a hundred are looked at, the others have three.
#[tokio::test]
async fn the_people_of_batches() {
    let batches = format!("ARRAY['{}', '{}']::uuid[], 1", batch(1), batch(2));

    let people = Looked { words: "recent.newest", rows: 11, read: 500 };
    check_one(people, &batches, async |conn| {
        conn.notifications()
            .list(NotificationQuery::of(PROLIFIC.into()).page(SHORT))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_entries_of_the_largest_batch() {
    let entries = async |conn: &mut Connection, page| {
        let entries = NotificationQuery::of(PROLIFIC.into()).children_of(batch(1));
        conn.notifications().list(entries.page(page)).await.unwrap().next
    };

    let id = batch(1);
    check(&format!("'{id}', 1, '{id}', 21"), 21, async |conn| _ = entries(conn, SHORT).await).await;
    let place = entries(&mut world().await.connect().await, LONG).await.unwrap();
    check(&format!("'{id}', 1, '{id}', {}, 21", in_sql(place)), 21, async |conn| {
        _ = entries(conn, after(place)).await;
    })
    .await;
}

/// No more than one's own list has, and nothing of anybody else's.
#[tokio::test]
async fn how_much_is_in_a_list_and_what_was_told_lately() {
    // 10 as everybody has, 3,000 more, and the batches; half of it twice.
    let count = Looked { words: "listed", rows: 1, read: 3_311 + 1_700 };
    check_one(count, "1", async |conn| {
        conn.notifications().count(PROLIFIC.into()).await.unwrap();
    })
    .await;

    // The entries of batches too, which are acts.
    for (kind, sql) in [(None, "NULL"), (Some(NotificationType::Like), "'like'")] {
        let stats = Looked { words: "last_day", rows: 1, read: 3_010 + 10_900 + 310 };
        let arguments = format!("1, {sql}, '2026-01-05', '2026-01-04'");
        check_one(stats, &arguments, async |conn| {
            conn.notifications().stats(PROLIFIC.into(), kind, NOON).await.unwrap();
        })
        .await;
    }
}

/// A heart that joins the largest batch.
#[tokio::test]
async fn what_an_event_looks_at() {
    let event = heart_of(77);
    let key = "'post_interaction:post:batch 1'";
    let arguments = format!(
        "ARRAY[1]::bigint[], ARRAY[77]::bigint[], ARRAY['like:post:x'], ARRAY[{key}], ARRAY['like'], ARRAY[NULL]::uuid[]"
    );

    // Most of it is the few to whom person 1 is anything.
    let look = Looked { words: "profile_preferences", rows: 1, read: 40 };
    check_one(look, &arguments, async |conn| {
        undone(conn).await;
        conn.notifications().record(&[event]).await.unwrap();
    })
    .await;
}

/// A heart that leaves the largest batch: the newest, which somebody else has to be shown for.
#[tokio::test]
async fn what_an_undone_act_looks_at() {
    let cause = heart_of(77).cause;
    let of_cause = "ARRAY[]::uuid[], ARRAY[1]::bigint[], ARRAY[10000]::bigint[]";

    let losses = Looked { words: "array_agg", rows: 1, read: 12 };
    check_one(losses, &format!("{of_cause}, ARRAY['like:post:210000'], true"), async |conn| {
        conn.notifications().withdraw(&[cause], NOON).await.unwrap();
    })
    .await;

    let by_id = format!("ARRAY['{}']::uuid[], ARRAY[]::bigint[], ARRAY[]::bigint[]", entry(10_000));
    check_one(losses, &format!("{by_id}, ARRAY[]::text[], true"), async |conn| {
        conn.notifications().withdraw(&[cause], NOON).await.unwrap();
    })
    .await;
}

/// Of somebody who has hardly more than everybody else, and of whoever has most.
#[tokio::test]
async fn what_reading_looks_at() {
    let (single, owner) = (Uuid::from_u128(0x0196_0000_0000_7000_8000_0000_0000_0001), 2);
    let read = Looked { words: "WHERE user_id = $1 AND (id = $2", rows: 1, read: 5 };
    check_one(read, &format!("{owner}, '{single}', '2026-01-05', 7"), async |conn| {
        undone(conn).await;
        conn.notifications().mark_read(owner.into(), single.into(), NOON).await.unwrap();
    })
    .await;

    let read = Looked { read: 20, ..read };
    check_one(read, &format!("1, '{}', '2026-01-05', 7", batch(2)), async |conn| {
        undone(conn).await;
        conn.notifications().mark_read(PROLIFIC.into(), batch(2), NOON).await.unwrap();
    })
    .await;

    let read_all = Looked { words: "row_number() OVER (ORDER BY seq", rows: 1, read: 40 };
    check_one(read_all, &format!("{owner}, '2026-01-05', 7"), async |conn| {
        undone(conn).await;
        conn.notifications().mark_all_read(owner.into(), NOON, 7).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_changed_in_a_list() {
    let changes = Looked { words: "is_removal", rows: 50, read: 120 };
    check_one(changes, "1, 100500, 50", async |conn| {
        conn.notifications().list_changes(PROLIFIC.into(), 100_500, 50).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_is_old_goes_without_a_look_at_what_is_not() {
    for (words, arguments) in
        [("it.last_updated_at", "'2026-01-03', 10"), ("forgotten_seq", "'2026-01-03', 10")]
    {
        let gone = Looked { words, rows: 1, read: 50 };
        check_one(gone, arguments, async |conn| {
            undone(conn).await;
            conn.notifications().delete_read_before(NOON, 0).await.unwrap();
            conn.notifications().prune_removals(NOON, 0).await.unwrap();
        })
        .await;
    }
}

/// As of each step of the sweep: half of them are anybody's.
#[tokio::test]
async fn which_of_many_photos_are_anybodys() {
    let names = (1..=100).map(|number| format!("profile_{number}"));
    let names: Vec<String> = names.collect();
    let photos = names.iter().cloned().map(ProfilePhoto::from_stored).collect();

    check(&format!("'{{{}}}'", names.join(",")), 50, async |conn| {
        assert_eq!(conn.users().photos_in_use(&photos).await.unwrap().len(), 50);
    })
    .await;
}

#[tokio::test]
async fn which_of_many_images_any_post_shows() {
    let sql =
        "SELECT image_url AS line FROM posts WHERE image_url IS NOT NULL ORDER BY id LIMIT 250";
    let shown = world().await.lines(sql).await.into_iter();
    let others = (1..=250).map(|number| ImageUrl::new(Uuid::from_u128(number)).as_str().to_owned());
    let urls: Vec<String> = shown.chain(others).collect();
    let images = urls.iter().cloned().map(ImageUrl::from_stored).collect();

    check(&format!("'{{{}}}'", urls.join(",")), 250, async |conn| {
        assert_eq!(conn.posts().images_in_use(&images).await.unwrap().len(), 250);
    })
    .await;
}

#[tokio::test]
async fn whether_another_post_shows_an_image() {
    let sql = "SELECT image_url AS line FROM posts WHERE image_url IS NOT NULL ORDER BY id LIMIT 1";
    let [url] = &world().await.lines(sql).await[..] else { panic!("no image") };
    let image = ImageUrl::from_stored(url.clone());

    check(&format!("'{url}', '{}', 1", favourite()), 1, async |conn| {
        assert!(conn.posts().lock_other_use_of_image(&image, favourite()).await.unwrap());
    })
    .await;
}

/// The rule can fail: nobody has indexed the words of posts.
#[tokio::test]
async fn a_search_through_all_words_would_be_found_out() {
    let mut conn = world().await.connect().await;
    conn.batch_execute("PREPARE search AS SELECT id FROM posts WHERE content LIKE $1")
        .await
        .unwrap();

    let plan = Plan::of_the_prepared(&mut conn, "", "'%number 7'").await;

    assert_eq!(plan.tables_read_whole(), ["posts"]);
    assert!(20.0 * plan.rows_returned() < plan.rows_read(), "{plan:#?}");
}

/// What is expected of one of several statements.
#[derive(Clone, Copy)]
struct Looked<'a> {
    /// In the statement, and in no other that the work prepares.
    words: &'a str,
    /// How many come out of it.
    rows: u32,
    /// The most that it reads for that.
    read: u32,
}

/// Has `work` prepare a statement, and looks at how PostgreSQL comes by its rows, so many of them: with a plan for
/// these arguments, and with one for any.
async fn check(arguments: &str, rows: u32, work: impl AsyncFnOnce(&mut Connection)) {
    check_one(Looked { words: "", rows, read: 20 * rows }, arguments, work).await;
}

/// The same where the work prepares several statements.
async fn check_one(
    Looked { words, rows, read: most }: Looked<'_>,
    arguments: &str,
    work: impl AsyncFnOnce(&mut Connection),
) {
    let mut conn = world().await.connect().await;
    work(&mut conn).await;

    for mode in ["force_custom_plan", "force_generic_plan"] {
        conn.batch_execute(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        let plan = Plan::of_the_prepared(&mut conn, words, arguments).await;

        assert_eq!(plan.rows_returned().to_string(), rows.to_string(), "{plan:#?}");
        assert_eq!(plan.tables_read_whole(), [""; 0], "{mode}: {plan:#?}");
        let read = plan.rows_read();
        assert!(read <= f64::from(most), "{mode}: {read} rows for {rows}: {plan:#?}");
    }
}

/// What this connection does from now on is forgotten with it.
async fn undone(conn: &mut Connection) {
    conn.batch_execute("BEGIN").await.unwrap();
}

async fn list<W, O: PostOrder>(conn: &mut Connection, query: PostQuery<W, O>) {
    conn.posts().list(query).await.unwrap();
}

fn signed_in(user: i64) -> PostQuery {
    PostQuery::visible_to(Viewer::User(UserId::from(user)))
}

fn after(place: Position) -> PageRequest {
    PageRequest { limit: Limit::DEFAULT, start: PageStart::After(place) }
}

/// The place of the 100,000th post, and the same in SQL.
fn halfway() -> (Position, String) {
    let at = DateTime::from_timestamp(1_735_689_600 + 60 * 100_000, 0).unwrap();
    let id = Uuid::from_u128(FIRST_POST + 100_000);
    let place = Position { at, id };
    (place, in_sql(place))
}

fn in_sql(place: Position) -> String {
    format!("'{}', '{}'", place.at.to_rfc3339(), place.id)
}

/// Everybody gave it a heart, and many said why.
fn favourite() -> PostId {
    Uuid::from_u128(FIRST_POST + 199_999).into()
}

/// A batch of person 1, as `large.sql` makes it.
fn batch(number: u128) -> NotificationId {
    Uuid::from_u128(0x0196_1000_0000_7000_8000_0000_0000_0000 + number).into()
}

/// An entry of the first of them.
fn entry(number: u128) -> NotificationId {
    Uuid::from_u128(0x0196_2000_0000_7000_8000_0000_0000_0000 + number).into()
}

/// What this person gives person 1.
fn heart_of(actor: i64) -> Event {
    let act = Act::Heart { post: favourite() };
    Event {
        cause: Cause { recipient: PROLIFIC.into(), actor: actor.into(), act },
        details: EventDetails::default(),
        at: NOON,
        id: Uuid::from_u128(1).into(),
        batch_id: Uuid::from_u128(2).into(),
    }
}

async fn world() -> &'static TestDatabase {
    WORLD
        .get_or_init(async || {
            let world = TestDatabase::create().await;
            world.execute(include_str!("datasets/large.sql")).await;
            world
        })
        .await
}
