SET plan_cache_mode = force_generic_plan;

PREPARE find_post_of_listed (uuid, bigint) AS
SELECT posts.id FROM comments JOIN posts ON posts.id = comments.post_id
WHERE comments.id = $1 AND comments.deleted_at IS NULL AND (
    NOT (comments.author_id = ANY (SELECT user_id FROM hidden_users($2)))
    OR posts.author_id = $2 AND EXISTS (
        WITH RECURSIVE below AS (
            SELECT reply.id, NOT (reply.author_id = ANY (SELECT user_id FROM hidden_users($2))) AS is_visible
            FROM comments AS reply WHERE reply.parent_id = comments.id AND reply.deleted_at IS NULL
            UNION ALL
            SELECT reply.id, NOT (reply.author_id = ANY (SELECT user_id FROM hidden_users($2)))
            FROM below JOIN comments AS reply ON reply.parent_id = below.id
            WHERE NOT below.is_visible AND reply.deleted_at IS NULL
        )
        SELECT FROM below WHERE is_visible
    )
);

EXPLAIN EXECUTE find_post_of_listed (NULL, NULL);
