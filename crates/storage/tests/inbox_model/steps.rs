//! Random steps.

use chrono::TimeDelta;
use grateful_domain::Emoji;
use grateful_domain::notification::Deliverability;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

pub(crate) const ACTORS: usize = 6;
pub(crate) const POSTS: usize = 24;
/// Number of different acts per actor, besides the hearts on all posts.
pub(crate) const ACTS: usize = 12;

/// An act or its withdrawal by an actor, given by index, or a step of the owner of the inbox.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Act(usize, usize, Deliverability),
    Withdraw(usize, usize),
    /// A heart on each of this many posts.
    Burst(usize, usize),
    UpdateReaction(usize, Emoji),
    /// Several acts in one call.
    Group(Vec<GroupAct>),
    /// A notification of the list or a child.
    MarkRead(Index),
    MarkAllRead,
    Advance(TimeDelta),
}

/// An act of a group.
#[derive(Debug, Clone)]
pub(crate) enum GroupAct {
    Act(usize, usize),
    /// A heart on another post.
    Heart(usize, usize),
    Withdraw(usize, usize),
    ChangeEmoji(usize, Emoji),
}

fn group_act() -> impl Strategy<Value = GroupAct> {
    let (actor, act) = (|| 0..ACTORS, || prop_oneof![3 => 0..2_usize, 2 => 2..ACTS]);
    prop_oneof![
        9 => (actor(), act()).prop_map(|(actor, act)| GroupAct::Act(actor, act)),
        3 => (actor(), 1..POSTS).prop_map(|(actor, post)| GroupAct::Heart(actor, post)),
        6 => (actor(), act()).prop_map(|(actor, act)| GroupAct::Withdraw(actor, act)),
        2 => (actor(), select(&Emoji::ALL[..])).prop_map(|(actor, emoji)| GroupAct::ChangeEmoji(actor, emoji)),
    ]
}

/// Generates up to eighty steps.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..80)
}

fn step() -> impl Strategy<Value = Step> {
    let (actor, act) = (|| 0..ACTORS, || prop_oneof![3 => 0..2_usize, 2 => 2..ACTS]);
    let deliverability = prop_oneof![
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
        9 => (actor(), act(), deliverability).prop_map(|(actor, act, deliverability)| Step::Act(actor, act, deliverability)),
        6 => (actor(), act()).prop_map(|(actor, act)| Step::Withdraw(actor, act)),
        1 => (actor(), 1..POSTS).prop_map(|(actor, posts)| Step::Burst(actor, posts)),
        2 => (actor(), select(&Emoji::ALL[..])).prop_map(|(actor, emoji)| Step::UpdateReaction(actor, emoji)),
        4 => vec(group_act(), 1..24).prop_map(Step::Group),
        2 => any::<Index>().prop_map(Step::MarkRead),
        1 => Just(Step::MarkAllRead),
        4 => minutes.prop_map(|minutes| Step::Advance(TimeDelta::minutes(minutes))),
    ]
}
