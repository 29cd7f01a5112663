SET plan_cache_mode = force_generic_plan;

PREPARE list_comments (bigint, boolean, uuid, timestamp with time zone, uuid, bigint, bigint) AS
SELECT comments.id, comments.author_id, comments.post_id, comments.parent_id, comments.content, comments.created_at,
comments.updated_at, users.id, users.username, users.display_name, users.profile_image_url,
(
    SELECT count(*) FROM comments AS replies WHERE replies.parent_id = comments.id AND replies.deleted_at IS NULL AND (
    NOT (replies.author_id = ANY (SELECT user_id FROM hidden_users($1)))
    OR $2 AND EXISTS (
        WITH RECURSIVE below AS (
            SELECT reply.id, NOT (reply.author_id = ANY (SELECT user_id FROM hidden_users($1))) AS is_visible
            FROM comments AS reply WHERE reply.parent_id = replies.id AND reply.deleted_at IS NULL
            UNION ALL
            SELECT reply.id, NOT (reply.author_id = ANY (SELECT user_id FROM hidden_users($1)))
            FROM below JOIN comments AS reply ON reply.parent_id = below.id
            WHERE NOT below.is_visible AND reply.deleted_at IS NULL
        )
        SELECT FROM below WHERE is_visible
    )
)
) AS replies,
NOT (comments.author_id = ANY (SELECT user_id FROM hidden_users($1))) AS is_visible
FROM comments JOIN users ON users.id = comments.author_id
WHERE comments.post_id = $3 AND comments.parent_id IS NULL AND comments.deleted_at IS NULL AND (
    NOT (comments.author_id = ANY (SELECT user_id FROM hidden_users($1)))
    OR $2 AND EXISTS (
        WITH RECURSIVE below AS (
            SELECT reply.id, NOT (reply.author_id = ANY (SELECT user_id FROM hidden_users($1))) AS is_visible
            FROM comments AS reply WHERE reply.parent_id = comments.id AND reply.deleted_at IS NULL
            UNION ALL
            SELECT reply.id, NOT (reply.author_id = ANY (SELECT user_id FROM hidden_users($1)))
            FROM below JOIN comments AS reply ON reply.parent_id = below.id
            WHERE NOT below.is_visible AND reply.deleted_at IS NULL
        )
        SELECT FROM below WHERE is_visible
    )
)
    AND ROW(comments.created_at, comments.id) > ROW(coalesce($4, '-infinity'), $5)
ORDER BY comments.parent_id, comments.created_at, comments.id
LIMIT $6 OFFSET $7;

EXPLAIN EXECUTE list_comments (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
