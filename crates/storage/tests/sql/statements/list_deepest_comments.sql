SET plan_cache_mode = force_generic_plan;

PREPARE list_deepest_comments (uuid, uuid, bigint) AS
WITH RECURSIVE tree AS (
    SELECT id, 0 AS depth FROM comments WHERE post_id = $1 AND parent_id IS NULL
    UNION ALL
    SELECT id, 0 FROM comments WHERE id = $2
    UNION ALL
    SELECT comments.id, depth + 1 FROM comments JOIN tree ON comments.parent_id = tree.id
)
SELECT id FROM tree ORDER BY depth DESC LIMIT $3;

EXPLAIN EXECUTE list_deepest_comments (NULL, NULL, NULL);
