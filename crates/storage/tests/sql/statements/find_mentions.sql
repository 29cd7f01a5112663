SET plan_cache_mode = force_generic_plan;

PREPARE find_mentions (text[], text[], bigint, text) AS
WITH people AS MATERIALIZED (
    (
        SELECT id FROM users WHERE lower(username) = ANY ($1)
        UNION SELECT user_id FROM released_usernames WHERE username = ANY ($1)
    ) EXCEPT (
        SELECT id FROM users WHERE lower(username) = ANY ($2)
        UNION SELECT user_id FROM released_usernames WHERE username = ANY ($2)
    )
)
SELECT told.id, people.id FROM people CROSS JOIN LATERAL (
    SELECT it.id FROM notifications AS it
    WHERE it.user_id = people.id AND it.actor_id = $3
        AND notification_act(it.act, it.type, it.post_id, it.comment_id) = $4
        AND hashtextextended(notification_act(it.act, it.type, it.post_id, it.comment_id), 0)
            = hashtextextended($4, 0)
    LIMIT 1
) AS told;

EXPLAIN EXECUTE find_mentions (NULL, NULL, NULL, NULL);
