//! Rows read by the statements of the repositories, on 200,000 posts.

use chrono::DateTime;
use diesel_async::SimpleAsyncConnection;
use grateful_domain::notification::{Act, Cause, Event, EventDetails};
use grateful_domain::{
    CommentId, HiddenComments, ImageUrl, Limit, ListedComment, MAX_CLOCK_SKEW, NotificationId,
    NotificationType, PageRequest, PageStart, Position, PostId, ProfilePhoto, SessionId, UserId,
    Viewer,
};
use grateful_storage::{
    ActTable, Connection, CounterTable, Counters, NewHeart, NotificationQuery, NotificationRead,
    Participants, PostQuery, RemovedMentions, Repositories, TokenHash,
};
use grateful_test_database::{NOON, TestDatabase};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::plan::{self, Expected, Plan};

/// Shared by all tests of this module, which only read it.
static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();

/// Wrote a twentieth of all posts, and has blocks with 40 users.
const PROLIFIC: i64 = 1;

/// Gave hearts to many more posts than most users, none of them recent.
const FREQUENT_HEARTER: i64 = 149;

/// The id before the first post's.
const FIRST_POST: u128 = 0x0193_0000_0000_7000_8000_0000_0000_0000;

/// Requests with the default and with the maximum number of items.
const DEFAULT_PAGE: PageRequest = PageRequest::first(Limit::DEFAULT);
const MAX_PAGE: PageRequest = PageRequest::first(Limit::MAX);

