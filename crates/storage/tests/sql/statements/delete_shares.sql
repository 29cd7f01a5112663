SET plan_cache_mode = force_generic_plan;

PREPARE delete_shares (bigint[], uuid[]) AS
WITH changed AS (
    DELETE FROM shares WHERE user_id = ANY ($1) AND post_id = ANY ($2) RETURNING *
), counted AS (
    UPDATE posts SET shares_count = shares_count + difference.number
    FROM (SELECT post_id, (-count(DISTINCT (user_id, share_method)))::integer AS number FROM changed GROUP BY post_id) AS difference
    WHERE posts.id = difference.post_id AND difference.number <> 0
    RETURNING posts.id, posts.author_id, posts.shares_count AS number
)
SELECT changed.id, changed.user_id, changed.post_id, changed.share_method,
    CASE changed.share_method
        WHEN 'url' THEN ARRAY[counted.author_id]
        ELSE ARRAY(SELECT user_id FROM share_recipients WHERE share_id = changed.id)
    END
FROM changed JOIN counted ON counted.id = changed.post_id;

EXPLAIN EXECUTE delete_shares (NULL, NULL);
