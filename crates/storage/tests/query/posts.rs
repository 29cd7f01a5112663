//! Lists of posts in every order, with every filter and total.

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

use crate::dataset::{Dataset, PostRow, connect, in_one_statement, limit};

#[tokio::test]
async fn visible_posts_are_listed_newest_first() {
    let dataset = Dataset::create().await;
    for viewer in Dataset::viewers() {
        let public = newest(dataset.visible_posts(viewer), |post| post.is_public);
        assert_pages_match(&dataset, &PostQuery::visible_to(viewer), &public).await;
        for author in Dataset::users() {
            let query = PostQuery::visible_to(viewer).by_author(author);
            let own = newest(dataset.visible_posts(viewer), |post| post.author == author);
            assert_pages_match(&dataset, &query, &own).await;
            assert_offset_matches(&dataset, &query, &own).await;
        }
    }
}

#[tokio::test]
async fn posts_of_several_authors_are_listed_newest_first() {
    let dataset = Dataset::create().await;
    for viewer in Dataset::viewers() {
        for authors in [vec![1, 5, 5, 7, 99], (1..=12).collect(), vec![12], vec![]] {
            let authors: Vec<UserId> = authors.into_iter().map(UserId::from).collect();
            let query = PostQuery::visible_to(viewer).by_authors(&authors);
            let own = newest(dataset.visible_posts(viewer), |post| authors.contains(&post.author));
            assert_pages_match(&dataset, &query, &own).await;
            let public: Vec<_> = own.into_iter().filter(|post| post.is_public).collect();
            assert_pages_match(&dataset, &query.public_only(), &public).await;
        }
        let followed = newest(dataset.visible_posts(viewer), |post| {
            viewer.user().is_some_and(|viewer| dataset.is_following(viewer, post.author))
        });
        assert_pages_match(&dataset, &PostQuery::visible_to(viewer).by_followed(), &followed).await;
    }
}

#[tokio::test]
async fn public_posts_are_listed_by_rank_and_then_by_time_and_id() {
    let dataset = Dataset::create().await;
    for viewer in Dataset::viewers() {
        let best = |matches: &dyn Fn(&PostRow) -> bool| {
            let mut posts = dataset.visible_posts(viewer);
            posts.retain(|post| post.is_public && matches(post));
            posts.sort_by(|one, other| {
                other.rank.total_cmp(&one.rank).then((other.at, other.id).cmp(&(one.at, one.id)))
            });
            posts
        };
        assert_pages_match(&dataset, &PostQuery::visible_to(viewer).by_rank(), &best(&|_| true))
            .await;
        for author in Dataset::users() {
            let query = PostQuery::visible_to(viewer).by_author(author);
            assert_pages_match(
                &dataset,
                &query.clone().by_rank(),
                &best(&|post| post.author == author),
            )
            .await;
            let with_image = best(&|post| post.author == author && post.has_image);
            assert_pages_match(&dataset, &query.by_rank().with_image(), &with_image).await;
        }
    }
}

#[tokio::test]
async fn public_posts_are_listed_by_engagement_and_then_by_id() {
    let dataset = Dataset::create().await;
    for viewer in Dataset::viewers() {
        let mut posts = dataset.visible_posts(viewer);
        posts.retain(|post| post.is_public);
        posts.sort_by_key(|post| Reverse((post.engagement, post.id)));
        assert_pages_match(&dataset, &PostQuery::visible_to(viewer).by_engagement(), &posts).await;
    }
}

