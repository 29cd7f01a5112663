use grateful_domain::{CountMode, FollowListItem, PageStart, Total, UserId, Viewer};
use grateful_storage::{FollowQuery, Repositories};

use crate::dataset::{World, connect, in_one, limit};

#[tokio::test]
async fn lists_of_people_are_of_those_whom_the_viewer_knows_newest_first_or_last() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    for viewer in World::people() {
        let seen = FollowQuery::visible_to(viewer);
        let mut lists = vec![
            (seen.received_requests(), world.others(viewer, viewer, "pending", true)),
            (seen.sent_requests(), world.others(viewer, viewer, "pending", false)),
            (seen.blocks(), world.blocked_by(viewer)),
        ];
        for person in World::people() {
            lists.push((seen.followers_of(person), world.others(viewer, person, "active", true)));
            lists.push((seen.followed_by(person), world.others(viewer, person, "active", false)));
        }
        for (query, expected) in lists {
            let newest = walk(&mut conn, query.clone()).await;
            let mut oldest = walk(&mut conn, query.clone().oldest_first()).await;
            oldest.reverse();

            assert_eq!(newest, oldest, "{query:?}");
            assert!(newest.is_sorted_by(|one, next| {
                (next.position.at, next.position.id) < (one.position.at, one.position.id)
            }));
            let mut people: Vec<UserId> = newest.iter().map(|it| it.user.author.id).collect();
            people.sort_unstable();
            assert_eq!(people, expected, "{query:?}");
            for it in newest {
                assert_eq!(it.is_followed, world.follows(viewer, it.user.author.id));
            }
        }
    }
}

#[tokio::test]
async fn a_total_is_that_of_the_list_counted_or_kept() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    for viewer in World::people() {
        for person in World::people() {
            let seen = FollowQuery::visible_to(viewer);
            for query in [seen.followers_of(person), seen.followed_by(person)] {
                let all = i64::try_from(walk(&mut conn, query.clone()).await.len()).unwrap();
                let page = query.limit(limit(1));
                for counting in [CountMode::Estimated, CountMode::UpTo(1_000)] {
                    let slice =
                        in_one(conn.follows().list(page.clone().with_total(counting))).await;
                    assert_eq!(slice.total, Some(Total::Exactly(all)), "{page:?}");
                }
                let capped = page.with_total(CountMode::UpTo(1));
                let total = in_one(conn.follows().list(capped)).await.total;
                assert_eq!(total.map(Total::number), Some(all.min(1)));
            }
        }
    }
}

#[tokio::test]
async fn of_what_is_not_decided_a_total_is_counted_or_not_known() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    for viewer in World::people() {
        let seen = FollowQuery::visible_to(viewer);
        for query in [seen.received_requests(), seen.sent_requests(), seen.blocks()] {
            let all = i64::try_from(walk(&mut conn, query.clone()).await.len()).unwrap();
            let counted = query.clone().with_total(CountMode::UpTo(99));
            assert_eq!(in_one(conn.follows().list(counted)).await.total, Some(Total::Exactly(all)));
            let kept = query.with_total(CountMode::Estimated);
            assert_eq!(in_one(conn.follows().list(kept)).await.total, None);
        }
    }
}

impl World {
    /// Who stands at the other ends of somebody's edges, for this viewer: nobody where a block is between those two.
    fn others(&self, viewer: UserId, of: UserId, status: &str, to_them: bool) -> Vec<UserId> {
        let is_hidden = |person| self.is_across(Viewer::User(viewer), person);
        if is_hidden(of) {
            return vec![];
        }
        let ends = self.edges.iter().filter(|(.., it)| it == status).filter_map(|(from, to, _)| {
            let (this, other) = if to_them { (to, from) } else { (from, to) };
            (*this == of && !is_hidden(*other)).then_some(*other)
        });
        let mut others: Vec<UserId> = ends.collect();
        others.sort_unstable();
        others
    }

    fn blocked_by(&self, viewer: UserId) -> Vec<UserId> {
        let blocks = self.edges.iter().filter(|(_, to, it)| it == "blocked" && *to == viewer);
        let mut blocked: Vec<UserId> = blocks.map(|(from, ..)| *from).collect();
        blocked.sort_unstable();
        blocked
    }
}

async fn walk(conn: &mut grateful_storage::Connection, query: FollowQuery) -> Vec<FollowListItem> {
    let mut met = Vec::new();
    let mut page = grateful_domain::PageRequest::first(limit(3));
    loop {
        let slice = in_one(conn.follows().list(query.clone().page(page))).await;
        met.extend(slice.items);
        match slice.next {
            Some(place) => page.start = PageStart::After(place),
            None => return met,
        }
    }
}
