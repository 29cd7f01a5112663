//! The `posts` table, and the post counters of authors.
#![expect(clippy::ref_option_ref, reason = "`AsChangeset` derives a reference to each field")]

mod images;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use futures_util::future::join;
use grateful_domain::{
    ImageUrl, Limit, LocationName, Page, Post, PostForViewer, PostId, Title, UserId, Viewer,
};
use uuid::Uuid;

use super::users::Users;
use crate::query::{PostForViewerRow, PostQuery, public_posts, statement, visible_posts};
use crate::rows::PostRow;
use crate::schema::posts;
use crate::{Connection, LockConnection, ReadConnection, Result, StorageError};

/// The repository of posts.
pub struct Posts<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

impl<C: ReadConnection> Posts<'_, C> {
    /// Finds a post by id, if the viewer can see it.
    pub async fn find(&mut self, viewer: Viewer, post: PostId) -> Result<Option<PostForViewer>> {
        let viewer = viewer.user().map(i64::from);
        let select = visible_posts(viewer).filter(posts::id.eq(Uuid::from(post)));
        let row: Option<PostForViewerRow> = select.first(self.conn).await.optional()?;
        row.map(PostForViewer::try_from).transpose()
    }

    /// Runs a list query, in one statement, and a second one if the total is requested.
    pub async fn list(&mut self, query: PostQuery) -> Result<Page<PostForViewer>> {
        let (rows, total) = query.fetch(self.conn).await?;
        let posts = rows.into_iter().map(PostForViewer::try_from).collect::<Result<_>>()?;
        let page = Page::from_overfetch(posts, query.page.limit, |post| post.post.position());
        Ok(page.with_total(total))
    }

    /// Lists the newest posts of each author, newest first, at most `limit` per author, in one statement. Authors without a
    /// post that the viewer can see are not in the map.
    pub async fn list_by_each_author(
        &mut self,
        viewer: Viewer,
        authors: &[UserId],
        limit: Limit,
    ) -> Result<HashMap<UserId, Vec<PostForViewer>>> {
        let viewer = viewer.user().map(i64::from);
        let newest = NewestPostsPerAuthor {
            viewer_id: viewer,
            author_ids: authors.iter().copied().map(i64::from).collect(),
            max_posts: limit.into(),
        };
        let ids: Vec<Uuid> = newest.load(self.conn).await?;
        let newest_first = (posts::created_at.desc(), posts::id.desc());
        let select = visible_posts(viewer).filter(posts::id.eq_any(ids)).order(newest_first);
        let rows: Vec<PostForViewerRow> = select.load(self.conn).await?;
        let mut posts: HashMap<UserId, Vec<PostForViewer>> = HashMap::new();
        for row in rows {
            let post = PostForViewer::try_from(row)?;
            posts.entry(post.post.author).or_default().push(post);
        }
        Ok(posts)
    }

    /// Finds those of these posts that are public and that the viewer can see, in one statement.
    pub async fn find_public(
        &mut self,
        viewer: Viewer,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, PostForViewer>> {
        let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        let select = public_posts(viewer.user().map(i64::from)).filter(posts::id.eq_any(ids));
        let rows: Vec<PostForViewerRow> = select.load(self.conn).await?;
        let posts = rows.into_iter().map(PostForViewer::try_from);
        posts.map(|post| post.map(|post| (post.post.id, post))).collect()
    }
}

impl<C: ReadConnection> Posts<'_, C> {
    /// Checks for many pairs of a user and a post whether the user can see the post, in one statement. Returns the author of
    /// the post for each pair for which that is so.
    pub async fn find_visible(
        &mut self,
        pairs: &[(UserId, PostId)],
    ) -> Result<HashMap<(UserId, PostId), UserId>> {
        let find = FindVisible {
            user_ids: pairs.iter().map(|(user, _)| i64::from(*user)).collect(),
            post_ids: pairs.iter().map(|(_, post)| Uuid::from(*post)).collect(),
        };
        let rows: Vec<(i64, Uuid, i64)> = find.load(self.conn).await?;
        let entry = |(user, post, author): (i64, Uuid, i64)| {
            ((user.into(), post.into()), UserId::from(author))
        };
        Ok(rows.into_iter().map(entry).collect())
    }
}

impl<C: LockConnection> Posts<'_, C> {
    /// Locks the rows of these posts in id order until the transaction ends.
    pub(super) async fn lock_rows(&mut self, posts: &[Uuid]) -> Result<()> {
        posts::table
            .filter(posts::id.eq_any(posts))
            .select(posts::id)
            .order(posts::id)
            .for_no_key_update()
            .load::<Uuid>(self.conn)
            .await?;
        Ok(())
    }
}

