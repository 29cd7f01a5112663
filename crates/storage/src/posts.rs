//! The `posts` table, and the numbers of posts that their authors carry.
#![expect(clippy::ref_option_ref, reason = "`AsChangeset` derives a reference to each field")]

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Content, Draft, Engagement, ImageUrl, PlaceName, Post, PostId, PostType, SeenPost, Slice,
    Title, UserId, Viewer, Visibility,
};
use uuid::Uuid;

use crate::query::SeenRow;
use crate::schema::posts;
use crate::users::Users;
use crate::{Connection, PostQuery, Result, StorageError};

/// Posts, as seen through one connection.
pub struct Posts<'c> {
    pub(crate) conn: &'c mut Connection,
}

impl Posts<'_> {
    /// The post with this id as `viewer` sees it, unless it is gone or not for them.
    pub async fn find(&mut self, viewer: Viewer, post: PostId) -> Result<Option<SeenPost>> {
        let row: Option<SeenRow> = PostQuery::visible_to(viewer)
            .only(post)
            .into_select()
            .first(self.conn)
            .await
            .optional()?;
        row.map(SeenPost::try_from).transpose()
    }

    /// The posts that answer `query`, newest first.
    pub async fn list(&mut self, query: PostQuery) -> Result<Slice<SeenPost>> {
        let limit = query.limit();
        let rows: Vec<SeenRow> = query.into_select().load(self.conn).await?;
        let seen = rows.into_iter().map(SeenPost::try_from).collect::<Result<Vec<_>>>()?;
        Ok(Slice::cut(seen, limit, |seen| seen.post.position()))
    }

    /// The post with this id, whoever may see it, locked until the transaction ends.
    pub async fn lock(&mut self, post: PostId) -> Result<Option<Post>> {
        let row = posts::table
            .find(Uuid::from(post))
            .select(PostRow::as_select())
            .for_no_key_update()
            .first(self.conn)
            .await
            .optional()?;
        row.map(Post::try_from).transpose()
    }

    /// Saves a post for the first time, and counts it.
    pub async fn insert(&mut self, post: &Post) -> Result<()> {
        self.count(post.author, 1, public(post)).await?;
        let changes = Changes::from(post);
        diesel::insert_into(posts::table)
            .values((
                posts::id.eq(Uuid::from(post.id)),
                posts::author_id.eq(i64::from(post.author)),
                posts::created_at.eq(post.created_at),
                changes,
            ))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Saves what its author changed about a post, and counts it anew: `before` is what [`Posts::lock`] gave.
    pub async fn update(&mut self, before: &Post, after: &Post) -> Result<()> {
        let difference = public(after) - public(before);
        if difference != 0 {
            self.count(after.author, 0, difference).await?;
        }
        diesel::update(posts::table.find(Uuid::from(after.id)))
            .set(Changes::from(after))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Removes a post with all that hangs on it, and counts it no more: `post` is what [`Posts::lock`] gave.
    pub async fn delete(&mut self, post: &Post) -> Result<()> {
        self.count(post.author, -1, -public(post)).await?;
        diesel::delete(posts::table.find(Uuid::from(post.id))).execute(self.conn).await?;
        Ok(())
    }

    async fn count(&mut self, author: UserId, all: i64, public: i64) -> Result<()> {
        Users { conn: self.conn }.count_posts(author, all, public).await
    }
}

/// What a post adds to the number of public posts.
fn public(post: &Post) -> i64 {
    post.draft.visibility.is_public().into()
}

/// A row of `posts`, but for its rank.
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
                location: row.location.map(PlaceName::from_stored),
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

/// The columns that an author decides. A `None` is written as NULL, not left out.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = posts, treat_none_as_null = true)]
struct Changes<'p> {
    title: Option<&'p str>,
    content: &'p str,
    post_type: &'static str,
    image_url: Option<&'p str>,
    location: Option<&'p str>,
    is_public: bool,
    updated_at: Option<DateTime<Utc>>,
}

impl<'p> From<&'p Post> for Changes<'p> {
    fn from(post: &'p Post) -> Self {
        let draft = &post.draft;
        Self {
            title: draft.title.as_ref().map(Title::as_str),
            content: draft.content.as_str(),
            post_type: draft.post_type.code(),
            image_url: draft.image_url.as_ref().map(ImageUrl::as_str),
            location: draft.location.as_ref().map(PlaceName::as_str),
            is_public: draft.visibility.is_public(),
            updated_at: post.updated_at,
        }
    }
}
