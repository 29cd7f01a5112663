//! The statements of a [`PostQuery`](super::PostQuery).

use chrono::{DateTime, Utc};
use diesel::dsl::{self, IntoBoxed, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use grateful_domain::{CountMode, Limit, PostId, PostType, UserId, Viewer};
use uuid::Uuid;

use crate::query::paging::{Direction, PageSpec, paginate};
use crate::query::sql::Sql;
use crate::query::top_per_list::{FIRST_ITEM, next_items, top_per_list};
use crate::query::totals::TotalSql;
use crate::query::{blocked_by, blockers_of};
use crate::rows::{AuthorRow, PostRow};
use crate::schema::{emoji_reactions, likes, posts, users};

/// The filter, order and page of a [`PostQuery`](super::PostQuery).
#[derive(Debug, Clone)]
pub(crate) struct PostFilter {
    pub(super) viewer: Viewer,
    pub(super) authors: AuthorFilter,
    pub(super) public_only: bool,
    pub(super) post_type: Option<PostType>,
    pub(super) with_image: bool,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) sort_key: SortKey,
    pub(super) page: PageSpec,
    pub(super) count_mode: Option<CountMode>,
}

/// The authors of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AuthorFilter {
    All,
    One(UserId),
    AnyOf(Vec<i64>),
    Followed,
}

/// The sort order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortKey {
    Time,
    Rank,
    Engagement,
}

impl SortKey {
    /// The sort columns, in the order of the index, which is read forwards or backwards.
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Time => &["posts.created_at", "posts.id"],
            Self::Rank => &["posts.rank", "posts.created_at", "posts.id"],
            Self::Engagement => {
                &["posts.hearts_count", "posts.reactions_count", "posts.shares_count", "posts.id"]
            }
        }
    }
}

/// Adds the conditions of a filter to a select statement. A macro, because the selected columns differ.
macro_rules! conditions {
    ($select:expr, $filter:expr) => {{
        let (mut select, filter): (_, &PostFilter) = ($select, $filter);
        let viewer = filter.viewer.user().map(i64::from);
        select = match viewer {
            Some(viewer) if !filter.public_only => {
                let is_own = posts::author_id.eq(viewer).and(posts::deleted_at.is_null());
                select.filter(posts::is_public.or(is_own))
            }
            _ => select.filter(posts::is_public),
        };
        if let Some(viewer) = viewer {
            select = select
                .filter(not(posts::author_id.eq_any(blockers_of(viewer))))
                .filter(not(posts::author_id.eq_any(blocked_by(viewer))));
        }
        if let AuthorFilter::One(author) = filter.authors {
            select = select.filter(posts::author_id.eq(i64::from(author)));
        }
        if let Some(post_type) = filter.post_type {
            select = select.filter(posts::post_type.eq(post_type.code()));
        }
        if filter.with_image {
            select = select.filter(posts::image_url.is_not_null());
        }
        if let Some(since) = filter.since {
            select = select.filter(posts::created_at.ge(since));
        }
        if let Some(until) = filter.until {
            select = select.filter(posts::created_at.lt(until));
        }
        select
    }};
}

/// Adds the order to a select statement.
macro_rules! ordered {
    ($select:expr, $sort_key:expr) => {
        match $sort_key {
            SortKey::Time => $select.order((posts::created_at.desc(), posts::id.desc())),
            SortKey::Rank => {
                $select.order((posts::rank.desc(), posts::created_at.desc(), posts::id.desc()))
            }
            SortKey::Engagement => $select.order((
                posts::hearts_count.desc(),
                posts::reactions_count.desc(),
                posts::shares_count.desc(),
                posts::id.desc(),
            )),
        }
    };
}

impl PostFilter {
    pub(crate) fn limit(&self) -> Limit {
        self.page.limit
    }

