//! Where the places of a feed take their posts from: of all posts so few that the page is still the one that all would give.
//!
//! **How deep.** For a stretch of `n - 1` places, the first `3n - 2` posts of a source are read. A place takes the first one
//! whose author is not barred, and no more than two authors are ever barred at once. If all that is left of those `3n - 2`
//! is theirs, that is `2n - 1` posts at least, and one of the two has `n` of them: that author is *full*, since no stretch
//! of `n - 1` places runs out of their posts. Only then a second statement reads behind them: the first `2n - 1` posts of
//! those who are not full, of whom one more can bar all the rest, and then is full too; and where two are, the first `n`
//! posts of everybody else. While two full authors are barred nobody else is, and while one of them is not, a post of
//! theirs is at hand, so nobody need ever read behind three.
//!
//! **What is read.** Of everybody's best: an index from its beginning to the last that is needed, past what was served (500
//! posts at most) and authors across a block. Of the newest: the same. Of those whom the viewer follows: what stands no
//! further below the last of everybody's best than a follow lifts. Where they follow more than 100 and fewer than 1,000
//! posts stand that high, those posts; else one step down an index for each whom they follow, for the best post of each,
//! and then the posts of the `3n - 2` with the best ones. The second statement also passes over what full authors have above
//! the last post that is needed.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Double, Nullable, Timestamptz, Uuid as SqlUuid,
};
use grateful_domain::{AuthorRelationship, Candidate, FeedConfig, FeedCursor, Slot, Viewer};
use uuid::Uuid;

use crate::query::statement;

/// A post in one of the sources.
#[derive(Debug, Clone, Queryable)]
pub(super) struct CandidateRow {
    id: Uuid,
    pub(super) author_id: i64,
    /// For this viewer.
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
    /// The first posts of both sources that were not served.
    pub(super) FirstCandidates(viewer: Option<i64> as Nullable<BigInt>, seen_posts: Vec<Vec<u8>> as Array<Binary>, lift: f64 as Double, needed: i64 as BigInt)
    -> Columns { &FIRST_CANDIDATES }
}

statement! {
    /// The first posts of both sources that were not served and are not by authors who are full; of a source in which none is
    /// full, nothing.
    pub(super) MoreCandidates(
        viewer: Option<i64> as Nullable<BigInt>, seen_posts: Vec<Vec<u8>> as Array<Binary>, lift: f64 as Double, needed: i64 as BigInt,
        full_of_ranked: Vec<i64> as Array<BigInt>, full_of_fresh: Vec<i64> as Array<BigInt>
    ) -> Columns { &MORE_CANDIDATES }
}

/// How many posts [`FirstCandidates`] reads of a source.
pub(super) fn depth(needed: usize) -> usize {
    3 * needed - 2
}

impl FirstCandidates {
    pub(super) fn of(viewer: Viewer, cursor: &FeedCursor, needed: usize) -> Self {
        Self {
            viewer: viewer.user().map(i64::from),
            seen_posts: cursor.seen_posts().iter().map(|key| key.0.to_vec()).collect(),
            lift: FeedConfig::STORED.rank_boost(AuthorRelationship::Followed),
            needed: i64::try_from(needed).unwrap_or(i64::MAX),
        }
    }

    /// What to read where these authors are full.
    pub(super) fn without_authors(
        self,
        full_of_ranked: Vec<i64>,
        full_of_fresh: Vec<i64>,
    ) -> MoreCandidates {
        let Self { viewer, seen_posts, lift, needed } = self;
        MoreCandidates { viewer, seen_posts, lift, needed, full_of_ranked, full_of_fresh }
    }
}

static FIRST_CANDIDATES: LazyLock<String> = LazyLock::new(|| {
    let [depth, nobody] = ["(3 * $4 - 2)", "SELECT NULL::bigint WHERE false"];
    let parts = [VIEWER_CONTEXT, &ranked(1, nobody, depth), &fresh(1, nobody, depth)];
    format!(
        "{} {} UNION ALL {}",
        parts.join(", "),
        select_from("ranked1", false),
        select_from("fresh1", true)
    )
});

static MORE_CANDIDATES: LazyLock<String> = LazyLock::new(|| {
    let mut parts = vec![VIEWER_CONTEXT.to_owned()];
    let mut found = Vec::new();
    for (source, full, level) in [
        ("ranked", "$5::bigint[]", ranked as fn(u8, &str, &str) -> String),
        ("fresh", "$6::bigint[]", fresh),
    ] {
        let depth =
            format!("(CASE cardinality({full}) WHEN 1 THEN 2 * $4 - 1 WHEN 2 THEN $4 ELSE 0 END)");
        parts.push(level(2, &format!("SELECT unnest({full})"), &depth));
        // Whoever fills what is behind the one who is full.
        parts.push(format!(
            "full_{source} AS MATERIALIZED (
                SELECT author_id FROM {source}2 WHERE cardinality({full}) = 1 GROUP BY author_id HAVING count(*) >= $4
            )"
        ));
        let depth = format!("(CASE WHEN EXISTS (SELECT FROM full_{source}) THEN $4 ELSE 0 END)");
        let all = format!("SELECT unnest({full}) UNION ALL SELECT author_id FROM full_{source}");
        parts.push(level(3, &all, &depth));
        for level in [2, 3] {
            found.push(select_from(&format!("{source}{level}"), source == "fresh"));
        }
    }
    format!("{} {}", parts.join(", "), found.join(" UNION ALL "))
});

