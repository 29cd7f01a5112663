//! The `follows` table through [`Follows`](grateful_storage::Follows).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection as _;
use futures_util::future::join_all;
use grateful_domain::FollowState::{Active, Blocked, None, Pending};
use grateful_domain::{Follow, FollowState, Relationship, UserId};
use grateful_storage::query::FollowLists;
use grateful_storage::{FollowCounts, FollowQuery, Repositories, UserLock};
use grateful_testkit::{NOON, TestDatabase, a_user, create_user};
use uuid::Uuid;

use crate::support::follows::insert_follow;
use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn the_relation_of_each_pair_of_edges_is_read_as_it_is() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let (mut others, mut expected) = (Vec::new(), BTreeMap::new());
    for there in FollowState::ALL {
        for back in FollowState::ALL {
            let other = create_user(&database).await;
            for (one, another, edge) in [(ana, other, there), (other, ana, back)] {
                if let Some(code) = edge.code() {
                    insert_follow(&database, one, another, code).await;
                }
            }
            others.push(other);
            expected.insert(other, Relationship { outgoing: there, incoming: back });
        }
    }
    // Of whom one asks twice there is one answer, and of nobody none.
    others.extend([others[0], UserId::from(-1), UserId::from(i64::MAX)]);

    let mut conn = database.connect().await;
    let relations = conn.follows().find_relationships(ana, &others).await.unwrap();

    assert_eq!(relations.into_iter().collect::<BTreeMap<_, _>>(), expected);
    for (other, relation) in expected {
        assert_eq!(conn.follows().find_relationship(ana, other).await.unwrap(), relation);
    }
    let nobody = conn.follows().find_relationship(ana, UserId::from(-1)).await.unwrap();
    assert_eq!(nobody, Relationship::NONE);
}

#[tokio::test]
async fn every_turn_of_an_edge_leaves_the_edge_and_the_numbers_that_it_says() {
    let database = TestDatabase::create().await;
    for before in FollowState::ALL {
        for after in FollowState::ALL {
            let [ana, ben] = [create_user(&database).await, create_user(&database).await];
            turn(&database, None, an_edge(ana, ben, before)).await;

            turn(&database, before, an_edge(ana, ben, after)).await;

            let mut conn = database.connect().await;
            let relation = conn.follows().find_relationship(ana, ben).await.unwrap();
            assert_eq!(relation, Relationship { outgoing: after, incoming: None }, "{before:?}");
            let counts = [counts(&database, ana).await, counts(&database, ben).await];
            let of_ana = FollowCounts {
                following: i64::from(after == Active),
                requests_sent: i64::from(after == Pending),
                ..NOTHING
            };
            let of_ben = FollowCounts {
                followers: i64::from(after == Active),
                requests_received: i64::from(after == Pending),
                ..NOTHING
            };
            assert_eq!(counts, [of_ana, of_ben], "{before:?} {after:?}");
        }
    }
}

#[tokio::test]
async fn an_edge_keeps_its_id_and_its_time_when_it_is_accepted_and_not_when_it_becomes_a_block() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let asked = an_edge(ana, ben, Pending);
    let later = chrono::TimeDelta::minutes(1);

    let made = turn(&database, None, asked.clone()).await.unwrap();
    let accept = Follow { created_at: NOON + later, ..an_edge(ana, ben, Active) };
    let accepted = turn(&database, Pending, accept.clone()).await.unwrap();
    let block = Follow { created_at: NOON + later * 2, ..an_edge(ana, ben, Blocked) };
    let blocked = turn(&database, Active, block.clone()).await.unwrap();
    let gone = turn(&database, Blocked, an_edge(ana, ben, None)).await;

    assert_eq!(made, asked);
    assert_eq!(accepted, Follow { state: Active, ..asked.clone() });
    assert_eq!(blocked, Follow { id: asked.id, ..block });
    assert_eq!(gone, Option::None);
}

