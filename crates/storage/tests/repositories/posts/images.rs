//! Images of posts: which are in use, and locks while one is borrowed from another post.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection as _;
use futures_util::future::{join, join_all};
use grateful_domain::{ImageUrl, Post};
use grateful_storage::{Connection, Repositories, Result};
use grateful_testkit::{TestDatabase, a_post, create_user};
use uuid::Uuid;

#[tokio::test]
async fn those_images_are_found_that_any_post_shows_also_a_private_one() {
    let database = TestDatabase::create().await;
    a_post().with_image(image(1).as_str()).insert_into(&database).await;
    a_post().with_image(image(1).as_str()).insert_into(&database).await;
    a_post().private().with_image(image(2).as_str()).insert_into(&database).await;
    a_post().insert_into(&database).await;
    let mut conn = database.connect().await;

    let asked = [1, 2, 3].map(image).into();
    let shown = conn.posts().images_in_use(&asked).await.unwrap();

    assert_eq!(shown, [image(1), image(2)].into());
    assert_eq!(conn.posts().images_in_use(&HashSet::new()).await.unwrap(), HashSet::new());
}

#[tokio::test]
async fn an_image_is_held_where_another_post_shows_it() {
    let database = TestDatabase::create().await;
    let post = a_post().with_image(image(1).as_str()).insert_into(&database).await;
    let other = a_post().with_image(image(2).as_str()).insert_into(&database).await;

    assert!(hold(&mut database.connect().await, &other, &image(1)).await);
    assert!(!hold(&mut database.connect().await, &post, &image(1)).await, "its own does not count");
    assert!(!hold(&mut database.connect().await, &post, &image(3)).await);
}

/// Each of these takes the image away from the only post that shows it.
const TAKING_AWAY: [&str; 2] = ["DELETE FROM posts", "UPDATE posts SET image_url = NULL"];

#[tokio::test]
async fn while_the_image_is_being_taken_away_its_holder_waits_for_how_that_ends() {
    for taking in TAKING_AWAY {
        for (end, is_held) in [("COMMIT", false), ("ROLLBACK", true)] {
            let database = TestDatabase::create().await;
            a_post().with_image(image(1).as_str()).insert_into(&database).await;
            let new = a_post().by(create_user(&database).await).build();
            let mut taker = database.begin(taking).await;
            let mut conn = database.connect().await;

            let holding = async { hold(&mut conn, &new, &image(1)).await };
            let ending = async {
                until_waiting(&database).await;
                taker.batch_execute(end).await.unwrap();
            };
            let (held, ()) = join(holding, ending).await;

            assert_eq!(held, is_held, "{taking}; {end}");
        }
    }
}

#[tokio::test]
async fn whoever_takes_a_held_image_away_waits_and_then_finds_who_shows_it() {
    for taking in TAKING_AWAY {
        let database = TestDatabase::create().await;
        let post = a_post().with_image(image(1).as_str()).insert_into(&database).await;
        let new = a_post().by(post.author).with_image(image(1).as_str()).build();
        let mut holder = database.begin("SELECT").await;
        holder.posts().insert(&new).await.unwrap();
        assert!(hold(&mut holder, &new, &image(1)).await);

        let taking_away = async {
            database.execute(&format!("{taking} WHERE id = '{}'", post.id)).await;
            database.connect().await.posts().images_in_use(&[image(1)].into()).await.unwrap()
        };
        let ending = async {
            until_waiting(&database).await;
            holder.batch_execute("COMMIT").await.unwrap();
        };
        let (shown, ()) = join(taking_away, ending).await;

        assert_eq!(shown, [image(1)].into(), "{taking}");
    }
}

/// Everybody who shows it may be the last; once nobody does, its file is removed, and it must stay so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_post_ever_shows_an_image_whose_file_was_removed() {
    let database = TestDatabase::create().await;
    let author = create_user(&database).await;
    let (mut borrowed, mut refused) = (0, 0);

    for round in 0..40_u128 {
        let image = image(round);
        let first = a_post().by(author).with_image(image.as_str()).insert_into(&database).await;
        let last = a_post().by(author).with_image(image.as_str()).insert_into(&database).await;
        let takers = [(&first, TAKING_AWAY[0]), (&last, TAKING_AWAY[1])];
        let taking = takers.map(|(post, how)| take_away(&database, post, how, &image));
        let posts: Vec<Post> =
            (0..3).map(|_| a_post().by(author).with_image(image.as_str()).build()).collect();
        let showing = posts.iter().map(|post| borrow(&database, post, &image));

        let (shown, removed) = join(join_all(showing), join_all(taking)).await;

        let rows = database.count(&format!("posts WHERE image_url = '{}'", image.as_str())).await;
        let shown = shown.into_iter().filter(|shown| *shown).count();
        assert_eq!(rows, i64::try_from(shown).unwrap());
        let is_removed = removed.contains(&true);
        assert_eq!(is_removed, rows == 0, "round {round}: {removed:?}, {rows} posts show it");
        borrowed += shown;
        refused += 3 - shown;
    }

    println!("{borrowed} posts showed another's image, {refused} came too late");
}

/// Publishes a post with an image that must be another's. Tells whether it was.
async fn borrow(database: &TestDatabase, post: &Post, image: &ImageUrl) -> bool {
    let shown: Result<bool> = database
        .pool
        .transaction(async |tx| {
            let is_held = tx.posts().lock_other_use_of_image(image, post.id).await?;
            if is_held {
                tx.posts().insert(post).await?;
            }
            Ok(is_held)
        })
        .await;
    shown.unwrap()
}

/// Takes the image away from a post. Tells whether its file is removed then.
async fn take_away(database: &TestDatabase, post: &Post, how: &str, image: &ImageUrl) -> bool {
    database.execute(&format!("{how} WHERE id = '{}'", post.id)).await;
    let mut conn = database.connect().await;
    conn.posts().images_in_use(&[image.clone()].into()).await.unwrap().is_empty()
}

async fn hold(conn: &mut Connection, but: &Post, image: &ImageUrl) -> bool {
    conn.posts().lock_other_use_of_image(image, but.id).await.unwrap()
}

fn image(number: u128) -> ImageUrl {
    ImageUrl::new(Uuid::from_u128(number))
}

/// Waits until a statement in this database waits for a lock.
async fn until_waiting(database: &TestDatabase) {
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.count(waiting).await == 0 {
        assert!(Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}
