//! Candidates for a page of the ranked feed: few posts, but enough that the page is the same as with all posts.
//!
//! **How many.** For a page of `n - 1` positions, the first `3n - 2` posts of each list are read. A position takes the first
//! candidate whose author is not excluded by spacing, and spacing never excludes more than two authors at once. If all
//! remaining candidates are by excluded authors, these are at least `2n - 1` posts, and one of the two authors has at least
//! `n` of them. That author is *full*: a page of `n - 1` positions cannot use up their posts. Only then, a second statement
//! reads more. With one full author, it reads the first `2n - 1` posts by other authors. If spacing excludes all that remain
//! of these, they are by one more author, who is then full too; in that case it also reads the first `n` posts by the other
//! authors. With two full authors, it reads the first `n` posts by other authors. More is never needed: while spacing
//! excludes two full authors, it excludes no one else, and while one of them is not excluded, a post of theirs is available.
//!
//! **Rows read.**
//! - The best posts of all authors: an index from its start to the last needed post, including posts that earlier pages
//!   returned (at most 500) and posts by users with a block to or from the viewer.
//! - The newest posts of all authors: the same.
//! - The posts of followed users whose rank is below the last of the best posts by at most the boost of a follow. The
//!   statement reads the index of all posts in that range, at most 20 entries for each followed user and 2,000 in all, until
//!   it has as many posts of followed users as are needed. If these entries do not decide it, or if the viewer follows at most
//!   20 users, it does one index lookup per followed user, for the best post of each, and then reads the posts of the `3n - 2`
//!   users with the best ones.
//! - The ids of the followed users, from an index.
//! - The second statement also reads the posts of full authors that come before the last needed post.
//! - No post that is dated in the future. Those lead the order by rank, but the indexes also hold the time of a post, so a
//!   scan passes over their index entries without reading the posts: about 100 entries a page of the index.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Double, Nullable, Timestamptz, Uuid as SqlUuid,
};
use grateful_domain::{
    AuthorRelationship, Candidate, FeedConfig, FeedCursor, MAX_CLOCK_SKEW, Slot, Viewer,
};
use uuid::Uuid;

use crate::query::statement;

/// A candidate post.
#[derive(Debug, Clone, Queryable)]
pub(super) struct CandidateRow {
    id: Uuid,
    pub(super) author_id: i64,
    /// The rank for this viewer.
    rank: f64,
    created_at: DateTime<Utc>,
    pub(super) followed: bool,
    fresh: bool,
}

impl CandidateRow {
    pub(super) fn slot(&self) -> Slot {
        if self.fresh { Slot::Fresh } else { Slot::Ranked }
    }

    pub(super) fn candidate(&self) -> Candidate {
        Candidate {
            id: self.id.into(),
            author: self.author_id.into(),
            rank: self.rank,
            created_at: self.created_at,
        }
    }
}

type Columns = (SqlUuid, BigInt, Double, Timestamptz, Bool, Bool);

statement! {
    /// The first posts of both lists that earlier pages did not return.
    pub(super) FirstCandidates {
        viewer: Option<i64> as Nullable<BigInt>,
        seen_posts: Vec<Vec<u8>> as Array<Binary>,
        follow_boost: f64 as Double,
        needed: i64 as BigInt,
        until: DateTime<Utc> as Timestamptz,
    } -> Columns,
    first_candidates()
}

statement! {
    /// The first posts of both lists that earlier pages did not return and that are not by full authors. Reads nothing for a
    /// list without full authors.
    pub(super) MoreCandidates {
        viewer: Option<i64> as Nullable<BigInt>,
        seen_posts: Vec<Vec<u8>> as Array<Binary>,
        follow_boost: f64 as Double,
        needed: i64 as BigInt,
        until: DateTime<Utc> as Timestamptz,
        full_in_ranked: Vec<i64> as Array<BigInt>,
        full_in_fresh: Vec<i64> as Array<BigInt>,
    } -> Columns,
    more_candidates()
}

/// The number of posts that [`FirstCandidates`] reads for each list.
pub(super) fn depth(needed: usize) -> usize {
    3 * needed - 2
}

impl FirstCandidates {
    pub(super) fn of(
        viewer: Viewer,
        cursor: &FeedCursor,
        now: DateTime<Utc>,
        needed: usize,
    ) -> Self {
        Self {
            viewer: viewer.user().map(i64::from),
            seen_posts: cursor.seen_posts().iter().map(|key| key.0.to_vec()).collect(),
            follow_boost: FeedConfig::STORED.rank_boost(AuthorRelationship::Followed),
            needed: i64::try_from(needed).unwrap_or(i64::MAX),
            until: now + MAX_CLOCK_SKEW,
        }
    }

