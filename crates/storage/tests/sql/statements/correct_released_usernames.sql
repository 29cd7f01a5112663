SET plan_cache_mode = force_generic_plan;

PREPARE correct_released_usernames (timestamp with time zone, bigint) AS
WITH ahead AS MATERIALIZED (
    SELECT username FROM released_usernames WHERE released_at > $1
    ORDER BY released_at LIMIT $2 FOR UPDATE SKIP LOCKED
), corrected AS (
    UPDATE released_usernames SET released_at = $1 WHERE username = ANY (ARRAY(SELECT username FROM ahead))
    RETURNING username
)
SELECT count(*) FROM corrected;

EXPLAIN EXECUTE correct_released_usernames (NULL, NULL);