impl Posts<'_> {
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

    /// Locks a post that is to be deleted, and its author before it, whether or not they are marked as deleted.
    pub async fn lock_for_deletion(&mut self, post: PostId) -> Result<Option<Post>> {
        let author: Option<i64> = posts::table
            .find(Uuid::from(post))
            .select(posts::author_id)
            .first(self.conn)
            .await
            .optional()?;
        let Some(author) = author else { return Ok(None) };
        Users { conn: self.conn }.lock_rows(&[author]).await?;
        self.lock(post).await
    }

    /// Marks a post as deleted: it becomes private, and its author no longer finds it either. A background job deletes it
    /// with everything below it. `post` is the result of [`Posts::lock_with_author`] or [`Posts::lock_for_deletion`] in the
    /// same transaction.
    pub async fn mark_deleted(&mut self, post: &Post, now: DateTime<Utc>) -> Result<()> {
        if post.draft.visibility.is_public() {
            self.count(post.author, 0, -1).await?;
        }
        diesel::update(posts::table.find(Uuid::from(post.id)))
            .set((posts::is_public.eq(false), posts::deleted_at.eq(now)))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Inserts a post and counts it. Runs two statements, so it needs a transaction.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `posts_author_id_fkey` if the author does not exist or is deleted; `UniqueViolation` with
    /// `posts_pkey` if the id exists.
    pub async fn insert(&mut self, post: &Post) -> Result<()> {
        self.insert_many(std::slice::from_ref(post)).await
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
        let rows: Vec<_> = posts.iter().map(NewPostRow::from).collect();
        let (mut counting, mut inserting): (&Connection, &Connection) = (self.conn, self.conn);
        // Sent together. The counts are first, because their users are locked before posts.
        let mut users = Users { conn: &mut counting };
        let (counted, inserted) = join(
            users.add_to_post_counts(&counts),
            diesel::insert_into(posts::table).values(rows).execute(&mut inserting),
        )
        .await;
        if !counted? {
            let constraint = "posts_author_id_fkey".to_owned();
            return Err(StorageError::ForeignKeyViolation { constraint });
        }
        inserted?;
        Ok(())
    }

    /// The maximum number of posts for [`Posts::insert_many`]: a statement has at most 65,535 bound values, a post ten.
    pub const MAX_INSERT: usize = 6_000;

    /// Finds one of an author's posts, also if it is deleted.
    pub async fn find_any_by(&mut self, author: UserId) -> Result<Option<PostId>> {
        let post: Option<Uuid> = posts::table
            .filter(posts::author_id.eq(i64::from(author)))
            .select(posts::id)
            .first(self.conn)
            .await
            .optional()?;
        Ok(post.map(PostId::from))
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
    /// [`Posts::lock_for_deletion`] in the same transaction. Delete its comments and engagement and withdraw the
    /// notifications about it first.
    pub async fn delete(&mut self, post: &Post) -> Result<()> {
        self.count(post.author, -1, -public_count(post)).await?;
        diesel::delete(posts::table.find(Uuid::from(post.id))).execute(self.conn).await?;
        Ok(())
    }

    async fn count(&mut self, author: UserId, all: i64, public: i64) -> Result<()> {
        Users { conn: self.conn }.add_to_post_counts(&[(author, all, public)]).await?;
        Ok(())
    }
}

/// The post's contribution to the counter of public posts: 1 or 0.
fn public_count(post: &Post) -> i64 {
    post.draft.visibility.is_public().into()
}

statement! {
    /// As [`visible_posts`], for many viewers. Blocks are counted: with `EXISTS`, PostgreSQL might search all blocks instead.
    FindVisible {
        user_ids: Vec<i64> as Array<BigInt>,
        post_ids: Vec<Uuid> as Array<SqlUuid>,
    } -> (BigInt, SqlUuid, BigInt),
    "SELECT wanted.user_id, wanted.post_id, post.author_id
    FROM unnest(:user_ids, :post_ids) AS wanted (user_id, post_id)
    JOIN posts AS post ON post.id = wanted.post_id
    JOIN users AS author ON author.id = post.author_id AND author.deleted_at IS NULL
    WHERE (post.is_public OR post.author_id = wanted.user_id AND post.deleted_at IS NULL) AND (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE follower_id = wanted.user_id AND followed_id = post.author_id
    ) + (
        SELECT count(*) FILTER (WHERE status = 'blocked') FROM follows
        WHERE follower_id = post.author_id AND followed_id = wanted.user_id
    ) = 0"
}

statement! {
    LockWithAuthor { author: i64 as BigInt, post: Uuid as SqlUuid } -> SqlTypeOf<AsSelect<PostRow, Pg>>,
    "WITH person AS MATERIALIZED (
        SELECT id FROM users WHERE id = :author AND deleted_at IS NULL FOR NO KEY UPDATE
    )
    SELECT posts.id, author_id, title, content, post_type, image_url, location, is_public, created_at, updated_at,
        hearts_count, reactions_count, shares_count, comments_count
    FROM posts JOIN person ON person.id = posts.author_id
    WHERE posts.id = :post AND posts.deleted_at IS NULL FOR NO KEY UPDATE OF posts"
}

statement! {
    /// The newest posts of each author. Each step reads the next post of every author by index (a loose index scan). For a
    /// hundred posts at once, the planner would sort all posts of a prolific author.
    NewestPostsPerAuthor {
        viewer_id: Option<i64> as Nullable<BigInt>,
        author_ids: Vec<i64> as Array<BigInt>,
        max_posts: i64 as BigInt,
    } -> SqlUuid,
    "WITH RECURSIVE walk AS (
        SELECT newest.*, author.id AS author_id, 1 AS place
        FROM (SELECT DISTINCT id FROM unnest(:author_ids) AS author (id)) AS author, LATERAL (
            SELECT id, created_at FROM posts
            WHERE author_id = author.id AND (is_public OR author_id = :viewer_id AND deleted_at IS NULL)
            ORDER BY created_at DESC, id DESC LIMIT 1
        ) AS newest
        WHERE NOT (author.id = ANY (SELECT user_id FROM hidden_users(:viewer_id)))
        UNION ALL
        SELECT next.*, walk.author_id, walk.place + 1 FROM walk, LATERAL (
            SELECT id, created_at FROM posts
            WHERE author_id = walk.author_id AND (is_public OR author_id = :viewer_id AND deleted_at IS NULL)
                AND ROW(created_at, id) < ROW(walk.created_at, walk.id)
            ORDER BY created_at DESC, id DESC LIMIT 1
        ) AS next
        WHERE walk.place < :max_posts
    )
    SELECT id FROM walk"
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
