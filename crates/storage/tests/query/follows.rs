//! Lists of followers, followed users, follow requests and blocks.

use grateful_domain::{Total, UserId, Viewer};
use grateful_storage::{FollowQuery, Repositories};

use crate::dataset::{Dataset, collect_all, connect, in_statements};

#[tokio::test]
async fn follow_lists_contain_visible_users_newest_first() {
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
            let newest =
                collect_all(3, async |page| conn.follows().list(query.clone().page(page)).await)
                    .await;

            assert!(newest.is_sorted_by(|one, next| {
                (next.position.at, next.position.id) < (one.position.at, one.position.id)
            }));
            let mut users: Vec<UserId> = newest.iter().map(|item| item.user.author.id).collect();
            users.sort_unstable();
            assert_eq!(users, expected, "{query:?}");
            let total = i64::try_from(users.len()).unwrap();
            for (max, total) in
                [(99, Total::Exactly(total)), (1, Total::from_capped_count(total, 1))]
            {
                let counted = query.clone().with_total(max);
                let page = in_statements(2, conn.follows().list(counted)).await;
                assert_eq!(page.total, Some(total), "{query:?}");
            }
            for item in newest {
                assert_eq!(item.is_followed, dataset.is_following(viewer, item.user.author.id));
            }
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
