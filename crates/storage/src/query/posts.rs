//! Lists of posts.

mod filter;

use std::fmt::Debug;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use grateful_domain::{
    CountMode, EngagementPosition, Limit, PageRequest, Position, PostForViewer, PostType,
    RankPosition, UserId, Viewer,
};

pub(crate) use self::filter::PostFilter;
use self::filter::{AuthorFilter, SortKey};
use super::paging::PageSpec;
use crate::rows::{AuthorRow, PostRow, emoji_from_code};
use crate::{Result, StorageError};

/// A post with its author, the viewer's heart and reaction, and its rank.
#[derive(Queryable)]
pub(crate) struct PostForViewerRow {
    post: PostRow,
    author: AuthorRow,
    is_hearted: bool,
    reaction: Option<String>,
    rank: f64,
}

impl PostForViewerRow {
    pub(crate) fn rank(&self) -> f64 {
        self.rank
    }
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

/// A query for a list of posts: by which authors (`W`), and in which order (`O`). It starts with [`PostQuery::visible_to`],
/// so no list can ignore privacy or blocks. Every query is one statement.
///
/// Only bounded queries compile: every combination reads an index in its order. On the way, a query reads and discards posts
/// by users with a block to or from the viewer, private posts of another author in lists by author, and posts that do not
/// match a filter. There is no list of one post type by all authors, because there is no bound on how rare a type is.
///
/// ```
/// use grateful_domain::{CountMode, Limit, PageRequest, PostType, UserId, Viewer};
/// use grateful_storage::PostQuery;
///
/// let (ana, ben) = (UserId::from(1), UserId::from(2));
/// let visible_to_ben = PostQuery::visible_to(Viewer::User(ben));
///
/// let newest = visible_to_ben.clone().page(PageRequest::first(Limit::MAX));
/// let best = visible_to_ben.clone().by_rank().with_total(CountMode::Estimated);
/// let by_followed = visible_to_ben.clone().by_followed();
/// let photos_of_ana = visible_to_ben.by_author(ana).of_type(PostType::Photo).with_total(CountMode::UpTo(99));
/// ```
///
/// A query without a bound does not compile:
///
/// ```compile_fail
/// # use grateful_domain::{UserId, Viewer};
/// # use grateful_storage::PostQuery;
/// let query = PostQuery::visible_to(Viewer::Guest).by_author(UserId::from(1)).by_engagement();
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct PostQuery<W = AllAuthors, O = NewestFirst> {
    filter: PostFilter,
    marker: PhantomData<(W, O)>,
}

/// All authors.
#[derive(Debug, Clone, Copy)]
pub struct AllAuthors;

/// One author.
#[derive(Debug, Clone, Copy)]
pub struct OneAuthor;

/// Several authors.
#[derive(Debug, Clone, Copy)]
pub struct SeveralAuthors;

/// Newest first.
#[derive(Debug, Clone, Copy)]
pub struct NewestFirst;

/// Newest first, within a range of time.
#[derive(Debug, Clone, Copy)]
pub struct DateRange;

/// Highest rank first.
#[derive(Debug, Clone, Copy)]
pub struct ByRank;

/// Most hearts first, then most emoji reactions, then most shares.
#[derive(Debug, Clone, Copy)]
pub struct ByEngagement;

/// The order of a list of posts.
pub trait PostOrder: sealed::Sealed {
    /// The position of a post in this order.
    type Position: Debug + Clone;

    #[doc(hidden)]
    fn position(post: &PostForViewer, rank: f64) -> Self::Position;
}

impl PostOrder for NewestFirst {
    type Position = Position;

    fn position(post: &PostForViewer, _: f64) -> Position {
        post.post.position()
    }
}

impl PostOrder for DateRange {
    type Position = Position;

    fn position(post: &PostForViewer, _: f64) -> Position {
        post.post.position()
    }
}

impl PostOrder for ByRank {
    type Position = RankPosition;

    fn position(post: &PostForViewer, rank: f64) -> RankPosition {
        RankPosition { rank, at: post.post.created_at, id: post.post.id }
    }
}

impl PostOrder for ByEngagement {
    type Position = EngagementPosition;

