//! The `posts` table through [`Posts`](grateful_storage::Posts): one post at a time.

mod images;

use chrono::{DateTime, TimeDelta};
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::future::join_all;
use grateful_domain::{
    Content, DisplayName, Engagement, ImageUrl, LocationName, Post, PostEdit, PostId, PostType,
    Title, UserId, Viewer, Visibility,
};
use grateful_storage::{Connection, Database, PostQuery, Repositories, Result, StorageError};
use grateful_test_database::{NOON, TestDatabase, a_post, a_user, create_user};
use uuid::Uuid;

use crate::support::sql::lines;

const IMAGE: &str = "/uploads/posts/01930000-0000-7000-8000-000000000001.jpg";

#[tokio::test]
async fn a_post_is_found_with_all_fields_and_its_author() {
    let database = TestDatabase::create().await;
    let ana = a_user().with_username("ana").insert_into(&database).await;
    database.execute("UPDATE users SET display_name = 'Ana', profile_image_url = '/a.jpg'").await;
    let post = a_post()
        .by(ana.id)
        .private()
        .with(|draft| {
            draft.title = Title::parse("Today").unwrap();
            draft.content = Content::parse("Rain\nand sun ☔", PostType::Photo).unwrap();
            draft.post_type = PostType::Photo;
            draft.image_url = Some(ImageUrl::from_stored(IMAGE.to_owned()));
            draft.location = LocationName::parse("Lisboa").unwrap();
        })
        .insert_into(&database)
        .await;

    let seen = database.connect().await.posts().find(Viewer::User(ana.id), post.id).await.unwrap();

    let seen = seen.unwrap();
    assert_eq!(seen.post, post);
    assert_eq!(seen.author.id, ana.id);
    assert_eq!(seen.author.username, ana.username);
    assert_eq!(seen.author.display_name, Some(DisplayName::parse("Ana").unwrap()));
    assert_eq!(seen.author.profile_image_url.as_deref(), Some("/a.jpg"));
    assert!(!seen.is_hearted);
    assert_eq!(seen.reaction, None);
}

#[tokio::test]
async fn a_post_has_its_engagement_counts() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    database.execute(
        "UPDATE posts SET hearts_count = 1, reactions_count = 2, shares_count = 3, comments_count = 4",
    )
    .await;

    let locked = database.connect().await.posts().lock(post.id).await.unwrap().unwrap();

    let engagement = Engagement { hearts: 1, reactions: 2, shares: 3, comments: 4 };
    assert_eq!(locked, Post { engagement, ..post });
}

#[tokio::test]
async fn an_update_changes_only_that_post() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let before = a_post()
        .with(|draft| {
            draft.title = Title::parse("Today").unwrap();
            draft.image_url = Some(ImageUrl::from_stored(IMAGE.to_owned()));
            draft.location = LocationName::parse("Lisboa").unwrap();
        })
        .insert_into(&database)
        .await;
    let other = a_post().by(before.author).insert_into(&database).await;
    database
        .execute(&format!("UPDATE posts SET hearts_count = 5 WHERE id = '{}'", before.id))
        .await;
    let edit = PostEdit {
        content: Some("Something shorter".to_owned()),
        title: Some(None),
        post_type: Some(PostType::Spontaneous),
        image_url: Some(None),
        location: Some(None),
        visibility: Some(Visibility::Private),
    };
    let after = before.edited(edit, NOON + TimeDelta::hours(1)).unwrap();

    conn.posts().update(&before, &after).await.unwrap();

    let engagement = Engagement { hearts: 5, ..Engagement::default() };
    let stored = conn.posts().lock(before.id).await.unwrap();
    assert_eq!(stored, Some(Post { engagement, ..after }));
    assert_eq!(conn.posts().lock(other.id).await.unwrap(), Some(other));
}

