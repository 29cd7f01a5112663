SET plan_cache_mode = force_generic_plan;

PREPARE delete_reactions (bigint[], uuid[]) AS
WITH changed AS (
    DELETE FROM emoji_reactions WHERE (user_id, post_id) IN (SELECT * FROM unnest($1, $2)) RETURNING *
), counted AS (
    UPDATE posts SET reactions_count = reactions_count + difference.number
    FROM (SELECT post_id, (-count(*))::integer AS number FROM changed GROUP BY post_id) AS difference
    WHERE posts.id = difference.post_id AND difference.number <> 0
    RETURNING posts.id, posts.author_id, posts.reactions_count AS number
)
SELECT changed.user_id, changed.post_id, counted.author_id
FROM changed JOIN counted ON counted.id = changed.post_id;

EXPLAIN EXECUTE delete_reactions (NULL, NULL);