    fn position(post: &PostForViewer, _: f64) -> EngagementPosition {
        post.post.engagement_position()
    }
}

/// An order by creation time.
pub trait TimeOrder: PostOrder<Position = Position> {}
impl TimeOrder for NewestFirst {}
impl TimeOrder for DateRange {}

/// Posts that are one range of an index, so that an offset can skip some of them.
pub trait SingleRange: sealed::Sealed {}
impl SingleRange for AllAuthors {}
impl SingleRange for OneAuthor {}

mod sealed {
    /// Keeps the traits of this module from being implemented elsewhere.
    pub trait Sealed {}

    macro_rules! sealed {
        ($($kind:ident),+) => { $(impl Sealed for super::$kind {})+ };
    }

    sealed!(AllAuthors, OneAuthor, SeveralAuthors, NewestFirst, DateRange, ByRank, ByEngagement);
}

impl PostQuery {
    /// The public posts of all authors that `viewer` can see, newest first. Private posts are only in lists by author, and
    /// only if the viewer is the author.
    pub fn visible_to(viewer: Viewer) -> Self {
        let filter = PostFilter {
            viewer,
            authors: AuthorFilter::All,
            public_only: true,
            post_type: None,
            with_image: false,
            since: None,
            until: None,
            sort_key: SortKey::Time,
            page: PageSpec::FIRST,
            count_mode: None,
        };
        Self { filter, marker: PhantomData }
    }

    /// All posts that `viewer` can see, including their own private ones. For lookups by id; no index lists them together.
    pub(crate) fn any_visible_to(viewer: Viewer) -> Self {
        Self::visible_to(viewer).map(|filter| PostFilter { public_only: false, ..filter })
    }

    /// Restricts the list to one author. The author sees their private posts too.
    pub fn by_author(self, author: UserId) -> PostQuery<OneAuthor> {
        self.with_authors(AuthorFilter::One(author))
    }

    /// Restricts the list to these authors. For a page of n posts, reads the newest post of each author, and then at most n
    /// posts of each of the n authors with the newest ones.
    pub fn by_authors(self, authors: &[UserId]) -> PostQuery<SeveralAuthors> {
        self.with_authors(AuthorFilter::AnyOf(authors.iter().copied().map(i64::from).collect()))
    }

    /// Restricts the list to authors that the viewer follows; empty for guests. Reads as much as [`PostQuery::by_authors`].
    pub fn by_followed(self) -> PostQuery<SeveralAuthors> {
        self.with_authors(AuthorFilter::Followed)
    }

    /// Sorts by hearts, then by emoji reactions, then by shares, highest first.
    pub fn by_engagement(self) -> PostQuery<AllAuthors, ByEngagement> {
        self.with_order(SortKey::Engagement)
    }

    fn with_authors<W>(self, authors: AuthorFilter) -> PostQuery<W> {
        // The author can see their private posts too.
        self.map(|filter| PostFilter { authors, public_only: false, ..filter })
    }
}

impl<W: SingleRange> PostQuery<W> {
    /// Restricts the list to public posts and sorts by rank, highest first: the order of the ranked feed for a viewer who
    /// follows no one.
    pub fn by_rank(self) -> PostQuery<W, ByRank> {
        self.with_order(SortKey::Rank)
    }
}

impl<W, O> PostQuery<W, O> {
    /// Sets the maximum number of posts. Default: 20.
    pub fn limit(self, limit: Limit) -> Self {
        self.map(|filter| PostFilter { page: filter.page.with_limit(limit), ..filter })
    }

    /// Also returns the total number of posts in the list.
    pub fn with_total(self, count_mode: CountMode) -> Self {
        self.map(|filter| PostFilter { count_mode: Some(count_mode), ..filter })
    }

    /// The filter, which builds the statement.
    pub(crate) fn filter(&self) -> &PostFilter {
        &self.filter
    }

    fn with_order<P>(self, sort_key: SortKey) -> PostQuery<W, P> {
        self.map(|filter| PostFilter { sort_key, public_only: true, ..filter })
    }

