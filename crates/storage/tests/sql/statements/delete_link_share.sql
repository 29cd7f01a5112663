SET plan_cache_mode = force_generic_plan;

PREPARE delete_link_share (bigint, uuid) AS
WITH changed AS (
    DELETE FROM shares WHERE user_id = $1 AND post_id = $2 AND share_method = 'url' RETURNING *
), counted AS (
    UPDATE posts SET shares_count = shares_count + difference.number
    FROM (SELECT post_id, (-count(*))::integer AS number FROM changed GROUP BY post_id) AS difference
    WHERE posts.id = difference.post_id AND difference.number <> 0
    RETURNING posts.id, posts.author_id, posts.shares_count AS number
)
SELECT author_id FROM counted;

EXPLAIN EXECUTE delete_link_share (NULL, NULL);
