use std::cmp::Reverse;
use std::fmt::Debug;

use chrono::{DateTime, Utc};
use grateful_domain::{
    CountMode, EngagementPosition, Offset, PageRequest, PageStart, Position, PostId, PostType,
    RankPosition, Total, UserId, Viewer,
};
use grateful_storage::query::{
    ByEngagement, ByRank, DateRange, NewestFirst, PostOrder, SingleRange,
};
use grateful_storage::{PostQuery, Repositories};

use crate::dataset::{Row, World, connect, in_one, limit};

#[tokio::test]
async fn posts_are_listed_newest_first_for_whoever_may_see_them() {
    let world = World::create().await;
    for viewer in World::viewers() {
        let public = newest(world.seen_by(viewer), |post| post.is_public);
        meets(&world, &PostQuery::visible_to(viewer), &public).await;
        for author in World::people() {
            let query = PostQuery::visible_to(viewer).by_author(author);
            let theirs = newest(world.seen_by(viewer), |post| post.author == author);
            meets(&world, &query, &theirs).await;
            by_offset(&world, &query, &theirs).await;
        }
    }
}

#[tokio::test]
async fn the_newest_of_some_people_are_those_of_all_that_they_posted() {
    let world = World::create().await;
    for viewer in World::viewers() {
        for authors in [vec![1, 5, 5, 7, 99], (1..=12).collect(), vec![12], vec![]] {
            let authors: Vec<UserId> = authors.into_iter().map(UserId::from).collect();
            let query = PostQuery::visible_to(viewer).by_authors(&authors);
            let theirs = newest(world.seen_by(viewer), |post| authors.contains(&post.author));
            meets(&world, &query, &theirs).await;
            let public: Vec<_> = theirs.into_iter().filter(|post| post.is_public).collect();
            meets(&world, &query.public_only(), &public).await;
        }
        let followed = newest(world.seen_by(viewer), |post| {
            viewer.user().is_some_and(|viewer| world.follows(viewer, post.author))
        });
        meets(&world, &PostQuery::visible_to(viewer).by_followed(), &followed).await;
    }
}

#[tokio::test]
async fn public_posts_are_listed_by_rank_ties_by_time_and_id() {
    let world = World::create().await;
    for viewer in World::viewers() {
        let best = |of: &dyn Fn(&Row) -> bool| {
            let mut posts = world.seen_by(viewer);
            posts.retain(|post| post.is_public && of(post));
            posts.sort_by(|one, other| {
                other.rank.total_cmp(&one.rank).then((other.at, other.id).cmp(&(one.at, one.id)))
            });
            posts
        };
        meets(&world, &PostQuery::visible_to(viewer).by_rank(), &best(&|_| true)).await;
        for author in World::people() {
            let query = PostQuery::visible_to(viewer).by_author(author);
            meets(&world, &query.clone().by_rank(), &best(&|post| post.author == author)).await;
            let with_image = best(&|post| post.author == author && post.has_image);
            meets(&world, &query.by_rank().with_image(), &with_image).await;
        }
    }
}

#[tokio::test]
async fn public_posts_are_listed_by_engagement_ties_by_id() {
    let world = World::create().await;
    for viewer in World::viewers() {
        let mut posts = world.seen_by(viewer);
        posts.retain(|post| post.is_public);
        posts.sort_by_key(|post| Reverse((post.engagement, post.id)));
        meets(&world, &PostQuery::visible_to(viewer).by_engagement(), &posts).await;
    }
}