    fn map<V, P>(self, change: impl FnOnce(PostFilter) -> PostFilter) -> PostQuery<V, P> {
        PostQuery { filter: change(self.filter), marker: PhantomData }
    }
}

impl<W, O: TimeOrder> PostQuery<W, O> {
    /// Restricts the list to posts created at this time or later.
    pub fn since(self, time: DateTime<Utc>) -> PostQuery<W, DateRange> {
        self.map(|filter| PostFilter { since: Some(time), ..filter })
    }

    /// Restricts the list to posts created before this time.
    pub fn until(self, time: DateTime<Utc>) -> PostQuery<W, DateRange> {
        self.map(|filter| PostFilter { until: Some(time), ..filter })
    }

    /// Starts after this position.
    pub fn after(self, position: Position) -> Self {
        self.map(|filter| PostFilter { page: filter.page.after(position), ..filter })
    }
}

impl<W: SingleRange, O: TimeOrder> PostQuery<W, O> {
    /// Sets the page. Default: the first 20 posts.
    pub fn page(self, page: PageRequest) -> Self {
        self.map(|filter| PostFilter { page: page.into(), ..filter })
    }
}

impl<W> PostQuery<W, ByRank> {
    /// Sets the page. Default: the first 20 posts.
    pub fn page(self, page: PageRequest<RankPosition>) -> Self {
        self.map(|filter| PostFilter { page: page.into(), ..filter })
    }

    /// Starts after this position.
    pub fn after(self, position: RankPosition) -> Self {
        self.map(|filter| PostFilter { page: filter.page.after(position), ..filter })
    }
}

impl<W> PostQuery<W, ByEngagement> {
    /// Sets the page. Default: the first 20 posts.
    pub fn page(self, page: PageRequest<EngagementPosition>) -> Self {
        self.map(|filter| PostFilter { page: page.into(), ..filter })
    }

    /// Starts after this position.
    pub fn after(self, position: EngagementPosition) -> Self {
        self.map(|filter| PostFilter { page: filter.page.after(position), ..filter })
    }
}

impl<O> PostQuery<OneAuthor, O> {
    /// Restricts the list to public posts, even if the viewer is the author.
    pub fn public_only(self) -> Self {
        self.map(|filter| PostFilter { public_only: true, ..filter })
    }

    /// Restricts the list to posts of this type. Reads at most all posts of the author.
    pub fn of_type(self, post_type: PostType) -> Self {
        self.map(|filter| PostFilter { post_type: Some(post_type), ..filter })
    }

    /// Restricts the list to posts with an image. Reads at most all posts of the author.
    pub fn with_image(self) -> Self {
        self.map(|filter| PostFilter { with_image: true, ..filter })
    }
}

impl<O> PostQuery<SeveralAuthors, O> {
    /// Restricts the list to public posts, even if the viewer is an author.
    pub fn public_only(self) -> Self {
        self.map(|filter| PostFilter { public_only: true, ..filter })
    }
}

#[cfg(test)]
mod tests {
    use diesel::pg::Pg;
    use diesel::query_builder::QueryFragment;
    use grateful_domain::{Offset, PageStart, PostId};
    use uuid::Uuid;

    use super::*;
    use crate::query::totals::WithTotal;

