//! Random actions of users.

use grateful_domain::Emoji;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const USERS: usize = 3;
pub(crate) const POSTS: usize = 3;

/// An action. Users, posts and comments are given by index; comments are numbered in the order of their creation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    Heart {
        user: usize,
        post: usize,
    },
    RemoveHeart {
        user: usize,
        post: usize,
    },
    SetReaction {
        user: usize,
        post: usize,
        emoji: Emoji,
    },
    RemoveReaction {
        user: usize,
        post: usize,
    },
    ShareLink {
        user: usize,
        post: usize,
    },
    DeleteLink {
        user: usize,
        post: usize,
    },
    SendMessage {
        user: usize,
        post: usize,
    },
    Comment {
        user: usize,
        post: usize,
    },
    /// `on` is a wrong post, or `None` for the post of the comment.
    Reply {
        user: usize,
        comment: usize,
        on: Option<usize>,
    },
    DeleteComment {
        comment: usize,
    },
    DeletePost {
        post: usize,
    },
    Hide {
        post: usize,
    },
    Show {
        post: usize,
    },
}

/// Generates up to forty actions. Actions that undo others are less frequent, and posts are rarely deleted.
pub(crate) fn actions() -> impl Strategy<Value = Vec<Action>> {
    vec(action(), 1..40)
}

fn action() -> impl Strategy<Value = Action> {
    let (user, post, comment) = (0..USERS, 0..POSTS, 0..8_usize);
    let pair = (user.clone(), post.clone());
    let emoji = select(&Emoji::ALL[..3]);
    prop_oneof![
        4 => pair.clone().prop_map(|(user, post)| Action::Heart { user, post }),
        3 => pair.clone().prop_map(|(user, post)| Action::RemoveHeart { user, post }),
        4 => (pair.clone(), emoji).prop_map(|((user, post), emoji)| Action::SetReaction { user, post, emoji }),
        3 => pair.clone().prop_map(|(user, post)| Action::RemoveReaction { user, post }),
        3 => pair.clone().prop_map(|(user, post)| Action::ShareLink { user, post }),
        2 => pair.clone().prop_map(|(user, post)| Action::DeleteLink { user, post }),
        4 => pair.clone().prop_map(|(user, post)| Action::SendMessage { user, post }),
        4 => pair.prop_map(|(user, post)| Action::Comment { user, post }),
        4 => (user.clone(), comment.clone())
            .prop_map(|(user, comment)| Action::Reply { user, comment, on: None }),
        1 => (user, comment.clone(), post.clone())
            .prop_map(|(user, comment, post)| Action::Reply { user, comment, on: Some(post) }),
        2 => comment.prop_map(|comment| Action::DeleteComment { comment }),
        1 => post.clone().prop_map(|post| Action::DeletePost { post }),
        1 => post.clone().prop_map(|post| Action::Hide { post }),
        2 => post.prop_map(|post| Action::Show { post }),
    ]
}