#[tokio::test]
async fn whoever_has_asked_is_accepted_with_the_others_and_counted() {
    let database = TestDatabase::create().await;
    let [sue, follower, blocked] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let mut askers = Vec::new();
    for _ in 0..3 {
        let asker = create_user(&database).await;
        turn(&database, None, an_edge(asker, sue, Pending)).await;
        askers.push(asker);
    }
    turn(&database, None, an_edge(follower, sue, Active)).await;
    turn(&database, None, an_edge(blocked, sue, Blocked)).await;
    // They have asked somebody else, or whoever accepts, or not at all.
    let elsewhere = create_user(&database).await;
    turn(&database, None, an_edge(elsewhere, follower, Pending)).await;
    turn(&database, None, an_edge(sue, elsewhere, Pending)).await;
    let named = [askers[0], askers[2], follower, blocked, elsewhere, UserId::from(-1)];
    let mut conn = database.connect().await;

    let mut accepted = conn.follows().accept_requests(sue, &named).await.unwrap();

    accepted.sort_unstable();
    assert_eq!(accepted, [askers[0], askers[2]]);
    let expected =
        FollowCounts { followers: 3, following: 0, requests_received: 1, requests_sent: 1 };
    assert_eq!(counts(&database, sue).await, expected);
    for asker in &accepted {
        let relation = conn.follows().find_relationship(*asker, sue).await.unwrap();
        assert_eq!(relation, Relationship { outgoing: Active, incoming: None });
        assert_eq!(counts(&database, *asker).await, FollowCounts { following: 1, ..NOTHING });
    }
    let still = FollowCounts { requests_sent: 1, ..NOTHING };
    assert_eq!(counts(&database, askers[1]).await, still);
    for nobody in [&named[..], &[]] {
        assert_eq!(conn.follows().accept_requests(sue, nobody).await.unwrap(), []);
    }
    assert_eq!(counts(&database, sue).await, expected);
}

