//! What people do.

use grateful_domain::Emoji;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const PEOPLE: usize = 3;
pub(crate) const POSTS: usize = 3;

/// Somebody does something. People and posts are numbered, and so are comments, in the order in which they are made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Heart {
        who: usize,
        post: usize,
    },
    Unheart {
        who: usize,
        post: usize,
    },
    React {
        who: usize,
        post: usize,
        emoji: Emoji,
    },
    Unreact {
        who: usize,
        post: usize,
    },
    TakeLink {
        who: usize,
        post: usize,
    },
    GiveLinkBack {
        who: usize,
        post: usize,
    },
    Send {
        who: usize,
        post: usize,
    },
    Comment {
        who: usize,
        post: usize,
    },
    /// On the same post, or wrongly on this one.
    Reply {
        who: usize,
        comment: usize,
        on: Option<usize>,
    },
    Uncomment {
        comment: usize,
    },
    Delete {
        post: usize,
    },
    Hide {
        post: usize,
    },
    Show {
        post: usize,
    },
}

/// Up to forty acts. Those that undo are rarer than those that do, and the end of a post is rare.
pub(crate) fn some() -> impl Strategy<Value = Vec<Act>> {
    vec(one(), 1..40)
}

fn one() -> impl Strategy<Value = Act> {
    let (who, post, comment) = (0..PEOPLE, 0..POSTS, 0..8_usize);
    let pair = (who.clone(), post.clone());
    let emoji = select(&Emoji::ALL[..3]);
    prop_oneof![
        4 => pair.clone().prop_map(|(who, post)| Act::Heart { who, post }),
        3 => pair.clone().prop_map(|(who, post)| Act::Unheart { who, post }),
        4 => (pair.clone(), emoji).prop_map(|((who, post), emoji)| Act::React { who, post, emoji }),
        3 => pair.clone().prop_map(|(who, post)| Act::Unreact { who, post }),
        3 => pair.clone().prop_map(|(who, post)| Act::TakeLink { who, post }),
        2 => pair.clone().prop_map(|(who, post)| Act::GiveLinkBack { who, post }),
        4 => pair.clone().prop_map(|(who, post)| Act::Send { who, post }),
        4 => pair.prop_map(|(who, post)| Act::Comment { who, post }),
        4 => (who.clone(), comment.clone())
            .prop_map(|(who, comment)| Act::Reply { who, comment, on: None }),
        1 => (who, comment.clone(), post.clone())
            .prop_map(|(who, comment, post)| Act::Reply { who, comment, on: Some(post) }),
        2 => comment.prop_map(|comment| Act::Uncomment { comment }),
        1 => post.clone().prop_map(|post| Act::Delete { post }),
        1 => post.clone().prop_map(|post| Act::Hide { post }),
        2 => post.prop_map(|post| Act::Show { post }),
    ]
}
