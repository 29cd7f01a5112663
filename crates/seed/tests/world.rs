//! What can be relied on of every world.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{FollowState, Post, PostId, Preferences, ShareDetails, UserId};
use grateful_seed::{Person, Size, World};
use rstest::rstest;

const SMALL: Size =
    Size { people: 40, posts: 300, engagements: 3_000, follows: 500, notifications: 500 };

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn a_world(size: Size, seed: u64) -> World {
    World::imagine(size, seed, now(), (1..).map(UserId::from).take(size.people).collect())
        .expect("a world that can be")
}

/// Everything in it, as text.
fn all_of(world: &World) -> String {
    let people = world.people().collect::<Vec<_>>();
    let posts = world.posts().collect::<Vec<_>>();
    let edges = world.edges().collect::<Vec<_>>();
    let hearts = world.hearts().collect::<Vec<_>>();
    let reactions = world.reactions().collect::<Vec<_>>();
    let shares = world.shares().collect::<Vec<_>>();
    let comments = world.comments().collect::<Vec<_>>();
    let inboxes = world.inboxes().collect::<Vec<_>>();
    format!("{people:?}{posts:?}{edges:?}{hearts:?}{reactions:?}{shares:?}{comments:?}{inboxes:?}")
}

fn posts_by_id(world: &World) -> HashMap<PostId, Post> {
    world.posts().map(|post| (post.id, post)).collect()
}

/// Who did it, with which post, and when.
fn acts(world: &World) -> Vec<(UserId, PostId, DateTime<Utc>)> {
    let hearts = world.hearts().map(|it| (it.by, it.post, it.at));
    let reactions = world.reactions().map(|it| (it.by, it.post, it.at));
    let shares = world.shares().map(|it| (it.by, it.post, it.created_at));
    let comments = world.comments().map(|it| (it.author, it.post, it.created_at));
    hearts.chain(reactions).chain(shares).chain(comments).collect()
}

fn blocks(world: &World) -> HashSet<(UserId, UserId)> {
    let blocked = world.edges().filter(|edge| edge.state == FollowState::Blocked);
    blocked.flat_map(|it| [(it.follower, it.followed), (it.followed, it.follower)]).collect()
}

#[track_caller]
fn assert_distinct<T: Eq + Hash>(items: impl Iterator<Item = T>, what: &str) {
    let mut seen = HashSet::new();
    assert!(items.into_iter().all(|item| seen.insert(item)), "{what} comes twice");
}

/// The part, in hundredths, of all that those of the first tenth have.
fn share_of_the_first_tenth(mut numbers: Vec<i64>) -> i64 {
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let first: i64 = numbers[..numbers.len() / 10].iter().sum();
    first * 100 / numbers.iter().sum::<i64>()
}

#[test]
fn the_same_size_seed_and_moment_make_the_same_world() {
    let (one, other) = (a_world(SMALL, 7), a_world(SMALL, 7));

    assert_eq!(all_of(&one), all_of(&other));
}

#[test]
fn another_seed_makes_another_world_without_an_id_in_common() {
    let (one, other) = (a_world(SMALL, 7), a_world(SMALL, 8));

    let ids = |world: &World| world.posts().map(|post| post.id).collect::<HashSet<_>>();
    assert!(ids(&one).is_disjoint(&ids(&other)));
    assert_ne!(all_of(&one), all_of(&other));
}

#[test]
fn another_moment_moves_the_world_and_changes_nothing_else() {
    let later = now() + TimeDelta::hours(5);
    let ids = (1..).map(UserId::from).take(SMALL.people).collect();

    let moved = World::imagine(SMALL, 7, later, ids).unwrap();

    let still = a_world(SMALL, 7);
    for (post, moved) in still.posts().zip(moved.posts()) {
        assert_eq!(moved.created_at, post.created_at + TimeDelta::hours(5));
        assert_eq!(moved.draft, post.draft);
        assert_eq!(moved.engagement, post.engagement);
    }
}

