SET plan_cache_mode = force_generic_plan;

PREPARE delete_hearts (bigint[], uuid[]) AS
WITH changed AS (
    DELETE FROM likes WHERE (user_id, post_id) IN (SELECT * FROM unnest($1, $2)) RETURNING *
), counted AS (
    UPDATE posts SET hearts_count = hearts_count + difference.number
    FROM (SELECT post_id, (-count(*))::integer AS number FROM changed GROUP BY post_id) AS difference
    WHERE posts.id = difference.post_id AND difference.number <> 0
    RETURNING posts.id, posts.author_id, posts.hearts_count AS number
)
SELECT changed.user_id, changed.post_id, counted.author_id, counted.number
FROM changed JOIN counted ON counted.id = changed.post_id;

EXPLAIN EXECUTE delete_hearts (NULL, NULL);
