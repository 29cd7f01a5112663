//! Deletion of rows that nothing needs any more, in parts.

/// A statement that deletes up to `:limit` rows of a table that meet a condition, those with the earliest `time` first, and
/// returns their number. It skips rows that another request or another node has locked, instead of waiting for them.
pub(super) fn delete_part(table: &str, time: &str, condition: &str) -> String {
    format!(
        "WITH part AS MATERIALIZED (
        SELECT ctid AS place FROM {table} WHERE {condition}
        ORDER BY {time} LIMIT :limit FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM {table} AS it WHERE it.ctid = ANY (ARRAY(SELECT place FROM part)) RETURNING it.ctid
    )
    SELECT count(*) FROM gone"
    )
}