#[tokio::test]
async fn a_locked_post_can_be_referenced_but_not_changed() {
    let database = TestDatabase::create().await;
    let post = a_post().private().insert_into(&database).await;
    let mut locker = database.connect().await;
    let mut other = database.connect().await;

    locker
        .transaction(async |tx| {
            assert_eq!(tx.posts().lock(post.id).await.unwrap(), Some(post.clone()));

            let reference =
                format!("SELECT FROM posts WHERE id = '{}' FOR KEY SHARE NOWAIT", post.id);
            other.batch_execute(&reference).await.unwrap();
            let change = format!("SELECT FROM posts WHERE id = '{}' FOR UPDATE NOWAIT", post.id);
            let rejected = other.batch_execute(&change).await.unwrap_err();
            assert_eq!(rejected.to_string(), "could not obtain lock on row in relation \"posts\"");
            Ok::<_, diesel::result::Error>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_post_needs_an_existing_author() {
    let database = TestDatabase::create().await;
    let post = Post { author: UserId::from(4_711), ..a_post().insert_into(&database).await };
    let post = Post { id: Uuid::from_u128(7).into(), ..post };

    let rejected = database.connect().await.posts().insert(&post).await;

    assert!(
        matches!(&rejected, Err(StorageError::ForeignKeyViolation { constraint }) if constraint == "posts_author_id_fkey"),
        "{rejected:?}"
    );
}

#[tokio::test]
async fn a_second_post_with_the_same_id_is_rejected_and_not_counted() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;

    let rejected: Result<()> =
        database.pool.transaction(async |tx| tx.posts().insert(&post).await).await;

    assert!(
        matches!(&rejected, Err(StorageError::UniqueViolation { constraint }) if constraint == "posts_pkey"),
        "{rejected:?}"
    );
    assert_eq!(checked_counters(&database, post.author).await, "1 posts, 1 public");
}

#[tokio::test]
async fn an_unknown_post_type_is_reported_as_corrupt() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let post = a_post().insert_into(&database).await;
    database.execute(
        "ALTER TABLE posts DROP CONSTRAINT posts_post_type_check; UPDATE posts SET post_type = 'poem'",
    )
    .await;

    let found = conn.posts().find(Viewer::Guest, post.id).await;
    let locked = conn.posts().lock(post.id).await;

    for error in [found.unwrap_err(), locked.unwrap_err()] {
        assert_eq!(error.to_string(), "posts.post_type has an invalid value");
    }
}

#[tokio::test]
async fn an_unknown_emoji_is_reported_as_corrupt() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    database
        .execute(&format!(
            "ALTER TABLE emoji_reactions DROP CONSTRAINT emoji_reactions_emoji_code_check;
         INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code)
         VALUES (gen_random_uuid(), {}, '{}', 'shrug')",
            post.author, post.id
        ))
        .await;

    let viewer = Viewer::User(post.author);
    let listed = database.connect().await.posts().list(PostQuery::visible_to(viewer)).await;

    let message = "emoji_reactions.emoji_code has an invalid value";
    assert_eq!(listed.unwrap_err().to_string(), message);
}

/// Sixteen tasks publish, hide, show and delete posts of one author; two of the posts are shared by all tasks.
#[tokio::test(flavor = "multi_thread")]
async fn post_counters_equal_the_rows_after_concurrent_writes() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let shared = [
        a_post().by(ana).insert_into(&database).await,
        a_post().by(ana).insert_into(&database).await,
    ];

    let tasks = (0..16_u128).map(|task| {
        let pool = database.pool.clone();
        let [first, second] = [shared[0].clone(), shared[1].clone()];
        tokio::spawn(async move {
            let own = Post { id: Uuid::from_u128(0x1000 + task).into(), ..first.clone() };
            publish(&pool, &own).await.unwrap();
            for _ in 0..4 {
                toggle_visibility(&pool, first.id).await.unwrap();
                toggle_visibility(&pool, own.id).await.unwrap();
            }
            if task % 2 == 0 {
                delete(&pool, own.id).await.unwrap();
            }
            toggle_visibility(&pool, own.id).await.unwrap();
            delete(&pool, second.id).await.unwrap();
        })
    });
    for outcome in join_all(tasks).await {
        outcome.unwrap();
    }

    // The first shared post is toggled 64 times and ends public. Of the sixteen other posts, eight remain, and their fifth
    // toggle makes them private.
    assert_eq!(checked_counters(&database, ana).await, "9 posts, 1 public");
}

