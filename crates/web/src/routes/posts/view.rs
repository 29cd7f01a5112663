//! Posts as clients read them.

use grateful_application::feed::FeedPost;
use grateful_domain::{Author, PostForViewer, Score, Slot};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::response::Timestamp;

#[derive(Serialize, ToSchema)]
pub(crate) struct AuthorView {
    id: i64,
    username: String,
    display_name: Option<String>,
    /// The display name, else the username.
    name: String,
    /// Equals `profile_image_url`.
    image: Option<String>,
    profile_image_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PostView {
    id: Uuid,
    author_id: i64,
    title: Option<String>,
    content: String,
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
    /// The code of the emoji that the caller left on it.
    current_user_reaction: Option<&'static str>,
    /// Why it stands where it stands; only in a feed, where `explain` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    score: Option<ScoreView>,
}

/// What a post is worth to the caller: worth, relationship and decay multiply to the total.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScoreView {
    total: f64,
    /// Engagement and bonus, but not less than 0.5.
    worth: f64,
    /// Hearts, emoji and shares, weighed.
    engagement: f64,
    /// What posts of its type have over others.
    bonus: f64,
    /// 2 where the caller follows the author, else 1.
    relationship: f64,
    /// What is left of it at its age: half after a day.
    decay: f64,
    /// `ranked` where its total brought it here, `fresh` where it is here for being new.
    #[schema(example = "ranked")]
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
    fn from(seen: PostForViewer) -> Self {
        let PostForViewer { post, author, is_hearted, reaction } = seen;
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
    /// A post of a feed, with what put it there where that is asked for.
    pub(crate) fn of(post: FeedPost, explained: bool) -> Self {
        let FeedPost { seen, score, slot } = post;
        let score = explained.then(|| ScoreView::of(score, slot));
        Self { score, ..seen.into() }
    }
}

impl ScoreView {
    fn of(score: Score, slot: Slot) -> Self {
        let Score { total, worth, engagement, bonus, relationship, decay } = score;
        Self { total, worth, engagement, bonus, relationship, decay, slot: slot.code() }
    }
}
