//! The `posts` table, and the post counters of authors.
#![expect(clippy::ref_option_ref, reason = "`AsChangeset` derives a reference to each field")]

mod images;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Author, Emoji, Engagement, ImageUrl, Limit, LocationName, Page, Post, PostForViewer, PostId,
    Title, Total, UserId, Viewer, Visibility,
};
use uuid::Uuid;

use super::users::Users;
use crate::query::{PostForViewerRow, PostOrder, PostQuery, load_page, statement};
use crate::rows::{AuthorRow, PostRow, emoji_from_code};
use crate::schema::{emoji_reactions, likes, posts};
use crate::{Connection, Result};

/// The repository of posts.
pub struct Posts<'c> {
    pub(super) conn: &'c mut Connection,
}

impl Posts<'_> {
    /// Finds a post by id, if the viewer can see it.
    pub async fn find(&mut self, viewer: Viewer, post: PostId) -> Result<Option<PostForViewer>> {
        let select = PostQuery::any_visible_to(viewer).filter().select_one(post);
        let row: Option<PostForViewerRow> = select.first(self.conn).await.optional()?;
        row.map(PostForViewer::try_from).transpose()
    }

    /// Runs a list query, in one statement.
    pub async fn list<W, O: PostOrder>(
        &mut self,
        query: PostQuery<W, O>,
    ) -> Result<Page<PostForViewer, O::Position>> {
        let filter = query.filter();
        let (rows, total): (Vec<PostForViewerRow>, Option<Total>) =
            load_page!(self.conn, filter.select(), filter.total())?;
        let with_rank = |row: PostForViewerRow| {
            let rank = row.rank();
            Ok((PostForViewer::try_from(row)?, rank))
        };
        let ranked = rows.into_iter().map(with_rank).collect::<Result<Vec<_>>>()?;
        let Page { items, next, .. } =
            Page::from_overfetch(ranked, filter.limit(), |(post, rank)| O::position(post, *rank));
        Ok(Page { items: items.into_iter().map(|(post, _)| post).collect(), next, total })
    }

    /// Lists the newest posts of each author, newest first, at most `limit` per author, in one statement. Authors without a
    /// post that the viewer can see are not in the map.
    pub async fn list_by_each_author(
        &mut self,
        viewer: Viewer,
        authors: &[UserId],
        limit: Limit,
    ) -> Result<HashMap<UserId, Vec<PostForViewer>>> {
        let query = PostQuery::visible_to(viewer).by_authors(authors).limit(limit);
        let rows: Vec<PostForViewerRow> =
            query.filter().select_per_author().load(self.conn).await?;
        let mut posts: HashMap<UserId, Vec<PostForViewer>> = HashMap::new();
        for row in rows {
            let post = PostForViewer::try_from(row)?;
            posts.entry(post.post.author).or_default().push(post);
        }
        Ok(posts)
    }

    /// Finds the authors of those of these posts that the viewer can see, in one statement.
    pub async fn find_authors(
        &mut self,
        viewer: Viewer,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, Author>> {
        let select = PostQuery::any_visible_to(viewer).filter().select_authors_among(posts);
        let rows: Vec<(Uuid, AuthorRow)> = select.load(self.conn).await?;
        Ok(rows.into_iter().map(|(id, author)| (id.into(), author.into())).collect())
    }

    /// Finds those of these posts that are public and that the viewer can see, in one statement.
    pub async fn find_public(
        &mut self,
        viewer: Viewer,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, PostForViewer>> {
        let select = PostQuery::visible_to(viewer).filter().select_among(posts);
        let rows: Vec<PostForViewerRow> = select.load(self.conn).await?;
        let posts = rows.into_iter().map(PostForViewer::try_from);
        posts.map(|post| post.map(|post| (post.post.id, post))).collect()
    }

    /// Finds a post by id, regardless of visibility, and locks it until the transaction ends.
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

    /// Like [`Posts::lock`], but only if `author` is the author. Locks the author's row before the post, because the
    /// counters of the author change with the post.
    pub async fn lock_with_author(&mut self, author: UserId, post: PostId) -> Result<Option<Post>> {
        let lock = LockWithAuthor { author: author.into(), post: post.into() };
        let row: Option<PostRow> = lock.get_result(self.conn).await.optional()?;
        row.map(Post::try_from).transpose()
    }

    /// Locks the posts that the user wrote or engaged with, in id order.
    pub async fn lock_involving(&mut self, user: UserId) -> Result<Vec<PostId>> {
        let ids: Vec<Uuid> = LockInvolving { user: user.into() }.load(self.conn).await?;
        Ok(ids.into_iter().map(PostId::from).collect())
    }

    /// Inserts a post and counts it. Runs two statements, so it needs a transaction.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `posts_author_id_fkey` if the author does not exist; `UniqueViolation` with `posts_pkey`
    /// if the id exists.
    pub async fn insert(&mut self, post: &Post) -> Result<()> {
        self.count(post.author, 1, public_count(post)).await?;
        diesel::insert_into(posts::table).values(NewPostRow::from(post)).execute(self.conn).await?;
        Ok(())
    }

    /// Inserts several posts and counts them, in as many statements as for one. At most [`Posts::MAX_INSERT`].
    ///
    /// # Errors
    /// Those of [`Posts::insert`], and `Query` if there are too many: PostgreSQL limits the bound values of a statement.
    pub async fn insert_many(&mut self, posts: &[Post]) -> Result<()> {
        let mut counts: BTreeMap<UserId, (i64, i64)> = BTreeMap::new();
        for post in posts {
            let (all, public) = counts.entry(post.author).or_default();
            *all += 1;
            *public += public_count(post);
        }
        let counts: Vec<_> =
            counts.into_iter().map(|(author, (all, public))| (author, all, public)).collect();
        Users { conn: self.conn }.add_to_post_counts_of_many(&counts).await?;
        let rows: Vec<_> = posts.iter().map(NewPostRow::from).collect();
        diesel::insert_into(posts::table).values(rows).execute(self.conn).await?;
        Ok(())
    }

    /// The maximum number of posts for [`Posts::insert_many`]: a statement has at most 65,535 bound values, a post ten.
    pub const MAX_INSERT: usize = 6_000;

    /// Makes several posts of one author public or private and updates the counters, in one statement. Returns the number of
    /// posts that changed.
    pub async fn set_visibility(
        &mut self,
        author: UserId,
        posts: &[PostId],
        visibility: Visibility,
    ) -> Result<i64> {
        let set = SetVisibility {
            author: author.into(),
            posts: posts.iter().copied().map(Uuid::from).collect(),
            is_public: visibility.is_public(),
        };
        Ok(set.get_result(self.conn).await?)
    }

    /// Finds the engagement counters of these posts, in one statement.
    pub async fn find_engagement(
        &mut self,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, Engagement>> {
        let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        let rows: Vec<(Uuid, i32, i32, i32, i32)> = posts::table
            .filter(posts::id.eq_any(ids))
            .select((
                posts::id,
                posts::hearts_count,
                posts::reactions_count,
                posts::shares_count,
                posts::comments_count,
            ))
            .load(self.conn)
            .await?;
        let engagement = |(id, hearts, reactions, shares, comments): (Uuid, _, _, _, _)| {
            (id.into(), Engagement { hearts, reactions, shares, comments })
        };
        Ok(rows.into_iter().map(engagement).collect())
    }

    /// Finds a user's own heart and reaction on each of these posts, in one statement.
    pub async fn find_viewer_engagement(
        &mut self,
        user: UserId,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, ViewerEngagement>> {
        let user = i64::from(user);
        let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        let own_heart = likes::post_id.eq(posts::id).and(likes::user_id.eq(user));
        let own_reaction =
            emoji_reactions::post_id.eq(posts::id).and(emoji_reactions::user_id.eq(user));
        let rows: Vec<(Uuid, bool, Option<String>)> = posts::table
            .left_join(likes::table.on(own_heart))
            .left_join(emoji_reactions::table.on(own_reaction))
            .filter(posts::id.eq_any(ids))
            .select((
                posts::id,
                likes::id.nullable().is_not_null(),
                emoji_reactions::emoji_code.nullable(),
            ))
            .load(self.conn)
            .await?;
        let engagement = |(id, is_hearted, code): (Uuid, bool, Option<String>)| {
            let reaction = code.as_deref().map(emoji_from_code).transpose()?;
            Ok((id.into(), ViewerEngagement { is_hearted, reaction }))
        };
        rows.into_iter().map(engagement).collect()
    }

    /// Lists the ids of an author's posts, regardless of visibility, in no particular order.
    pub async fn list_ids_by(&mut self, author: UserId, limit: i64) -> Result<Vec<PostId>> {
        let ids: Vec<Uuid> = posts::table
            .filter(posts::author_id.eq(i64::from(author)))
            .select(posts::id)
            .limit(limit)
            .load(self.conn)
            .await?;
        Ok(ids.into_iter().map(PostId::from).collect())
    }

    /// Updates the columns that the author can edit, and the counters. `before` is the result of [`Posts::lock`] in the same
    /// transaction.
    pub async fn update(&mut self, before: &Post, after: &Post) -> Result<()> {
        let public_difference = public_count(after) - public_count(before);
        if public_difference != 0 {
            self.count(after.author, 0, public_difference).await?;
        }
        diesel::update(posts::table.find(Uuid::from(after.id)))
            .set(PostChanges::from(after))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Deletes a post and, by cascade, everything that belongs to it, and updates the counters. `post` is the result of
    /// [`Posts::lock`] in the same transaction. Call
    /// [`Notifications::withdraw_for_post`](crate::Notifications::withdraw_for_post) first, which removes the notifications
    /// about the post.
    pub async fn delete(&mut self, post: &Post) -> Result<()> {
        self.count(post.author, -1, -public_count(post)).await?;
        diesel::delete(posts::table.find(Uuid::from(post.id))).execute(self.conn).await?;
        Ok(())
    }

    async fn count(&mut self, author: UserId, all: i64, public: i64) -> Result<()> {
        Users { conn: self.conn }.add_to_post_counts(author, all, public).await
    }
}

/// The post's contribution to the counter of public posts: 1 or 0.
fn public_count(post: &Post) -> i64 {
    post.draft.visibility.is_public().into()
}

/// A user's own heart and reaction on a post.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ViewerEngagement {
    /// Whether the user gave the post a heart.
    pub is_hearted: bool,
    /// The user's emoji reaction.
    pub reaction: Option<Emoji>,
}

statement! {
    LockWithAuthor(author: i64 as BigInt, post: Uuid as SqlUuid) -> SqlTypeOf<AsSelect<PostRow, Pg>> {
        "person AS MATERIALIZED (
            SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE
        )
        SELECT posts.id, author_id, title, content, post_type, image_url, location, is_public, created_at, updated_at,
            hearts_count, reactions_count, shares_count, comments_count
        FROM posts JOIN person ON person.id = posts.author_id WHERE posts.id = $2 FOR NO KEY UPDATE OF posts"
    }
}

statement! {
    LockInvolving(user: i64 as BigInt) -> SqlUuid {
        "touched AS (
            SELECT id FROM posts WHERE author_id = $1
            UNION SELECT post_id FROM likes WHERE user_id = $1
            UNION SELECT post_id FROM emoji_reactions WHERE user_id = $1
            UNION SELECT post_id FROM shares WHERE user_id = $1
            UNION SELECT post_id FROM comments WHERE author_id = $1
        )
        SELECT id FROM posts WHERE id IN (SELECT id FROM touched) ORDER BY id FOR NO KEY UPDATE"
    }
}

statement! {
    /// Locks the row of the author before those of the posts.
    SetVisibility(author: i64 as BigInt, posts: Vec<Uuid> as Array<SqlUuid>, is_public: bool as Bool) -> BigInt {
        "person AS MATERIALIZED (
            SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE
        ), part AS MATERIALIZED (
            SELECT posts.id FROM posts JOIN person ON posts.author_id = person.id
            WHERE posts.id = ANY ($2) ORDER BY posts.id FOR NO KEY UPDATE OF posts
        ), changed AS (
            UPDATE posts SET is_public = $3 FROM part WHERE posts.id = part.id AND posts.is_public <> $3
            RETURNING posts.id
        ), counted AS (
            UPDATE users SET public_posts_count = public_posts_count
                + (SELECT count(*) FROM changed) * CASE WHEN $3 THEN 1 ELSE -1 END
            WHERE id = $1
        )
        SELECT count(*) FROM changed"
    }
}

