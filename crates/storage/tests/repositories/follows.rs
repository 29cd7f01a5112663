//! The `follows` table through [`Follows`](grateful_storage::Follows).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection as _;
use futures_util::future::join_all;
use grateful_domain::FollowState::{Active, Blocked, None, Pending};
use grateful_domain::{Follow, FollowCounts, FollowState, Relationship, UserId};
use grateful_storage::query::FollowLists;
use grateful_storage::{FollowQuery, Repositories};
use grateful_test_database::{NOON, TestDatabase, a_user, create_user};
use uuid::Uuid;

use crate::support::follows::insert_follow;
use crate::support::pages::{collect_pages, first_page};

#[tokio::test]
async fn relationships_are_found_for_every_pair_of_states() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let (mut others, mut expected) = (Vec::new(), BTreeMap::new());
    for outgoing in FollowState::ALL {
        for incoming in FollowState::ALL {
            let other = create_user(&database).await;
            for (follower, followed, state) in [(ana, other, outgoing), (other, ana, incoming)] {
                if let Some(code) = state.code() {
                    insert_follow(&database, follower, followed, code).await;
                }
            }
            others.push(other);
            expected.insert(other, Relationship { outgoing, incoming });
        }
    }
    // Repeated ids are returned once, and unknown ids are omitted.
    others.extend([others[0], UserId::from(-1), UserId::from(i64::MAX)]);

    let mut conn = database.connect().await;
    let relationships = conn.follows().find_relationships(ana, &others).await.unwrap();

    assert_eq!(relationships.into_iter().collect::<BTreeMap<_, _>>(), expected);
    for (other, relationship) in expected {
        assert_eq!(conn.follows().find_relationship(ana, other).await.unwrap(), relationship);
    }
    let unknown = conn.follows().find_relationship(ana, UserId::from(-1)).await.unwrap();
    assert_eq!(unknown, Relationship::NONE);
}

#[tokio::test]
async fn every_change_of_state_updates_the_counters() {
    let database = TestDatabase::create().await;
    for before in FollowState::ALL {
        for after in FollowState::ALL {
            let [ana, ben] = [create_user(&database).await, create_user(&database).await];
            set_state(&database, None, new_follow(ana, ben, before)).await;

            set_state(&database, before, new_follow(ana, ben, after)).await;

            let mut conn = database.connect().await;
            let relationship = conn.follows().find_relationship(ana, ben).await.unwrap();
            assert_eq!(
                relationship,
                Relationship { outgoing: after, incoming: None },
                "{before:?}"
            );
            let counts = [counts(&database, ana).await, counts(&database, ben).await];
            let of_ana = FollowCounts {
                following: i64::from(after == Active),
                requests_sent: i64::from(after == Pending),
                ..NO_FOLLOWS
            };
            let of_ben = FollowCounts {
                followers: i64::from(after == Active),
                requests_received: i64::from(after == Pending),
                ..NO_FOLLOWS
            };
            assert_eq!(counts, [of_ana, of_ben], "{before:?} {after:?}");
        }
    }
}

#[tokio::test]
async fn accepting_a_request_keeps_its_id_and_time_and_blocking_keeps_only_its_id() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    let request = new_follow(ana, ben, Pending);
    let later = chrono::TimeDelta::minutes(1);

    let created = set_state(&database, None, request.clone()).await.unwrap();
    let acceptance = Follow { created_at: NOON + later, ..new_follow(ana, ben, Active) };
    let accepted = set_state(&database, Pending, acceptance.clone()).await.unwrap();
    let block = Follow { created_at: NOON + later * 2, ..new_follow(ana, ben, Blocked) };
    let blocked = set_state(&database, Active, block.clone()).await.unwrap();
    let removed = set_state(&database, Blocked, new_follow(ana, ben, None)).await;

    assert_eq!(created, request);
    assert_eq!(accepted, Follow { state: Active, ..request.clone() });
    assert_eq!(blocked, Follow { id: request.id, ..block });
    assert_eq!(removed, Option::None);
}