    #[test]
    fn a_post_is_loaded_with_its_author_and_the_engagement_of_the_viewer() {
        insta::assert_snapshot!(extra_columns_of(&PostQuery::visible_to(Viewer::Guest)), @r"
        ((SELECT likes.id FROM likes WHERE ((likes.post_id = posts.id) AND (likes.user_id = $1)) LIMIT $2) IS NOT NULL),
        (SELECT emoji_reactions.emoji_code FROM emoji_reactions WHERE ((emoji_reactions.post_id = posts.id) AND (emoji_reactions.user_id = $3)) LIMIT $4), posts.rank
        FROM (posts INNER JOIN users ON (posts.author_id = users.id))
        ");
    }

    #[test]
    fn guests_see_only_public_posts() {
        insta::assert_snapshot!(conditions_of(&PostQuery::visible_to(Viewer::Guest)), @r"
        (posts.is_public AND (users.deleted_at IS NULL))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $5
        -- binds: [None, 1, None, 1, 21]
        ");
    }

    #[test]
    fn a_signed_in_viewer_sees_their_own_posts_and_none_across_a_block() {
        insta::assert_snapshot!(conditions_of(&PostQuery::visible_to(ben()).by_author(ana())), @r"
        (((((posts.is_public OR ((posts.author_id = $5)
        AND (posts.deleted_at IS NULL)))
        AND NOT ((posts.author_id = ANY(SELECT follows.followed_id
        FROM follows WHERE ((follows.follower_id = $6) AND (follows.status = $7))))))
        AND NOT ((posts.author_id = ANY(SELECT follows.follower_id
        FROM follows WHERE ((follows.followed_id = $8) AND (follows.status = $9))))))
        AND (posts.author_id = $10)) AND (users.deleted_at IS NULL))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $11
        -- binds: [Some(2), 1, Some(2), 1, 2, 2, blocked, 2, blocked, 1, 21]
        ");
    }

    #[test]
    fn a_list_by_all_authors_has_no_author_condition() {
        insta::assert_snapshot!(conditions_of(&PostQuery::visible_to(ben())), @r"
        (((posts.is_public
        AND NOT ((posts.author_id = ANY(SELECT follows.followed_id
        FROM follows WHERE ((follows.follower_id = $5) AND (follows.status = $6))))))
        AND NOT ((posts.author_id = ANY(SELECT follows.follower_id
        FROM follows WHERE ((follows.followed_id = $7) AND (follows.status = $8)))))) AND (users.deleted_at IS NULL))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $9
        -- binds: [Some(2), 1, Some(2), 1, 2, blocked, 2, blocked, 21]
        ");
    }

    #[test]
    fn a_list_by_one_author_filters_by_author_id() {
        insta::assert_snapshot!(conditions_of(&PostQuery::visible_to(Viewer::Guest).by_author(ana())), @r"
        ((posts.is_public
        AND (posts.author_id = $5)) AND (users.deleted_at IS NULL))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $6
        -- binds: [None, 1, None, 1, 1, 21]
        ");
    }

    #[test]
    fn one_post_is_selected_by_id() {
        let post = PostId::from(Uuid::from_u128(7));
        let only = PostQuery::visible_to(Viewer::Guest).filter().select_one(post);
        insta::assert_snapshot!(split_clauses(&sql_of(&only)), @r"
        ((posts.is_public AND (users.deleted_at IS NULL))
        AND (posts.id = $5))
        -- binds: [None, 1, None, 1, 00000000-0000-0000-0000-000000000007]
        ");
    }

    #[test]
    fn a_cursor_is_compared_as_a_row() {
        let position = Position { at: DateTime::UNIX_EPOCH, id: Uuid::from_u128(7) };
        let page = PageRequest { limit: Limit::DEFAULT, start: PageStart::After(position) };
        insta::assert_snapshot!(conditions_of(&PostQuery::visible_to(Viewer::Guest).page(page)), @r"
        ((posts.is_public AND (users.deleted_at IS NULL)) AND (ROW(posts.created_at, posts.id) < ROW($5, $6)))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $7
        -- binds: [None, 1, None, 1, 1970-01-01T00:00:00Z, 00000000-0000-0000-0000-000000000007, 21]
        ");
    }

    #[test]
    fn an_offset_becomes_an_offset_clause() {
        let start = PageStart::Offset(Offset::parse(40).unwrap());
        let page = PageRequest { limit: Limit::DEFAULT, start };
        insta::assert_snapshot!(conditions_of(&PostQuery::visible_to(Viewer::Guest).page(page)), @r"
        (posts.is_public AND (users.deleted_at IS NULL))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $5 OFFSET $6
        -- binds: [None, 1, None, 1, 21, 40]
        ");
    }

    #[test]
    fn an_order_by_rank_is_public_only_and_its_cursor_compares_all_sort_columns() {
        let position = RankPosition { rank: 20_000.5, at: DateTime::UNIX_EPOCH, id: post_id() };
        let page = PageRequest { limit: Limit::DEFAULT, start: PageStart::After(position) };
        let query = PostQuery::visible_to(ben()).by_author(ana()).by_rank().page(page);
        insta::assert_snapshot!(conditions_of(&query), @r"
        (((((posts.is_public
        AND NOT ((posts.author_id = ANY(SELECT follows.followed_id
        FROM follows WHERE ((follows.follower_id = $5) AND (follows.status = $6))))))
        AND NOT ((posts.author_id = ANY(SELECT follows.follower_id
        FROM follows WHERE ((follows.followed_id = $7) AND (follows.status = $8))))))
        AND (posts.author_id = $9)) AND (users.deleted_at IS NULL)) AND (ROW(posts.rank, posts.created_at, posts.id) < ROW($10, $11, $12)))
        ORDER BY posts.rank DESC, posts.created_at DESC, posts.id DESC
        LIMIT $13
        -- binds: [Some(2), 1, Some(2), 1, 2, blocked, 2, blocked, 1, 20000.5, 1970-01-01T00:00:00Z, 00000000-0000-0000-0000-000000000007, 21]
        ");
    }

    #[test]
    fn an_order_by_engagement_ends_with_the_id() {
        let position = EngagementPosition { hearts: 3, reactions: 2, shares: 1, id: post_id() };
        let page = PageRequest { limit: Limit::DEFAULT, start: PageStart::After(position) };
        let query = PostQuery::visible_to(Viewer::Guest).by_engagement().page(page);
        insta::assert_snapshot!(conditions_of(&query), @r"
        ((posts.is_public AND (users.deleted_at IS NULL)) AND (ROW(posts.hearts_count, posts.reactions_count, posts.shares_count, posts.id) < ROW($5, $6, $7, $8)))
        ORDER BY posts.hearts_count DESC, posts.reactions_count DESC, posts.shares_count DESC, posts.id DESC
        LIMIT $9
        -- binds: [None, 1, None, 1, 3, 2, 1, 00000000-0000-0000-0000-000000000007, 21]
        ");
    }

    #[test]
    fn conditions_are_combined_with_and() {
        let query = PostQuery::visible_to(Viewer::Guest)
            .by_author(ana())
            .of_type(PostType::Photo)
            .with_image();
        let query = query.since(DateTime::UNIX_EPOCH).until(DateTime::UNIX_EPOCH);
        insta::assert_snapshot!(conditions_of(&query), @r"
        ((((((posts.is_public
        AND (posts.author_id = $5))
        AND (posts.post_type = $6))
        AND (posts.image_url IS NOT NULL))
        AND (posts.created_at >= $7))
        AND (posts.created_at < $8)) AND (users.deleted_at IS NULL))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $9
        -- binds: [None, 1, None, 1, 1, photo, 1970-01-01T00:00:00Z, 1970-01-01T00:00:00Z, 21]
        ");
    }

    #[test]
    fn the_newest_posts_of_several_authors_are_found_author_by_author() {
        let query = PostQuery::visible_to(ben()).by_authors(&[ana()]);
        insta::assert_snapshot!(conditions_of(&query), @r"
        (((((posts.is_public OR ((posts.author_id = $5)
        AND (posts.deleted_at IS NULL)))
        AND NOT ((posts.author_id = ANY(SELECT follows.followed_id
        FROM follows WHERE ((follows.follower_id = $6) AND (follows.status = $7))))))
        AND NOT ((posts.author_id = ANY(SELECT follows.follower_id
        FROM follows WHERE ((follows.followed_id = $8) AND (follows.status = $9)))))) AND (users.deleted_at IS NULL)) AND posts.id = ANY (ARRAY(WITH RECURSIVE author AS MATERIALIZED (SELECT DISTINCT id
        FROM unnest($10) AS these (id) WHERE (NOT (id = ANY (SELECT id
        FROM users WHERE deleted_at IS NOT NULL))
        AND NOT (id = ANY (SELECT followed_id
        FROM follows WHERE status = 'blocked' AND follower_id = $11))
        AND NOT (id = ANY (SELECT follower_id
        FROM follows WHERE status = 'blocked' AND followed_id = $12)))), latest AS MATERIALIZED (SELECT author.id AS list, entry.id, entry.created_at, entry.seen, 1 AS place
        FROM author,
        LATERAL (SELECT it.id, it.created_at, true AS seen
        FROM posts AS it WHERE it.author_id = author.id AND (it.is_public OR it.author_id = $13)
        ORDER BY it.created_at DESC, it.id DESC
        LIMIT 1) AS entry
        ORDER BY entry.created_at DESC, entry.id DESC
        LIMIT $14), bar AS MATERIALIZED (SELECT CASE WHEN count(*) = $15 THEN min(created_at) ELSE '-infinity' END AS at
        FROM latest), walk AS (SELECT *
        FROM latest UNION ALL SELECT walk.list, entry.id, entry.created_at, entry.seen, walk.place + entry.seen::integer
        FROM walk,
        LATERAL (SELECT it.id, it.created_at, true AS seen
        FROM posts AS it WHERE it.author_id = walk.list AND (it.is_public OR it.author_id = $16) AND it.created_at >= (SELECT at
        FROM bar) AND ROW(it.created_at, it.id) < ROW(walk.created_at, walk.id)
        ORDER BY it.created_at DESC, it.id DESC
        LIMIT 1) AS entry WHERE walk.place < $17) SELECT id
        FROM walk
        ORDER BY created_at DESC, id DESC
        LIMIT $18)))
        ORDER BY posts.created_at DESC, posts.id DESC
        LIMIT $19
        -- binds: [Some(2), 1, Some(2), 1, 2, 2, blocked, 2, blocked, [1], 2, 2, 2, 21, 21, 2, 21, 21, 21]
        ");
    }

    #[test]
    fn followed_authors_are_looked_up_in_the_same_statement() {
        let query = PostQuery::visible_to(Viewer::User(UserId::from(2))).by_followed();
        let sql = sql_of(&query.filter().select());
        let (_, authors) = sql.split_once("author AS MATERIALIZED (").unwrap();
        let (authors, _) = authors.split_once("), latest").unwrap();
        insta::assert_snapshot!(authors, @r"SELECT id FROM (SELECT followed_id FROM follows WHERE status = 'active' AND follower_id = $10) AS followed (id) WHERE (NOT (id = ANY (SELECT id FROM users WHERE deleted_at IS NOT NULL)) AND NOT (id = ANY (SELECT followed_id FROM follows WHERE status = 'blocked' AND follower_id = $11)) AND NOT (id = ANY (SELECT follower_id FROM follows WHERE status = 'blocked' AND followed_id = $12)))");
    }

    #[test]
    fn a_count_is_capped_and_uses_the_order_of_an_index() {
        let query = PostQuery::visible_to(Viewer::Guest).by_rank().with_total(CountMode::UpTo(99));
        insta::assert_snapshot!(total_of(&query), @r"
        SELECT total.number, part.*
        FROM (SELECT (SELECT count(*)
        FROM (SELECT posts.id
        FROM posts WHERE (posts.is_public
        AND NOT (posts.author_id = ANY (SELECT id
        FROM users WHERE deleted_at IS NOT NULL))) ORDER BY posts.rank DESC, posts.created_at DESC, posts.id DESC LIMIT 100) AS counted)::bigint) AS total (number)
        LEFT JOIN (
        ");
    }

    #[test]
    fn posts_of_several_authors_are_counted_author_by_author() {
        let query = PostQuery::visible_to(Viewer::Guest)
            .by_authors(&[ana()])
            .with_total(CountMode::UpTo(99));
        insta::assert_snapshot!(total_of(&query), @r"
        SELECT total.number, part.*
        FROM (SELECT (SELECT count(*)
        FROM (WITH author AS MATERIALIZED (SELECT DISTINCT id
        FROM unnest($1) AS these (id) WHERE NOT (id = ANY (SELECT id
        FROM users WHERE deleted_at IS NOT NULL))) SELECT
        FROM author,
        LATERAL (SELECT it.id, it.created_at, true AS seen
        FROM posts AS it WHERE it.author_id = author.id AND it.is_public LIMIT 100000) AS theirs LIMIT 100) AS counted)::bigint) AS total (number)
        LEFT JOIN (
        ");
    }

    #[test]
    fn an_estimated_total_reads_a_stored_number() {
        let of_all = PostQuery::visible_to(Viewer::Guest).with_total(CountMode::Estimated);
        insta::assert_snapshot!(total_of(&of_all), @r"
        SELECT total.number, part.*
        FROM (SELECT (SELECT nullif(reltuples, -1)
        FROM pg_class WHERE oid = to_regclass('idx_posts_created_at_desc'))::bigint) AS total (number)
        LEFT JOIN (
        ");
        let of_one =
            PostQuery::visible_to(Viewer::Guest).by_author(ana()).with_total(CountMode::Estimated);
        insta::assert_snapshot!(total_of(&of_one), @r"
        SELECT total.number, part.*
        FROM (SELECT (SELECT coalesce(sum(public_posts_count), 0)
        FROM users WHERE id = ANY (ARRAY(SELECT DISTINCT id
        FROM unnest($1) AS these (id) WHERE NOT (id = ANY (SELECT id
        FROM users WHERE deleted_at IS NOT NULL)))))::bigint) AS total (number)
        LEFT JOIN (
        ");
    }

    #[test]
    fn a_filtered_list_has_no_estimated_total() {
        let query =
            PostQuery::visible_to(Viewer::Guest).by_author(ana()).with_total(CountMode::Estimated);
        assert!(query.clone().with_image().filter().total().is_none());
        assert!(query.since(DateTime::UNIX_EPOCH).filter().total().is_none());
    }

    fn post_id() -> PostId {
        PostId::from(Uuid::from_u128(7))
    }

    fn ana() -> UserId {
        UserId::from(1)
    }

    fn ben() -> Viewer {
        Viewer::User(UserId::from(2))
    }

    /// The SQL of what is selected in addition to columns, and of the joined tables.
    fn extra_columns_of(query: &PostQuery) -> String {
        let sql = sql_of(&query.filter().select());
        let (_, shown) = sql.split_once("users.profile_image_url, ").unwrap();
        let (shown, _) = shown.split_once(" WHERE (posts.is_public").unwrap();
        shown.replace(", (SELECT", ",\n(SELECT").replace(" FROM (posts", "\nFROM (posts")
    }

    /// The SQL from the `WHERE` clause on, one condition per line.
    fn conditions_of<W, O>(query: &PostQuery<W, O>) -> String {
        split_clauses(&sql_of(&query.filter().select()))
    }

    fn split_clauses(sql: &str) -> String {
        let (_, conditions) = sql.split_once(" ON (posts.author_id = users.id)) WHERE ").unwrap();
        let mut conditions = conditions.to_owned();
        for keyword in ["AND NOT", "AND (posts", "ORDER BY", "LIMIT", "--", "FROM", "LATERAL"] {
            conditions = conditions.replace(&format!(" {keyword}"), &format!("\n{keyword}"));
        }
        conditions
    }

    /// The SQL of the total, up to the columns of the page.
    fn total_of<W, O>(query: &PostQuery<W, O>) -> String {
        let filter = query.filter();
        let counted = WithTotal::new(filter.select(), filter.total().unwrap());
        let sql = sql_of(&counted);
        let (total, _) = sql.split_once("SELECT posts.id, posts.author_id, posts.title").unwrap();
        let mut total = total.to_owned();
        for keyword in ["FROM", "LATERAL", "AND NOT", "LEFT JOIN"] {
            total = total.replace(&format!(" {keyword}"), &format!("\n{keyword}"));
        }
        total
    }

    fn sql_of(query: &impl QueryFragment<Pg>) -> String {
        diesel::debug_query::<Pg, _>(query).to_string().replace('"', "").replace("  ", " ")
    }
}
