//! The first entries of many lists, in one statement.

use grateful_domain::Limit;

use super::sql::Sql;

/// Which way lists are gone down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListOrder {
    /// By time, the newest first.
    NewestFirst,
    /// By time, the oldest first, among comments that answer the same one, or none.
    OldestInThread,
}

/// The ids of the first entries of each list.
///
/// Goes down all lists at once, a step for each place: of one entry, the planner takes the index that has the order, also
/// for whoever has ten thousand. Of a hundred, it would take what is cheapest for somebody of average size, and sort. So it
/// would of one that is `seen`, were that a condition: it takes a block for a coin that is tossed.
///
/// `items_of` gives the `id` and `created_at` of all entries of a list, which it calls `it`, and whether each is `seen`; it
/// ends with conditions.
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

/// The entries of `walk` that come right behind those of its last round, of each list that has not this many yet.
pub(crate) fn next_items(items_of: impl Fn(&str) -> Sql, order: ListOrder) -> Sql {
    let sign = match order {
        ListOrder::NewestFirst => "<",
        ListOrder::OldestInThread => ">",
    };
    Sql::new(
        "SELECT walk.list, entry.id, entry.created_at, entry.seen, walk.place + entry.seen::integer FROM walk, LATERAL (",
    )
        .append(items_of("walk.list"))
        .sql(format!(" AND ROW(it.created_at, it.id) {sign} ROW(walk.created_at, walk.id)"))
        .sql(first_item(order))
        .sql(") AS entry WHERE walk.place < ")
}

/// Of all entries, which are called `it`, the first.
pub(crate) const fn first_item(order: ListOrder) -> &'static str {
    match order {
        ListOrder::NewestFirst => " ORDER BY it.created_at DESC, it.id DESC LIMIT 1",
        // Its parent is the same for all of them; where it is null, only its mention leads to the order of the index.
        ListOrder::OldestInThread => " ORDER BY it.parent_id, it.created_at, it.id LIMIT 1",
    }
}