#[tokio::test]
async fn a_list_can_be_filtered_by_time_type_and_image() {
    let dataset = Dataset::create().await;
    let [since, until] = ["2026-01-04T12:00:00Z", "2026-01-12T02:00:00Z"].map(time);
    // Some posts have exactly these times.
    assert!([since, until].iter().all(|end| dataset.posts.iter().any(|post| post.at == *end)));
    let viewer = Viewer::User(UserId::from(5));
    let between = |post: &PostRow| since <= post.at && post.at < until;

    let query = PostQuery::visible_to(viewer).since(since).until(until);
    let posts = newest(dataset.visible_posts(viewer), |post| post.is_public && between(post));
    assert_pages_match(&dataset, &query, &posts).await;
    let query = PostQuery::visible_to(viewer).by_followed().until(until).since(since);
    let followed = |post: &PostRow| dataset.is_following(UserId::from(5), post.author);
    assert_pages_match(
        &dataset,
        &query,
        &newest(dataset.visible_posts(viewer), |post| followed(post) && between(post)),
    )
    .await;
    for author in [UserId::from(5), UserId::from(8)] {
        for (post_type, code) in
            [(PostType::Photo, "photo"), (PostType::Spontaneous, "spontaneous")]
        {
            let query = PostQuery::visible_to(viewer).by_author(author).of_type(post_type);
            let of_type = newest(dataset.visible_posts(viewer), |post| {
                post.author == author && post.post_type == code
            });
            assert_pages_match(&dataset, &query, &of_type).await;
            let photos: Vec<PostRow> =
                of_type.into_iter().filter(|post| post.has_image && between(post)).collect();
            assert_pages_match(&dataset, &query.with_image().since(since).until(until), &photos)
                .await;
        }
    }
}

/// Includes pages past the end of a list, and empty lists.
#[tokio::test]
async fn a_total_is_counted_in_the_same_statement_up_to_its_limit() {
    let dataset = Dataset::create().await;
    for viewer in Dataset::viewers() {
        let public = newest(dataset.visible_posts(viewer), |post| post.is_public).len();
        assert_total_matches(&dataset, PostQuery::visible_to(viewer), public).await;
        assert_total_matches(&dataset, PostQuery::visible_to(viewer).by_rank(), public).await;
        assert_total_matches(&dataset, PostQuery::visible_to(viewer).by_engagement(), public).await;
        let followed = newest(dataset.visible_posts(viewer), |post| {
            viewer.user().is_some_and(|viewer| dataset.is_following(viewer, post.author))
        });
        assert_total_matches(&dataset, PostQuery::visible_to(viewer).by_followed(), followed.len())
            .await;
        for author in Dataset::users() {
            let own = newest(dataset.visible_posts(viewer), |post| post.author == author);
            assert_total_matches(
                &dataset,
                PostQuery::visible_to(viewer).by_author(author),
                own.len(),
            )
            .await;
            let photos = own.iter().filter(|post| post.post_type == "photo").count();
            let query = PostQuery::visible_to(viewer).by_author(author).of_type(PostType::Photo);
            assert_total_matches(&dataset, query, photos).await;
        }
    }

    let offset = PageStart::Offset(Offset::parse(10_000).unwrap());
    let past_end =
        PostQuery::visible_to(Viewer::Guest).page(PageRequest { limit: limit(5), start: offset });
    let mut conn = connect(&dataset.database).await;
    let page =
        in_one_statement(conn.posts().list(past_end.with_total(CountMode::UpTo(1_000)))).await;
    assert_eq!((page.items.len(), page.total), (0, Some(Total::Exactly(128))));
}

#[tokio::test]
async fn totals_of_authors_come_from_their_counters_and_are_exact() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::viewers() {
        let visible_to_viewer = PostQuery::visible_to(viewer).with_total(CountMode::Estimated);
        for author in Dataset::users() {
            let own = newest(dataset.visible_posts(viewer), |post| post.author == author);
            let query = visible_to_viewer.clone().by_author(author);
            let total = in_one_statement(conn.posts().list(query.clone())).await.total;
            assert_eq!(total, Some(exactly(own.len())), "{author} to {viewer:?}");
            let public = own.iter().filter(|post| post.is_public).count();
            let of_public =
                in_one_statement(conn.posts().list(query.clone().public_only())).await.total;
            assert_eq!(of_public, Some(exactly(public)));
            assert_eq!(
                in_one_statement(conn.posts().list(query.by_rank())).await.total,
                Some(exactly(public))
            );
        }
        let authors: Vec<UserId> = (3..9).map(UserId::from).collect();
        let own = newest(dataset.visible_posts(viewer), |post| authors.contains(&post.author));
        let total =
            in_one_statement(conn.posts().list(visible_to_viewer.by_authors(&authors))).await.total;
        assert_eq!(total, Some(exactly(own.len())));
    }
}

