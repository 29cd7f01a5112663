SET plan_cache_mode = force_generic_plan;

PREPARE received_shares (bigint, uuid, bigint) AS
WITH theirs AS MATERIALIZED (
    SELECT share_id FROM share_recipients WHERE user_id = $1 AND share_id > $2
), part AS (
    SELECT share_id FROM theirs ORDER BY share_id LIMIT $3
)
SELECT sent.id, sent.post_id, sender.username,
    CASE WHEN NOT (sent.user_id = ANY (SELECT user_id FROM hidden_users($1))) THEN sent.message_content END,
    sent.created_at
FROM part, LATERAL (
    SELECT * FROM shares WHERE shares.id = part.share_id LIMIT 1
) AS sent, LATERAL (
    SELECT username FROM users WHERE users.id = sent.user_id LIMIT 1
) AS sender
ORDER BY sent.id;

EXPLAIN EXECUTE received_shares (NULL, NULL, NULL);
