use grateful_domain::{
    AuthorRelationship, CandidateLists, FeedCursor, PostId, Slot, UserId, Viewer, compose,
};
use grateful_storage::{Connection, QueryLog, Repositories};
use grateful_testkit::{MetricsCapture, TestDatabase};

use super::dataset::{World, candidates, follow, make, relate};

/// A page as it is compared: each post with its slot.
type Page = Vec<(PostId, Slot)>;

#[tokio::test]
async fn pages_are_those_of_all_posts_whomever_somebody_follows() {
    let database = TestDatabase::create().await;
    make(&database, &World { people: 6000, posts: 5000, skew: 2, seed: 1 }).await;
    follow(&database, 2, 90).await;
    follow(&database, 3, 1500).await;
    follow(&database, 4, 5000).await;
    relate(&database, &[(4, 30), (50, 4), (2, 60), (5, 1), (5, 2), (3, 5)], "blocked").await;
    relate(&database, &[(2, 9), (4, 11)], "pending").await;
    let mut conn = database.pool.acquire().await.unwrap();

    for viewer in [Viewer::Guest, user(1), user(2), user(3), user(4), user(5)] {
        for limits in [&[20][..], &[100], &[1, 7, 50, 3]] {
            assert_walks_agree(&mut conn, viewer, limits).await;
        }
    }
}

#[tokio::test]
async fn pages_are_those_of_all_posts_though_they_all_stand_nearly_as_high() {
    let database = TestDatabase::create().await;
    make(&database, &World { people: 3000, posts: 4000, skew: 1, seed: 2 }).await;
    // More of them than are looked through one by one.
    database
        .execute(
            "UPDATE posts SET hearts_count = 0, reactions_count = 0, shares_count = 0, created_at =
                  timestamptz '2026-01-05 12:00Z' - floor(random() * 5000) * interval '1 second'",
        )
        .await;
    for (who, others) in [(1, 50), (2, 400), (3, 2500)] {
        follow(&database, who, others).await;
    }
    let mut conn = database.pool.acquire().await.unwrap();

    for viewer in [user(1), user(2), user(3), user(4)] {
        assert_walks_agree(&mut conn, viewer, &[20, 33]).await;
    }
}

#[tokio::test]
async fn how_many_posts_a_page_is_composed_from_is_measured() {
    let database = TestDatabase::create().await;
    make(&database, &World { people: 40, posts: 300, skew: 1, seed: 4 }).await;
    let mut conn = database.pool.acquire().await.unwrap();
    let measured = MetricsCapture::start();

    conn.feed().compose(user(1), &FeedCursor::default(), 10).await.unwrap();

    // Of a page of ten, the best 31 and the newest 31; whom user 1 follows is among them.
    assert_eq!(measured.take_histogram("grateful_feed_candidates"), [62.0]);
}

/// Where few people write most, spacing reaches far below the top.
#[tokio::test]
async fn pages_are_those_of_all_posts_though_few_wrote_most_of_them() {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();
    for seed in 0..24 {
        let (people, skew) = ([1, 2, 3, 5, 9, 40][seed as usize % 6], [1, 4, 9][seed as usize % 3]);
        make(&database, &World { people, posts: 300, skew, seed }).await;
        follow(&database, 1, people.min(4) - 1).await;

        for viewer in [Viewer::Guest, user(1)] {
            assert_walks_agree(&mut conn, viewer, &[20]).await;
            assert_walks_agree(&mut conn, viewer, &[1, 2, 3, 5, 8, 13, 21, 34]).await;
        }
    }
}

/// The first three wrote all that is best, the next three all that is newest, hundreds each: what others wrote is far
/// below both, and every page needs some of it.
#[tokio::test]
async fn pages_are_those_of_all_posts_though_some_wrote_all_of_the_best_and_others_all_of_the_newest()
 {
    let database = TestDatabase::create().await;
    let mut conn = database.pool.acquire().await.unwrap();
    for (best, newest) in [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3)] {
        make(&database, &World { people: 200, posts: 3000, skew: 1, seed: 3 }).await;
        database.execute(&format!(
            "DELETE FROM posts WHERE author_id <= 6;
             UPDATE posts SET hearts_count = 0, created_at = created_at - interval '9 days';
             INSERT INTO posts (id, author_id, content, hearts_count, created_at)
             SELECT gen_random_uuid(), 1 + n / 300, 'Rain', 100000 - 7 * n, timestamptz '2026-01-01 12:00Z'
             FROM generate_series(0, {best} * 300 - 1) n;
             INSERT INTO posts (id, author_id, content, created_at)
             SELECT gen_random_uuid(), 4 + n / 300, 'Rain', timestamptz '2026-01-05 12:00Z' - n * interval '1 second'
             FROM generate_series(0, {newest} * 300 - 1) n"
        ))
        .await;
        follow(&database, 100, 40).await;
        relate(&database, &[(100, 1), (100, 4)], "active").await;

        for viewer in [user(99), user(100)] {
            assert_walks_agree(&mut conn, viewer, &[20]).await;
            assert_walks_agree(&mut conn, viewer, &[1]).await;
            assert_walks_agree(&mut conn, viewer, &[100]).await;
        }
    }
}

