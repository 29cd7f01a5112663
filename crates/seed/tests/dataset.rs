//! Properties of every generated dataset.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{FollowState, Post, PostId, Preferences, ShareDetails, UserId};
use grateful_seed::{Dataset, DatasetSize, GeneratedUser};
use rstest::rstest;

const SMALL: DatasetSize =
    DatasetSize { users: 40, posts: 300, engagements: 3_000, follows: 500, notifications: 500 };

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn generate(size: DatasetSize, seed: u64) -> Dataset {
    let user_ids = (1..).map(UserId::from).take(size.users).collect();
    Dataset::generate(size, seed, now(), user_ids).expect("a possible size")
}

/// All rows, formatted as text.
fn dump(dataset: &Dataset) -> String {
    let users = dataset.users().collect::<Vec<_>>();
    let posts = dataset.posts().collect::<Vec<_>>();
    let follows = dataset.follows().collect::<Vec<_>>();
    let hearts = dataset.hearts().collect::<Vec<_>>();
    let reactions = dataset.reactions().collect::<Vec<_>>();
    let shares = dataset.shares().collect::<Vec<_>>();
    let comments = dataset.comments().collect::<Vec<_>>();
    let inboxes = dataset.inboxes().collect::<Vec<_>>();
    format!("{users:?}{posts:?}{follows:?}{hearts:?}{reactions:?}{shares:?}{comments:?}{inboxes:?}")
}

fn posts_by_id(dataset: &Dataset) -> HashMap<PostId, Post> {
    dataset.posts().map(|post| (post.id, post)).collect()
}

/// User, post and time of every interaction.
fn interactions(dataset: &Dataset) -> Vec<(UserId, PostId, DateTime<Utc>)> {
    let hearts = dataset.hearts().map(|heart| (heart.user, heart.post, heart.at));
    let reactions = dataset.reactions().map(|reaction| (reaction.user, reaction.post, reaction.at));
    let shares = dataset.shares().map(|share| (share.user, share.post, share.created_at));
    let comments =
        dataset.comments().map(|comment| (comment.author, comment.post, comment.created_at));
    hearts.chain(reactions).chain(shares).chain(comments).collect()
}

/// The pairs of users with a block between them, in both orders.
fn blocked_pairs(dataset: &Dataset) -> HashSet<(UserId, UserId)> {
    let blocks = dataset.follows().filter(|follow| follow.state == FollowState::Blocked);
    blocks
        .flat_map(|block| [(block.follower, block.followed), (block.followed, block.follower)])
        .collect()
}

#[track_caller]
fn assert_distinct<T: Eq + Hash>(items: impl Iterator<Item = T>, what: &str) {
    let mut seen = HashSet::new();
    assert!(items.into_iter().all(|item| seen.insert(item)), "duplicate {what}");
}

/// Percentage of the sum that the largest tenth of the numbers makes up.
fn share_of_top_tenth(mut numbers: Vec<i64>) -> i64 {
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let top: i64 = numbers[..numbers.len() / 10].iter().sum();
    top * 100 / numbers.iter().sum::<i64>()
}

#[test]
fn the_same_size_seed_and_time_produce_the_same_dataset() {
    let (first, second) = (generate(SMALL, 7), generate(SMALL, 7));

    assert_eq!(dump(&first), dump(&second));
}

#[test]
fn another_seed_produces_another_dataset_without_common_post_ids() {
    let (first, second) = (generate(SMALL, 7), generate(SMALL, 8));

    let ids = |dataset: &Dataset| dataset.posts().map(|post| post.id).collect::<HashSet<_>>();
    assert!(ids(&first).is_disjoint(&ids(&second)));
    assert_ne!(dump(&first), dump(&second));
}

#[test]
fn another_reference_time_shifts_all_times_and_changes_nothing_else() {
    let later = now() + TimeDelta::hours(5);
    let user_ids = (1..).map(UserId::from).take(SMALL.users).collect();

    let shifted = Dataset::generate(SMALL, 7, later, user_ids).unwrap();

    let original = generate(SMALL, 7);
    for (post, shifted) in original.posts().zip(shifted.posts()) {
        assert_eq!(shifted.created_at, post.created_at + TimeDelta::hours(5));
        assert_eq!(shifted.draft, post.draft);
        assert_eq!(shifted.engagement, post.engagement);
    }
}

