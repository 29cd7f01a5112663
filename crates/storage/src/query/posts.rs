//! Which posts, in one statement.

use diesel::dsl::{self, AsSelect, IntoBoxed, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use grateful_domain::{Limit, Page, PostId, SeenPost, UserId, Viewer};
use uuid::Uuid;

use super::{Order, paged, who_blocked, whom_blocked_by};
use crate::emoji_reactions::emoji_of;
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
        let reaction = row.reaction.as_deref().map(emoji_of).transpose()?;
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
        let page = self.page;
        let newest = self.into_conditions().order((posts::created_at.desc(), posts::id.desc()));
        paged(newest, page, "posts.created_at", Order::Newest)
    }

    /// The statement for those of these posts that answer the query, in no order.
    pub(crate) fn among(self, posts: &[PostId]) -> IntoBoxed<'static, seen_by, Pg> {
        let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        self.into_conditions().filter(posts::id.eq_any(ids))
    }

    fn into_conditions(self) -> IntoBoxed<'static, seen_by, Pg> {
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
        select
    }
}

/// What the viewer left on a post is looked up for each post that is shown. As joins, PostgreSQL would rather read
/// all that they ever left on any.
#[dsl::auto_type]
fn seen_by(viewer: Option<i64>) -> _ {
    let own_heart = likes::table
        .filter(likes::post_id.eq(posts::id))
        .filter(likes::user_id.nullable().eq(viewer))
        .select(likes::id)
        .single_value();
    let own_reaction = emoji_reactions::table
        .filter(emoji_reactions::post_id.eq(posts::id))
        .filter(emoji_reactions::user_id.nullable().eq(viewer))
        .select(emoji_reactions::emoji_code)
        .single_value();
    let post: AsSelect<PostRow, Pg> = PostRow::as_select();
    let author: AsSelect<AuthorRow, Pg> = AuthorRow::as_select();
    posts::table.inner_join(users::table).select((
        post,
        author,
        own_heart.is_not_null(),
        own_reaction,
    ))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use grateful_domain::{Offset, Position, Start};

    use super::*;

    #[test]
    fn a_post_comes_with_all_that_is_shown_of_it() {
        insta::assert_snapshot!(shown_by(PostQuery::visible_to(Viewer::Guest)), @r"
        ((SELECT likes.id FROM likes WHERE ((likes.post_id = posts.id) AND (likes.user_id = $1)) LIMIT $2) IS NOT NULL),
        (SELECT emoji_reactions.emoji_code FROM emoji_reactions WHERE ((emoji_reactions.post_id = posts.id) AND (emoji_reactions.user_id = $3)) LIMIT $4)
        FROM (posts INNER JOIN users ON (posts.author_id = users.id))
        ");
    }

    #[test]
    fn guests_only_ever_match_public_posts() {
        insta::assert_snapshot!(conditions_of(PostQuery::visible_to(Viewer::Guest)), @r"
        posts.is_public
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $5
        -- binds: [None, 1, None, 1, 21]
        ");
    }

    #[test]
    fn who_is_signed_in_matches_their_own_posts_too_and_none_across_a_block() {
        insta::assert_snapshot!(conditions_of(PostQuery::visible_to(ben())), @r"
        (((posts.is_public OR (posts.author_id = $5))
        AND NOT ((posts.author_id = ANY(SELECT follows.followed_id FROM follows WHERE ((follows.follower_id = $6) AND (follows.status = $7))))))
        AND NOT ((posts.author_id = ANY(SELECT follows.follower_id FROM follows WHERE ((follows.followed_id = $8) AND (follows.status = $9))))))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $10
        -- binds: [Some(2), 1, Some(2), 1, 2, 2, blocked, 2, blocked, 21]
        ");
    }

    #[test]
    fn a_list_of_public_posts_asks_for_no_author() {
        insta::assert_snapshot!(conditions_of(PostQuery::visible_to(ben()).public()), @r"
        ((posts.is_public
        AND NOT ((posts.author_id = ANY(SELECT follows.followed_id FROM follows WHERE ((follows.follower_id = $5) AND (follows.status = $6))))))
        AND NOT ((posts.author_id = ANY(SELECT follows.follower_id FROM follows WHERE ((follows.followed_id = $7) AND (follows.status = $8))))))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $9
        -- binds: [Some(2), 1, Some(2), 1, 2, blocked, 2, blocked, 21]
        ");
    }

    #[test]
    fn posts_by_one_person_are_asked_for_by_author() {
        insta::assert_snapshot!(conditions_of(PostQuery::visible_to(Viewer::Guest).by(ana())), @r"
        (posts.is_public
        AND (posts.author_id = $5))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $6
        -- binds: [None, 1, None, 1, 1, 21]
        ");
    }

    #[test]
    fn one_post_is_asked_for_by_id() {
        let post = PostId::from(Uuid::from_u128(7));
        insta::assert_snapshot!(conditions_of(PostQuery::visible_to(Viewer::Guest).only(post)), @r"
        (posts.is_public
        AND (posts.id = $5))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $6
        -- binds: [None, 1, None, 1, 00000000-0000-0000-0000-000000000007, 21]
        ");
    }

    #[test]
    fn a_cursor_is_compared_as_a_pair() {
        let place = Position { at: DateTime::UNIX_EPOCH, id: Uuid::from_u128(7) };
        let page = Page { limit: Limit::DEFAULT, start: Start::After(place) };
        insta::assert_snapshot!(conditions_of(PostQuery::visible_to(Viewer::Guest).page(page)), @r"
        (posts.is_public AND (ROW(posts.created_at, posts.id) < ROW($5, $6)))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $7
        -- binds: [None, 1, None, 1, 1970-01-01T00:00:00Z, 00000000-0000-0000-0000-000000000007, 21]
        ");
    }

    #[test]
    fn an_offset_is_passed_over() {
        let start = Start::Offset(Offset::parse(40).unwrap());
        let page = Page { limit: Limit::DEFAULT, start };
        insta::assert_snapshot!(conditions_of(PostQuery::visible_to(Viewer::Guest).page(page)), @r"
        posts.is_public
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $5 OFFSET $6
        -- binds: [None, 1, None, 1, 21, 40]
        ");
    }

    fn ana() -> UserId {
        UserId::from(1)
    }

    fn ben() -> Viewer {
        Viewer::User(UserId::from(2))
    }

    /// What is shown of it beside its columns, and where all that is taken from.
    fn shown_by(query: PostQuery) -> String {
        let sql = sql_of(query);
        let (_, shown) = sql.split_once("users.profile_image_url, ").unwrap();
        let (shown, _) = shown.split_once(" WHERE posts.is_public").unwrap();
        shown.replace(", (SELECT", ",\n(SELECT").replace(" FROM (posts", "\nFROM (posts")
    }

    /// What is asked of it, a line for each condition.
    fn conditions_of(query: PostQuery) -> String {
        let sql = sql_of(query);
        let (_, conditions) = sql.split_once(" ON (posts.author_id = users.id)) WHERE ").unwrap();
        let mut conditions = conditions.to_owned();
        for part in ["AND NOT", "AND (posts", "ORDER BY", "LIMIT", "--"] {
            conditions = conditions.replace(&format!(" {part}"), &format!("\n{part}"));
        }
        conditions
    }

    fn sql_of(query: PostQuery) -> String {
        diesel::debug_query::<Pg, _>(&query.into_select())
            .to_string()
            .replace('"', "")
            .replace("  ", " ")
    }
}
