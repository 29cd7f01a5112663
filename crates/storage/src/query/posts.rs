//! Which posts, in one statement.

use diesel::dsl::{self, AsSelect, IntoBoxed, not, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz, Uuid as SqlUuid};
use grateful_domain::{Emoji, Limit, Offset, Page, PostId, SeenPost, Start, UserId, Viewer};
use uuid::Uuid;

use super::{who_blocked, whom_blocked_by};
use crate::posts::PostRow;
use crate::schema::{emoji_reactions, likes, posts, users};
use crate::users::AuthorRow;
use crate::{Result, StorageError};

/// A post with its author, whether the viewer gave it a heart, and the emoji they left on it.
#[derive(Queryable)]
pub(crate) struct SeenRow {
    post: PostRow,
    author: AuthorRow,
    hearted: bool,
    reaction: Option<String>,
}

impl TryFrom<SeenRow> for SeenPost {
    type Error = StorageError;

    fn try_from(row: SeenRow) -> Result<Self> {
        let reaction = row
            .reaction
            .map(|code| Emoji::from_code(&code))
            .transpose()
            .map_err(|_| StorageError::Corrupt { column: "emoji_reactions.emoji_code" })?;
        Ok(Self {
            post: row.post.try_into()?,
            author: row.author.into(),
            hearted: row.hearted,
            reaction,
        })
    }
}

/// Which posts somebody asks for. It can only be started with [`PostQuery::visible_to`], so that no list forgets
/// whom it is for.
///
/// ```
/// use grateful_domain::{Limit, Page, UserId, Viewer};
/// use grateful_storage::PostQuery;
///
/// let (ana, ben) = (UserId::from(1), UserId::from(2));
/// let query = PostQuery::visible_to(Viewer::User(ben)).by(ana).page(Page::first(Limit::DEFAULT));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct PostQuery {
    viewer: Viewer,
    post: Option<PostId>,
    author: Option<UserId>,
    public_only: bool,
    page: Page,
}

impl PostQuery {
    /// The posts that `viewer` may see: public ones and their own, none across a block.
    pub fn visible_to(viewer: Viewer) -> Self {
        let page = Page::first(Limit::DEFAULT);
        Self { viewer, post: None, author: None, public_only: false, page }
    }

    /// Only posts by this person.
    pub fn by(self, author: UserId) -> Self {
        Self { author: Some(author), ..self }
    }

    /// Only posts that everybody may see, the viewer's own among them.
    pub fn public(self) -> Self {
        Self { public_only: true, ..self }
    }

    /// Only this part of the list. Without it, the first 20.
    pub fn page(self, page: Page) -> Self {
        Self { page, ..self }
    }

    /// Only this post.
    pub(crate) fn only(self, post: PostId) -> Self {
        Self { post: Some(post), ..self }
    }

    pub(crate) fn limit(&self) -> Limit {
        self.page.limit
    }

    /// The statement, for one post more than asked for, which tells whether the list goes on.
    pub(crate) fn into_select(self) -> IntoBoxed<'static, seen_by, Pg> {
        let viewer = self.viewer.user().map(i64::from);
        let mut select = seen_by(viewer).into_boxed();
        select = match viewer {
            Some(viewer) if !self.public_only => {
                select.filter(posts::is_public.or(posts::author_id.eq(viewer)))
            }
            _ => select.filter(posts::is_public),
        };
        if let Some(viewer) = viewer {
            select = select
                .filter(not(posts::author_id.eq_any(who_blocked(viewer))))
                .filter(not(posts::author_id.eq_any(whom_blocked_by(viewer))));
        }
        if let Some(post) = self.post {
            select = select.filter(posts::id.eq(Uuid::from(post)));
        }
        if let Some(author) = self.author {
            select = select.filter(posts::author_id.eq(i64::from(author)));
        }
        select = match self.page.start {
            Start::Offset(Offset::ZERO) => select,
            Start::Offset(offset) => select.offset(offset.into()),
            // As a pair, which an index on both columns answers as one range.
            Start::After(place) => select.filter(
                sql::<Bool>("(posts.created_at, posts.id) < (")
                    .bind::<Timestamptz, _>(place.at)
                    .sql(", ")
                    .bind::<SqlUuid, _>(place.id)
                    .sql(")"),
            ),
        };
        let one_more = i64::from(self.page.limit) + 1;
        select.order((posts::created_at.desc(), posts::id.desc())).limit(one_more)
    }
}

#[dsl::auto_type]
fn seen_by(viewer: Option<i64>) -> _ {
    let own_heart = likes::post_id.eq(posts::id).and(likes::user_id.nullable().eq(viewer));
    let own_reaction =
        emoji_reactions::post_id.eq(posts::id).and(emoji_reactions::user_id.nullable().eq(viewer));
    let post: AsSelect<PostRow, Pg> = PostRow::as_select();
    let author: AsSelect<AuthorRow, Pg> = AuthorRow::as_select();
    posts::table
        .inner_join(users::table)
        .left_join(likes::table.on(own_heart))
        .left_join(emoji_reactions::table.on(own_reaction))
        .select((
            post,
            author,
            likes::id.nullable().is_not_null(),
            emoji_reactions::emoji_code.nullable(),
        ))
}