#[tokio::test]
async fn whoever_was_asked_and_asks_for_it_no_more_is_found() {
    let database = TestDatabase::create().await;
    let asker = create_user(&database).await;
    let mut changed_their_mind = BTreeSet::new();
    for (preferences, wants_to_be_asked) in [
        ("NULL", false),
        ("'{}'", false),
        (r#"'{"approve_followers": false}'"#, false),
        (r#"'{"approve_followers": true}'"#, true),
        (r#"'{"approve_followers": true, "theme": "dark"}'"#, true),
    ] {
        let person = create_user(&database).await;
        turn(&database, None, an_edge(asker, person, Pending)).await;
        turn(&database, None, an_edge(create_user(&database).await, person, Pending)).await;
        let set = format!("UPDATE users SET profile_preferences = {preferences} WHERE id =");
        database.execute(&format!("{set} {person}")).await;
        if !wants_to_be_asked {
            changed_their_mind.insert(person);
        }
    }
    turn(&database, None, an_edge(asker, create_user(&database).await, Active)).await;
    let mut conn = database.connect().await;

    let found = conn.follows().list_users_with_stale_requests(100).await.unwrap();

    assert_eq!((found.len(), BTreeSet::from_iter(found)), (3, changed_their_mind));
    assert_eq!(conn.follows().list_users_with_stale_requests(2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn whom_somebody_has_asked_is_listed_newest_first() {
    let database = TestDatabase::create().await;
    let [ana, friend, fan] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let mut asked = Vec::new();
    for minute in 0..5 {
        let other = create_user(&database).await;
        let at = NOON + chrono::TimeDelta::minutes(minute / 2);
        turn(&database, None, Follow { created_at: at, ..an_edge(ana, other, Pending) }).await;
        asked.push((at, other));
    }
    turn(&database, None, an_edge(ana, friend, Active)).await;
    turn(&database, None, an_edge(fan, ana, Pending)).await;
    let mut conn = database.connect().await;

    let whole =
        conn.follows().list(seen_by(ana).sent_requests().page(first_page(100))).await.unwrap();
    let walked = collect_pages(2, async |page| {
        conn.follows().list(seen_by(ana).sent_requests().page(page)).await.unwrap()
    })
    .await;

    assert_eq!(walked, whole.items);
    let people: BTreeSet<UserId> = walked.iter().map(|listed| listed.user.author.id).collect();
    assert_eq!(people, asked.iter().map(|(_, other)| *other).collect());
    assert!(walked.is_sorted_by_key(|listed| Reverse((listed.position.at, listed.position.id))));
}

#[tokio::test]
async fn a_pair_is_locked_with_what_each_says_of_followers() {
    let database = TestDatabase::create().await;
    let mut people = Vec::new();
    let approving =
        [r#"'{"approve_followers": true}'"#, r#"'{"approve_followers": false}'"#, "NULL", "'{}'"];
    for preferences in approving {
        let person = create_user(&database).await;
        let sql = format!("UPDATE users SET profile_preferences = {preferences}");
        database.execute(&format!("{sql} WHERE id = {person}")).await;
        people.push(person);
    }
    let mut conn = database.connect().await;

    for how in [UserLock::ForFollows, UserLock::ForBlock] {
        for pair in people.windows(2) {
            let locked = conn.users().lock_all(&[pair[1], pair[0]], how).await.unwrap();
            for person in pair {
                let (author, approval) = &locked[person];
                assert_eq!(author.id, *person);
                let asked = *approval == grateful_domain::Approval::Required;
                assert_eq!(asked, *person == people[0]);
            }
        }
        let alone = conn.users().lock_all(&[people[0], UserId::from(-1)], how).await.unwrap();
        assert_eq!(alone.into_keys().collect::<Vec<_>>(), [people[0]]);
    }
}

#[tokio::test]
async fn a_walk_through_followers_meets_each_of_them_once_newest_first() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut expected = Vec::new();
    for number in 0..23_i64 {
        let follower = create_user(&database).await;
        let at = NOON + chrono::TimeDelta::seconds(number / 3);
        let follow = Follow { created_at: at, ..an_edge(follower, ana, Active) };
        expected.push((Reverse(at), Reverse(follow.id), follower));
        turn(&database, None, follow).await;
    }
    expected.sort();
    let expected: Vec<UserId> = expected.into_iter().map(|(.., follower)| follower).collect();
    let mut conn = database.connect().await;

    for limit in [1, 7, 100] {
        let met = collect_pages(limit, async |page| {
            conn.follows().list(seen_by(ana).followers_of(ana).page(page)).await.unwrap()
        });
        let met: Vec<UserId> = met.await.iter().map(|listed| listed.user.author.id).collect();
        assert_eq!(met, expected, "{limit}");
    }
}

#[tokio::test]
async fn some_requests_are_those_that_wait_longest() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut askers = Vec::new();
    for number in 0..3 {
        let asker = create_user(&database).await;
        let at = NOON + chrono::TimeDelta::seconds(number);
        turn(&database, None, Follow { created_at: at, ..an_edge(asker, ana, Pending) }).await;
        askers.push(asker);
    }
    insert_follow(&database, create_user(&database).await, ana, "active").await;
    let mut conn = database.connect().await;

    let some = conn.follows().list_requesters(ana, 2).await.unwrap();

    assert_eq!(some, askers[..2]);
    assert_eq!(conn.follows().list_requesters(ana, 9).await.unwrap(), askers);
}

/// In twenty random graphs of fourteen people, for each of them.
#[tokio::test]
async fn suggestions_are_those_that_a_slow_search_finds() {
    let database = TestDatabase::create().await;
    let people = join_all((0..14).map(|n| a_person_called(&database, n))).await;
    let mut conn = database.connect().await;
    let mut seed = u64::from(std::process::id());
    for _ in 0..20 {
        let edges = random_edges(people.len(), &mut seed);
        database.execute("DELETE FROM follows").await;
        let rows = edges.iter().filter_map(|((one, other), edge)| {
            let (one, other) = (people[*one].0, people[*other].0);
            edge.code().map(|code| format!("(gen_random_uuid(), {one}, {other}, '{code}')"))
        });
        let rows: Vec<String> = rows.collect();
        let insert = "INSERT INTO follows (id, follower_id, followed_id, status) VALUES";
        database.execute(&format!("{insert} {}", rows.join(", "))).await;

        for me in 0..people.len() {
            let found = conn.follows().list_suggestions(people[me].0, 5).await.unwrap();
            let found = found.into_iter().map(|it| {
                let mutuals = it.mutuals.into_iter().map(|name| name.as_str().to_owned());
                (it.user.author.id, it.mutual_count, mutuals.collect())
            });
            let found: Vec<(UserId, i64, Vec<String>)> = found.collect();
            assert_eq!(found, suggestions(&people, &edges, me, 5), "{me} in {edges:?}");
        }
    }
}

#[tokio::test]
async fn edges_of_somebody_who_goes_are_removed_part_by_part_and_counted_no_more() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    for other in [ben, create_user(&database).await, create_user(&database).await] {
        turn(&database, None, an_edge(ana, other, Active)).await;
        turn(&database, None, an_edge(other, ana, Active)).await;
    }
    turn(&database, None, an_edge(create_user(&database).await, ana, Pending)).await;
    turn(&database, None, an_edge(create_user(&database).await, ana, Blocked)).await;
    let mut conn = database.connect().await;

    let mut parts = Vec::new();
    loop {
        let removed = conn.follows().delete_batch_of(ana, 3).await.unwrap();
        if removed == 0 {
            break;
        }
        parts.push(removed);
    }

    assert_eq!(parts, [3, 3, 2]);
    assert_eq!(database.count("follows").await, 0);
    assert_eq!(database.count("users WHERE followers_count + following_count > 0").await, 0);
}

/// The numbers of whoever is at the other end are right, whatever else happens to their row meanwhile.
#[tokio::test]
async fn edges_are_removed_while_somebody_at_their_other_end_changes() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    turn(&database, None, an_edge(ana, ben, Active)).await;
    turn(&database, None, an_edge(ben, ana, Active)).await;
    let change = format!("UPDATE users SET followers_count = followers_count + 1 WHERE id = {ben}");
    let mut in_flight = database.begin(&change).await;
    let mut conn = database.connect().await;
    let mut follows = conn.follows();

    let (removed, ()) = tokio::join!(follows.delete_batch_of(ana, 10), async {
        until_one_waits(&database).await;
        in_flight.batch_execute("COMMIT").await.unwrap();
    });

    assert_eq!(removed.unwrap(), 2);
    assert_eq!(counts(&database, ben).await, FollowCounts { followers: 1, ..NOTHING });
    assert_eq!(counts(&database, ana).await, NOTHING);
}

#[tokio::test]
async fn ones_own_blocks_are_listed_and_not_those_of_others() {
    let database = TestDatabase::create().await;
    let [ana, ben, caro] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    insert_follow(&database, ben, ana, "blocked").await;
    insert_follow(&database, ana, caro, "blocked").await;
    let mut conn = database.connect().await;

    let blocks =
        conn.follows().list(seen_by(ana).blocks().page(first_page(10))).await.unwrap().items;

    let blocked: Vec<UserId> = blocks.iter().map(|listed| listed.user.author.id).collect();
    assert_eq!(blocked, [ben]);
    assert_eq!(conn.follows().count_blocks(ana).await.unwrap(), 1);
    assert_eq!(conn.follows().count_blocks(ben).await.unwrap(), 0);
}

const NOTHING: FollowCounts =
    FollowCounts { followers: 0, following: 0, requests_received: 0, requests_sent: 0 };

/// Each edge of some people, by their numbers.
type Edges = BTreeMap<(usize, usize), FollowState>;

fn random_edges(people: usize, seed: &mut u64) -> Edges {
    let mut edges = Edges::new();
    for one in 0..people {
        for other in (0..people).filter(|other| *other != one) {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let edge = match (*seed >> 33) % 20 {
                0..=4 => Active,
                5 => Pending,
                6 => Blocked,
                _ => None,
            };
            edges.insert((one, other), edge);
        }
    }
    edges
}

/// Whom rules §7 suggest to one of these people, by looking at everybody.
fn suggestions(
    people: &[(UserId, String)],
    edges: &Edges,
    me: usize,
    most: usize,
) -> Vec<(UserId, i64, Vec<String>)> {
    let edge = |one: usize, other: usize| edges.get(&(one, other)).copied().unwrap_or(None);
    let may_be =
        |other: usize| other != me && edge(me, other) == None && edge(other, me) != Blocked;
    let mut found = Vec::new();
    for other in (0..people.len()).filter(|other| may_be(*other)) {
        let through = (0..people.len())
            .filter(|it| edge(me, *it) == Active && edge(*it, other) == Active)
            .map(|it| people[it].1.clone());
        // By their names, which are all in small letters.
        let through: BTreeSet<String> = through.collect();
        if !through.is_empty() {
            found.push((Reverse(through.len()), people[other].1.clone(), other, through));
        }
    }
    found.sort();
    let found = found.into_iter().take(most).map(|(count, _, other, through)| {
        let count = i64::try_from(count.0).unwrap();
        (people[other].0, count, through.into_iter().take(3).collect())
    });
    found.collect()
}

/// Their names are in another order than their ids.
async fn a_person_called(database: &TestDatabase, number: usize) -> (UserId, String) {
    let name = format!("p{:02}", number * 5 % 14);
    (a_user().with_username(&name).insert_into(database).await.id, name)
}

fn an_edge(from: UserId, to: UserId, edge: FollowState) -> Follow {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let id = Uuid::from_u128(NUMBER.fetch_add(1, Ordering::Relaxed).into()).into();
    Follow { id, follower: from, followed: to, state: edge, created_at: NOON }
}

async fn turn(database: &TestDatabase, before: FollowState, follow: Follow) -> Option<Follow> {
    database.connect().await.follows().set_state(before, &follow).await.unwrap()
}

async fn counts(database: &TestDatabase, user: UserId) -> FollowCounts {
    database.connect().await.follows().count(user).await.unwrap().unwrap()
}

async fn until_one_waits(database: &TestDatabase) {
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.count(waiting).await < 1 {
        assert!(Instant::now() < deadline, "nobody waits");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn seen_by(viewer: UserId) -> FollowLists {
    FollowQuery::visible_to(viewer)
}
