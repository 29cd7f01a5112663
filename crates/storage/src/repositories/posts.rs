//! The `posts` table, and the numbers of posts that their authors carry.
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
use crate::query::{PostForViewerRow, PostOrder, load_page, statement};
use crate::rows::{AuthorRow, PostRow, emoji_from_code};
use crate::schema::{emoji_reactions, likes, posts};
use crate::{Connection, PostQuery, Result};

/// Posts, as seen through one connection.
pub struct Posts<'c> {
    pub(super) conn: &'c mut Connection,
}

impl Posts<'_> {
    /// The post with this id as `viewer` sees it, unless it is gone or not for them.
    pub async fn find(&mut self, viewer: Viewer, post: PostId) -> Result<Option<PostForViewer>> {
        let select = PostQuery::any_visible_to(viewer).filter().select_one(post);
        let row: Option<PostForViewerRow> = select.first(self.conn).await.optional()?;
        row.map(PostForViewer::try_from).transpose()
    }

    /// The posts that answer `query`, in one statement.
    pub async fn list<W, O: PostOrder>(
        &mut self,
        query: PostQuery<W, O>,
    ) -> Result<Page<PostForViewer, O::Position>> {
        let filter = query.filter();
        let (rows, total): (Vec<PostForViewerRow>, Option<Total>) =
            load_page!(self.conn, filter.select(), filter.total())?;
        let ranked = |row: PostForViewerRow| {
            let rank = row.rank();
            Ok((PostForViewer::try_from(row)?, rank))
        };
        let ranked = rows.into_iter().map(ranked).collect::<Result<Vec<_>>>()?;
        let Page { items, next, .. } =
            Page::from_overfetch(ranked, filter.limit(), |(seen, rank)| O::position(seen, *rank));
        Ok(Page { items: items.into_iter().map(|(seen, _)| seen).collect(), next, total })
    }

    /// Of each of these people their newest posts, up to `limit` each, newest first, as `viewer` sees them, in one statement.
    /// Whoever has none for `viewer` is not in the map.
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
            let seen = PostForViewer::try_from(row)?;
            posts.entry(seen.post.author).or_default().push(seen);
        }
        Ok(posts)
    }

    /// Who wrote each of these posts, of those that are for `viewer`, in one statement.
    pub async fn find_authors(
        &mut self,
        viewer: Viewer,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, Author>> {
        let authors = PostQuery::any_visible_to(viewer).filter().select_authors_among(posts);
        let rows: Vec<(Uuid, AuthorRow)> = authors.load(self.conn).await?;
        Ok(rows.into_iter().map(|(id, author)| (id.into(), author.into())).collect())
    }

    /// Those of these posts that are public and not across a block, as `viewer` sees them, in one statement.
    pub async fn find_public(
        &mut self,
        viewer: Viewer,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, PostForViewer>> {
        let among = PostQuery::visible_to(viewer).filter().select_among(posts);
        let rows: Vec<PostForViewerRow> = among.load(self.conn).await?;
        let seen = rows.into_iter().map(PostForViewer::try_from);
        seen.map(|seen| seen.map(|seen| (seen.post.id, seen))).collect()
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

    /// The same, where this person is its author, whose own row is locked before it: ahead of any number that they carry.
    pub async fn lock_with_author(&mut self, author: UserId, post: PostId) -> Result<Option<Post>> {
        let lock = LockWithAuthor { author: author.into(), post: post.into() };
        let row: Option<PostRow> = lock.get_result(self.conn).await.optional()?;
        row.map(Post::try_from).transpose()
    }

    /// Locks the posts that this person wrote, and those that they answered in any way, in the order of their ids.
    pub async fn lock_involving(&mut self, user: UserId) -> Result<Vec<PostId>> {
        let ids: Vec<Uuid> = LockInvolving { user: user.into() }.load(self.conn).await?;
        Ok(ids.into_iter().map(PostId::from).collect())
    }

    /// Saves a post for the first time, and counts it. Two statements: run it in a transaction.
    ///
    /// # Errors
    /// `Missing` where its author is gone, by `posts_author_id_fkey`; `Taken` where a post has its id, by `posts_pkey`.
    pub async fn insert(&mut self, post: &Post) -> Result<()> {
        self.count(post.author, 1, public(post)).await?;
        diesel::insert_into(posts::table).values(NewPostRow::from(post)).execute(self.conn).await?;
        Ok(())
    }

    /// Saves many posts for the first time, and counts them, in as many statements as for one. At most
    /// [`Posts::MAX_INSERT`].
    ///
    /// # Errors
    /// Those of [`Posts::insert`], and `Query` where there are more: PostgreSQL bounds the values of a statement.
    pub async fn insert_many(&mut self, posts: &[Post]) -> Result<()> {
        let mut counts: BTreeMap<UserId, (i64, i64)> = BTreeMap::new();
        for post in posts {
            let (all, public_ones) = counts.entry(post.author).or_default();
            *all += 1;
            *public_ones += public(post);
        }
        let counts: Vec<_> =
            counts.into_iter().map(|(author, (all, public))| (author, all, public)).collect();
        Users { conn: self.conn }.add_to_post_counts_of_many(&counts).await?;
        let rows: Vec<_> = posts.iter().map(NewPostRow::from).collect();
        diesel::insert_into(posts::table).values(rows).execute(self.conn).await?;
        Ok(())
    }

    /// The most posts that [`Posts::insert_many`] takes: each has ten values, of which a statement has at most 65,535.
    pub const MAX_INSERT: usize = 6_000;

    /// Makes many posts of one person public or private, and counts them anew, in one statement. Tells how many were not so
    /// before.
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

    /// How much each of these posts was answered, in one statement.
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

    /// What this person made of each of these posts, in one statement.
    pub async fn find_viewer_engagement(
        &mut self,
        user: UserId,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, ViewerEngagement>> {
        let user = i64::from(user);
        let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        let heart = likes::post_id.eq(posts::id).and(likes::user_id.eq(user));
        let emoji = emoji_reactions::post_id.eq(posts::id).and(emoji_reactions::user_id.eq(user));
        let rows: Vec<(Uuid, bool, Option<String>)> = posts::table
            .left_join(likes::table.on(heart))
            .left_join(emoji_reactions::table.on(emoji))
            .filter(posts::id.eq_any(ids))
            .select((
                posts::id,
                likes::id.nullable().is_not_null(),
                emoji_reactions::emoji_code.nullable(),
            ))
            .load(self.conn)
            .await?;
        let standing = |(id, is_hearted, code): (Uuid, bool, Option<String>)| {
            let reaction = code.as_deref().map(emoji_from_code).transpose()?;
            Ok((id.into(), ViewerEngagement { is_hearted, reaction }))
        };
        rows.into_iter().map(standing).collect()
    }

    /// Up to `limit` posts by this person, whoever may see them.
    pub async fn list_ids_by(&mut self, author: UserId, limit: i64) -> Result<Vec<PostId>> {
        let ids: Vec<Uuid> = posts::table
            .filter(posts::author_id.eq(i64::from(author)))
            .select(posts::id)
            .limit(limit)
            .load(self.conn)
            .await?;
        Ok(ids.into_iter().map(PostId::from).collect())
    }

    /// Saves what its author changed about a post, and counts it anew: `before` is what [`Posts::lock`] gave.
    /// Run it in the transaction of that lock.
    pub async fn update(&mut self, before: &Post, after: &Post) -> Result<()> {
        let difference = public(after) - public(before);
        if difference != 0 {
            self.count(after.author, 0, difference).await?;
        }
        diesel::update(posts::table.find(Uuid::from(after.id)))
            .set(PostChanges::from(after))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Removes a post with all that hangs on it, and counts it no more: `post` is what [`Posts::lock`] gave.
    /// Run it in the transaction of that lock, and behind
    /// [`Notifications::withdraw_for_post`](crate::Notifications::withdraw_for_post), which takes back what people were told of it.
    pub async fn delete(&mut self, post: &Post) -> Result<()> {
        self.count(post.author, -1, -public(post)).await?;
        diesel::delete(posts::table.find(Uuid::from(post.id))).execute(self.conn).await?;
        Ok(())
    }

    async fn count(&mut self, author: UserId, all: i64, public: i64) -> Result<()> {
        Users { conn: self.conn }.add_to_post_counts(author, all, public).await
    }
}

/// What a post adds to the number of public posts.
fn public(post: &Post) -> i64 {
    post.draft.visibility.is_public().into()
}

/// What somebody made of a post.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ViewerEngagement {
    /// Whether they gave it a heart.
    pub is_hearted: bool,
    /// The emoji that they left on it.
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
    /// Locks the author's row before those of the posts.
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

/// A row of `posts` that is about to be made.
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

/// The columns that an author decides. A `None` is written as NULL, not left out.
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
