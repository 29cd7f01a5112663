SET plan_cache_mode = force_generic_plan;

PREPARE find_between (bigint, bigint, bigint) AS
WITH side AS (
    SELECT $1 AS reader, $2 AS hidden UNION ALL SELECT $2, $1
), caused AS (
    SELECT it.id, it.user_id FROM side, LATERAL (
        SELECT id, user_id FROM notifications
        WHERE user_id = side.reader AND actor_id = side.hidden
            AND hashtextextended(notification_act(act, type, post_id, comment_id), 0) IS NOT NULL
        LIMIT $3
    ) AS it
), about AS (
    SELECT it.id, it.user_id FROM side
    JOIN posts ON posts.author_id = side.hidden, LATERAL (
        SELECT id, user_id FROM notifications
        WHERE post_id = posts.id AND user_id = side.reader AND act IS NOT NULL LIMIT $3
    ) AS it
), found AS (
    SELECT id, user_id FROM caused UNION ALL SELECT id, user_id FROM about
)
SELECT DISTINCT id, user_id FROM (SELECT * FROM found LIMIT $3) AS part;

EXPLAIN EXECUTE find_between (NULL, NULL, NULL);
