SET plan_cache_mode = force_generic_plan;

PREPARE find_comment (bigint, uuid) AS
SELECT comments.id, comments.author_id, comments.post_id, comments.parent_id, comments.content, comments.created_at,
comments.updated_at, users.id, users.username, users.display_name, users.profile_image_url, (
    SELECT count(*) FROM comments AS replies WHERE replies.parent_id = comments.id AND replies.deleted_at IS NULL AND (
    NOT (replies.author_id = ANY (SELECT user_id FROM hidden_users($1)))
    OR posts.author_id = $1 AND EXISTS (
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
) AS replies, true
FROM comments JOIN users ON users.id = comments.author_id JOIN posts ON posts.id = comments.post_id
WHERE comments.id = $2 AND comments.deleted_at IS NULL AND NOT (comments.author_id = ANY (SELECT user_id FROM hidden_users($1)));

EXPLAIN EXECUTE find_comment (NULL, NULL);