/// Who and what is left out or lifted.
const VIEWER_CONTEXT: &str = concat!(
    "across AS MATERIALIZED (",
    blocked_users!(),
    "), served AS MATERIALIZED (
        SELECT unnest($2) AS key
    ), followed AS MATERIALIZED (
        SELECT followed_id AS id FROM follows
        WHERE follower_id = $1 AND status = 'active' AND NOT (followed_id = ANY (SELECT id FROM across))
    )"
);

/// What every reading of posts asks: the last eight bytes of an id are its [`grateful_domain::SeenPostKey`].
const NOT_SEEN: &str =
    "is_public AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))";

/// The order of an index, and with it that of a rank.
const BEST: &str = "rank DESC, created_at DESC, id DESC";

/// More than is ever needed: a limit that is a value looks to the planner like a tenth of the table.
const LITERAL_LIMIT: u32 = 1600;

/// The best posts for the viewer, by authors who are not `full`, so many; as a part called `ranked` with this number.
fn ranked(level: u8, full: &str, depth: &str) -> String {
    format!(
        "away{level} AS MATERIALIZED (
            SELECT id FROM across UNION ALL {full}
        ), everyone{level} AS MATERIALIZED (
            SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
                SELECT id, author_id, rank, created_at FROM posts
                WHERE {NOT_SEEN} AND NOT (author_id = ANY (SELECT id FROM away{level}))
                ORDER BY {BEST} LIMIT {LITERAL_LIMIT}
            ) AS part LIMIT {depth}
        ), bar{level} AS MATERIALIZED (
            SELECT CASE WHEN count(*) = {depth} THEN min(rank) - $3 ELSE '-infinity' END AS rank FROM everyone{level}
        ), band{level} AS MATERIALIZED (
            SELECT CASE WHEN (SELECT count(*) FROM followed) <= 100 OR {depth} = 0 THEN false ELSE (
                SELECT count(*) < 1000 FROM (
                    SELECT FROM posts WHERE is_public
                        AND rank >= (SELECT rank FROM bar{level}) AND rank <= 'infinity'
                    LIMIT 1000
                ) AS part
            ) END AS is_narrow
        ), best{level} AS MATERIALIZED (
            SELECT followed.id AS author_id, top.rank FROM followed, LATERAL (
                SELECT id, rank, created_at FROM posts
                WHERE {NOT_SEEN} AND author_id = followed.id AND rank >= (SELECT rank FROM bar{level})
                ORDER BY {BEST} LIMIT 1
            ) AS top
            WHERE NOT (SELECT is_narrow FROM band{level})
                AND NOT (followed.id = ANY (SELECT id FROM away{level}))
            ORDER BY top.rank DESC, top.created_at DESC, top.id DESC LIMIT {depth}
        ), near{level} AS MATERIALIZED (
            SELECT id, author_id, rank, created_at FROM posts
            WHERE (SELECT is_narrow FROM band{level}) AND {NOT_SEEN}
                AND rank >= (SELECT rank FROM bar{level}) AND rank <= 'infinity'
                AND author_id = ANY (SELECT id FROM followed)
                AND NOT (author_id = ANY (SELECT id FROM away{level}))
            UNION ALL
            SELECT part.* FROM best{level}, LATERAL (
                SELECT id, author_id, rank, created_at FROM posts
                WHERE {NOT_SEEN} AND author_id = best{level}.author_id AND rank >= (
                    SELECT greatest(CASE WHEN count(*) = {depth} THEN min(rank) END, (SELECT rank FROM bar{level}))
                    FROM best{level}
                )
                ORDER BY {BEST} LIMIT {depth}
            ) AS part
        ), ranked{level} AS MATERIALIZED (
            SELECT * FROM (
                SELECT id, author_id, rank + CASE WHEN is_followed THEN $3 ELSE 0 END AS rank, created_at, is_followed
                FROM everyone{level}
                UNION
                SELECT id, author_id, rank + $3, created_at, true FROM near{level}
            ) AS part
            ORDER BY {BEST} LIMIT {depth}
        )"
    )
}

/// The newest posts by authors who are not `full`, so many; as a part called `fresh` with this number.
fn fresh(level: u8, full: &str, depth: &str) -> String {
    format!(
        "absent{level} AS MATERIALIZED (
            SELECT id FROM across UNION ALL {full}
        ), fresh{level} AS MATERIALIZED (
            SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
                SELECT id, author_id, rank, created_at FROM posts
                WHERE {NOT_SEEN} AND NOT (author_id = ANY (SELECT id FROM absent{level}))
                ORDER BY created_at DESC, id DESC LIMIT {LITERAL_LIMIT}
            ) AS part LIMIT {depth}
        )"
    )
}

fn select_from(part: &str, is_fresh: bool) -> String {
    format!("SELECT id, author_id, rank, created_at, is_followed, {is_fresh} FROM {part}")
}