#[tokio::test]
async fn accepting_requests_ignores_other_users_and_updates_the_counters() {
    let database = TestDatabase::create().await;
    let [sue, follower, blocked] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let mut requesters = Vec::new();
    for _ in 0..3 {
        let requester = create_user(&database).await;
        set_state(&database, None, new_follow(requester, sue, Pending)).await;
        requesters.push(requester);
    }
    set_state(&database, None, new_follow(follower, sue, Active)).await;
    set_state(&database, None, new_follow(blocked, sue, Blocked)).await;
    // Their requests went to another user, or they received one from `sue`.
    let other = create_user(&database).await;
    set_state(&database, None, new_follow(other, follower, Pending)).await;
    set_state(&database, None, new_follow(sue, other, Pending)).await;
    let candidates = [requesters[0], requesters[2], follower, blocked, other, UserId::from(-1)];
    let mut conn = database.connect().await;

    let mut accepted = conn.follows().accept_requests(sue, &candidates).await.unwrap();

    accepted.sort_unstable();
    assert_eq!(accepted, [requesters[0], requesters[2]]);
    let expected =
        FollowCounts { followers: 3, following: 0, requests_received: 1, requests_sent: 1 };
    assert_eq!(counts(&database, sue).await, expected);
    for requester in &accepted {
        let relationship = conn.follows().find_relationship(*requester, sue).await.unwrap();
        assert_eq!(relationship, Relationship { outgoing: Active, incoming: None });
        assert_eq!(
            counts(&database, *requester).await,
            FollowCounts { following: 1, ..NO_FOLLOWS }
        );
    }
    let pending = FollowCounts { requests_sent: 1, ..NO_FOLLOWS };
    assert_eq!(counts(&database, requesters[1]).await, pending);
    for candidates in [&candidates[..], &[]] {
        assert_eq!(conn.follows().accept_requests(sue, candidates).await.unwrap(), []);
    }
    assert_eq!(counts(&database, sue).await, expected);
}