#[tokio::test]
async fn a_list_is_narrowed_to_a_time_a_type_and_images() {
    let world = World::create().await;
    let [from, to] = ["2026-01-04T12:00:00Z", "2026-01-12T02:00:00Z"].map(time);
    // Posts stand on both of its ends.
    assert!([from, to].iter().all(|end| world.posts.iter().any(|post| post.at == *end)));
    let viewer = Viewer::User(UserId::from(5));
    let between = |post: &Row| from <= post.at && post.at < to;

    let query = PostQuery::visible_to(viewer).since(from).until(to);
    let posts = newest(world.seen_by(viewer), |post| post.is_public && between(post));
    meets(&world, &query, &posts).await;
    let query = PostQuery::visible_to(viewer).by_followed().until(to).since(from);
    let followed = |post: &Row| world.follows(UserId::from(5), post.author);
    meets(&world, &query, &newest(world.seen_by(viewer), |post| followed(post) && between(post)))
        .await;
    for author in [UserId::from(5), UserId::from(8)] {
        for (post_type, code) in
            [(PostType::Photo, "photo"), (PostType::Spontaneous, "spontaneous")]
        {
            let query = PostQuery::visible_to(viewer).by_author(author).of_type(post_type);
            let of_type = newest(world.seen_by(viewer), |post| {
                post.author == author && post.post_type == code
            });
            meets(&world, &query, &of_type).await;
            let photos: Vec<Row> =
                of_type.into_iter().filter(|post| post.has_image && between(post)).collect();
            meets(&world, &query.with_image().since(from).until(to), &photos).await;
        }
    }
}

/// Behind the end of a list, and where it is empty, too.
#[tokio::test]
async fn a_total_comes_in_the_same_statement_and_ends_where_it_is_told_to() {
    let world = World::create().await;
    for viewer in World::viewers() {
        let public = newest(world.seen_by(viewer), |post| post.is_public).len();
        counts(&world, PostQuery::visible_to(viewer), public).await;
        counts(&world, PostQuery::visible_to(viewer).by_rank(), public).await;
        counts(&world, PostQuery::visible_to(viewer).by_engagement(), public).await;
        let followed = newest(world.seen_by(viewer), |post| {
            viewer.user().is_some_and(|viewer| world.follows(viewer, post.author))
        });
        counts(&world, PostQuery::visible_to(viewer).by_followed(), followed.len()).await;
        for author in World::people() {
            let theirs = newest(world.seen_by(viewer), |post| post.author == author);
            counts(&world, PostQuery::visible_to(viewer).by_author(author), theirs.len()).await;
            let photos = theirs.iter().filter(|post| post.post_type == "photo").count();
            let query = PostQuery::visible_to(viewer).by_author(author).of_type(PostType::Photo);
            counts(&world, query, photos).await;
        }
    }

    let offset = PageStart::Offset(Offset::parse(10_000).unwrap());
    let far =
        PostQuery::visible_to(Viewer::Guest).page(PageRequest { limit: limit(5), start: offset });
    let mut conn = connect(&world.database).await;
    let slice = in_one(conn.posts().list(far.with_total(CountMode::UpTo(1_000)))).await;
    assert_eq!((slice.items.len(), slice.total), (0, Some(Total::Exactly(128))));
}

#[tokio::test]
async fn what_is_kept_beside_people_is_told_exactly() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    for viewer in World::viewers() {
        let visible_to_viewer = PostQuery::visible_to(viewer).with_total(CountMode::Estimated);
        for author in World::people() {
            let theirs = newest(world.seen_by(viewer), |post| post.author == author);
            let query = visible_to_viewer.clone().by_author(author);
            let total = in_one(conn.posts().list(query.clone())).await.total;
            assert_eq!(total, Some(exactly(theirs.len())), "{author} to {viewer:?}");
            let public = theirs.iter().filter(|post| post.is_public).count();
            let of_public = in_one(conn.posts().list(query.clone().public_only())).await.total;
            assert_eq!(of_public, Some(exactly(public)));
            assert_eq!(
                in_one(conn.posts().list(query.by_rank())).await.total,
                Some(exactly(public))
            );
        }
        let people: Vec<UserId> = (3..9).map(UserId::from).collect();
        let theirs = newest(world.seen_by(viewer), |post| people.contains(&post.author));
        let total = in_one(conn.posts().list(visible_to_viewer.by_authors(&people))).await.total;
        assert_eq!(total, Some(exactly(theirs.len())));
    }
}

