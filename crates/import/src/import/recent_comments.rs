//! The older Grateful notified of no comments. Ours keeps track of those of the last days, so it has to know that.

use grateful_domain::notification::{
    SuppressedNotification, SuppressionReason, recipients_of_comment,
};
use grateful_domain::{
    Comment, Content, Draft, Post, PostId, PostType, UserId, Visibility, find_mentions,
};

use crate::world::{PostFacts, World};

/// The notifications that these comments call for and do not have.
pub(super) fn suppressed(comments: &[Comment], world: &World) -> Vec<SuppressedNotification> {
    let of_comment = |comment: &Comment| {
        let facts = world.posts.get(&comment.post.into());
        let post = facts.map(|facts| post(comment.post, facts));
        let parent = comment.parent.and_then(|parent| world.comments.get(&parent.into()));
        let parent_author = parent.map(|parent| UserId::from(parent.author));
        let names = find_mentions(comment.text.as_str());
        let mentioned: Vec<UserId> = names
            .iter()
            .filter_map(|name| world.accounts.of_username(name))
            .map(UserId::from)
            .collect();
        let causes =
            post.map(|post| recipients_of_comment(&post, comment, parent_author, &mentioned));
        let reason = SuppressionReason::Unknown;
        let at = comment.created_at;
        causes
            .into_iter()
            .flatten()
            .map(move |cause| SuppressedNotification::new(cause, reason, at))
    };
    comments.iter().flat_map(of_comment).collect()
}

/// The post, with its author and without its text.
fn post(id: PostId, facts: &PostFacts) -> Post {
    let draft = Draft {
        title: None,
        content: Content::from_stored(String::new()),
        post_type: PostType::Daily,
        image_url: None,
        location: None,
        visibility: Visibility::from_is_public(facts.is_public),
    };
    Post::publish(id, facts.author.into(), draft, facts.created_at)
}
