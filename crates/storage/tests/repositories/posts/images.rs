//! Images of posts: which are in use, and locks while one is borrowed from another post.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection as _;
use futures_util::future::{join, join_all};
use grateful_domain::{ImageUrl, Post};
use grateful_storage::{Connection, Repositories, Result};
use grateful_test_database::{TestDatabase, a_post, create_user};

#[tokio::test]
async fn images_in_use_are_those_of_public_and_private_posts() {
    let database = TestDatabase::create().await;
    a_post().with_image(image(1).as_str()).insert_into(&database).await;
    a_post().with_image(image(1).as_str()).insert_into(&database).await;
    a_post().private().with_image(image(2).as_str()).insert_into(&database).await;
    a_post().insert_into(&database).await;
    let mut conn = database.connect().await;

    let candidates = [1, 2, 3].map(image).into();
    let shown = conn.posts().images_in_use(&candidates).await.unwrap();

    assert_eq!(shown, [image(1), image(2)].into());
    assert_eq!(conn.posts().images_in_use(&HashSet::new()).await.unwrap(), HashSet::new());
}

#[tokio::test]
async fn an_image_is_locked_only_if_another_post_uses_it() {
    let database = TestDatabase::create().await;
    let post = a_post().with_image(image(1).as_str()).insert_into(&database).await;
    let other = a_post().with_image(image(2).as_str()).insert_into(&database).await;

    assert!(lock_other_use(&mut database.connect().await, &other, &image(1)).await);
    assert!(
        !lock_other_use(&mut database.connect().await, &post, &image(1)).await,
        "the post itself does not count"
    );
    assert!(!lock_other_use(&mut database.connect().await, &post, &image(3)).await);
}

/// Statements that remove the image from the only post with it.
const REMOVALS: [&str; 2] = ["DELETE FROM posts", "UPDATE posts SET image_url = NULL"];

#[tokio::test]
async fn locking_an_image_waits_for_a_concurrent_removal() {
    for removal in REMOVALS {
        for (end, is_locked) in [("COMMIT", false), ("ROLLBACK", true)] {
            let database = TestDatabase::create().await;
            a_post().with_image(image(1).as_str()).insert_into(&database).await;
            let new = a_post().by(create_user(&database).await).build();
            let mut remover = database.begin(removal).await;
            let mut conn = database.connect().await;

            let locking = async { lock_other_use(&mut conn, &new, &image(1)).await };
            let finishing = async {
                wait_for_lock_wait(&database).await;
                remover.batch_execute(end).await.unwrap();
            };
            let (was_locked, ()) = join(locking, finishing).await;

            assert_eq!(was_locked, is_locked, "{removal}; {end}");
        }
    }
}

#[tokio::test]
async fn removing_a_locked_image_waits_and_then_finds_it_in_use() {
    for removal in REMOVALS {
        let database = TestDatabase::create().await;
        let post = a_post().with_image(image(1).as_str()).insert_into(&database).await;
        let new = a_post().by(post.author).with_image(image(1).as_str()).build();
        let mut locker = database.begin("SELECT").await;
        locker.posts().insert(&new).await.unwrap();
        assert!(lock_other_use(&mut locker, &new, &image(1)).await);

        let removing = async {
            database.execute(&format!("{removal} WHERE id = '{}'", post.id)).await;
            database.connect().await.posts().images_in_use(&[image(1)].into()).await.unwrap()
        };
        let finishing = async {
            wait_for_lock_wait(&database).await;
            locker.batch_execute("COMMIT").await.unwrap();
        };
        let (shown, ()) = join(removing, finishing).await;

        assert_eq!(shown, [image(1)].into(), "{removal}");
    }
}

/// Each removal may be the last. Once no post has the image, its file is deleted, and no post may get the image afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_post_shows_an_image_whose_file_was_deleted() {
    let database = TestDatabase::create().await;
    let author = create_user(&database).await;
    let (mut published, mut rejected) = (0, 0);

    for round in 0..40_u128 {
        let image = image(round);
        let first = a_post().by(author).with_image(image.as_str()).insert_into(&database).await;
        let last = a_post().by(author).with_image(image.as_str()).insert_into(&database).await;
        let removals = [(&first, REMOVALS[0]), (&last, REMOVALS[1])];
        let removing =
            removals.map(|(post, statement)| remove_image(&database, post, statement, &image));
        let posts: Vec<Post> =
            (0..3).map(|_| a_post().by(author).with_image(image.as_str()).build()).collect();
        let publishing = posts.iter().map(|post| publish_with_image(&database, post, &image));

        let (shown, deleted) = join(join_all(publishing), join_all(removing)).await;

        let rows = database.count(&format!("posts WHERE image_url = '{}'", image.as_str())).await;
        let shown = shown.into_iter().filter(|shown| *shown).count();
        assert_eq!(rows, i64::try_from(shown).unwrap());
        let is_deleted = deleted.contains(&true);
        assert_eq!(is_deleted, rows == 0, "round {round}: {deleted:?}, {rows} posts have it");
        published += shown;
        rejected += 3 - shown;
    }

    println!("{published} posts published with the image, {rejected} rejected");
}

/// Publishes a post with the image of another post. Returns whether another post had it.
async fn publish_with_image(database: &TestDatabase, post: &Post, image: &ImageUrl) -> bool {
    let shown: Result<bool> = database
        .pool
        .transaction(async |tx| {
            let is_locked = tx.posts().lock_other_use_of_image(image, post.id).await?;
            if is_locked {
                tx.posts().insert(post).await?;
            }
            Ok(is_locked)
        })
        .await;
    shown.unwrap()
}

/// Removes the image from a post. Returns whether its file is deleted afterwards.
async fn remove_image(
    database: &TestDatabase,
    post: &Post,
    statement: &str,
    image: &ImageUrl,
) -> bool {
    database.execute(&format!("{statement} WHERE id = '{}'", post.id)).await;
    let mut conn = database.connect().await;
    conn.posts().images_in_use(&[image.clone()].into()).await.unwrap().is_empty()
}

async fn lock_other_use(conn: &mut Connection, post: &Post, image: &ImageUrl) -> bool {
    conn.posts().lock_other_use_of_image(image, post.id).await.unwrap()
}

fn image(number: u128) -> ImageUrl {
    ImageUrl::from_stored(format!("/uploads/posts/{number}.jpg"))
}

/// Waits until a statement in this database waits for a lock.
async fn wait_for_lock_wait(database: &TestDatabase) {
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.count(waiting).await == 0 {
        assert!(Instant::now() < deadline, "no statement waits");
        tokio::task::yield_now().await;
    }
}