    /// Selects a page, plus one post to know whether there is a next page.
    pub(crate) fn select(&self) -> IntoBoxed<'static, posts_for_viewer, Pg> {
        let select = match self.newest_of_authors() {
            None => self.visible_posts(),
            Some(newest) => self.visible_posts().filter(newest),
        };
        paginate(
            ordered!(select, self.sort_key),
            &self.page,
            self.sort_key.columns(),
            Direction::Descending,
        )
    }

    /// Selects this post if it matches the filter.
    pub(crate) fn select_one(&self, post: PostId) -> IntoBoxed<'static, posts_for_viewer, Pg> {
        self.visible_posts().filter(posts::id.eq(Uuid::from(post)))
    }

    /// Selects those of these posts that match the filter, in no particular order.
    pub(crate) fn select_among(
        &self,
        posts: &[PostId],
    ) -> IntoBoxed<'static, posts_for_viewer, Pg> {
        let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        self.visible_posts().filter(posts::id.eq_any(ids))
    }

    /// Selects the first posts of each author.
    ///
    /// Reads as many posts per author as the limit, plus the newer ones that the viewer cannot see.
    pub(crate) fn select_per_author(&self) -> IntoBoxed<'static, posts_for_viewer, Pg> {
        let top_posts = top_per_list(self.author_ids(), |id| self.posts_of(id), self.page.limit);
        let is_top_post = Sql::new("posts.id = ANY (ARRAY(").append(top_posts).sql("))");
        let newest = (posts::author_id, posts::created_at.desc(), posts::id.desc());
        self.visible_posts().filter(is_top_post).order(newest)
    }

    /// The query for the total, if one is requested and available.
    pub(crate) fn total(&self) -> Option<TotalSql> {
        match self.count_mode? {
            CountMode::UpTo(max) => Some(match self.authors {
                AuthorFilter::All | AuthorFilter::One(_) => {
                    let ids = conditions!(posts::table.select(posts::id).into_boxed::<Pg>(), self)
                        .filter(Sql::not_deleted(Sql::new("posts.author_id")));
                    // The order makes the planner use the same index as for the page.
                    TotalSql::capped(max, ordered!(ids, self.sort_key))
                }
                AuthorFilter::AnyOf(_) | AuthorFilter::Followed => {
                    TotalSql::capped(max, self.all_of_authors())
                }
            }),
            CountMode::Estimated => self.stored_total(),
        }
    }

    /// A stored number of posts: the counters of the authors, or PostgreSQL's estimate for all authors.
    fn stored_total(&self) -> Option<TotalSql> {
        let is_filtered = self.since.is_some()
            || self.until.is_some()
            || self.post_type.is_some()
            || self.with_image;
        match self.authors {
            _ if is_filtered => None,
            AuthorFilter::All => Some(TotalSql::estimate_from_index("idx_posts_created_at_desc")),
            AuthorFilter::One(_) | AuthorFilter::AnyOf(_) | AuthorFilter::Followed => {
                let count = Sql::new("SELECT coalesce(sum(");
                let count = match self.viewer.user().filter(|_| !self.public_only) {
                    None => count.sql("public_posts_count"),
                    Some(viewer) => count
                        .sql("CASE id WHEN ")
                        .value(viewer)
                        .sql(" THEN posts_count ELSE public_posts_count END"),
                };
                Some(TotalSql::exact(
                    count
                        .sql("), 0) FROM users WHERE id = ANY (ARRAY(")
                        .append(self.author_ids())
                        .sql("))"),
                ))
            }
        }
    }

    fn visible_posts(&self) -> IntoBoxed<'static, posts_for_viewer, Pg> {
        let posts = posts_for_viewer(self.viewer.user().map(i64::from)).into_boxed();
        conditions!(posts, self).filter(users::deleted_at.is_null())
    }

    /// The condition that a post is among the newest posts of several authors. It selects exactly the posts that sorting all
    /// their posts would give.
    ///
    /// For a page of n posts, reads the newest post of each author, and then at most n posts of each of the n authors with
    /// the newest ones, and none that is older than the oldest of those n newest posts.
    fn newest_of_authors(&self) -> Option<Sql> {
        if matches!(self.authors, AuthorFilter::All | AuthorFilter::One(_)) {
            return None;
        }
        let limit = self.page.fetch_limit();
        let after = self.page.keyset_condition(&["it.created_at", "it.id"], Direction::Descending);
        let mut posts_of_author = self.posts_of("author.id");
        if let Some(after) = after {
            posts_of_author = posts_of_author.sql(" AND ").append(after);
        }
        let above_bar =
            |author: &str| self.posts_of(author).sql(" AND it.created_at >= (SELECT at FROM bar)");
        let newest = Sql::new("posts.id = ANY (ARRAY(WITH RECURSIVE author AS MATERIALIZED (")
            .append(self.author_ids())
            .sql(
                "), latest AS MATERIALIZED (SELECT author.id AS list, entry.id, entry.created_at, entry.seen, 1 AS place \
                 FROM author, LATERAL (",
            )
            .append(posts_of_author)
            .sql(FIRST_ITEM)
            .sql(") AS entry ORDER BY entry.created_at DESC, entry.id DESC LIMIT ")
            .value(limit)
            .sql("), bar AS MATERIALIZED (SELECT CASE WHEN count(*) = ")
            .value(limit)
            .sql(
                " THEN min(created_at) ELSE '-infinity' END AS at FROM latest), \
                 walk AS (SELECT * FROM latest UNION ALL ",
            )
            .append(next_items(above_bar))
            .value(limit)
            .sql(") SELECT id FROM walk ORDER BY created_at DESC, id DESC LIMIT ")
            .value(limit)
            .sql("))");
        Some(newest)
    }

    /// All posts of several authors, author by author.
    fn all_of_authors(&self) -> Sql {
        Sql::new("WITH author AS MATERIALIZED (")
            .append(self.author_ids())
            .sql(") SELECT FROM author, LATERAL (")
            .append(self.posts_of("author.id"))
            // More than any cap. Without a limit the planner would join, and might read all posts.
            .sql(" LIMIT 100000) AS theirs")
    }

    /// Selects the posts by `author` that match the filter, under the alias `it`. Blocks are handled by
    /// [`PostFilter::author_ids`].
    fn posts_of(&self, author: &str) -> Sql {
        let posts = format!(
            "SELECT it.id, it.created_at, true AS seen FROM posts AS it WHERE it.author_id = {author}"
        );
        let mut posts = Sql::new(posts);
        posts = match self.viewer.user().filter(|_| !self.public_only) {
            None => posts.sql(" AND it.is_public"),
            Some(viewer) => {
                posts.sql(" AND (it.is_public OR it.author_id = ").value(viewer).sql(")")
            }
        };
        if let Some(since) = self.since {
            posts = posts.sql(" AND it.created_at >= ").value(since);
        }
        if let Some(until) = self.until {
            posts = posts.sql(" AND it.created_at < ").value(until);
        }
        posts
    }

    /// The distinct ids of the authors, without users with a block to or from the viewer.
    fn author_ids(&self) -> Sql {
        let from_ids =
            |ids| Sql::new("SELECT DISTINCT id FROM unnest(").value(ids).sql(") AS these (id)");
        let authors = match (&self.authors, self.viewer) {
            (AuthorFilter::One(author), _) => from_ids(vec![i64::from(*author)]),
            (AuthorFilter::AnyOf(authors), _) => from_ids(authors.clone()),
            (AuthorFilter::Followed, Viewer::User(viewer)) => {
                let followed =
                    "SELECT followed_id FROM follows WHERE status = 'active' AND follower_id = ";
                Sql::new(format!("SELECT id FROM ({followed}"))
                    .value(viewer)
                    .sql(") AS followed (id)")
            }
            (AuthorFilter::All | AuthorFilter::Followed, _) => from_ids(vec![]),
        };
        authors.sql(" WHERE ").append(Sql::not_blocked(self.viewer, Sql::new("id")))
    }
}

/// Posts with their author, the viewer's heart and reaction, and the rank. The viewer's heart and reaction are subqueries
/// per post: with joins, PostgreSQL would read all hearts and reactions of the viewer.
#[dsl::auto_type]
pub(crate) fn posts_for_viewer(viewer: Option<i64>) -> _ {
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
    let post: <PostRow as Selectable<Pg>>::SelectExpression =
        <PostRow as Selectable<Pg>>::construct_selection();
    let author: <AuthorRow as Selectable<Pg>>::SelectExpression =
        <AuthorRow as Selectable<Pg>>::construct_selection();
    posts::table.inner_join(users::table).select((
        post,
        author,
        own_heart.is_not_null(),
        own_reaction,
        posts::rank,
    ))
}