#[rstest]
#[case(SMALL)]
#[case(DatasetSize { users: 1, posts: 3, engagements: 50, follows: 0, notifications: 0 })]
#[case(DatasetSize { users: 2, posts: 1, engagements: 100, follows: 1, notifications: 9 })]
#[case(DatasetSize { users: 5, posts: 0, engagements: 0, follows: 10, notifications: 9 })]
#[case(DatasetSize::DEMO)]
fn the_number_of_rows_equals_the_requested_size(#[case] size: DatasetSize) {
    let dataset = generate(size, 3);

    assert_eq!(dataset.users().count(), size.users);
    assert_eq!(dataset.posts().count(), size.posts);
    assert_eq!(interactions(&dataset).len(), size.engagements);
    assert_eq!(dataset.follows().count(), size.follows);
}

#[test]
fn counters_of_posts_and_users_equal_the_number_of_rows() {
    let dataset = generate(SMALL, 7);
    let posts = posts_by_id(&dataset);

    for post in posts.values() {
        let hearts = dataset.hearts().filter(|heart| heart.post == post.id).count();
        let reactions = dataset.reactions().filter(|reaction| reaction.post == post.id).count();
        let comments = dataset.comments().filter(|comment| comment.post == post.id).count();
        let shares = dataset.shares().filter(|share| share.post == post.id);
        let (links, messages): (Vec<_>, Vec<_>) =
            shares.partition(|share| share.details == ShareDetails::Url);
        let senders: HashSet<UserId> = messages.iter().map(|share| share.user).collect();
        let rows = [hearts, reactions, links.len() + senders.len(), comments];
        let counters = post.engagement;
        let counters = [counters.hearts, counters.reactions, counters.shares, counters.comments];
        assert_eq!(counters.map(|count| usize::try_from(count).unwrap()), rows);
    }
    for user in dataset.users() {
        let active = || dataset.follows().filter(|follow| follow.state == FollowState::Active);
        let followers = active().filter(|follow| follow.followed == user.id).count();
        let following = active().filter(|follow| follow.follower == user.id).count();
        let written = || posts.values().filter(|post| post.author == user.id);
        let public = written().filter(|post| post.draft.visibility.is_public()).count();
        let rows = [followers, following, written().count(), public];
        let counters = [user.followers, user.following, user.posts, user.public_posts];
        assert_eq!(counters.map(|count| usize::try_from(count).unwrap()), rows);
    }
}

#[test]
fn unique_interactions_and_ids_are_not_repeated() {
    let dataset = generate(DatasetSize { users: 8, posts: 20, follows: 28, ..SMALL }, 7);
    let links = || dataset.shares().filter(|share| share.details == ShareDetails::Url);

    assert_distinct(dataset.hearts().map(|heart| (heart.user, heart.post)), "heart");
    assert_distinct(dataset.reactions().map(|reaction| (reaction.user, reaction.post)), "reaction");
    assert_distinct(links().map(|share| (share.user, share.post)), "link share");
    assert_distinct(dataset.follows().map(|follow| (follow.follower, follow.followed)), "follow");
    assert_distinct(dataset.hearts().map(|heart| heart.id), "heart id");
    assert_distinct(dataset.posts().map(|post| post.id), "post id");
}

#[test]
fn interactions_respect_blocks_and_visibility() {
    let dataset = generate(DatasetSize { follows: 1_500, users: 60, ..SMALL }, 7);
    let (posts, blocked) = (posts_by_id(&dataset), blocked_pairs(&dataset));
    assert!(5 < blocked.len(), "{} blocked pairs", blocked.len());

    for (user, post, _) in interactions(&dataset) {
        assert!(posts[&post].draft.visibility.is_public());
        assert!(!blocked.contains(&(user, posts[&post].author)), "{user} and {post}");
    }
    for follow in dataset.follows().filter(|follow| follow.state != FollowState::Blocked) {
        assert!(!blocked.contains(&(follow.follower, follow.followed)), "{follow:?}");
    }
    for share in dataset.shares() {
        let ShareDetails::Message { recipients, .. } = &share.details else { continue };
        let is_blocked = |recipient: &UserId| blocked.contains(&(share.user, *recipient));
        assert!(!recipients.as_slice().iter().any(is_blocked), "{share:?}");
    }
    let authors: HashMap<_, _> =
        dataset.comments().map(|comment| (comment.id, comment.author)).collect();
    for comment in dataset.comments() {
        let Some(parent) = comment.parent else { continue };
        assert!(!blocked.contains(&(comment.author, authors[&parent])), "{comment:?}");
    }
}

