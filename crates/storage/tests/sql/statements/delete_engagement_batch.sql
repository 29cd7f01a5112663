SET plan_cache_mode = force_generic_plan;

PREPARE delete_engagement_batch (uuid, bigint) AS
WITH hearts AS (
    DELETE FROM likes WHERE id IN (SELECT id FROM likes WHERE post_id = $1 LIMIT $2) RETURNING id
), reactions AS (
    DELETE FROM emoji_reactions WHERE id IN (SELECT id FROM emoji_reactions WHERE post_id = $1 LIMIT $2)
    RETURNING id
), sharer AS (
    SELECT user_id FROM shares WHERE post_id = $1 LIMIT $2
), gone AS (
    DELETE FROM shares WHERE post_id = $1 AND user_id IN (SELECT user_id FROM sharer)
    RETURNING user_id, share_method
), number AS (
    SELECT (SELECT count(*) FROM hearts)::integer AS hearts,
        (SELECT count(*) FROM reactions)::integer AS reactions,
        (SELECT count(DISTINCT (user_id, share_method)) FROM gone)::integer AS shares
)
UPDATE posts SET
    hearts_count = hearts_count - number.hearts,
    reactions_count = reactions_count - number.reactions,
    shares_count = shares_count - number.shares
FROM number WHERE posts.id = $1
RETURNING number.hearts + number.reactions + number.shares;

EXPLAIN EXECUTE delete_engagement_batch (NULL, NULL);