#[tokio::test]
async fn the_total_of_all_posts_is_estimated_and_unknown_with_a_filter() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let query = PostQuery::visible_to(Viewer::Guest).with_total(CountMode::Estimated);

    assert_eq!(
        in_one_statement(conn.posts().list(query.clone())).await.total,
        Some(Total::About(128))
    );
    // For a filtered list there is no estimate, and nothing is counted.
    let filtered = query.clone().since(DateTime::UNIX_EPOCH);
    assert_eq!(in_one_statement(conn.posts().list(filtered)).await.total, None);
    assert_eq!(
        in_one_statement(conn.posts().list(PostQuery::visible_to(Viewer::Guest))).await.total,
        None
    );
}

fn exactly(number: usize) -> Total {
    Total::Exactly(i64::try_from(number).unwrap())
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn newest(mut posts: Vec<PostRow>, matches: impl Fn(&PostRow) -> bool) -> Vec<PostRow> {
    posts.retain(matches);
    posts.sort_by_key(|post| Reverse((post.at, post.id)));
    posts
}

/// Checks that paging by cursor returns exactly these posts in this order, for several page sizes.
async fn assert_pages_match<W: Clone + Debug, O: PagedOrder>(
    dataset: &Dataset,
    query: &PostQuery<W, O>,
    expected: &[PostRow],
) {
    let mut conn = connect(&dataset.database).await;
    let expected: Vec<PostId> = expected.iter().map(|post| post.id).collect();
    for size in [1, 9, 100] {
        // With pages of one post, the first four are enough.
        let max = if size == 1 { 4 } else { usize::MAX };
        let mut query = query.clone().limit(limit(size));
        let mut found = Vec::new();
        loop {
            let page = in_one_statement(conn.posts().list(query.clone())).await;
            found.extend(page.items.iter().map(|listed| listed.post.id));
            match page.next.filter(|_| found.len() < max) {
                Some(position) => query = O::continue_after(query, position),
                None => break,
            }
        }
        assert_eq!(found, expected[..found.len()], "{size}: {query:?}");
        assert_eq!(found.len(), max.min(expected.len()), "{size}: {query:?}");
    }
}

async fn assert_offset_matches<W: Clone + SingleRange>(
    dataset: &Dataset,
    query: &PostQuery<W>,
    expected: &[PostRow],
) {
    let mut conn = connect(&dataset.database).await;
    let start = PageStart::Offset(Offset::parse(3).unwrap());
    let page = conn
        .posts()
        .list(query.clone().page(PageRequest { limit: limit(4), start }))
        .await
        .unwrap();
    let found: Vec<PostId> = page.items.iter().map(|listed| listed.post.id).collect();
    let expected_page: Vec<PostId> = expected.iter().map(|post| post.id).skip(3).take(4).collect();
    assert_eq!((found, page.next.is_some()), (expected_page, 7 < expected.len()));
}

async fn assert_total_matches<W: Clone, O: PostOrder + Clone>(
    dataset: &Dataset,
    query: PostQuery<W, O>,
    all: usize,
) {
    let mut conn = connect(&dataset.database).await;
    let all = i64::try_from(all).unwrap();
    for max in [0_u16, 3, 1_000] {
        let query = query.clone().limit(limit(2)).with_total(CountMode::UpTo(max));
        let total = in_one_statement(conn.posts().list(query)).await.total;
        let max = i64::from(max);
        let expected = if all <= max { Total::Exactly(all) } else { Total::MoreThan(max) };
        assert_eq!(total, Some(expected));
    }
}

/// An order that supports paging by cursor.
trait PagedOrder: PostOrder + Clone + Debug {
    fn continue_after<W>(query: PostQuery<W, Self>, position: Self::Position)
    -> PostQuery<W, Self>;
}

impl PagedOrder for NewestFirst {
    fn continue_after<W>(query: PostQuery<W, Self>, position: Position) -> PostQuery<W, Self> {
        query.after(position)
    }
}

impl PagedOrder for DateRange {
    fn continue_after<W>(query: PostQuery<W, Self>, position: Position) -> PostQuery<W, Self> {
        query.after(position)
    }
}

impl PagedOrder for ByRank {
    fn continue_after<W>(query: PostQuery<W, Self>, position: RankPosition) -> PostQuery<W, Self> {
        query.after(position)
    }
}

impl PagedOrder for ByEngagement {
    fn continue_after<W>(
        query: PostQuery<W, Self>,
        position: EngagementPosition,
    ) -> PostQuery<W, Self> {
        query.after(position)
    }
}
