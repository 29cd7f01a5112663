SET plan_cache_mode = force_generic_plan;

PREPARE sweep_released_usernames (timestamp with time zone, bigint) AS
WITH part AS MATERIALIZED (
    SELECT ctid AS place FROM released_usernames WHERE released_at <= $1
    ORDER BY released_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM released_usernames AS it WHERE it.ctid = ANY (ARRAY(SELECT place FROM part)) RETURNING it.ctid
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE sweep_released_usernames (NULL, NULL);
