//! Response bodies with posts.

use grateful_application::feed::FeedPost;
use grateful_domain::{Author, PostForViewer, Score, Slot};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::response::Timestamp;
use crate::response::codes::{EmojiCode, PostTypeCode, SlotCode};

/// The author of a post or a comment.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuthorView {
    id: i64,
    username: String,
    display_name: Option<String>,
    /// The display name, or the username if there is none.
    name: String,
    /// Equals `profile_image_url`.
    image: Option<String>,
    profile_image_url: Option<String>,
}

/// A post, as the caller sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct PostView {
    id: Uuid,
    author_id: i64,
    title: Option<String>,
    content: String,
    #[schema(value_type = PostTypeCode)]
    post_type: &'static str,
    image_url: Option<String>,
    location: Option<String>,
    is_public: bool,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
    author: AuthorView,
    hearts_count: i32,
    reactions_count: i32,
    shares_count: i32,
    comments_count: i32,
    is_hearted: bool,
    /// The code of the caller's emoji reaction.
    #[schema(value_type = Option<EmojiCode>)]
    current_user_reaction: Option<&'static str>,
    /// The score that determined the post's rank. Only in a feed that was requested with `explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    score: Option<ScoreView>,
}

/// The score of a post for the caller. The total is the product of worth, relationship and decay.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScoreView {
    total: f64,
    /// The sum of engagement and bonus, at least 0.5.
    worth: f64,
    /// The weighted sum of hearts, emoji reactions and shares.
    engagement: f64,
    /// The bonus of the post's type.
    bonus: f64,
    /// 2 if the caller follows the author, otherwise 1.
    relationship: f64,
    /// The factor for the post's age, which halves every day.
    decay: f64,
    /// `ranked` if the post is here for its total, `fresh` if it is here because it is new.
    #[schema(value_type = SlotCode)]
    slot: &'static str,
}

impl From<Author> for AuthorView {
    fn from(author: Author) -> Self {
        Self {
            id: author.id.into(),
            name: author.name().to_owned(),
            username: author.username.into(),
            display_name: author.display_name.map(Into::into),
            image: author.profile_image_url.clone(),
            profile_image_url: author.profile_image_url,
        }
    }
}

impl From<PostForViewer> for PostView {
    fn from(for_viewer: PostForViewer) -> Self {
        let PostForViewer { post, author, is_hearted, reaction } = for_viewer;
        Self {
            id: post.id.into(),
            author_id: post.author.into(),
            title: post.draft.title.map(Into::into),
            content: post.draft.content.into(),
            post_type: post.draft.post_type.code(),
            image_url: post.draft.image_url.map(Into::into),
            location: post.draft.location.map(Into::into),
            is_public: post.draft.visibility.is_public(),
            created_at: post.created_at.into(),
            updated_at: post.updated_at.map(Into::into),
            author: author.into(),
            hearts_count: post.engagement.hearts,
            reactions_count: post.engagement.reactions,
            shares_count: post.engagement.shares,
            comments_count: post.engagement.comments,
            is_hearted,
            current_user_reaction: reaction.map(grateful_domain::Emoji::code),
            score: None,
        }
    }
}

impl PostView {
    /// A post of a feed, with its score if `explain` is set.
    pub(crate) fn from_feed(feed_post: FeedPost, explain: bool) -> Self {
        let FeedPost { post, score, slot } = feed_post;
        let score = explain.then(|| ScoreView::new(score, slot));
        Self { score, ..post.into() }
    }
}

impl ScoreView {
    fn new(score: Score, slot: Slot) -> Self {
        let Score { total, worth, engagement, bonus, relationship, decay } = score;
        Self { total, worth, engagement, bonus, relationship, decay, slot: slot.code() }
    }
}
