//! The top items of many lists in one statement.

use grateful_domain::Limit;

use super::sql::Sql;

/// The ids of the newest `limit` items of each list.
///
/// Each step of the recursion reads the next item of every list (a loose index scan). For one item, the planner uses the
/// index that has the order, even in a list of 10,000 items. For a hundred items, it would choose the plan that is cheapest
/// for a list of average size, and sort. It would do the same if `seen` were a condition, because it assumes 50 %
/// selectivity for blocks.
///
/// `items_of` selects `id`, `created_at` and `seen` (visible to the viewer) of all items of a list under the alias `it`, and
/// ends with a `WHERE` clause, to which conditions are added.
pub(crate) fn top_per_list(lists: Sql, items_of: impl Fn(&str) -> Sql, limit: Limit) -> Sql {
    Sql::new("WITH RECURSIVE list AS MATERIALIZED (")
        .append(lists)
        .sql(
            "), walk AS (SELECT list.id AS list, entry.id, entry.created_at, entry.seen, entry.seen::integer AS place \
             FROM list, LATERAL (",
        )
        .append(items_of("list.id"))
        .sql(FIRST_ITEM)
        .sql(") AS entry UNION ALL ")
        .append(next_items(&items_of))
        .value(i64::from(limit))
        .sql(") SELECT id FROM walk WHERE seen")
}

/// Selects the next item of each list in `walk` that has fewer visible items than the limit. The caller must append the
/// limit.
pub(crate) fn next_items(items_of: impl Fn(&str) -> Sql) -> Sql {
    Sql::new(
        "SELECT walk.list, entry.id, entry.created_at, entry.seen, walk.place + entry.seen::integer FROM walk, LATERAL (",
    )
        .append(items_of("walk.list"))
        .sql(" AND ROW(it.created_at, it.id) < ROW(walk.created_at, walk.id)")
        .sql(FIRST_ITEM)
        .sql(") AS entry WHERE walk.place < ")
}

/// The order and limit that select the first item under the alias `it`.
pub(crate) const FIRST_ITEM: &str = " ORDER BY it.created_at DESC, it.id DESC LIMIT 1";
