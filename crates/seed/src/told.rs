//! Whom the newest of all that happened is told.

use std::cmp::Reverse;

use grateful_domain::FollowState;

use crate::answers::{Answers, Sent};
use crate::edges::Drawn;
use crate::people::approves_followers;
use crate::posts::Posted;

/// Somebody is told of what somebody else did; all by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) to: usize,
    pub(crate) at: i64,
    pub(crate) by: usize,
    pub(crate) deed: Deed,
}

/// What they did, by its number among its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    Heart(usize),
    Reaction(usize),
    Link(usize),
    Message(usize),
    Comment(usize),
    Reply(usize),
    Follow,
    FollowRequest,
    FollowAcceptance,
}

/// So many of the newest that concern somebody else, person by person, each with the oldest first.
pub(crate) fn newest(
    most: usize,
    posts: &[Posted],
    edges: &[Drawn],
    answers: &Answers,
) -> Vec<Told> {
    let of_answers = of_answers(posts, answers).filter(|told| told.to != told.by);
    let mut told: Vec<Told> = of_answers.chain(edges.iter().filter_map(of_edge)).collect();
    told.sort_unstable_by_key(|told| Reverse((told.at, *told)));
    told.truncate(most);
    told.sort_unstable();
    told
}

fn of_answers<'a>(posts: &'a [Posted], answers: &'a Answers) -> impl Iterator<Item = Told> + 'a {
    let author = |post: usize| posts[post].author;
    let hearts = answers.hearts.iter().enumerate().map(move |(number, act)| Told {
        to: author(act.post),
        at: act.at,
        by: act.by,
        deed: Deed::Heart(number),
    });
    let reactions = answers.reactions.iter().enumerate().map(move |(number, act)| Told {
        to: author(act.post),
        at: act.at,
        by: act.by,
        deed: Deed::Reaction(number),
    });
    let shares = answers.shares.iter().enumerate().flat_map(move |(number, act)| {
        let (to, deed) = match &act.what {
            Sent::ByLink => (vec![author(act.post)], Deed::Link(number)),
            Sent::To(people) => (people.clone(), Deed::Message(number)),
        };
        to.into_iter().map(move |to| Told { to, at: act.at, by: act.by, deed })
    });
    let comments = answers.comments.iter().enumerate().flat_map(move |(number, act)| {
        let answered = act.what.map(|parent| answers.comments[parent].by);
        let author = Some(author(act.post)).filter(|author| answered != Some(*author));
        let reply = answered.map(|to| (to, Deed::Reply(number)));
        let said = author.map(|to| (to, Deed::Comment(number)));
        let told = reply.into_iter().chain(said);
        told.map(move |(to, deed)| Told { to, at: act.at, by: act.by, deed })
    });
    hearts.chain(reactions).chain(shares).chain(comments)
}

fn of_edge(edge: &Drawn) -> Option<Told> {
    let Drawn { at, follower: from, followed: to, edge } = *edge;
    match edge {
        FollowState::None | FollowState::Blocked => None,
        FollowState::Pending => Some(Told { to, at, by: from, deed: Deed::FollowRequest }),
        // Whoever wants to be asked has said yes.
        FollowState::Active if approves_followers(to) => {
            Some(Told { to: from, at, by: to, deed: Deed::FollowAcceptance })
        }
        FollowState::Active => Some(Told { to, at, by: from, deed: Deed::Follow }),
    }
}