#[tokio::test]
async fn a_walk_that_a_stranger_made_up_gets_a_page_without_what_it_says_was_served() {
    let database = TestDatabase::create().await;
    make(&database, &World { people: 50, posts: 200, skew: 1, seed: 4 }).await;
    let mut conn = database.pool.acquire().await.unwrap();
    let all = candidates(&mut conn, user(1)).await;
    // As no walk would have gone.
    let walk =
        FeedCursor::default().advance(all.iter().rev().take(77).map(|post| (post.id, post.author)));

    let (page, _) = page(&mut conn, user(1), &walk, 20).await;

    assert_eq!(page, brute_force(&all, &walk, 20));
}

#[tokio::test]
async fn nobody_is_related_to_a_guest_and_each_to_those_who_follow_them() {
    let database = TestDatabase::create().await;
    make(&database, &World { people: 9, posts: 1, skew: 1, seed: 5 }).await;
    relate(&database, &[(1, 2), (3, 1)], "active").await;
    relate(&database, &[(1, 4)], "pending").await;
    relate(&database, &[(1, 5)], "blocked").await;
    let mut conn = database.pool.acquire().await.unwrap();
    let people: Vec<UserId> = (1..=5).map(UserId::from).collect();

    for (viewer, followed) in [(Viewer::Guest, None), (user(1), Some(UserId::from(2)))] {
        let relationships = conn.feed().find_author_relationships(viewer, &people).await.unwrap();
        for person in &people {
            let is_followed = relationships[person] == AuthorRelationship::Followed;
            assert_eq!(is_followed, followed == Some(*person), "{viewer:?} {person}");
        }
    }
}

/// Walks to the end in pages of these lengths, in turn, and compares each with what all posts give.
async fn assert_walks_agree(conn: &mut Connection, viewer: Viewer, limits: &[usize]) {
    let all = candidates(conn, viewer).await;
    let at_once = brute_force(&all, &FeedCursor::default(), FeedCursor::MAX_POSITIONS);
    let (mut walk, mut met) = (FeedCursor::default(), Vec::new());
    for limit in limits.iter().cycle() {
        let (next, goes_on) = page(conn, viewer, &walk, *limit).await;
        let till = at_once.len().min(met.len() + limit);
        assert_eq!(next, at_once[met.len()..till], "{viewer:?} {limits:?} from {}", met.len());
        met.extend(next.iter().copied());
        assert_eq!(goes_on, met.len() < all.len(), "{viewer:?} {limits:?} at {}", met.len());
        let author = |id| all.iter().find(|post| post.id == id).unwrap().author;
        walk = walk.advance(next.iter().map(|(id, _)| (*id, author(*id))));
        if met.len() == at_once.len() {
            return;
        }
    }
}

async fn page(
    conn: &mut Connection,
    viewer: Viewer,
    walk: &FeedCursor,
    limit: usize,
) -> (Page, bool) {
    let (composed, queries) = QueryLog::record(conn.feed().compose(viewer, walk, limit)).await;
    assert!(queries.total() <= 2, "{queries:#?}");
    let composed = composed.unwrap();
    let places = composed.items.iter().map(|it| (it.item.post.id, it.item.slot));
    (places.collect(), composed.has_more)
}

fn brute_force(all: &[grateful_domain::Candidate], walk: &FeedCursor, most: usize) -> Page {
    let places = compose(&CandidateLists::of(all.to_vec()), walk, most).unwrap();
    places.iter().map(|it| (it.post.id, it.slot)).collect()
}

fn user(id: i64) -> Viewer {
    Viewer::User(UserId::from(id))
}