#[rstest]
#[case(SMALL)]
#[case(Size { people: 1, posts: 3, engagements: 50, follows: 0, notifications: 0 })]
#[case(Size { people: 2, posts: 1, engagements: 100, follows: 1, notifications: 9 })]
#[case(Size { people: 5, posts: 0, engagements: 0, follows: 10, notifications: 9 })]
#[case(Size::DEMO)]
fn there_is_as_much_of_everything_as_was_asked_for(#[case] size: Size) {
    let world = a_world(size, 3);

    assert_eq!(world.people().count(), size.people);
    assert_eq!(world.posts().count(), size.posts);
    assert_eq!(acts(&world).len(), size.engagements);
    assert_eq!(world.edges().count(), size.follows);
}

#[test]
fn the_numbers_beside_posts_and_people_are_those_of_the_rows() {
    let world = a_world(SMALL, 7);
    let posts = posts_by_id(&world);

    for post in posts.values() {
        let hearts = world.hearts().filter(|it| it.post == post.id).count();
        let reactions = world.reactions().filter(|it| it.post == post.id).count();
        let comments = world.comments().filter(|it| it.post == post.id).count();
        let shares = world.shares().filter(|it| it.post == post.id);
        let (links, sent): (Vec<_>, Vec<_>) =
            shares.partition(|it| it.details == ShareDetails::Url);
        let senders: HashSet<UserId> = sent.iter().map(|it| it.by).collect();
        let counted = [hearts, reactions, links.len() + senders.len(), comments];
        let kept = post.engagement;
        let kept = [kept.hearts, kept.reactions, kept.shares, kept.comments];
        assert_eq!(kept.map(|number| usize::try_from(number).unwrap()), counted);
    }
    for person in world.people() {
        let active = || world.edges().filter(|it| it.state == FollowState::Active);
        let followers = active().filter(|it| it.followed == person.id).count();
        let following = active().filter(|it| it.follower == person.id).count();
        let written = || posts.values().filter(|it| it.author == person.id);
        let public = written().filter(|it| it.draft.visibility.is_public()).count();
        let counted = [followers, following, written().count(), public];
        let kept = [person.followers, person.following, person.posts, person.public_posts];
        assert_eq!(kept.map(|number| usize::try_from(number).unwrap()), counted);
    }
}

#[test]
fn nobody_does_twice_what_can_be_done_once() {
    let world = a_world(Size { people: 8, posts: 20, follows: 28, ..SMALL }, 7);
    let links = || world.shares().filter(|it| it.details == ShareDetails::Url);

    assert_distinct(world.hearts().map(|it| (it.by, it.post)), "a heart");
    assert_distinct(world.reactions().map(|it| (it.by, it.post)), "a reaction");
    assert_distinct(links().map(|it| (it.by, it.post)), "a link");
    assert_distinct(world.edges().map(|it| (it.follower, it.followed)), "an edge");
    assert_distinct(world.hearts().map(|it| it.id), "the id of a heart");
    assert_distinct(world.posts().map(|it| it.id), "the id of a post");
}

#[test]
fn nothing_happens_across_a_block_or_on_posts_that_are_not_theirs_to_see() {
    let world = a_world(Size { follows: 1_500, people: 60, ..SMALL }, 7);
    let (posts, blocks) = (posts_by_id(&world), blocks(&world));
    assert!(5 < blocks.len(), "{} blocks", blocks.len());

    for (by, post, _) in acts(&world) {
        assert!(posts[&post].draft.visibility.is_public());
        assert!(!blocks.contains(&(by, posts[&post].author)), "{by} and {post}");
    }
    for edge in world.edges().filter(|edge| edge.state != FollowState::Blocked) {
        assert!(!blocks.contains(&(edge.follower, edge.followed)), "{edge:?}");
    }
    for share in world.shares() {
        let ShareDetails::Message { recipients, .. } = &share.details else { continue };
        let parted = |to: &UserId| blocks.contains(&(share.by, *to));
        assert!(!recipients.as_slice().iter().any(parted), "{share:?}");
    }
    let authors: HashMap<_, _> = world.comments().map(|it| (it.id, it.author)).collect();
    for comment in world.comments() {
        let Some(parent) = comment.parent else { continue };
        assert!(!blocks.contains(&(comment.author, authors[&parent])), "{comment:?}");
    }
}

