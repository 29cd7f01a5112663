use grateful_domain::{City, CountMode, Offset, PageRequest, PageStart, Total, UserId, Viewer};
use grateful_storage::{Connection, Repositories, UserQuery};

use crate::dataset::{World, connect, in_one, limit};

#[tokio::test]
async fn those_who_joined_last_are_listed_first_and_nobody_across_a_block() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    for viewer in World::viewers() {
        let query = UserQuery::visible_to(viewer);
        let known = world.known_to(viewer);
        assert_eq!(walk(&mut conn, query.clone()).await, known);

        let some: Vec<UserId> = [3, 9, 4, 4, 99, 1].map(UserId::from).to_vec();
        let expected: Vec<UserId> = known.iter().copied().filter(|it| some.contains(it)).collect();
        assert_eq!(walk(&mut conn, query.clone().with_ids(&some)).await, expected);

        let graz = City::parse("Graz").unwrap().unwrap();
        let expected: Vec<UserId> =
            known.into_iter().filter(|it| i64::from(*it) % 3 == 0).collect();
        assert_eq!(walk(&mut conn, query.in_city(graz)).await, expected);
    }
}

#[tokio::test]
async fn people_are_listed_by_username_whatever_its_case() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    for viewer in World::viewers() {
        let mut query = UserQuery::visible_to(viewer).by_username().limit(limit(2));
        let mut met = Vec::new();
        loop {
            let slice = in_one(conn.users().list(query.clone())).await;
            met.extend(
                slice.items.into_iter().map(|person| {
                    (person.author.username.as_str().to_lowercase(), person.author.id)
                }),
            );
            let Some(place) = slice.next else { break };
            query = query.after(place);
        }
        assert!(met.is_sorted());
        let mut people: Vec<UserId> = met.into_iter().map(|(_, id)| id).collect();
        people.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!(people, world.known_to(viewer));
    }
}

#[tokio::test]
async fn some_can_be_passed_over() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    let start = PageStart::Offset(Offset::parse(10).unwrap());

    let page = PageRequest { limit: limit(5), start };
    let people = in_one(conn.users().list(UserQuery::visible_to(Viewer::Guest).page(page))).await;

    assert_eq!(people.items.iter().map(|it| i64::from(it.author.id)).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(people.next, None);
}

#[tokio::test]
async fn how_many_people_there_are_is_counted_to_an_end_or_about_known() {
    let world = World::create().await;
    let mut conn = connect(&world.database).await;
    for viewer in World::viewers() {
        let query = UserQuery::visible_to(viewer).limit(limit(1));
        let known = i64::try_from(world.known_to(viewer).len()).unwrap();
        for (counting, total) in [
            (CountMode::UpTo(99), Total::Exactly(known)),
            (CountMode::UpTo(3), Total::MoreThan(3)),
            (CountMode::Estimated, Total::About(12)),
        ] {
            let slice = in_one(conn.users().list(query.clone().with_total(counting))).await;
            assert_eq!(slice.total, Some(total));
        }
    }
}

impl World {
    /// The last first.
    fn known_to(&self, viewer: Viewer) -> Vec<UserId> {
        World::people().into_iter().rev().filter(|it| !self.is_across(viewer, *it)).collect()
    }
}

async fn walk<W: Clone>(conn: &mut Connection, query: UserQuery<W>) -> Vec<UserId> {
    let mut query = query.limit(limit(2));
    let mut met = Vec::new();
    loop {
        let slice = in_one(conn.users().list(query.clone())).await;
        met.extend(slice.items.iter().map(|person| person.author.id));
        match slice.next {
            Some(place) => query = query.after(place),
            None => return met,
        }
    }
}
