//! Who follows whom, who asked to, and who has blocked whom.

use std::collections::HashSet;

use grateful_domain::FollowState;

use crate::dice::{About, Dice};
use crate::people::approves_followers;
use crate::zipf::Zipf;

/// An edge between two numbers of people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    pub(crate) at: i64,
    pub(crate) follower: usize,
    pub(crate) followed: usize,
    pub(crate) edge: FollowState,
}

/// Between whom nothing happens.
#[derive(Debug, Default)]
pub(crate) struct Blocks(HashSet<(usize, usize)>);

impl Blocks {
    /// Whether a block stands between these two, whoever set it.
    pub(crate) fn part(&self, one: usize, other: usize) -> bool {
        self.0.contains(&(one, other)) || self.0.contains(&(other, one))
    }
}

/// How often in a thousand an edge is a block, and a follow of somebody who wants to be asked not answered yet.
const BLOCKED: u64 = 8;
const UNANSWERED: u64 = 250;

/// How often a pair is drawn by who is active and who is popular, before any pair will do.
const TRIES: u32 = 16;

/// So many edges, the oldest first, among `people` of whom some are active and others popular. There must be room for
/// them (`Size::check`).
pub(crate) fn drawn(
    many: usize,
    people: usize,
    active: &Zipf,
    seed: u64,
    (now, span): (i64, u64),
) -> (Vec<Drawn>, Blocks) {
    let popular = Zipf::of(people, About::Popularity, seed);
    let mut dice = Dice::about(About::Edges, seed);
    let (mut pairs, mut blocks) = (HashSet::with_capacity(many), Blocks::default());
    let mut edges = Vec::with_capacity(many);
    let mut tries = 0;
    while edges.len() < many {
        tries += 1;
        let pair @ (from, to) = if tries <= TRIES {
            (active.pick(&mut dice), popular.pick(&mut dice))
        } else {
            (dice.place(people), dice.place(people))
        };
        if from == to || pairs.contains(&pair) || blocks.part(from, to) {
            continue;
        }
        // A block ends what there was the other way.
        let edge = match dice.below(1_000) {
            0..BLOCKED if !pairs.contains(&(to, from)) => FollowState::Blocked,
            _ if approves_followers(to) && dice.chance(UNANSWERED) => FollowState::Pending,
            _ => FollowState::Active,
        };
        if edge == FollowState::Blocked {
            blocks.0.insert(pair);
        }
        pairs.insert(pair);
        let at = now.saturating_sub_unsigned(dice.below(span));
        edges.push(Drawn { at, follower: from, followed: to, edge });
        tries = 0;
    }
    edges.sort_by_key(|edge| edge.at);
    (edges, blocks)
}
