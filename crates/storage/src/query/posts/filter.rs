//! The statements of a [`PostQuery`](super::PostQuery).

use chrono::{DateTime, Utc};
use diesel::dsl::{self, AsSelect, IntoBoxed, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use grateful_domain::{CountMode, Limit, PostId, PostType, UserId, Viewer};
use uuid::Uuid;

use crate::query::paging::{Order, Part, part_of};
use crate::query::sql::Sql;
use crate::query::top_per_list::{Way, first, firsts_of_each, next};
use crate::query::totals::TotalSql;
use crate::query::{who_blocked, whom_blocked_by};
use crate::rows::{AuthorRow, PostRow};
use crate::schema::{emoji_reactions, likes, posts, users};

/// Which posts, in which order, and which part of them.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(super) viewer: Viewer,
    pub(super) whose: Whose,
    pub(super) public_only: bool,
    pub(super) post_type: Option<PostType>,
    pub(super) with_image: bool,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) by: By,
    pub(super) part: Part,
    pub(super) counting: Option<CountMode>,
}

/// By whom posts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    Everybodys,
    Of(UserId),
    OfAny(Vec<i64>),
    OfFollowed,
}

/// What posts are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Time,
    Rank,
    Engagement,
}

impl By {
    /// As the index has it, from its end or its beginning.
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

/// A statement for the posts that answer a query, be it with all that is shown of them, or to be counted.
macro_rules! conditions {
    ($select:expr, $wanted:expr) => {{
        let (mut select, wanted): (_, &Wanted) = ($select, $wanted);
        let viewer = wanted.viewer.user().map(i64::from);
        select = match viewer {
            Some(viewer) if !wanted.public_only => {
                select.filter(posts::is_public.or(posts::author_id.eq(viewer)))
            }
            _ => select.filter(posts::is_public),
        };
        if let Some(viewer) = viewer {
            select = select
                .filter(not(posts::author_id.eq_any(who_blocked(viewer))))
                .filter(not(posts::author_id.eq_any(whom_blocked_by(viewer))));
        }
        if let Whose::Of(author) = wanted.whose {
            select = select.filter(posts::author_id.eq(i64::from(author)));
        }
        if let Some(post_type) = wanted.post_type {
            select = select.filter(posts::post_type.eq(post_type.code()));
        }
        if wanted.with_image {
            select = select.filter(posts::image_url.is_not_null());
        }
        if let Some(since) = wanted.since {
            select = select.filter(posts::created_at.ge(since));
        }
        if let Some(until) = wanted.until {
            select = select.filter(posts::created_at.lt(until));
        }
        select
    }};
}

macro_rules! ordered {
    ($select:expr, $by:expr) => {
        match $by {
            By::Time => $select.order((posts::created_at.desc(), posts::id.desc())),
            By::Rank => {
                $select.order((posts::rank.desc(), posts::created_at.desc(), posts::id.desc()))
            }
            By::Engagement => $select.order((
                posts::hearts_count.desc(),
                posts::reactions_count.desc(),
                posts::shares_count.desc(),
                posts::id.desc(),
            )),
        }
    };
}

impl Wanted {
    pub(crate) fn limit(&self) -> Limit {
        self.part.limit
    }

    /// The statement, for one post more than asked for, which tells whether the list goes on.
    pub(crate) fn select(&self) -> IntoBoxed<'static, seen_by, Pg> {
        let select = match self.newest_of_authors() {
            None => self.seen(),
            Some(newest) => self.seen().filter(newest),
        };
        part_of(ordered!(select, self.by), &self.part, self.by.columns(), Order::Newest)
    }

