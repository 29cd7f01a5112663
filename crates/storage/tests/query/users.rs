//! Lists of users.

use grateful_domain::{Limit, Offset, PageRequest, PageStart, Total, UserListItem, Viewer};
use grateful_storage::{Repositories, UserQuery};

use crate::dataset::{Dataset, collect_all, connect, in_statements};

#[tokio::test]
async fn users_are_listed_newest_first_without_users_across_a_block() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    for viewer in Dataset::viewers() {
        let query = UserQuery::visible_to(viewer);
        let listed =
            collect_all(2, async |page| conn.users().list(query.clone().page(page)).await).await;

        let ids: Vec<_> = listed.iter().map(|user: &UserListItem| user.author.id).collect();
        assert_eq!(ids, dataset.visible_users(viewer));

        let total = i64::try_from(ids.len()).unwrap();
        for (max, total) in [(99, Total::Exactly(total)), (3, Total::MoreThan(3))] {
            let counted = query.clone().with_total(max);
            assert_eq!(in_statements(2, conn.users().list(counted)).await.total, Some(total));
        }
    }
}

#[tokio::test]
async fn users_can_be_skipped_by_offset() {
    let dataset = Dataset::create().await;
    let mut conn = connect(&dataset.database).await;
    let start = PageStart::Offset(Offset::parse(10).unwrap());

    let page = PageRequest { limit: Limit::DEFAULT, start };
    let users = conn.users().list(UserQuery::visible_to(Viewer::Guest).page(page)).await.unwrap();

    let ids: Vec<i64> = users.items.iter().map(|user| user.author.id.into()).collect();
    assert_eq!((ids, users.next), (vec![2, 1], None));
}
