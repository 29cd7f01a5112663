//! What happens.

use chrono::TimeDelta;
use grateful_domain::Emoji;
use grateful_domain::notification::Deliverability;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

pub(crate) const PEOPLE: usize = 6;
pub(crate) const POSTS: usize = 24;
/// How many acts there are for a person beside hearts on all posts.
pub(crate) const ACTS: usize = 12;

/// Something that a person, by number, does or undoes; or that the owner of the list does.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Act(usize, usize, Deliverability),
    Undo(usize, usize),
    /// A heart on each of many posts.
    Burst(usize, usize),
    Change(usize, Emoji),
    /// Something of the list, or below it.
    Read(Index),
    ReadAll,
    Wait(TimeDelta),
}

/// Up to eighty steps.
pub(crate) fn some() -> impl Strategy<Value = Vec<Step>> {
    vec(one(), 1..80)
}

fn one() -> impl Strategy<Value = Step> {
    let (who, act) = (|| 0..PEOPLE, || prop_oneof![3 => 0..2_usize, 2 => 2..ACTS]);
    let standing = prop_oneof![
        14 => Just(Deliverability::Allowed),
        1 => Just(Deliverability::Muted),
        1 => Just(Deliverability::Blocked),
    ];
    let minutes = prop_oneof![
        6 => 0..20_i64,
        2 => select(vec![59, 60, 61]),
        1 => select(vec![23 * 60, 24 * 60, 24 * 60 + 1]),
    ];
    prop_oneof![
        9 => (who(), act(), standing).prop_map(|(who, act, how)| Step::Act(who, act, how)),
        6 => (who(), act()).prop_map(|(who, act)| Step::Undo(who, act)),
        1 => (who(), 1..POSTS).prop_map(|(who, posts)| Step::Burst(who, posts)),
        2 => (who(), select(&Emoji::ALL[..])).prop_map(|(who, emoji)| Step::Change(who, emoji)),
        2 => any::<Index>().prop_map(Step::Read),
        1 => Just(Step::ReadAll),
        4 => minutes.prop_map(|minutes| Step::Wait(TimeDelta::minutes(minutes))),
    ]
}