#[tokio::test]
async fn of_everybodys_posts_postgresql_knows_about_how_many_there_are() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    let query = PostQuery::visible_to(Viewer::Guest).with_total(CountMode::Estimated);

    assert_eq!(in_one(conn.posts().list(query.clone())).await.total, Some(Total::About(128)));
    // Of a part of them it does not, and nobody counts.
    let part = query.clone().since(DateTime::UNIX_EPOCH);
    assert_eq!(in_one(conn.posts().list(part)).await.total, None);
    assert_eq!(in_one(conn.posts().list(PostQuery::visible_to(Viewer::Guest))).await.total, None);
}

fn exactly(number: usize) -> Total {
    Total::Exactly(i64::try_from(number).unwrap())
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn newest(mut posts: Vec<Row>, which: impl Fn(&Row) -> bool) -> Vec<Row> {
    posts.retain(which);
    posts.sort_by_key(|post| Reverse((post.at, post.id)));
    posts
}

/// Whether a walk by cursor meets just these posts in this order, whatever the size of its pages.
async fn meets<W: Clone + Debug, O: Walked>(
    world: &World,
    query: &PostQuery<W, O>,
    expected: &[Row],
) {
    let mut conn = connect(&world.database).await;
    let expected: Vec<PostId> = expected.iter().map(|post| post.id).collect();
    for size in [1, 9, 100] {
        // One by one, the beginning has to do.
        let most = if size == 1 { 4 } else { usize::MAX };
        let mut query = query.clone().limit(limit(size));
        let mut met = Vec::new();
        loop {
            let slice = in_one(conn.posts().list(query.clone())).await;
            met.extend(slice.items.iter().map(|seen| seen.post.id));
            match slice.next.filter(|_| met.len() < most) {
                Some(place) => query = O::go_on(query, place),
                None => break,
            }
        }
        assert_eq!(met, expected[..met.len()], "{size}: {query:?}");
        assert_eq!(met.len(), most.min(expected.len()), "{size}: {query:?}");
    }
}

async fn by_offset<W: Clone + SingleRange>(world: &World, query: &PostQuery<W>, expected: &[Row]) {
    let mut conn = connect(&world.database).await;
    let start = PageStart::Offset(Offset::parse(3).unwrap());
    let slice = conn
        .posts()
        .list(query.clone().page(PageRequest { limit: limit(4), start }))
        .await
        .unwrap();
    let met: Vec<PostId> = slice.items.iter().map(|seen| seen.post.id).collect();
    let part: Vec<PostId> = expected.iter().map(|post| post.id).skip(3).take(4).collect();
    assert_eq!((met, slice.next.is_some()), (part, 7 < expected.len()));
}

async fn counts<W: Clone, O: PostOrder + Clone>(world: &World, query: PostQuery<W, O>, all: usize) {
    let mut conn = connect(&world.database).await;
    let all = i64::try_from(all).unwrap();
    for most in [0_u16, 3, 1_000] {
        let query = query.clone().limit(limit(2)).with_total(CountMode::UpTo(most));
        let total = in_one(conn.posts().list(query)).await.total;
        let most = i64::from(most);
        let expected = if all <= most { Total::Exactly(all) } else { Total::MoreThan(most) };
        assert_eq!(total, Some(expected));
    }
}

/// An order that a walk goes on in.
trait Walked: PostOrder + Clone + Debug {
    fn go_on<W>(query: PostQuery<W, Self>, place: Self::Position) -> PostQuery<W, Self>;
}

impl Walked for NewestFirst {
    fn go_on<W>(query: PostQuery<W, Self>, place: Position) -> PostQuery<W, Self> {
        query.after(place)
    }
}

impl Walked for DateRange {
    fn go_on<W>(query: PostQuery<W, Self>, place: Position) -> PostQuery<W, Self> {
        query.after(place)
    }
}

impl Walked for ByRank {
    fn go_on<W>(query: PostQuery<W, Self>, place: RankPosition) -> PostQuery<W, Self> {
        query.after(place)
    }
}

impl Walked for ByEngagement {
    fn go_on<W>(query: PostQuery<W, Self>, place: EngagementPosition) -> PostQuery<W, Self> {
        query.after(place)
    }
}
