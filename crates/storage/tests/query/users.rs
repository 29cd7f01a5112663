//! Lists of users in every order, with filters and totals.

use grateful_domain::{City, CountMode, Offset, PageRequest, PageStart, Total, UserId, Viewer};
use grateful_storage::{Connection, Repositories, UserQuery};

use crate::dataset::{Dataset, connect, in_one_statement, limit};

#[tokio::test]
async fn users_are_listed_newest_first_without_users_across_a_block() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::viewers() {
        let query = UserQuery::visible_to(viewer);
        let visible = dataset.visible_users(viewer);
        assert_eq!(collect_all(&mut conn, query.clone()).await, visible);

        let selected: Vec<UserId> = [3, 9, 4, 4, 99, 1].map(UserId::from).to_vec();
        let expected: Vec<UserId> =
            visible.iter().copied().filter(|user| selected.contains(user)).collect();
        assert_eq!(collect_all(&mut conn, query.clone().with_ids(&selected)).await, expected);

        let graz = City::parse("Graz").unwrap().unwrap();
        let expected: Vec<UserId> =
            visible.into_iter().filter(|user| i64::from(*user) % 3 == 0).collect();
        assert_eq!(collect_all(&mut conn, query.in_city(graz)).await, expected);
    }
}

#[tokio::test]
async fn users_can_be_listed_by_username_in_any_case() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::viewers() {
        let mut query = UserQuery::visible_to(viewer).by_username().limit(limit(2));
        let mut found = Vec::new();
        loop {
            let page = in_one_statement(conn.users().list(query.clone())).await;
            found.extend(
                page.items
                    .into_iter()
                    .map(|user| (user.author.username.as_str().to_lowercase(), user.author.id)),
            );
            let Some(position) = page.next else { break };
            query = query.after(position);
        }
        assert!(found.is_sorted());
        let mut users: Vec<UserId> = found.into_iter().map(|(_, id)| id).collect();
        users.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!(users, dataset.visible_users(viewer));
    }
}

#[tokio::test]
async fn users_can_be_skipped_by_offset() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let start = PageStart::Offset(Offset::parse(10).unwrap());

    let page = PageRequest { limit: limit(5), start };
    let users =
        in_one_statement(conn.users().list(UserQuery::visible_to(Viewer::Guest).page(page))).await;

    assert_eq!(
        users.items.iter().map(|user| i64::from(user.author.id)).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(users.next, None);
}

#[tokio::test]
async fn the_total_of_users_is_counted_up_to_a_limit_or_estimated() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::viewers() {
        let query = UserQuery::visible_to(viewer).limit(limit(1));
        let visible = i64::try_from(dataset.visible_users(viewer).len()).unwrap();
        for (mode, total) in [
            (CountMode::UpTo(99), Total::Exactly(visible)),
            (CountMode::UpTo(3), Total::MoreThan(3)),
            (CountMode::Estimated, Total::About(12)),
        ] {
            let page = in_one_statement(conn.users().list(query.clone().with_total(mode))).await;
            assert_eq!(page.total, Some(total));
        }
    }
}

impl Dataset {
    /// The users visible to this viewer, newest first.
    fn visible_users(&self, viewer: Viewer) -> Vec<UserId> {
        Dataset::users()
            .into_iter()
            .rev()
            .filter(|user| !self.has_block_between(viewer, *user))
            .collect()
    }
}

async fn collect_all<W: Clone>(conn: &mut Connection, query: UserQuery<W>) -> Vec<UserId> {
    let mut query = query.limit(limit(2));
    let mut found = Vec::new();
    loop {
        let page = in_one_statement(conn.users().list(query.clone())).await;
        found.extend(page.items.iter().map(|user| user.author.id));
        match page.next {
            Some(position) => query = query.after(position),
            None => return found,
        }
    }
}
