//! Lists of followers, followed users, follow requests and blocks.

use grateful_domain::{CountMode, FollowListItem, PageStart, Total, UserId, Viewer};
use grateful_storage::{FollowQuery, Repositories};

use crate::dataset::{Dataset, connect, in_one_statement, limit};

#[tokio::test]
async fn follow_lists_contain_visible_users_newest_or_oldest_first() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::users() {
        let lists = FollowQuery::visible_to(viewer);
        let mut expectations = vec![
            (lists.received_requests(), dataset.expected_users(viewer, viewer, "pending", true)),
            (lists.sent_requests(), dataset.expected_users(viewer, viewer, "pending", false)),
            (lists.blocks(), dataset.blocked_by(viewer)),
        ];
        for user in Dataset::users() {
            expectations.push((
                lists.followers_of(user),
                dataset.expected_users(viewer, user, "active", true),
            ));
            expectations.push((
                lists.followed_by(user),
                dataset.expected_users(viewer, user, "active", false),
            ));
        }
        for (query, expected) in expectations {
            let newest = collect_all(&mut conn, query.clone()).await;
            let mut oldest = collect_all(&mut conn, query.clone().oldest_first()).await;
            oldest.reverse();

            assert_eq!(newest, oldest, "{query:?}");
            assert!(newest.is_sorted_by(|one, next| {
                (next.position.at, next.position.id) < (one.position.at, one.position.id)
            }));
            let mut users: Vec<UserId> = newest.iter().map(|item| item.user.author.id).collect();
            users.sort_unstable();
            assert_eq!(users, expected, "{query:?}");
            for item in newest {
                assert_eq!(item.is_followed, dataset.is_following(viewer, item.user.author.id));
            }
        }
    }
}

#[tokio::test]
async fn totals_of_follow_lists_are_exact_both_counted_and_from_counters() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::users() {
        for user in Dataset::users() {
            let lists = FollowQuery::visible_to(viewer);
            for query in [lists.followers_of(user), lists.followed_by(user)] {
                let all = i64::try_from(collect_all(&mut conn, query.clone()).await.len()).unwrap();
                let query = query.limit(limit(1));
                for mode in [CountMode::Estimated, CountMode::UpTo(1_000)] {
                    let page =
                        in_one_statement(conn.follows().list(query.clone().with_total(mode))).await;
                    assert_eq!(page.total, Some(Total::Exactly(all)), "{query:?}");
                }
                let capped = query.with_total(CountMode::UpTo(1));
                let total = in_one_statement(conn.follows().list(capped)).await.total;
                assert_eq!(total.map(Total::number), Some(all.min(1)));
            }
        }
    }
}

#[tokio::test]
async fn totals_of_requests_and_blocks_are_counted_or_unknown() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::users() {
        let lists = FollowQuery::visible_to(viewer);
        for query in [lists.received_requests(), lists.sent_requests(), lists.blocks()] {
            let all = i64::try_from(collect_all(&mut conn, query.clone()).await.len()).unwrap();
            let counted = query.clone().with_total(CountMode::UpTo(99));
            assert_eq!(
                in_one_statement(conn.follows().list(counted)).await.total,
                Some(Total::Exactly(all))
            );
            let estimated = query.with_total(CountMode::Estimated);
            assert_eq!(in_one_statement(conn.follows().list(estimated)).await.total, None);
        }
    }
}

impl Dataset {
    /// The users followed by `user`, or following `user` with `incoming`, with this status and as visible to the viewer.
    /// With a block between the viewer and `user`, there are none.
    fn expected_users(
        &self,
        viewer: UserId,
        user: UserId,
        status: &str,
        incoming: bool,
    ) -> Vec<UserId> {
        let is_hidden = |other| self.has_block_between(Viewer::User(viewer), other);
        if is_hidden(user) {
            return vec![];
        }
        let users = self.follows.iter().filter(|(.., state)| state == status).filter_map(
            |(from, to, _)| {
                let (this, other) = if incoming { (to, from) } else { (from, to) };
                (*this == user && !is_hidden(*other)).then_some(*other)
            },
        );
        let mut expected_users: Vec<UserId> = users.collect();
        expected_users.sort_unstable();
        expected_users
    }

    fn blocked_by(&self, viewer: UserId) -> Vec<UserId> {
        let blocks =
            self.follows.iter().filter(|(_, to, status)| status == "blocked" && *to == viewer);
        let mut blocked: Vec<UserId> = blocks.map(|(from, ..)| *from).collect();
        blocked.sort_unstable();
        blocked
    }
}

async fn collect_all(
    conn: &mut grateful_storage::Connection,
    query: FollowQuery,
) -> Vec<FollowListItem> {
    let mut items = Vec::new();
    let mut request = grateful_domain::PageRequest::first(limit(3));
    loop {
        let page = in_one_statement(conn.follows().list(query.clone().page(request))).await;
        items.extend(page.items);
        match page.next {
            Some(position) => request.start = PageStart::After(position),
            None => return items,
        }
    }
}
