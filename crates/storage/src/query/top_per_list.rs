//! The first entries of many lists, in one statement.

use grateful_domain::Limit;

use super::sql::Sql;

/// Which way lists are gone down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By time, the newest first.
    Newest,
    /// By time, the oldest first, among comments that answer the same one, or none.
    OldestOfThread,
}

/// The ids of the first entries of each list.
///
/// Goes down all lists at once, a step for each place: of one entry, the planner takes the index that has the order, also
/// for whoever has ten thousand. Of a hundred, it would take what is cheapest for somebody of average size, and sort. So it
/// would of one that is `seen`, were that a condition: it takes a block for a coin that is tossed.
///
/// `entries_of` gives the `id` and `created_at` of all entries of a list, which it calls `it`, and whether each is `seen`; it
/// ends with conditions.
pub(crate) fn firsts_of_each(
    lists: Sql,
    entries_of: impl Fn(&str) -> Sql,
    way: Way,
    limit: Limit,
) -> Sql {
    Sql::new("WITH RECURSIVE list AS MATERIALIZED (")
        .then(lists)
        .sql(
            "), walk AS (SELECT list.id AS list, entry.id, entry.created_at, entry.seen, entry.seen::integer AS place \
             FROM list, LATERAL (",
        )
        .then(entries_of("list.id"))
        .sql(first(way))
        .sql(") AS entry UNION ALL ")
        .then(next(&entries_of, way))
        .value(i64::from(limit))
        .sql(") SELECT id FROM walk WHERE seen")
}

/// The entries of `walk` that come right behind those of its last round, of each list that has not this many yet.
pub(crate) fn next(entries_of: impl Fn(&str) -> Sql, way: Way) -> Sql {
    let sign = match way {
        Way::Newest => "<",
        Way::OldestOfThread => ">",
    };
    Sql::new(
        "SELECT walk.list, entry.id, entry.created_at, entry.seen, walk.place + entry.seen::integer FROM walk, LATERAL (",
    )
        .then(entries_of("walk.list"))
        .sql(format!(" AND ROW(it.created_at, it.id) {sign} ROW(walk.created_at, walk.id)"))
        .sql(first(way))
        .sql(") AS entry WHERE walk.place < ")
}

/// Of all entries, which are called `it`, the first.
pub(crate) const fn first(way: Way) -> &'static str {
    match way {
        Way::Newest => " ORDER BY it.created_at DESC, it.id DESC LIMIT 1",
        // Its parent is the same for all of them; where it is null, only its mention leads to the order of the index.
        Way::OldestOfThread => " ORDER BY it.parent_id, it.created_at, it.id LIMIT 1",
    }
}