#[tokio::test]
async fn listing_the_newest_posts_for_a_guest_reads_few_rows() {
    let query = until_now(PostQuery::visible_to(Viewer::Guest));
    check(21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn listing_the_newest_posts_with_blocks_reads_few_rows() {
    let query = until_now(signed_in(PROLIFIC));

    check(21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn listing_the_newest_posts_for_a_user_with_many_hearts_reads_few_rows() {
    let query = until_now(signed_in(FREQUENT_HEARTER));
    check(21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn listing_a_hundred_of_the_newest_posts_reads_few_rows() {
    let query = until_now(signed_in(PROLIFIC)).page(PageRequest::first(Limit::MAX));

    check(101, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn listing_a_deep_page_of_the_newest_posts_reads_few_rows() {
    let position = middle();
    let query = until_now(signed_in(PROLIFIC)).page(after(position));

    check(21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn listing_own_posts_reads_few_rows() {
    let query = signed_in(PROLIFIC).by_author(UserId::from(PROLIFIC));

    check(21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn listing_posts_of_another_user_reads_few_rows() {
    let query = signed_in(FREQUENT_HEARTER).by_author(UserId::from(PROLIFIC));
    check(21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn listing_a_deep_page_of_one_authors_posts_reads_few_rows() {
    let position = middle();
    let query = signed_in(PROLIFIC).by_author(UserId::from(PROLIFIC)).page(after(position));

    check(21, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn listing_posts_of_an_author_with_few_posts_reads_few_rows() {
    let query = PostQuery::visible_to(Viewer::Guest).by_author(UserId::from(7_920));

    check(20, async |conn| list(conn, query).await).await;
}

#[tokio::test]
async fn loading_the_posts_of_a_feed_page_reads_few_rows() {
    let ids = (100_001..=100_020).map(|n| Uuid::from_u128(FIRST_POST + n)).collect::<Vec<_>>();
    let posts = ids.into_iter().map(PostId::from).collect::<Vec<_>>();

    // Every tenth is private.
    check(18, async |conn| {
        let viewer = Viewer::User(UserId::from(FREQUENT_HEARTER));
        assert_eq!(conn.posts().find_public(viewer, &posts).await.unwrap().len(), 18);
    })
    .await;
}

#[tokio::test]
async fn finding_the_most_popular_post_reads_few_rows() {
    let post = most_popular_post();
    check(1, async |conn| {
        let viewer = Viewer::User(UserId::from(FREQUENT_HEARTER));
        assert!(conn.posts().find(viewer, post).await.unwrap().unwrap().is_hearted);
    })
    .await;
}

#[tokio::test]
async fn finding_a_session_by_token_reads_few_rows() {
    // As in `datasets/large.sql`.
    let token = TokenHash([7; 32]);
    check(1, async |conn| {
        assert!(conn.sessions().find_active(token, NOON).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn listing_the_sessions_of_a_user_reads_few_rows() {
    check(3, async |conn| {
        assert_eq!(conn.sessions().list_active(UserId::from(77), NOON).await.unwrap().len(), 3);
    })
    .await;
}

/// A fifth of the sessions have changed. Their inboxes are read again to return their numbers.
#[tokio::test]
async fn finding_changed_inboxes_of_sessions_reads_only_those() {
    let sql = "SELECT sessions.id || ' ' || coalesce(last_seq, 0) AS line
               FROM sessions LEFT JOIN inboxes USING (user_id) ORDER BY sessions.id LIMIT 100";
    let followed: Vec<(SessionId, i64)> = database()
        .await
        .lines(sql)
        .await
        .iter()
        .zip(0..)
        .map(|(line, index)| {
            let (id, last_seq) = line.split_once(' ').unwrap();
            let last_seq: i64 = last_seq.parse().unwrap();
            (Uuid::parse_str(id).unwrap().into(), if index % 5 == 0 { -1 } else { last_seq })
        })
        .collect();

    let expected = Expected { sql_part: "known_seq", rows: 20, max_read: 2 * 120 };
    check_one(expected, async |conn| {
        assert_eq!(conn.sessions().find_inbox_changes(&followed).await.unwrap().len(), 20);
    })
    .await;
}

#[tokio::test]
async fn finding_credentials_by_email_reads_few_rows() {
    check(1, async |conn| {
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
async fn finding_a_user_by_username_reads_few_rows() {
    check(1, async |conn| {
        assert!(conn.users().find_by_username("person_77").await.unwrap().is_some());
    })
    .await;
}

/// Locks fifty mentioned users, the user who mentions them, and the author of the post.
#[tokio::test]
async fn locking_participants_reads_few_rows() {
    let names: Vec<String> = (50..100).map(|number| format!("Person_{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let database = database().await;
    let participants = Participants {
        users: &[FREQUENT_HEARTER.into()],
        authors_of_posts: &[most_popular_post()],
        author_of_comment: None,
        usernames: &names,
    };
    // The author of the post may be one of the fifty.
    let locked =
        database.connect().await.users().lock_participants(participants).await.unwrap().users.len();
    let rows = u32::try_from(locked).unwrap();
    assert!((51..=52).contains(&rows), "{rows}");

    let expected = Expected { sql_part: "FOR KEY SHARE", rows, max_read: 3 * rows };
    check_one(expected, async |conn| {
        conn.users().lock_participants(participants).await.unwrap();
    })
    .await;
}

/// A user mentions another user in a comment on the post of a third user.
#[tokio::test]
async fn recording_a_mention_reads_few_rows() {
    let act = Act::Mention { post: most_popular_post(), comment: None };
    let cause = Cause { recipient: FREQUENT_HEARTER.into(), actor: 77.into(), act };
    let event = Event { cause, ..heart_of(77) };
    let arguments = format!(
        "ARRAY[{FREQUENT_HEARTER}]::bigint[], ARRAY[77]::bigint[], ARRAY['mention:post:x'], ARRAY['mention:post:x'],
         ARRAY['{}']::uuid[], ARRAY[]::bigint[], ARRAY[]::uuid[], ARRAY[{FREQUENT_HEARTER}]::bigint[]",
        most_popular_post()
    );

    let expected = Expected { sql_part: "profile_preferences", rows: 3, max_read: 20 };
    check_with(expected, &arguments, async |conn| {
        begin_rolled_back(conn).await;
        conn.notifications().record(&[event]).await.unwrap();
    })
    .await;
}

/// Uses a heart in place of a mention.
#[tokio::test]
async fn withdrawing_removed_mentions_reads_few_rows() {
    let mention = Act::Mention { post: most_popular_post(), comment: None };
    let removed = RemovedMentions {
        actor: 77.into(),
        mention,
        usernames: &["Person_1"],
        kept: &["Person_2"],
    };

    let expected = Expected { sql_part: "username", rows: 1, max_read: 5 };
    check_with(
        expected,
        "ARRAY['person_1'], ARRAY['person_2'], 77::bigint, 'like:post:277'",
        async |conn| {
            conn.notifications().update_mentions(&[], removed, NOON).await.unwrap();
        },
    )
    .await;
}

#[tokio::test]
async fn checking_that_a_user_exists_for_a_viewer_reads_few_rows() {
    check(1, async |conn| {
        let viewer = Viewer::User(UserId::from(FREQUENT_HEARTER));
        assert!(conn.users().exists_for(viewer, UserId::from(77)).await.unwrap());
    })
    .await;
}

/// Adds a heart that exists, and removes one from a post that does not.
#[tokio::test]
async fn adding_and_removing_hearts_reads_few_rows() {
    let (user, post, id) = (FREQUENT_HEARTER, most_popular_post(), Uuid::from_u128(1));
    let expected = Expected { sql_part: "INSERT INTO likes", rows: 0, max_read: 5 };
    let arguments = format!(
        "ARRAY['{post}']::uuid[], ARRAY['{id}']::uuid[], ARRAY[{user}::bigint], ARRAY['2026-01-05'::timestamptz]"
    );
    check_with(expected, &arguments, async |conn| {
        begin_rolled_back(conn).await;
        let heart = NewHeart { id: id.into(), user: user.into(), post, at: NOON };
        conn.hearts().add(&[heart]).await.unwrap();
    })
    .await;

    let expected = Expected { sql_part: "DELETE FROM likes", ..expected };
    let arguments = format!("ARRAY[{user}::bigint], ARRAY['{id}']::uuid[]");
    check_with(expected, &arguments, async |conn| {
        begin_rolled_back(conn).await;
        conn.hearts().remove(&[(user.into(), id.into())]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_hearts_of_the_most_popular_post_reads_few_rows() {
    let hearts = async |conn: &mut Connection, page| {
        conn.hearts().list(FREQUENT_HEARTER.into(), most_popular_post(), page).await.unwrap().next
    };

    check(101, async |conn| _ = hearts(conn, MAX_PAGE).await).await;
    let position = hearts(&mut database().await.connect().await, MAX_PAGE).await.unwrap();
    check(21, async |conn| {
        _ = hearts(conn, after(position)).await;
    })
    .await;
}

#[tokio::test]
async fn listing_reactions_to_the_most_popular_post_reads_few_rows() {
    let emoji = async |conn: &mut Connection, page| {
        conn.emoji_reactions()
            .list(FREQUENT_HEARTER.into(), most_popular_post(), page)
            .await
            .unwrap()
            .next
    };

    check(101, async |conn| _ = emoji(conn, MAX_PAGE).await).await;
    let position = emoji(&mut database().await.connect().await, MAX_PAGE).await.unwrap();
    check(21, async |conn| {
        _ = emoji(conn, after(position)).await;
    })
    .await;
}

#[tokio::test]
async fn listing_comments_on_the_most_popular_post_reads_few_rows() {
    let comments = async |conn: &mut Connection, page| {
        let (viewer, post) = (FREQUENT_HEARTER.into(), most_popular_post());
        conn.comments().list(viewer, post, HiddenComments::LeftOut, page).await.unwrap().next
    };

    check(101, async |conn| _ = comments(conn, MAX_PAGE).await).await;
    let position = comments(&mut database().await.connect().await, MAX_PAGE).await.unwrap();
    check(21, async |conn| {
        _ = comments(conn, after(position)).await;
    })
    .await;
}

/// The oldest 2,000 comments on the post are across a block with its author and have no replies. The next 20 are across it
/// too, and have a visible reply below a hidden one.
#[tokio::test]
async fn a_page_of_placeholders_reads_the_comments_across_the_block_once() {
    let author = author_of_most_popular_post();
    let expected = Expected { sql_part: "", rows: 21, max_read: 2_000 + 20 * 21 };
    check_one(expected, async |conn| {
        begin_rolled_back(conn).await;
        conn.batch_execute(&comments_across_a_block(author)).await.unwrap();
        let hidden = HiddenComments::Placeholders;
        let page = PageRequest::first(Limit::DEFAULT);
        let listed = conn.comments().list(author.into(), most_popular_post(), hidden, page).await;
        let placeholder =
            |comment: &ListedComment| matches!(comment, ListedComment::Hidden(hidden) if hidden.replies == 1);
        assert!(listed.unwrap().items.iter().all(placeholder));
    })
    .await;
}

/// As in `datasets/large.sql`.
const fn author_of_most_popular_post() -> i64 {
    199_999 * 7_919 % 10_000 + 1
}

fn comments_across_a_block(author: i64) -> String {
    let post = most_popular_post();
    format!(
        "INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), 9999, {author}, 'blocked');
         INSERT INTO comments (id, author_id, post_id, content, created_at)
         SELECT md5('hidden ' || n)::uuid, 9999, '{post}', 'No', timestamptz '2025-01-01' + n * interval '1 second'
         FROM generate_series(1, 2020) AS n;
         INSERT INTO comments (id, author_id, post_id, parent_id, content)
         SELECT md5('below ' || n)::uuid, 9999, '{post}', md5('hidden ' || n)::uuid, 'No'
         FROM generate_series(2001, 2020) AS n;
         INSERT INTO comments (id, author_id, post_id, parent_id, content)
         SELECT md5('visible ' || n)::uuid, 9998, '{post}', md5('below ' || n)::uuid, 'Yes'
         FROM generate_series(2001, 2020) AS n"
    )
}

#[tokio::test]
async fn listing_replies_to_the_comment_with_most_replies_reads_few_rows() {
    // As in `datasets/large.sql`.
    let comment = CommentId::from(Uuid::from_u128(0xf5bf_c693_8e85_a6d5_79b3_6752_f449_1954));
    let replies = async |conn: &mut Connection, page| {
        let (viewer, hidden) = (FREQUENT_HEARTER.into(), HiddenComments::LeftOut);
        conn.comments().list_replies(viewer, comment, hidden, page).await.unwrap().next
    };

    check(101, async |conn| _ = replies(conn, MAX_PAGE).await).await;
    let position = replies(&mut database().await.connect().await, MAX_PAGE).await.unwrap();
    check(21, async |conn| {
        _ = replies(conn, after(position)).await;
    })
    .await;
}

/// Ten rows of inboxes have twenty counters, the other ones forty.
#[tokio::test]
async fn verifying_counters_of_ten_rows_reads_few_rows() {
    let position = middle();
    for (table, key, values) in [
        (CounterTable::Posts, position.id.to_string(), 40),
        (CounterTable::Users, "5000".to_owned(), 40),
        (CounterTable::Inboxes, "5000".to_owned(), 20),
    ] {
        check(values, async |conn| {
            let step = Counters::new(conn).verify(table, Some(key.clone()), 10).await.unwrap();
            assert_eq!(step.unwrap().rows, 10);
        })
        .await;
    }
}

/// A heart of the most popular post, without a notification for user 7.
#[tokio::test]
async fn verifying_that_an_act_has_its_notification_reads_few_rows() {
    let post = Uuid::from(most_popular_post());
    let act = format!(r#""user_id": 7, "actor_id": 5, "act": "like:post:{post}""#);
    let expected = format!(
        r#"'[{{"number": 0, "type": "like", {act}, "post_id": "{post}", "at": "2026-01-05T12:00:00Z"}}]'"#
    );
    let accepted = format!(r#"'[{{"number": 0, {act}}}]'"#);
    let expected_plan = Expected { sql_part: "explained AS", rows: 1, max_read: 20 };
    check_with(expected_plan, &format!("{expected}, {accepted}, '2025-01-01'"), async |conn| {
        let verified = Counters::new(conn).verify_acts(ActTable::Hearts, None, 10, NOON).await;
        assert_eq!(verified.unwrap().unwrap().rows, 10);
    })
    .await;
}

/// Lists the notifications of user 1, who has the most.
#[tokio::test]
async fn listing_notifications_reads_few_rows() {
    async fn check_list(query: NotificationQuery) {
        let list = async |conn: &mut Connection, page| {
            conn.notifications().list(query.clone().page(page)).await.unwrap().next
        };
        let expected = Expected { sql_part: "\"last_updated_at\" DESC", rows: 21, max_read: 60 };
        check_one(expected, async |conn| _ = list(conn, DEFAULT_PAGE).await).await;

        let position = list(&mut database().await.connect().await, MAX_PAGE).await.unwrap();
        check_one(expected, async |conn| {
            _ = list(conn, after(position)).await;
        })
        .await;
    }

    check_list(NotificationQuery::of(PROLIFIC.into())).await;
    check_list(NotificationQuery::of(PROLIFIC.into()).unread()).await;
}

/// A page of a digest: user 1 has the most unread notifications, and of the others every other has ten.
#[tokio::test]
async fn the_unread_notifications_of_many_users_read_only_what_they_return() {
    let owners: Vec<UserId> = (1..=100).map(UserId::from).collect();
    let expected = Expected { sql_part: "to_jsonb(it)", rows: 520, max_read: 4 * 520 };
    let ids = (1..=100).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let arguments = format!("20, '{{{ids}}}'::bigint[]");
    check_with(expected, &arguments, async |conn| {
        let unread = conn.notifications().unread_of(&owners, Limit::DEFAULT).await.unwrap();
        assert_eq!(unread.values().map(Vec::len).sum::<usize>(), 520);
        assert_eq!(unread[&PROLIFIC.into()].len(), 20);
    })
    .await;
}

/// The first batch has ten thousand children, and a hundred of them are read; the others have three.
#[tokio::test]
async fn finding_the_actors_of_batches_reads_a_bounded_number_of_children() {
    let arguments = format!(
        "ARRAY['{}', '{}']::uuid[], ARRAY[NULL, NULL]::uuid[], ARRAY[NULL, NULL]::uuid[], ARRAY[true, true], 1, 101, 8",
        batch(1),
        batch(2)
    );

    let expected = Expected { sql_part: "recent.newest", rows: 11, max_read: 500 };
    check_with(expected, &arguments, async |conn| {
        conn.notifications()
            .list(NotificationQuery::of(PROLIFIC.into()).page(DEFAULT_PAGE))
            .await
            .unwrap();
    })
    .await;
}

/// A page of a hundred notifications of comments on a hundred posts, for a user with many blocks.
#[tokio::test]
async fn finding_the_quoted_posts_and_comments_reads_few_rows() {
    let list = |element: &dyn Fn(u128) -> String| {
        (190_001..=190_100).map(element).collect::<Vec<_>>().join(", ")
    };
    let ids = list(&|n| format!("'{}'", Uuid::from_u128(n)));
    let posts = list(&|n| format!("'{}'", Uuid::from_u128(FIRST_POST + n)));
    let comments = list(&|n| format!("md5('comment {n}')::uuid"));
    let are_batches = list(&|_| "false".to_owned());
    let arguments = format!(
        "ARRAY[{ids}]::uuid[], ARRAY[{posts}]::uuid[], ARRAY[{comments}], ARRAY[{are_batches}], 1, 101, 8"
    );

    // A post and a comment each, and the 40 blocks of the user.
    let expected = Expected { sql_part: "recent.newest", rows: 100, max_read: 250 };
    check_with(expected, &arguments, async |conn| {
        conn.notifications()
            .list(NotificationQuery::of(PROLIFIC.into()).page(DEFAULT_PAGE))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_children_of_the_largest_batch_reads_few_rows() {
    let children = async |conn: &mut Connection, page| {
        let children = NotificationQuery::of(PROLIFIC.into()).children_of(batch(1));
        conn.notifications().list(children.page(page)).await.unwrap().next
    };

    let expected = Expected { sql_part: "\"created_at\" DESC", rows: 21, max_read: 60 };
    check_one(expected, async |conn| {
        _ = children(conn, DEFAULT_PAGE).await;
    })
    .await;
    let position = children(&mut database().await.connect().await, MAX_PAGE).await.unwrap();
    check_one(expected, async |conn| {
        _ = children(conn, after(position)).await;
    })
    .await;
}

/// User 1 has 3,311 notifications.
#[tokio::test]
async fn the_counts_of_an_inbox_are_one_row() {
    check(1, async |conn| {
        let counts = conn.notifications().find_counts(PROLIFIC.into()).await.unwrap();
        assert_eq!(counts.total, 3_311);
    })
    .await;
}

/// Reads at most the user's own notifications.
#[tokio::test]
async fn stats_read_only_the_users_own_notifications() {
    // Children of batches count as well, since they are acts.
    for kind in [None, Some(NotificationType::Like)] {
        let expected = Expected { sql_part: "last_day", rows: 1, max_read: 3_010 + 10_900 + 310 };
        check_one(expected, async |conn| {
            conn.notifications().stats(PROLIFIC.into(), kind, NOON).await.unwrap();
        })
        .await;
    }
}

/// A heart that joins the largest batch.
#[tokio::test]
async fn recording_a_heart_reads_few_rows() {
    let event = heart_of(77);
    let key = "'post_interaction:post:batch 1'";
    let arguments = format!(
        "ARRAY[1]::bigint[], ARRAY[77]::bigint[], ARRAY['like:post:x'], ARRAY[{key}], ARRAY[NULL]::uuid[],
         ARRAY[]::bigint[], ARRAY[]::uuid[], ARRAY[1]::bigint[]"
    );

    // Most rows read are the few follows of user 1.
    let expected = Expected { sql_part: "profile_preferences", rows: 3, max_read: 40 };
    check_with(expected, &arguments, async |conn| {
        begin_rolled_back(conn).await;
        conn.notifications().record(&[event]).await.unwrap();
    })
    .await;
}

/// A heart that joins the largest batch: the batch is saved as it was, with another number.
#[tokio::test]
async fn writing_changes_of_an_inbox_reads_no_other_inboxes() {
    let event = heart_of(77);
    let saved = format!(
        r#"{{"id": "{}", "user_id": 1, "type": "post_interaction", "priority": "normal", "read": false, "created_at":
            "2026-01-05", "last_updated_at": "2026-01-05", "is_batch": true, "batch_count": 3, "actor_count": 3, "seq": 9}}"#,
        batch(1)
    );
    let arguments = format!("'[]', '{{}}', '{{}}', '[{saved}]', '[]', '[]', '[]', '[]', '[]'");

    let expected = Expected { sql_part: "departed", rows: 1, max_read: 10 };
    check_with(expected, &arguments, async |conn| {
        begin_rolled_back(conn).await;
        conn.notifications().record(&[event]).await.unwrap();
    })
    .await;
}

/// Withdraws the newest heart of the largest batch, so that the batch has to show another child.
#[tokio::test]
async fn withdrawing_a_heart_reads_few_rows() {
    let cause = heart_of(77).cause;
    let expected = Expected { sql_part: "array_agg", rows: 4, max_read: 45 };
    check_with(expected, HEART_OF_LARGEST_BATCH, async |conn| {
        conn.notifications().withdraw(&[cause], NOON).await.unwrap();
    })
    .await;

    let expected = Expected { rows: 3, max_read: 15, ..expected };
    let nothing =
        "ARRAY[]::bigint[], ARRAY[]::bigint[], ARRAY[]::text[], ARRAY[]::text[], ARRAY[]::uuid[]";
    let by_id = format!(
        "{nothing}, ARRAY[1]::bigint[], ARRAY['{}']::uuid[], ARRAY[1]::bigint[]",
        child(10_000)
    );
    check_with(expected, &by_id, async |conn| {
        conn.notifications().withdraw(&[cause], NOON).await.unwrap();
    })
    .await;
}

/// The arguments that withdraw the newest heart of the largest batch. Most rows read are the few follows of user 1.
const HEART_OF_LARGEST_BATCH: &str = "ARRAY[1]::bigint[], ARRAY[10000]::bigint[], ARRAY['like:post:210000'], \
    ARRAY[NULL]::text[], ARRAY[NULL]::uuid[], ARRAY[]::bigint[], ARRAY[]::uuid[], ARRAY[1]::bigint[]";

/// The heart was the only unread one of ten thousand.
#[tokio::test]
async fn withdrawing_the_last_unread_heart_does_not_read_the_read_ones() {
    let cause = heart_of(77).cause;
    let read_others = format!(
        "UPDATE notifications SET read = true WHERE parent_id = '{}' AND actor_id <> 10000",
        batch(1)
    );

    let expected = Expected { sql_part: "array_agg", rows: 4, max_read: 45 };
    check_with(expected, HEART_OF_LARGEST_BATCH, async |conn| {
        begin_rolled_back(conn).await;
        conn.batch_execute(&read_others).await.unwrap();
        conn.notifications().withdraw(&[cause], NOON).await.unwrap();
    })
    .await;
}

/// The blocking user has the most notifications, and 10,000 posts: the posts are read, and none of the other notifications.
#[tokio::test]
async fn finding_what_a_block_withdraws_does_not_read_the_inboxes() {
    let expected = Expected { sql_part: "side AS", rows: 0, max_read: 10_100 };
    check_with(expected, "1, 10000, 200", async |conn| {
        begin_rolled_back(conn).await;
        let (user, other) = (PROLIFIC.into(), 10_000.into());
        conn.notifications().withdraw_batch_between(user, other, 200, NOON).await.unwrap();
    })
    .await;
}

/// Covers a user with an average number of notifications and the user with the most.
#[tokio::test]
async fn marking_read_reads_few_rows() {
    let (single, owner) = (Uuid::from_u128(0x0196_0000_0000_7000_8000_0000_0000_0001), 2);
    let expected = Expected { sql_part: "DISTINCT ON", rows: 1, max_read: 8 };
    let read = |owner: i64, id: Uuid| {
        format!(
            "ARRAY[{owner}]::bigint[], ARRAY['{id}']::uuid[], ARRAY['2026-01-05'::timestamptz], ARRAY[7]::bigint[]"
        )
    };
    check_with(expected, &read(owner, single), async |conn| {
        begin_rolled_back(conn).await;
        conn.notifications()
            .mark_read(&[NotificationRead { owner: owner.into(), id: single.into(), at: NOON }])
            .await
            .unwrap();
    })
    .await;

    let expected = Expected { max_read: 20, ..expected };
    check_with(expected, &read(1, batch(2).into()), async |conn| {
        begin_rolled_back(conn).await;
        conn.notifications()
            .mark_read(&[NotificationRead { owner: PROLIFIC.into(), id: batch(2), at: NOON }])
            .await
            .unwrap();
    })
    .await;

    let expected =
        Expected { sql_part: "row_number() OVER (ORDER BY unread.id", rows: 1, max_read: 40 };
    check_with(expected, &format!("{owner}, '2026-01-05', 7, 1000"), async |conn| {
        begin_rolled_back(conn).await;
        conn.notifications().mark_all_read(owner.into(), NOON, 7).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn listing_changes_of_an_inbox_reads_few_rows() {
    let expected = Expected { sql_part: "is_removal", rows: 50, max_read: 120 };
    check_one(expected, async |conn| {
        conn.notifications().list_changes(PROLIFIC.into(), 100_500, 50).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn deleting_old_notifications_reads_no_recent_ones() {
    for (sql_part, arguments) in
        [("it.last_updated_at", "'2026-01-03', 10"), ("forgotten_seq", "'2026-01-03', 10")]
    {
        let expected = Expected { sql_part, rows: 1, max_read: 50 };
        check_with(expected, arguments, async |conn| {
            begin_rolled_back(conn).await;
            conn.notifications().delete_read_before(NOON, 0).await.unwrap();
            conn.notifications().prune_removals(NOON, 0).await.unwrap();
        })
        .await;
    }
}

/// Looks into a thousand inboxes. Every second one has unread notifications, and none has old ones.
#[tokio::test]
async fn looking_for_old_unread_notifications_reads_no_others() {
    let expected = Expected { sql_part: "unread_count > 0", rows: 1, max_read: 2_000 };
    check_with(expected, "0, 1000, '2025-01-01', 500", async |conn| {
        begin_rolled_back(conn).await;
        conn.notifications().delete_unread_before(NOON, None, 0).await.unwrap();
    })
    .await;
}

/// As many as in each batch of the sweep; half of them are in use.
#[tokio::test]
async fn finding_photos_in_use_reads_few_rows() {
    let names = (1..=100).map(|number| format!("profile_{number}"));
    let names: Vec<String> = names.collect();
    let photos = names.iter().cloned().map(ProfilePhoto::from_stored).collect();

    check(50, async |conn| {
        assert_eq!(conn.users().photos_in_use(&photos).await.unwrap().len(), 50);
    })
    .await;
}

#[tokio::test]
async fn finding_images_in_use_reads_few_rows() {
    let sql =
        "SELECT image_url AS line FROM posts WHERE image_url IS NOT NULL ORDER BY id LIMIT 250";
    let used = database().await.lines(sql).await.into_iter();
    let unused = (1..=250).map(|number| format!("/uploads/posts/{}.jpg", Uuid::from_u128(number)));
    let urls: Vec<String> = used.chain(unused).collect();
    let images = urls.iter().cloned().map(ImageUrl::from_stored).collect();

    check(250, async |conn| {
        assert_eq!(conn.posts().images_in_use(&images).await.unwrap().len(), 250);
    })
    .await;
}

#[tokio::test]
async fn locking_another_use_of_an_image_reads_few_rows() {
    let sql = "SELECT image_url AS line FROM posts WHERE image_url IS NOT NULL ORDER BY id LIMIT 1";
    let [url] = &database().await.lines(sql).await[..] else { panic!("no image") };
    let image = ImageUrl::from_stored(url.clone());

    check(1, async |conn| {
        assert!(conn.posts().lock_other_use_of_image(&image, most_popular_post()).await.unwrap());
    })
    .await;
}

/// Shows that the check can fail: the content of posts has no index.
#[tokio::test]
async fn a_sequential_scan_would_be_detected() {
    let mut conn = database().await.connect().await;
    conn.batch_execute("PREPARE search AS SELECT id FROM posts WHERE content LIKE $1")
        .await
        .unwrap();

    let plan = Plan::of(&mut conn, "search", "'%number 7'").await;

    assert_eq!(plan.tables_scanned(), ["posts"]);
    assert!(20.0 * plan.rows_returned() < plan.rows_read(), "{plan:#?}");
}

async fn check(rows: u32, work: impl AsyncFnOnce(&mut Connection)) {
    check_one(Expected { sql_part: "", rows, max_read: 20 * rows }, work).await;
}

/// Like [`check`], for one statement of work that prepares several.
async fn check_one(expected: Expected<'_>, work: impl AsyncFnOnce(&mut Connection)) {
    plan::check(&mut database().await.connect().await, expected, work).await;
}

async fn check_with(
    expected: Expected<'_>,
    arguments: &str,
    work: impl AsyncFnOnce(&mut Connection),
) {
    plan::check_with(&mut database().await.connect().await, expected, arguments, work).await;
}

/// Opens a transaction that is rolled back when the connection closes.
async fn begin_rolled_back(conn: &mut Connection) {
    conn.batch_execute("BEGIN").await.unwrap();
}

async fn list(conn: &mut Connection, query: PostQuery) {
    conn.posts().list(query).await.unwrap();
}

/// The list without posts dated in the future.
fn until_now(query: PostQuery) -> PostQuery {
    query.until(NOON + MAX_CLOCK_SKEW)
}

fn signed_in(user: i64) -> PostQuery {
    PostQuery::visible_to(Viewer::User(UserId::from(user)))
}

fn after(position: Position) -> PageRequest {
    PageRequest { limit: Limit::DEFAULT, start: PageStart::After(position) }
}

/// The position of the 100,000th post.
fn middle() -> Position {
    let at = DateTime::from_timestamp(1_735_689_600 + 60 * 100_000, 0).unwrap();
    Position { at, id: Uuid::from_u128(FIRST_POST + 100_000) }
}

/// The post with hearts of all users and many comments.
fn most_popular_post() -> PostId {
    Uuid::from_u128(FIRST_POST + 199_999).into()
}

/// The id of a batch of user 1, as in `large.sql`.
fn batch(number: u128) -> NotificationId {
    Uuid::from_u128(0x0196_1000_0000_7000_8000_0000_0000_0000 + number).into()
}

/// The id of a child of user 1's first batch.
fn child(number: u128) -> NotificationId {
    Uuid::from_u128(0x0196_2000_0000_7000_8000_0000_0000_0000 + number).into()
}

/// The event of a heart by this user for user 1.
fn heart_of(actor: i64) -> Event {
    let act = Act::Heart { post: most_popular_post() };
    Event {
        cause: Cause { recipient: PROLIFIC.into(), actor: actor.into(), act },
        details: EventDetails::default(),
        at: NOON,
        id: Uuid::from_u128(1).into(),
        batch_id: Uuid::from_u128(2).into(),
    }
}

async fn database() -> &'static TestDatabase {
    DATABASE
        .get_or_init(async || {
            let database = TestDatabase::create().await;
            database.execute(include_str!("datasets/large.sql")).await;
            database
        })
        .await
}
