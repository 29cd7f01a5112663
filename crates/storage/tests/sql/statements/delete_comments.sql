SET plan_cache_mode = force_generic_plan;

PREPARE delete_comments (uuid, uuid[]) AS
WITH gone AS (
    DELETE FROM comments WHERE post_id = $1 AND id = ANY ($2) RETURNING post_id
), lowered AS (
    SELECT post_id, count(*)::integer AS comments FROM gone GROUP BY post_id
), counted AS (
    UPDATE posts SET comments_count = comments_count - lowered.comments
    FROM lowered WHERE posts.id = lowered.post_id
)
SELECT count(*) FROM gone;

EXPLAIN EXECUTE delete_comments (NULL, NULL);