#[tokio::test]
async fn users_with_requests_but_without_follow_approval_are_found() {
    let database = TestDatabase::create().await;
    let requester = create_user(&database).await;
    let mut expected = BTreeSet::new();
    for (preferences, requires_approval) in [
        ("NULL", false),
        ("'{}'", false),
        (r#"'{"approve_followers": false}'"#, false),
        (r#"'{"approve_followers": true}'"#, true),
        (r#"'{"approve_followers": true, "theme": "dark"}'"#, true),
    ] {
        let user = create_user(&database).await;
        set_state(&database, None, new_follow(requester, user, Pending)).await;
        set_state(&database, None, new_follow(create_user(&database).await, user, Pending)).await;
        let set = format!("UPDATE users SET profile_preferences = {preferences} WHERE id =");
        database.execute(&format!("{set} {user}")).await;
        if !requires_approval {
            expected.insert(user);
        }
    }
    set_state(&database, None, new_follow(requester, create_user(&database).await, Active)).await;
    let mut conn = database.connect().await;

    let found = conn.follows().list_users_with_stale_requests(100).await.unwrap();

    assert_eq!((found.len(), BTreeSet::from_iter(found)), (3, expected));
    assert_eq!(conn.follows().list_users_with_stale_requests(2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn sent_requests_are_listed_newest_first() {
    let database = TestDatabase::create().await;
    let [ana, followed, requester] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    let mut requested = Vec::new();
    for minute in 0..5 {
        let other = create_user(&database).await;
        let at = NOON + chrono::TimeDelta::minutes(minute / 2);
        set_state(&database, None, Follow { created_at: at, ..new_follow(ana, other, Pending) })
            .await;
        requested.push((at, other));
    }
    set_state(&database, None, new_follow(ana, followed, Active)).await;
    set_state(&database, None, new_follow(requester, ana, Pending)).await;
    let mut conn = database.connect().await;

    let all =
        conn.follows().list(seen_by(ana).sent_requests().page(first_page(100))).await.unwrap();
    let paged = collect_pages(2, async |page| {
        conn.follows().list(seen_by(ana).sent_requests().page(page)).await.unwrap()
    })
    .await;

    assert_eq!(paged, all.items);
    let users: BTreeSet<UserId> = paged.iter().map(|item| item.user.author.id).collect();
    assert_eq!(users, requested.iter().map(|(_, other)| *other).collect());
    assert!(paged.is_sorted_by_key(|item| Reverse((item.position.at, item.position.id))));
}

#[tokio::test]
async fn locking_users_returns_whether_they_approve_followers() {
    let database = TestDatabase::create().await;
    let mut users = Vec::new();
    let approving =
        [r#"'{"approve_followers": true}'"#, r#"'{"approve_followers": false}'"#, "NULL", "'{}'"];
    for preferences in approving {
        let user = create_user(&database).await;
        let sql = format!("UPDATE users SET profile_preferences = {preferences}");
        database.execute(&format!("{sql} WHERE id = {user}")).await;
        users.push(user);
    }
    let mut conn = database.connect().await;

    for pair in users.windows(2) {
        let locked = conn.users().lock_all(&[pair[1], pair[0]]).await.unwrap();
        for user in pair {
            let (author, approval) = &locked[user];
            assert_eq!(author.id, *user);
            let is_required = *approval == grateful_domain::Approval::Required;
            assert_eq!(is_required, *user == users[0]);
        }
    }
    let existing = conn.users().lock_all(&[users[0], UserId::from(-1)]).await.unwrap();
    assert_eq!(existing.into_keys().collect::<Vec<_>>(), [users[0]]);
}

#[tokio::test]
async fn paging_through_followers_returns_each_once_newest_first() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut expected = Vec::new();
    for number in 0..23_i64 {
        let follower = create_user(&database).await;
        let at = NOON + chrono::TimeDelta::seconds(number / 3);
        let follow = Follow { created_at: at, ..new_follow(follower, ana, Active) };
        expected.push((Reverse(at), Reverse(follow.id), follower));
        set_state(&database, None, follow).await;
    }
    expected.sort();
    let expected: Vec<UserId> = expected.into_iter().map(|(.., follower)| follower).collect();
    let mut conn = database.connect().await;

    for limit in [1, 7, 100] {
        let pages = collect_pages(limit, async |page| {
            conn.follows().list(seen_by(ana).followers_of(ana).page(page)).await.unwrap()
        });
        let found: Vec<UserId> = pages.await.iter().map(|item| item.user.author.id).collect();
        assert_eq!(found, expected, "{limit}");
    }
}

#[tokio::test]
async fn requesters_are_listed_oldest_request_first() {
    let database = TestDatabase::create().await;
    let ana = create_user(&database).await;
    let mut requesters = Vec::new();
    for number in 0..3 {
        let requester = create_user(&database).await;
        let at = NOON + chrono::TimeDelta::seconds(number);
        set_state(
            &database,
            None,
            Follow { created_at: at, ..new_follow(requester, ana, Pending) },
        )
        .await;
        requesters.push(requester);
    }
    insert_follow(&database, create_user(&database).await, ana, "active").await;
    let mut conn = database.connect().await;

    let oldest = conn.follows().list_requesters(ana, 2).await.unwrap();

    assert_eq!(oldest, requesters[..2]);
    assert_eq!(conn.follows().list_requesters(ana, 9).await.unwrap(), requesters);
}

/// Checks all users of twenty random graphs with fourteen users.
#[tokio::test]
async fn suggestions_equal_those_of_an_exhaustive_search() {
    let database = TestDatabase::create().await;
    let users = join_all((0..14).map(|n| create_user_named(&database, n))).await;
    let mut conn = database.connect().await;
    let mut seed = u64::from(std::process::id());
    for _ in 0..20 {
        let follows = random_follows(users.len(), &mut seed);
        database.execute("DELETE FROM follows").await;
        let rows = follows.iter().filter_map(|((one, other), state)| {
            let (one, other) = (users[*one].0, users[*other].0);
            state.code().map(|code| format!("(gen_random_uuid(), {one}, {other}, '{code}')"))
        });
        let rows: Vec<String> = rows.collect();
        let insert = "INSERT INTO follows (id, follower_id, followed_id, status) VALUES";
        database.execute(&format!("{insert} {}", rows.join(", "))).await;

        for viewer in 0..users.len() {
            let found = conn.follows().list_suggestions(users[viewer].0, 5).await.unwrap();
            let found = found.into_iter().map(|suggestion| {
                let mutuals = suggestion.mutuals.into_iter().map(|name| name.as_str().to_owned());
                (suggestion.user.author.id, suggestion.mutual_count, mutuals.collect())
            });
            let found: Vec<(UserId, i64, Vec<String>)> = found.collect();
            assert_eq!(found, suggestions(&users, &follows, viewer, 5), "{viewer} in {follows:?}");
        }
    }
}

#[tokio::test]
async fn follows_of_a_deleted_user_are_removed_in_batches_and_uncounted() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    for other in [ben, create_user(&database).await, create_user(&database).await] {
        set_state(&database, None, new_follow(ana, other, Active)).await;
        set_state(&database, None, new_follow(other, ana, Active)).await;
    }
    set_state(&database, None, new_follow(create_user(&database).await, ana, Pending)).await;
    set_state(&database, None, new_follow(create_user(&database).await, ana, Blocked)).await;
    let mut conn = database.connect().await;

    let mut batch_sizes = Vec::new();
    while let Some(removed) = conn.follows().delete_batch_of(ana, 3).await.unwrap() {
        // A follow, a request and an acceptance for each of the other users.
        batch_sizes.push(removed.len() / 3);
    }

    assert_eq!(batch_sizes, [3, 2]);
    assert_eq!(database.count("follows").await, 0);
    assert_eq!(database.count("users WHERE followers_count + following_count > 0").await, 0);
}

/// The counters of the other user are correct even if their row changes at the same time.
#[tokio::test]
async fn follows_are_removed_while_a_user_at_the_other_end_changes() {
    let database = TestDatabase::create().await;
    let [ana, ben] = [create_user(&database).await, create_user(&database).await];
    set_state(&database, None, new_follow(ana, ben, Active)).await;
    set_state(&database, None, new_follow(ben, ana, Active)).await;
    let change = format!("UPDATE users SET followers_count = followers_count + 1 WHERE id = {ben}");
    let mut in_flight = database.begin(&change).await;
    let mut conn = database.connect().await;
    let mut follows = conn.follows();

    let (removed, ()) = tokio::join!(follows.delete_batch_of(ana, 10), async {
        wait_for_lock_wait(&database).await;
        in_flight.batch_execute("COMMIT").await.unwrap();
    });

    assert_eq!(removed.unwrap().unwrap().len(), 3);
    assert_eq!(counts(&database, ben).await, FollowCounts { followers: 1, ..NO_FOLLOWS });
    assert_eq!(counts(&database, ana).await, NO_FOLLOWS);
}

#[tokio::test]
async fn blocks_by_the_user_are_listed_and_blocks_of_the_user_are_not() {
    let database = TestDatabase::create().await;
    let [ana, ben, caro] =
        [create_user(&database).await, create_user(&database).await, create_user(&database).await];
    insert_follow(&database, ben, ana, "blocked").await;
    insert_follow(&database, ana, caro, "blocked").await;
    let mut conn = database.connect().await;

    let blocks =
        conn.follows().list(seen_by(ana).blocks().page(first_page(10))).await.unwrap().items;

    let blocked: Vec<UserId> = blocks.iter().map(|item| item.user.author.id).collect();
    assert_eq!(blocked, [ben]);
    assert_eq!(conn.follows().count_blocks(ana).await.unwrap(), 1);
    assert_eq!(conn.follows().count_blocks(ben).await.unwrap(), 0);
}

const NO_FOLLOWS: FollowCounts =
    FollowCounts { followers: 0, following: 0, requests_received: 0, requests_sent: 0 };

/// The follow states among users, by index.
type Follows = BTreeMap<(usize, usize), FollowState>;

fn random_follows(users: usize, seed: &mut u64) -> Follows {
    let mut follows = Follows::new();
    for one in 0..users {
        for other in (0..users).filter(|other| *other != one) {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let state = match (*seed >> 33) % 20 {
                0..=4 => Active,
                5 => Pending,
                6 => Blocked,
                _ => None,
            };
            follows.insert((one, other), state);
        }
    }
    follows
}

/// The expected suggestions for one of these users (docs/rules.md#suggestions), found by checking all users.
fn suggestions(
    users: &[(UserId, String)],
    follows: &Follows,
    viewer: usize,
    max: usize,
) -> Vec<(UserId, i64, Vec<String>)> {
    let state = |one: usize, other: usize| follows.get(&(one, other)).copied().unwrap_or(None);
    let is_candidate = |other: usize| {
        other != viewer && state(viewer, other) == None && state(other, viewer) != Blocked
    };
    let mut found = Vec::new();
    for other in (0..users.len()).filter(|other| is_candidate(*other)) {
        let mutuals = (0..users.len())
            .filter(|mutual| state(viewer, *mutual) == Active && state(*mutual, other) == Active)
            .map(|mutual| users[mutual].1.clone());
        // Sorted by username; all usernames are lower-case.
        let mutuals: BTreeSet<String> = mutuals.collect();
        if !mutuals.is_empty() {
            found.push((Reverse(mutuals.len()), users[other].1.clone(), other, mutuals));
        }
    }
    found.sort();
    let found = found.into_iter().take(max).map(|(count, _, other, mutuals)| {
        let count = i64::try_from(count.0).unwrap();
        (users[other].0, count, mutuals.into_iter().take(3).collect())
    });
    found.collect()
}

/// Creates a user. Usernames sort differently than ids.
async fn create_user_named(database: &TestDatabase, number: usize) -> (UserId, String) {
    let name = format!("p{:02}", number * 5 % 14);
    (a_user().with_username(&name).insert_into(database).await.id, name)
}

fn new_follow(from: UserId, to: UserId, state: FollowState) -> Follow {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let id = Uuid::from_u128(NUMBER.fetch_add(1, Ordering::Relaxed).into()).into();
    Follow { id, follower: from, followed: to, state, created_at: NOON }
}

async fn set_state(database: &TestDatabase, before: FollowState, follow: Follow) -> Option<Follow> {
    database.connect().await.follows().set_states(&[(before, follow)]).await.unwrap().pop()
}

async fn counts(database: &TestDatabase, user: UserId) -> FollowCounts {
    database.connect().await.follows().count(user).await.unwrap().unwrap()
}

async fn wait_for_lock_wait(database: &TestDatabase) {
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.count(waiting).await < 1 {
        assert!(Instant::now() < deadline, "no statement waits");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn seen_by(viewer: UserId) -> FollowLists {
    FollowQuery::visible_to(viewer)
}
