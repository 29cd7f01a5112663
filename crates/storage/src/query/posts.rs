//! Lists of posts.

use chrono::{DateTime, Utc};
use diesel::dsl;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::{Limit, PageRequest, PostForViewer, Total, UserId, Viewer};

use super::hidden::NotHidden;
use super::not_hidden;
use super::paging::{END_OF_TIME, count_up_to, paginate};
use crate::rows::{AuthorRow, PostRow, emoji_from_code};
use crate::schema::{emoji_reactions, likes, posts, users};
use crate::{ReadConnection, Result, StorageError};

/// A query for a list of posts, newest first. It starts with [`PostQuery::visible_to`], so no list can ignore privacy or
/// blocks.
///
/// Every list reads an index in its order. On the way it reads and discards posts by users with a block to or from the
/// viewer, and private posts of another author in the list of one author.
///
/// ```
/// use grateful_domain::{Limit, PageRequest, UserId, Viewer};
/// use grateful_storage::PostQuery;
///
/// let (ana, ben) = (UserId::from(1), UserId::from(2));
///
/// let newest = PostQuery::visible_to(Viewer::User(ben)).page(PageRequest::first(Limit::MAX));
/// let posts_of_ana = PostQuery::visible_to(Viewer::User(ben)).by_author(ana).with_total(1_000);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct PostQuery {
    viewer: Viewer,
    author: Option<UserId>,
    until: Option<DateTime<Utc>>,
    pub(crate) page: PageRequest,
    max_total: Option<u16>,
}

impl PostQuery {
    /// The public posts of all authors that `viewer` can see. Private posts are only in the list of their author, and only
    /// for the author.
    pub fn visible_to(viewer: Viewer) -> Self {
        Self {
            viewer,
            author: None,
            until: None,
            page: PageRequest::first(Limit::DEFAULT),
            max_total: None,
        }
    }

    /// Restricts the list to one author. The author sees their private posts too.
    pub fn by_author(self, author: UserId) -> Self {
        Self { author: Some(author), ..self }
    }

    /// Restricts the list to posts created before this time.
    pub fn until(self, time: DateTime<Utc>) -> Self {
        Self { until: Some(time), ..self }
    }

    /// Sets the page. Default: the first 20 posts.
    pub fn page(self, page: PageRequest) -> Self {
        Self { page, ..self }
    }

    /// Also counts the posts of the list, but stops after `max`.
    pub fn with_total(self, max: u16) -> Self {
        Self { max_total: Some(max), ..self }
    }

    /// Loads a page, plus one post to know whether there is a next page, and the total if it was requested.
    pub(crate) async fn fetch<C: ReadConnection>(
        &self,
        conn: &mut C,
    ) -> Result<(Vec<PostForViewerRow>, Option<Total>)> {
        let (time, id) = (posts::created_at, posts::id);
        let viewer = self.viewer.user().map(i64::from);
        let until = self.until.unwrap_or(END_OF_TIME);
        // Each of the two has a type, and so its text once.
        Ok(match self.author {
            None => {
                let list = || newest_public_posts(viewer, until);
                let total = count_up_to(conn, list, self.max_total).await?;
                (paginate(list(), self.page, time, id).load(conn).await?, total)
            }
            Some(author) => {
                let list = || newest_posts_of(viewer, until, author.into());
                let total = count_up_to(conn, list, self.max_total).await?;
                (paginate(list(), self.page, time, id).load(conn).await?, total)
            }
        })
    }
}

#[dsl::auto_type]
pub(super) fn newest_public_posts(viewer: Option<i64>, until: DateTime<Utc>) -> _ {
    let newest_first = (posts::created_at.desc(), posts::id.desc());
    let all: public_posts = public_posts(viewer);
    all.filter(posts::created_at.lt(until)).order(newest_first)
}

#[dsl::auto_type]
pub(super) fn newest_posts_of(viewer: Option<i64>, until: DateTime<Utc>, author: i64) -> _ {
    let newest_first = (posts::created_at.desc(), posts::id.desc());
    let is_listed = posts::author_id.eq(author).and(posts::created_at.lt(until));
    let all: visible_posts = visible_posts(viewer);
    all.filter(is_listed).order(newest_first)
}

/// Selects all posts that the viewer can see, including their own private ones, in no particular order. For lookups by id or
/// author; no index lists them together.
#[dsl::auto_type]
pub(crate) fn visible_posts(viewer: Option<i64>) -> _ {
    let is_visible_author: NotHidden<posts::author_id> = not_hidden(viewer, posts::author_id);
    let is_own = posts::author_id.nullable().eq(viewer).and(posts::deleted_at.is_null().nullable());
    let is_visible = posts::is_public.nullable().or(is_own);
    let all: posts_for_viewer = posts_for_viewer(viewer);
    all.filter(is_visible_author).filter(is_visible)
}

/// Selects the public posts that the viewer can see, in no particular order.
#[dsl::auto_type]
pub(crate) fn public_posts(viewer: Option<i64>) -> _ {
    let is_visible_author: NotHidden<posts::author_id> = not_hidden(viewer, posts::author_id);
    let all: posts_for_viewer = posts_for_viewer(viewer);
    all.filter(is_visible_author).filter(posts::is_public)
}

/// Posts with their author, and the viewer's heart and reaction. These are subqueries per post: with joins, PostgreSQL would
/// read all hearts and reactions of the viewer. That of the heart is answered by its index alone.
#[dsl::auto_type]
fn posts_for_viewer(viewer: Option<i64>) -> _ {
    let own_heart = likes::table
        .filter(likes::post_id.eq(posts::id))
        .filter(likes::user_id.nullable().eq(viewer))
        .select(likes::user_id)
        .single_value();
    let own_reaction = emoji_reactions::table
        .filter(emoji_reactions::post_id.eq(posts::id))
        .filter(emoji_reactions::user_id.nullable().eq(viewer))
        .select(emoji_reactions::emoji_code)
        .single_value();
    let post: <PostRow as Selectable<Pg>>::SelectExpression =
        <PostRow as Selectable<Pg>>::construct_selection();
    let author: <AuthorRow as Selectable<Pg>>::SelectExpression =
        <AuthorRow as Selectable<Pg>>::construct_selection();
    let columns = (post, author, own_heart.is_not_null(), own_reaction);
    posts::table.inner_join(users::table).select(columns)
}

/// A post with its author, and the viewer's heart and reaction.
#[derive(Queryable)]
pub(crate) struct PostForViewerRow {
    post: PostRow,
    author: AuthorRow,
    is_hearted: bool,
    reaction: Option<String>,
}

impl TryFrom<PostForViewerRow> for PostForViewer {
    type Error = StorageError;

    fn try_from(row: PostForViewerRow) -> Result<Self> {
        let reaction = row.reaction.as_deref().map(emoji_from_code).transpose()?;
        Ok(Self {
            post: row.post.try_into()?,
            author: row.author.into(),
            is_hearted: row.is_hearted,
            reaction,
        })
    }
}