#[test]
fn times_follow_causality_and_do_not_exceed_the_reference_time() {
    let dataset = generate(SMALL, 7);
    let posts = posts_by_id(&dataset);
    let oldest = posts.values().map(|post| post.created_at).min().unwrap();

    assert!(dataset.users().all(|user| user.joined_at < oldest));
    assert!(posts.values().all(|post| post.created_at <= now()));
    assert!(dataset.follows().all(|follow| follow.created_at <= now()));
    for (_, post, at) in interactions(&dataset) {
        assert!(posts[&post].created_at <= at && at <= now(), "{post}: {at}");
    }
    let mut earlier = HashMap::new();
    for comment in dataset.comments() {
        if let Some(parent) = comment.parent {
            let (post, created_at) = earlier[&parent];
            assert_eq!(post, comment.post);
            assert!(created_at <= comment.created_at);
        }
        earlier.insert(comment.id, (comment.post, comment.created_at));
    }
}

#[test]
fn follow_requests_go_to_users_with_follow_approval() {
    let dataset = generate(DatasetSize::DEMO, 7);
    let approves = |user: &GeneratedUser| {
        user.preferences.as_ref().is_some_and(Preferences::approve_followers)
    };
    let approving: HashSet<UserId> = dataset.users().filter(approves).map(|user| user.id).collect();

    let requests = dataset.follows().filter(|follow| follow.state == FollowState::Pending);
    let (to_approving, to_others): (Vec<_>, Vec<_>) =
        requests.partition(|follow| approving.contains(&follow.followed));

    assert_eq!(to_others, []);
    assert!(!to_approving.is_empty());
}

#[test]
fn activity_and_popularity_are_skewed() {
    let dataset = generate(DatasetSize { engagements: 20_000, ..DatasetSize::DEMO }, 7);
    let engagement = dataset.posts().map(|post| {
        let counts = post.engagement;
        i64::from(counts.hearts + counts.reactions + counts.shares + counts.comments)
    });

    let posts = share_of_top_tenth(dataset.users().map(|user| user.posts).collect());
    let followers = share_of_top_tenth(dataset.users().map(|user| user.followers).collect());
    let engagement = share_of_top_tenth(engagement.collect());

    for (what, share) in [("posts", posts), ("followers", followers), ("engagement", engagement)] {
        assert!((25..85).contains(&share), "{what}: the top tenth has {share} %");
    }
}

#[test]
fn most_posts_are_recent_and_most_engagement_follows_soon() {
    let dataset = generate(DatasetSize::DEMO, 7);
    let posts = posts_by_id(&dataset);
    let percent_newer_than = |days| {
        let since = now() - TimeDelta::days(days);
        posts.values().filter(|post| since <= post.created_at).count() * 100 / posts.len()
    };

    let all = interactions(&dataset);
    let is_soon = |post: PostId, at| at - posts[&post].created_at <= TimeDelta::days(1);
    let soon = all.iter().filter(|(_, post, at)| is_soon(*post, *at)).count() * 100 / all.len();

    let (last_day, last_quarter) = (percent_newer_than(1), percent_newer_than(45));
    assert!((4..12).contains(&last_day), "{last_day} % on the last day");
    assert!((40..60).contains(&last_quarter), "{last_quarter} % in the last quarter");
    assert!(35 < soon, "{soon} % within a day");
}

#[test]
fn users_send_at_most_twenty_posts_per_hour() {
    let few_users = DatasetSize { users: 3, posts: 40, engagements: 200_000, ..SMALL };
    let dataset = generate(DatasetSize { follows: 2, ..few_users }, 7);
    let mut sent: HashMap<UserId, Vec<DateTime<Utc>>> = HashMap::new();
    for share in dataset.shares().filter(|share| share.details != ShareDetails::Url) {
        sent.entry(share.user).or_default().push(share.created_at);
    }

    let shortest = sent
        .values()
        .flat_map(|times| times.windows(21))
        .map(|window| window[20] - window[0])
        .min();

    assert!(TimeDelta::hours(1) <= shortest.unwrap(), "{shortest:?}");
}