    /// The statement for more candidates if these authors are full.
    pub(super) fn without_authors(
        self,
        full_in_ranked: Vec<i64>,
        full_in_fresh: Vec<i64>,
    ) -> MoreCandidates {
        let Self { viewer, seen_posts, follow_boost, needed, until } = self;
        MoreCandidates {
            viewer,
            seen_posts,
            follow_boost,
            needed,
            until,
            full_in_ranked,
            full_in_fresh,
        }
    }
}

fn first_candidates() -> String {
    let all = List { without: "across", depth: "(3 * :needed - 2)" };
    format!("{VIEWER_CONTEXT}, {}\n{}", candidates(1, &all, &all), select_from(1))
}

fn more_candidates() -> String {
    let mut parts = vec![VIEWER_CONTEXT.to_owned()];
    for list in LISTS {
        parts
            .push(authors(&format!("{list}_without2"), &format!("SELECT unnest(:full_in_{list})")));
    }
    let depth = |list| {
        format!(
            "(CASE cardinality(:full_in_{list}) WHEN 1 THEN 2 * :needed - 1 WHEN 2 THEN :needed ELSE 0 END)"
        )
    };
    parts.push(level(2, &LISTS.map(depth)));
    for list in LISTS {
        // If one author is full: another author who turns out to be full among the posts of level 2.
        let others = format!(
            "SELECT author_id FROM {list}2 WHERE cardinality(:full_in_{list}) = 1
    GROUP BY author_id HAVING count(*) >= :needed"
        );
        parts.push(format!("full_{list} AS MATERIALIZED (\n    {others}\n)"));
        let full =
            format!("SELECT unnest(:full_in_{list}) UNION ALL SELECT author_id FROM full_{list}");
        parts.push(authors(&format!("{list}_without3"), &full));
    }
    let depth =
        |list| format!("(CASE WHEN EXISTS (SELECT FROM full_{list}) THEN :needed ELSE 0 END)");
    parts.push(level(3, &LISTS.map(depth)));
    format!("{}\n{}\nUNION ALL\n{}", parts.join(", "), select_from(2), select_from(3))
}

const LISTS: [&str; 2] = ["ranked", "fresh"];

/// A CTE of the hidden users and of these authors.
fn authors(name: &str, full: &str) -> String {
    format!("{name} AS MATERIALIZED (\n    SELECT id FROM across UNION ALL {full}\n)")
}

/// Both lists without the authors in `{list}_without{number}`.
fn level(number: u8, [ranked, fresh]: &[String; 2]) -> String {
    let without = LISTS.map(|list| format!("{list}_without{number}"));
    let ranked = List { without: &without[0], depth: ranked };
    candidates(number, &ranked, &List { without: &without[1], depth: fresh })
}

/// The first posts of a list.
struct List<'a> {
    /// The name of a CTE of authors whose posts are left out.
    without: &'a str,
    /// The number of posts.
    depth: &'a str,
}

/// The hidden users, the seen posts, and the followed users of the viewer; and among how many posts to look for those of
/// followed users before a lookup for each user is cheaper.
const VIEWER_CONTEXT: &str = "WITH across AS MATERIALIZED (
    SELECT user_id AS id FROM hidden_users(:viewer)
), served AS MATERIALIZED (
    SELECT unnest(:seen_posts) AS key
), followed AS MATERIALIZED (
    SELECT followed_id AS id FROM follows WHERE follower_id = :viewer AND status = 'active'
), reach AS MATERIALIZED (
    SELECT CASE WHEN count(*) <= 20 THEN 0 ELSE 20 * count(*) END AS entries
    FROM (SELECT FROM followed LIMIT 100) AS part
)";

/// A condition of every scan of posts: public, not dated in the future, and not returned by earlier pages. The last eight
/// bytes of an id are its [`grateful_domain::SeenPostKey`].
const CANDIDATE: &str = "is_public AND created_at < :until AND (
                cardinality(:seen_posts) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            )";

/// The order by rank, which is that of an index.
const RANK_ORDER: &str = "rank DESC, created_at DESC, id DESC";

/// More posts than are ever needed. It is a literal because the planner assumes that a bound limit returns a tenth of the
/// table.
const LITERAL_LIMIT: u32 = 1600;

/// The maximum of `reach`, as a literal for the same reason.
const MAX_SCANNED: u32 = 2000;