/// A row of `posts` to insert.
#[derive(Insertable)]
#[diesel(table_name = posts)]
struct NewPostRow<'p> {
    id: Uuid,
    author_id: i64,
    created_at: DateTime<Utc>,
    #[diesel(embed)]
    changes: PostChanges<'p>,
}

impl<'p> From<&'p Post> for NewPostRow<'p> {
    fn from(post: &'p Post) -> Self {
        Self {
            id: post.id.into(),
            author_id: post.author.into(),
            created_at: post.created_at,
            changes: post.into(),
        }
    }
}

/// The columns of `posts` that the author can edit. `None` is written as NULL, not skipped.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = posts, treat_none_as_null = true)]
struct PostChanges<'p> {
    title: Option<&'p str>,
    content: &'p str,
    post_type: &'static str,
    image_url: Option<&'p str>,
    location: Option<&'p str>,
    is_public: bool,
    updated_at: Option<DateTime<Utc>>,
}

impl<'p> From<&'p Post> for PostChanges<'p> {
    fn from(post: &'p Post) -> Self {
        let draft = &post.draft;
        Self {
            title: draft.title.as_ref().map(Title::as_str),
            content: draft.content.as_str(),
            post_type: draft.post_type.code(),
            image_url: draft.image_url.as_ref().map(ImageUrl::as_str),
            location: draft.location.as_ref().map(LocationName::as_str),
            is_public: draft.visibility.is_public(),
            updated_at: post.updated_at,
        }
    }
}