#[test]
fn nothing_comes_before_its_cause_or_after_now() {
    let world = a_world(SMALL, 7);
    let posts = posts_by_id(&world);
    let oldest = posts.values().map(|post| post.created_at).min().unwrap();

    assert!(world.people().all(|person| person.joined_at < oldest));
    assert!(posts.values().all(|post| post.created_at <= now()));
    assert!(world.edges().all(|edge| edge.created_at <= now()));
    for (_, post, at) in acts(&world) {
        assert!(posts[&post].created_at <= at && at <= now(), "{post}: {at}");
    }
    let mut said = HashMap::new();
    for comment in world.comments() {
        if let Some(parent) = comment.parent {
            let (on, at) = said[&parent];
            assert_eq!(on, comment.post);
            assert!(at <= comment.created_at);
        }
        said.insert(comment.id, (comment.post, comment.created_at));
    }
}

#[test]
fn requests_are_for_those_who_want_to_be_asked() {
    let world = a_world(Size::DEMO, 7);
    let asks = |it: &Person| it.preferences.as_ref().is_some_and(Preferences::approve_followers);
    let asked: HashSet<UserId> = world.people().filter(asks).map(|it| it.id).collect();

    let pending = world.edges().filter(|edge| edge.state == FollowState::Pending);
    let (with, without): (Vec<_>, Vec<_>) = pending.partition(|it| asked.contains(&it.followed));

    assert_eq!(without, []);
    assert!(!with.is_empty());
}

#[test]
fn a_few_write_most_and_get_most() {
    let world = a_world(Size { engagements: 20_000, ..Size::DEMO }, 7);
    let engagement = world.posts().map(|it| {
        let it = it.engagement;
        i64::from(it.hearts + it.reactions + it.shares + it.comments)
    });

    let written = share_of_the_first_tenth(world.people().map(|it| it.posts).collect());
    let followed = share_of_the_first_tenth(world.people().map(|it| it.followers).collect());
    let answered = share_of_the_first_tenth(engagement.collect());

    for (what, share) in [("written", written), ("followed", followed), ("answered", answered)] {
        assert!((25..85).contains(&share), "{what}: {share} % by a tenth");
    }
}

#[test]
fn most_was_posted_lately_and_is_answered_soon() {
    let world = a_world(Size::DEMO, 7);
    let posts = posts_by_id(&world);
    let newer_than = |days| {
        let since = now() - TimeDelta::days(days);
        posts.values().filter(|post| since <= post.created_at).count() * 100 / posts.len()
    };

    let all = acts(&world);
    let soon = |post: PostId, at| at - posts[&post].created_at <= TimeDelta::days(1);
    let soon = all.iter().filter(|(_, post, at)| soon(*post, *at)).count() * 100 / all.len();

    assert!((4..12).contains(&newer_than(1)), "{} % on the last day", newer_than(1));
    assert!((40..60).contains(&newer_than(45)), "{} % in the last quarter", newer_than(45));
    assert!(35 < soon, "{soon} % within a day");
}

#[test]
fn nobody_sends_more_than_twenty_posts_in_an_hour() {
    let crowd = Size { people: 3, posts: 40, engagements: 200_000, ..SMALL };
    let world = a_world(Size { follows: 2, ..crowd }, 7);
    let mut sent: HashMap<UserId, Vec<DateTime<Utc>>> = HashMap::new();
    for share in world.shares().filter(|it| it.details != ShareDetails::Url) {
        sent.entry(share.by).or_default().push(share.created_at);
    }

    let fastest = sent.values().flat_map(|times| times.windows(21)).map(|it| it[20] - it[0]).min();

    assert!(TimeDelta::hours(1) <= fastest.unwrap(), "{fastest:?}");
}
