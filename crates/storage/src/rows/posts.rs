//! Rows of `posts`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use grateful_domain::{
    Content, Draft, Engagement, ImageUrl, LocationName, Post, PostType, Title, Visibility,
};
use uuid::Uuid;

use crate::error::{Result, StorageError};
use crate::schema::posts;

/// A row of `posts` without the rank.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = posts)]
pub(crate) struct PostRow {
    id: Uuid,
    author_id: i64,
    title: Option<String>,
    content: String,
    post_type: String,
    image_url: Option<String>,
    location: Option<String>,
    is_public: bool,
    created_at: DateTime<Utc>,
    updated_at: Option<DateTime<Utc>>,
    hearts_count: i32,
    reactions_count: i32,
    shares_count: i32,
    comments_count: i32,
}

impl TryFrom<PostRow> for Post {
    type Error = StorageError;

    fn try_from(row: PostRow) -> Result<Self> {
        let post_type = PostType::from_code(&row.post_type)
            .map_err(|_| StorageError::Corrupt { column: "posts.post_type" })?;
        Ok(Self {
            id: row.id.into(),
            author: row.author_id.into(),
            draft: Draft {
                title: row.title.map(Title::from_stored),
                content: Content::from_stored(row.content),
                post_type,
                image_url: row.image_url.map(ImageUrl::from_stored),
                location: row.location.map(LocationName::from_stored),
                visibility: Visibility::from_is_public(row.is_public),
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
            engagement: Engagement {
                hearts: row.hearts_count,
                reactions: row.reactions_count,
                shares: row.shares_count,
                comments: row.comments_count,
            },
        })
    }
}