/// The best posts for the viewer and the newest posts, as CTEs named `ranked{level}` and `fresh{level}`.
///
/// `listed` has the best posts without the boost, and the newest ones. The best ones by followed users are among those that
/// `near` or `best` finds, with the boost, so that no post is in the list twice.
fn candidates(level: u8, ranked: &List<'_>, fresh: &List<'_>) -> String {
    let (first, near) = (first_posts(level, ranked, fresh), near_posts(level, ranked));
    let depth = ranked.depth;
    format!(
        "{first}, {near}, ranked{level} AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at, false AS is_followed
        FROM listed{level} WHERE NOT is_fresh AND NOT is_followed
        UNION ALL
        SELECT id, author_id, rank + :follow_boost, created_at, true
        FROM near{level} WHERE (SELECT is_all FROM reached{level})
        UNION ALL
        SELECT part.id, part.author_id, part.rank + :follow_boost, part.created_at, true FROM best{level}, LATERAL (
            SELECT id, author_id, rank, created_at FROM posts
            WHERE {CANDIDATE} AND author_id = best{level}.author_id AND rank >= (
                SELECT greatest(CASE WHEN count(*) = {depth} THEN min(rank) END, (SELECT rank FROM bar{level}))
                FROM best{level}
            )
            ORDER BY {RANK_ORDER} LIMIT {depth}
        ) AS part
    ) AS part
    ORDER BY {RANK_ORDER} LIMIT {depth}
), fresh{level} AS (
    SELECT id, author_id, rank, created_at, is_followed FROM listed{level} WHERE is_fresh
)"
    )
}

/// The best-ranked posts and the newest posts, with the followed authors marked. Marking both lists at once hashes the
/// followed users once.
fn first_posts(level: u8, ranked: &List<'_>, fresh: &List<'_>) -> String {
    format!(
        "everyone{level} AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE {CANDIDATE} AND NOT (author_id = ANY (SELECT id FROM {}))
        ORDER BY {RANK_ORDER} LIMIT {LITERAL_LIMIT}
    ) AS part LIMIT {}
), newest{level} AS (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE {CANDIDATE} AND NOT (author_id = ANY (SELECT id FROM {}))
        ORDER BY created_at DESC, id DESC LIMIT {LITERAL_LIMIT}
    ) AS part LIMIT {}
), listed{level} AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT *, false AS is_fresh FROM everyone{level} UNION ALL SELECT *, true FROM newest{level}
    ) AS part
)",
        ranked.without, ranked.depth, fresh.without, fresh.depth
    )
}

/// The posts of followed users that the boost can raise to the best ones: all of them (`reached`) in `near`, otherwise the
/// users with the best ones in `best`.
fn near_posts(level: u8, List { without, depth }: &List<'_>) -> String {
    format!(
        "bar{level} AS MATERIALIZED (
    SELECT CASE WHEN count(*) = {depth} THEN min(rank) - :follow_boost ELSE '-infinity' END AS rank FROM everyone{level}
), near{level} AS MATERIALIZED (
    SELECT * FROM (
        SELECT * FROM (
            SELECT id, author_id, rank, created_at FROM posts
            WHERE {CANDIDATE} AND rank >= (SELECT rank FROM bar{level}) AND rank <= 'infinity'
            ORDER BY {RANK_ORDER} LIMIT {MAX_SCANNED}
        ) AS part LIMIT (SELECT entries FROM reach)
    ) AS part
    WHERE (author_id = ANY (SELECT id FROM followed)) IS TRUE AND NOT (author_id = ANY (SELECT id FROM {without}))
    LIMIT {depth}
), reached{level} AS MATERIALIZED (
    SELECT CASE WHEN (SELECT count(*) FROM near{level}) = {depth} THEN true ELSE (
        SELECT count(*) < (SELECT entries FROM reach) FROM (
            SELECT FROM (
                SELECT FROM posts WHERE is_public AND created_at < :until
                    AND rank >= (SELECT rank FROM bar{level}) AND rank <= 'infinity'
                LIMIT {MAX_SCANNED}
            ) AS part LIMIT (SELECT entries FROM reach)
        ) AS part
    ) END AS is_all
), best{level} AS MATERIALIZED (
    SELECT followed.id AS author_id, top.rank FROM followed, LATERAL (
        SELECT id, rank, created_at FROM posts
        WHERE {CANDIDATE} AND author_id = followed.id AND rank >= (SELECT rank FROM bar{level})
        ORDER BY {RANK_ORDER} LIMIT 1
    ) AS top
    WHERE NOT (SELECT is_all FROM reached{level}) AND NOT (followed.id = ANY (SELECT id FROM {without}))
    ORDER BY top.rank DESC, top.created_at DESC, top.id DESC LIMIT {depth}
)"
    )
}

/// Selects the rows of both lists of a level.
fn select_from(level: u8) -> String {
    format!(
        "SELECT id, author_id, rank, created_at, is_followed, false FROM ranked{level}
UNION ALL
SELECT id, author_id, rank, created_at, is_followed, true FROM fresh{level}"
    )
}
