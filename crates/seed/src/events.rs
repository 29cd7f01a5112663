//! Selects the events that users are notified of.

use std::cmp::Reverse;

use grateful_domain::FollowState;

use crate::engagements::{Engagements, ShareTarget};
use crate::follows::GeneratedFollow;
use crate::posts::GeneratedPost;
use crate::users::approves_followers;

/// An act of one user that another user is notified of. Both are given by index. Events sort by the order of the fields:
/// by recipient, then by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GeneratedEvent {
    pub(crate) recipient: usize,
    /// Microseconds since the Unix epoch.
    pub(crate) at: i64,
    pub(crate) actor: usize,
    pub(crate) act: GeneratedAct,
}

/// What the actor did; the number is the index within its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GeneratedAct {
    Heart(usize),
    Reaction(usize),
    LinkShare(usize),
    MessageShare(usize),
    Comment(usize),
    Reply(usize),
    Follow,
    FollowRequest,
    FollowAcceptance,
}

/// Events whose recipient is not the actor.
#[derive(Debug)]
pub(crate) struct SelectedEvents {
    /// The newest, grouped by recipient and oldest first within a group.
    pub(crate) newest: Vec<GeneratedEvent>,
    /// The others.
    pub(crate) older: Vec<GeneratedEvent>,
}

/// Selects the newest `max` events.
pub(crate) fn select_events(
    max: usize,
    posts: &[GeneratedPost],
    follows: &[GeneratedFollow],
    engagements: &Engagements,
) -> SelectedEvents {
    let of_engagements =
        engagement_events(posts, engagements).filter(|event| event.recipient != event.actor);
    let mut events: Vec<GeneratedEvent> =
        of_engagements.chain(follows.iter().filter_map(follow_event)).collect();
    events.sort_unstable_by_key(|event| Reverse((event.at, *event)));
    let older = events.split_off(max.min(events.len()));
    events.sort_unstable();
    SelectedEvents { newest: events, older }
}

fn engagement_events<'a>(
    posts: &'a [GeneratedPost],
    engagements: &'a Engagements,
) -> impl Iterator<Item = GeneratedEvent> + 'a {
    let author_of = |post: usize| posts[post].author;
    let hearts = engagements.hearts.iter().enumerate().map(move |(index, heart)| GeneratedEvent {
        recipient: author_of(heart.post),
        at: heart.at,
        actor: heart.user,
        act: GeneratedAct::Heart(index),
    });
    let reactions =
        engagements.reactions.iter().enumerate().map(move |(index, reaction)| GeneratedEvent {
            recipient: author_of(reaction.post),
            at: reaction.at,
            actor: reaction.user,
            act: GeneratedAct::Reaction(index),
        });
    let shares = engagements.shares.iter().enumerate().flat_map(move |(index, share)| {
        let (recipients, act) = match &share.detail {
            ShareTarget::Link => (vec![author_of(share.post)], GeneratedAct::LinkShare(index)),
            ShareTarget::Users(users) => (users.clone(), GeneratedAct::MessageShare(index)),
        };
        recipients.into_iter().map(move |recipient| GeneratedEvent {
            recipient,
            at: share.at,
            actor: share.user,
            act,
        })
    });
    let comments = engagements.comments.iter().enumerate().flat_map(move |(index, comment)| {
        let parent_author = comment.detail.map(|parent| engagements.comments[parent].user);
        let post_author =
            Some(author_of(comment.post)).filter(|author| parent_author != Some(*author));
        let reply = parent_author.map(|recipient| (recipient, GeneratedAct::Reply(index)));
        let comment_on_post =
            post_author.map(|recipient| (recipient, GeneratedAct::Comment(index)));
        reply.into_iter().chain(comment_on_post).map(move |(recipient, act)| GeneratedEvent {
            recipient,
            at: comment.at,
            actor: comment.user,
            act,
        })
    });
    hearts.chain(reactions).chain(shares).chain(comments)
}

fn follow_event(follow: &GeneratedFollow) -> Option<GeneratedEvent> {
    let GeneratedFollow { at, follower, followed, state } = *follow;
    let (recipient, actor, act) = match state {
        FollowState::None | FollowState::Blocked => return None,
        FollowState::Pending => (followed, follower, GeneratedAct::FollowRequest),
        // With follow approval, the followed user has accepted the request.
        FollowState::Active if approves_followers(followed) => {
            (follower, followed, GeneratedAct::FollowAcceptance)
        }
        FollowState::Active => (followed, follower, GeneratedAct::Follow),
    };
    Some(GeneratedEvent { recipient, at, actor, act })
}
