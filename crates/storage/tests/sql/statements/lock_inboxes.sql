SET plan_cache_mode = force_generic_plan;

PREPARE lock_inboxes (bigint[], bigint[]) AS
WITH wanted AS (
    SELECT users.id, wanted.changes
    FROM unnest($1, $2) AS wanted (user_id, changes) JOIN users ON users.id = wanted.user_id
    ORDER BY users.id
)
INSERT INTO inboxes AS inbox (user_id, last_seq) SELECT id, changes FROM wanted
ON CONFLICT (user_id) DO UPDATE SET last_seq = inbox.last_seq + excluded.last_seq
RETURNING user_id, last_seq;

EXPLAIN EXECUTE lock_inboxes (NULL, NULL);
