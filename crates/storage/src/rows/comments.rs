//! Rows of `comments`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use grateful_domain::{Comment, CommentId, CommentText, UserId};
use uuid::Uuid;

use crate::schema::comments;

/// A row of `comments`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = comments)]
pub(crate) struct CommentRow {
    id: Uuid,
    author_id: i64,
    post_id: Uuid,
    parent_id: Option<Uuid>,
    content: String,
    created_at: DateTime<Utc>,
    updated_at: Option<DateTime<Utc>>,
}

impl From<CommentRow> for Comment {
    fn from(row: CommentRow) -> Self {
        Self {
            id: row.id.into(),
            post: row.post_id.into(),
            author: UserId::from(row.author_id),
            parent: row.parent_id.map(CommentId::from),
            text: CommentText::from_stored(row.content),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
