//! The top items of many lists in one statement.

use grateful_domain::Limit;

use super::sql::Sql;

/// The order of the items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListOrder {
    /// By time, newest first.
    NewestFirst,
    /// By time, oldest first, among comments with the same parent or with none.
    OldestCommentFirst,
}

/// The ids of the first `limit` items of each list.
///
/// Walks all lists in parallel, one item per step (a loose index scan). For a single item, the planner uses the index that
/// has the order, even for a list with 10,000 items. For a hundred, it would choose what is cheapest for a list of average
/// size, and sort. The same would happen with `seen` as a condition, because the planner assumes 50 % selectivity for it.
///
/// `items_of` selects `id`, `created_at` and `seen` (visible to the viewer) of all items of a list under the alias `it`, and
/// ends with a `WHERE` clause, to which conditions are added.
pub(crate) fn top_per_list(
    lists: Sql,
    items_of: impl Fn(&str) -> Sql,
    order: ListOrder,
    limit: Limit,
) -> Sql {
    Sql::new("WITH RECURSIVE list AS MATERIALIZED (")
        .append(lists)
        .sql(
            "), walk AS (SELECT list.id AS list, entry.id, entry.created_at, entry.seen, entry.seen::integer AS place \
             FROM list, LATERAL (",
        )
        .append(items_of("list.id"))
        .sql(first_item(order))
        .sql(") AS entry UNION ALL ")
        .append(next_items(&items_of, order))
        .value(i64::from(limit))
        .sql(") SELECT id FROM walk WHERE seen")
}

/// The next item of each list in `walk` that is still below the limit. The limit must be appended.
pub(crate) fn next_items(items_of: impl Fn(&str) -> Sql, order: ListOrder) -> Sql {
    let sign = match order {
        ListOrder::NewestFirst => "<",
        ListOrder::OldestCommentFirst => ">",
    };
    Sql::new(
        "SELECT walk.list, entry.id, entry.created_at, entry.seen, walk.place + entry.seen::integer FROM walk, LATERAL (",
    )
        .append(items_of("walk.list"))
        .sql(format!(" AND ROW(it.created_at, it.id) {sign} ROW(walk.created_at, walk.id)"))
        .sql(first_item(order))
        .sql(") AS entry WHERE walk.place < ")
}

/// The order and limit that select the first item under the alias `it`.
pub(crate) const fn first_item(order: ListOrder) -> &'static str {
    match order {
        ListOrder::NewestFirst => " ORDER BY it.created_at DESC, it.id DESC LIMIT 1",
        // All items have the same parent. If it is NULL, the planner uses the index only if the column is in the order.
        ListOrder::OldestCommentFirst => " ORDER BY it.parent_id, it.created_at, it.id LIMIT 1",
    }
}
