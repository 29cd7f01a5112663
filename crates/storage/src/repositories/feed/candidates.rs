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
//! - The posts of followed users whose rank is below the last of the best posts by at most the boost of a follow. If the
//!   viewer follows more than 100 users, and fewer than 1,000 posts of all authors have at least that rank, the statement
//!   reads those posts. Otherwise it does one index lookup per followed user, for the best post of each, and then reads the
//!   posts of the `3n - 2` users with the best ones.
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
    let [depth, no_authors] = ["(3 * :needed - 2)", "SELECT NULL::bigint WHERE false"];
    let parts = [VIEWER_CONTEXT, &ranked(1, no_authors, depth), &fresh(1, no_authors, depth)];
    let selects = [select_from("ranked1", false), select_from("fresh1", true)];
    format!("{}\n{}", parts.join(", "), selects.join("\nUNION ALL\n"))
}

fn more_candidates() -> String {
    let mut parts = vec![VIEWER_CONTEXT.to_owned()];
    let mut selects = Vec::new();
    for (list, full, level) in [
        ("ranked", ":full_in_ranked", ranked as fn(u8, &str, &str) -> String),
        ("fresh", ":full_in_fresh", fresh),
    ] {
        let depth = format!(
            "(CASE cardinality({full}) WHEN 1 THEN 2 * :needed - 1 WHEN 2 THEN :needed ELSE 0 END)"
        );
        parts.push(level(2, &format!("SELECT unnest({full})"), &depth));
        // If one author is full: another author who turns out to be full among the posts of level 2.
        parts.push(format!(
            "full_{list} AS MATERIALIZED (
    SELECT author_id FROM {list}2 WHERE cardinality({full}) = 1 GROUP BY author_id HAVING count(*) >= :needed
)"
        ));
        let depth = format!("(CASE WHEN EXISTS (SELECT FROM full_{list}) THEN :needed ELSE 0 END)");
        let all = format!("SELECT unnest({full}) UNION ALL SELECT author_id FROM full_{list}");
        parts.push(level(3, &all, &depth));
        for level in [2, 3] {
            selects.push(select_from(&format!("{list}{level}"), list == "fresh"));
        }
    }
    format!("{}\n{}", parts.join(", "), selects.join("\nUNION ALL\n"))
}

/// The hidden users, the seen posts, and the followed users of the viewer.
const VIEWER_CONTEXT: &str = "WITH across AS MATERIALIZED (
    SELECT user_id AS id FROM hidden_users(:viewer)
), served AS MATERIALIZED (
    SELECT unnest(:seen_posts) AS key
), followed AS MATERIALIZED (
    SELECT followed_id AS id FROM follows
    WHERE follower_id = :viewer AND status = 'active' AND NOT (followed_id = ANY (SELECT id FROM across))
)";

/// A condition of every scan of posts: public, not dated in the future, and not returned by earlier pages. The last eight
/// bytes of an id are its [`grateful_domain::SeenPostKey`].
const CANDIDATE: &str = "is_public AND created_at < :until \
    AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))";

/// The order by rank, which is that of an index.
const RANK_ORDER: &str = "rank DESC, created_at DESC, id DESC";

/// More posts than are ever needed. It is a literal because the planner assumes that a bound limit returns a tenth of the
/// table.
const LITERAL_LIMIT: u32 = 1600;

/// The best posts for the viewer by authors who are not full, at most `depth`, as a CTE named `ranked{level}`.
fn ranked(level: u8, full: &str, depth: &str) -> String {
    format!(
        "away{level} AS MATERIALIZED (
    SELECT id FROM across UNION ALL {full}
), everyone{level} AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE {CANDIDATE} AND NOT (author_id = ANY (SELECT id FROM away{level}))
        ORDER BY {RANK_ORDER} LIMIT {LITERAL_LIMIT}
    ) AS part LIMIT {depth}
), bar{level} AS MATERIALIZED (
    SELECT CASE WHEN count(*) = {depth} THEN min(rank) - :follow_boost ELSE '-infinity' END AS rank FROM everyone{level}
), band{level} AS MATERIALIZED (
    SELECT CASE WHEN (SELECT count(*) FROM followed) <= 100 OR {depth} = 0 THEN false ELSE (
        SELECT count(*) < 1000 FROM (
            SELECT FROM posts WHERE is_public AND created_at < :until
                AND rank >= (SELECT rank FROM bar{level}) AND rank <= 'infinity'
            LIMIT 1000
        ) AS part
    ) END AS is_narrow
), best{level} AS MATERIALIZED (
    SELECT followed.id AS author_id, top.rank FROM followed, LATERAL (
        SELECT id, rank, created_at FROM posts
        WHERE {CANDIDATE} AND author_id = followed.id AND rank >= (SELECT rank FROM bar{level})
        ORDER BY {RANK_ORDER} LIMIT 1
    ) AS top
    WHERE NOT (SELECT is_narrow FROM band{level})
        AND NOT (followed.id = ANY (SELECT id FROM away{level}))
    ORDER BY top.rank DESC, top.created_at DESC, top.id DESC LIMIT {depth}
), near{level} AS MATERIALIZED (
    SELECT id, author_id, rank, created_at FROM posts
    WHERE (SELECT is_narrow FROM band{level}) AND {CANDIDATE}
        AND rank >= (SELECT rank FROM bar{level}) AND rank <= 'infinity'
        AND author_id = ANY (SELECT id FROM followed)
        AND NOT (author_id = ANY (SELECT id FROM away{level}))
    UNION ALL
    SELECT part.* FROM best{level}, LATERAL (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE {CANDIDATE} AND author_id = best{level}.author_id AND rank >= (
            SELECT greatest(CASE WHEN count(*) = {depth} THEN min(rank) END, (SELECT rank FROM bar{level}))
            FROM best{level}
        )
        ORDER BY {RANK_ORDER} LIMIT {depth}
    ) AS part
), ranked{level} AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank + CASE WHEN is_followed THEN :follow_boost ELSE 0 END AS rank, created_at, is_followed
        FROM everyone{level}
        UNION
        SELECT id, author_id, rank + :follow_boost, created_at, true FROM near{level}
    ) AS part
    ORDER BY {RANK_ORDER} LIMIT {depth}
)"
    )
}

/// The newest posts by authors who are not full, at most `depth`, as a CTE named `fresh{level}`.
fn fresh(level: u8, full: &str, depth: &str) -> String {
    format!(
        "absent{level} AS MATERIALIZED (
    SELECT id FROM across UNION ALL {full}
), fresh{level} AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE {CANDIDATE} AND NOT (author_id = ANY (SELECT id FROM absent{level}))
        ORDER BY created_at DESC, id DESC LIMIT {LITERAL_LIMIT}
    ) AS part LIMIT {depth}
)"
    )
}

fn select_from(cte: &str, is_fresh: bool) -> String {
    format!("SELECT id, author_id, rank, created_at, is_followed, {is_fresh} FROM {cte}")
}
