SET plan_cache_mode = force_generic_plan;

PREPARE accept_requests (bigint, bigint[]) AS
WITH made AS (
    UPDATE follows SET status = 'active'
    WHERE followed_id = $1 AND follower_id = ANY ($2) AND status = 'pending'
    RETURNING follower_id
), followed AS (
    UPDATE users SET followers_count = followers_count + (SELECT count(*) FROM made)
    WHERE id = $1 AND EXISTS (SELECT FROM made)
), followers AS (
    UPDATE users SET following_count = following_count + 1
    FROM made WHERE users.id = made.follower_id
)
SELECT follower_id FROM made;

EXPLAIN EXECUTE accept_requests (NULL, NULL);