#[tokio::test]
async fn the_stored_rank_follows_the_formula() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    for (post_type, image, [hearts, reactions, shares, comments], worth) in [
        (PostType::Daily, None, [0, 0, 0, 0], 3.0),
        (PostType::Daily, Some(IMAGE), [0, 0, 0, 0], 3.0),
        (PostType::Photo, Some(IMAGE), [0, 0, 0, 0], 2.5),
        (PostType::Photo, None, [0, 0, 0, 0], 0.5),
        (PostType::Spontaneous, None, [0, 0, 0, 0], 0.5),
        (PostType::Spontaneous, Some(IMAGE), [0, 0, 0, 9], 0.5),
        (PostType::Spontaneous, None, [1, 0, 0, 0], 1.0),
        (PostType::Spontaneous, None, [0, 1, 0, 0], 1.5),
        (PostType::Spontaneous, None, [0, 0, 1, 0], 4.0),
        (PostType::Photo, Some(IMAGE), [7, 5, 3, 2], 7.0 + 7.5 + 12.0 + 2.5),
        (PostType::Daily, None, [i32::MAX; 4], 6.5 * f64::from(i32::MAX) + 3.0),
    ] {
        let post = a_post()
            .with(|draft| {
                draft.post_type = post_type;
                draft.image_url = image.map(|path| ImageUrl::from_stored(path.to_owned()));
            })
            .insert_into(&database)
            .await;
        database
            .execute(&format!(
                "UPDATE posts SET hearts_count = {hearts}, reactions_count = {reactions},
                 shares_count = {shares}, comments_count = {comments}
             WHERE id = '{}'",
                post.id
            ))
            .await;

        let stored = rank(&mut conn, post.id).await;

        let half_lives = (post.created_at - DateTime::UNIX_EPOCH).as_seconds_f64() / 86_400.0;
        let expected = f64::log2(worth) + half_lives;
        assert!((stored - expected).abs() < 1e-9, "{post_type:?} {image:?}: {stored} {expected}");
    }
}

/// The column is generated, so the time zone of the session must not affect it.
#[tokio::test]
async fn the_stored_rank_does_not_depend_on_the_time_zone_of_the_session() {
    let database = TestDatabase::create().await;
    let post = a_post().insert_into(&database).await;
    let mut conn = database.connect().await;
    let before = rank(&mut conn, post.id).await;

    database.execute("SET TIME ZONE 'Pacific/Auckland'; UPDATE posts SET content = 'Again'").await;

    assert_eq!(rank(&mut conn, post.id).await.to_bits(), before.to_bits());
}

#[tokio::test]
async fn engagement_counts_cannot_become_negative() {
    let database = TestDatabase::create().await;
    a_post().insert_into(&database).await;
    let mut conn = database.connect().await;

    for column in ["hearts_count", "reactions_count", "shares_count", "comments_count"] {
        let sql = format!("UPDATE posts SET {column} = {column} - 1");
        let rejected = conn.batch_execute(&sql).await.unwrap_err().to_string();
        assert!(rejected.contains(&format!("\"posts_{column}_check\"")), "{rejected}");
    }
}

/// The post counters of the author, after comparing them with the rows of the posts.
async fn checked_counters(database: &TestDatabase, author: UserId) -> String {
    let mut conn = database.connect().await;
    let counters = format!(
        "SELECT posts_count || ' posts, ' || public_posts_count || ' public' AS line
         FROM users WHERE id = {author}"
    );
    let rows = format!(
        "SELECT count(*) || ' posts, ' || count(*) FILTER (WHERE is_public) || ' public' AS line
         FROM posts WHERE author_id = {author}"
    );
    let counters = lines(&mut conn, &counters).await.remove(0);
    assert_eq!(counters, lines(&mut conn, &rows).await[0]);
    counters
}

async fn rank(conn: &mut Connection, post: PostId) -> f64 {
    let sql = format!("SELECT rank::text AS line FROM posts WHERE id = '{post}'");
    lines(conn, &sql).await[0].parse().unwrap()
}

fn with_visibility(post: &Post, visibility: Visibility) -> Post {
    let edit = PostEdit { visibility: Some(visibility), ..PostEdit::default() };
    post.edited(edit, NOON).unwrap()
}

async fn publish(pool: &Database, post: &Post) -> Result<()> {
    pool.transaction(async |tx| tx.posts().insert(post).await).await
}

/// Toggles the visibility of the post, if it exists.
async fn toggle_visibility(pool: &Database, post: PostId) -> Result<()> {
    pool.transaction(async |tx| {
        let Some(before) = tx.posts().lock(post).await? else { return Ok(()) };
        let toggled = Visibility::from_is_public(!before.draft.visibility.is_public());
        tx.posts().update(&before, &with_visibility(&before, toggled)).await
    })
    .await
}

async fn delete(pool: &Database, post: PostId) -> Result<()> {
    pool.transaction(async |tx| match tx.posts().lock(post).await? {
        Some(post) => tx.posts().delete(&post).await,
        None => Ok(()),
    })
    .await
}