    /// The statement for this post, if it answers the query.
    pub(crate) fn only(&self, post: PostId) -> IntoBoxed<'static, seen_by, Pg> {
        self.seen().filter(posts::id.eq(Uuid::from(post)))
    }

    /// The statement for those of these posts that answer the query, in no order.
    pub(crate) fn among(&self, posts: &[PostId]) -> IntoBoxed<'static, seen_by, Pg> {
        let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        self.seen().filter(posts::id.eq_any(ids))
    }

    /// The statement for who wrote those of these posts that answer the query.
    pub(crate) fn authors_among(&self, posts: &[PostId]) -> IntoBoxed<'static, authors, Pg> {
        let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        conditions!(authors().into_boxed(), self).filter(posts::id.eq_any(ids))
    }

    /// The statement for the first posts of each author by themselves, together.
    ///
    /// Reads so many posts of each, and those before them that are not for the viewer.
    pub(crate) fn of_each(&self) -> IntoBoxed<'static, seen_by, Pg> {
        let firsts =
            firsts_of_each(self.authors(), |id| self.posts_of(id), Way::Newest, self.part.limit);
        let firsts = Sql::new("posts.id = ANY (ARRAY(").then(firsts).sql("))");
        let newest = (posts::author_id, posts::created_at.desc(), posts::id.desc());
        self.seen().filter(firsts).order(newest)
    }

    /// What counts all posts that answer the query, as far as it is asked for and can be known.
    pub(crate) fn total(&self) -> Option<TotalSql> {
        match self.counting? {
            CountMode::UpTo(most) => Some(match self.whose {
                Whose::Everybodys | Whose::Of(_) => {
                    let ids = conditions!(posts::table.select(posts::id).into_boxed::<Pg>(), self);
                    // In this order, an index leads to them.
                    TotalSql::up_to(most, ordered!(ids, self.by))
                }
                Whose::OfAny(_) | Whose::OfFollowed => TotalSql::up_to(most, self.all_of_authors()),
            }),
            CountMode::Estimated => self.kept(),
        }
    }

    /// The number of posts that is kept: of authors beside them, of everybody by PostgreSQL.
    fn kept(&self) -> Option<TotalSql> {
        let is_part = self.since.is_some()
            || self.until.is_some()
            || self.post_type.is_some()
            || self.with_image;
        match self.whose {
            _ if is_part => None,
            Whose::Everybodys => Some(TotalSql::rows_of("idx_posts_created_at_desc")),
            Whose::Of(_) | Whose::OfAny(_) | Whose::OfFollowed => {
                let count = Sql::new("SELECT coalesce(sum(");
                let count = match self.viewer.user().filter(|_| !self.public_only) {
                    None => count.sql("public_posts_count"),
                    Some(viewer) => count
                        .sql("CASE id WHEN ")
                        .value(viewer)
                        .sql(" THEN posts_count ELSE public_posts_count END"),
                };
                Some(TotalSql::exactly(
                    count
                        .sql("), 0) FROM users WHERE id = ANY (ARRAY(")
                        .then(self.authors())
                        .sql("))"),
                ))
            }
        }
    }

    fn seen(&self) -> IntoBoxed<'static, seen_by, Pg> {
        conditions!(seen_by(self.viewer.user().map(i64::from)).into_boxed(), self)
    }

    /// Whether a post is among the newest of those by several people: exactly those that all their posts together give.
    ///
    /// Reads the newest post of each of them; then, of those with the newest ones, as many as there are places, so many
    /// posts each at most, and none that is older than the last of these newest ones.
    fn newest_of_authors(&self) -> Option<Sql> {
        if matches!(self.whose, Whose::Everybodys | Whose::Of(_)) {
            return None;
        }
        let most = self.part.most();
        let behind = self.part.condition(&["it.created_at", "it.id"], Order::Newest);
        let mut theirs = self.posts_of("author.id");
        if let Some(behind) = behind {
            theirs = theirs.sql(" AND ").then(behind);
        }
        let above_bar =
            |author: &str| self.posts_of(author).sql(" AND it.created_at >= (SELECT at FROM bar)");
        let newest = Sql::new("posts.id = ANY (ARRAY(WITH RECURSIVE author AS MATERIALIZED (")
            .then(self.authors())
            .sql(
                "), latest AS MATERIALIZED (SELECT author.id AS list, entry.id, entry.created_at, entry.seen, 1 AS place \
                 FROM author, LATERAL (",
            )
            .then(theirs)
            .sql(first(Way::Newest))
            .sql(") AS entry ORDER BY entry.created_at DESC, entry.id DESC LIMIT ")
            .value(most)
            .sql("), bar AS MATERIALIZED (SELECT CASE WHEN count(*) = ")
            .value(most)
            .sql(
                " THEN min(created_at) ELSE '-infinity' END AS at FROM latest), \
                 walk AS (SELECT * FROM latest UNION ALL ",
            )
            .then(next(above_bar, Way::Newest))
            .value(most)
            .sql(") SELECT id FROM walk ORDER BY created_at DESC, id DESC LIMIT ")
            .value(most)
            .sql("))");
        Some(newest)
    }

    /// All posts of several people, one by one.
    fn all_of_authors(&self) -> Sql {
        Sql::new("WITH author AS MATERIALIZED (")
            .then(self.authors())
            .sql(") SELECT FROM author, LATERAL (")
            .then(self.posts_of("author.id"))
            // Nobody counts that far; without a limit it would be a join, and may read all posts.
            .sql(" LIMIT 100000) AS theirs")
    }

    /// Each post by `author` that answers the query, called `it`. Of blocks, [`Wanted::authors`] knows.
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

    /// The ids of the authors, each once, nobody across a block.
    fn authors(&self) -> Sql {
        let these =
            |ids| Sql::new("SELECT DISTINCT id FROM unnest(").value(ids).sql(") AS these (id)");
        let authors = match (&self.whose, self.viewer) {
            (Whose::Of(author), _) => these(vec![i64::from(*author)]),
            (Whose::OfAny(people), _) => these(people.clone()),
            (Whose::OfFollowed, Viewer::User(viewer)) => {
                let followed =
                    "SELECT followed_id FROM follows WHERE status = 'active' AND follower_id = ";
                Sql::new(format!("SELECT id FROM ({followed}"))
                    .value(viewer)
                    .sql(") AS followed (id)")
            }
            (Whose::Everybodys | Whose::OfFollowed, _) => these(vec![]),
        };
        authors.sql(" WHERE ").then(Sql::not_across(self.viewer, Sql::new("id")))
    }
}

/// What the viewer left on a post is looked up for each post that is shown. As joins, PostgreSQL would rather read
/// all that they ever left on any.
#[dsl::auto_type]
pub(crate) fn seen_by(viewer: Option<i64>) -> _ {
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

#[dsl::auto_type]
pub(crate) fn authors() -> _ {
    let author: AsSelect<AuthorRow, Pg> = AuthorRow::as_select();
    posts::table.inner_join(users::table).select((posts::id, author))
}
