SET plan_cache_mode = force_generic_plan;

PREPARE delete_comments (uuid, uuid[]) AS
WITH changed AS (
    DELETE FROM comments WHERE post_id = $1 AND id = ANY ($2) RETURNING *
), counted AS (
    UPDATE posts SET comments_count = comments_count + difference.number
    FROM (SELECT post_id, (-count(*))::integer AS number FROM changed GROUP BY post_id) AS difference
    WHERE posts.id = difference.post_id AND difference.number <> 0
    RETURNING posts.id, posts.author_id, posts.comments_count AS number
)
SELECT count(*) FROM changed;

EXPLAIN EXECUTE delete_comments (NULL, NULL);
