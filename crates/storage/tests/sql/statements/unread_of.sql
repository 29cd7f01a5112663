SET plan_cache_mode = force_generic_plan;

PREPARE unread_of (bigint, bigint[]) AS
SELECT to_jsonb(it), person.id, person.username, person.display_name, person.profile_image_url
FROM users AS owner, LATERAL (
    SELECT * FROM notifications
    WHERE user_id = owner.id AND parent_id IS NULL AND NOT read
    ORDER BY last_updated_at DESC, id DESC LIMIT $1
) AS it
LEFT JOIN LATERAL (
    SELECT * FROM users WHERE users.id = it.actor_id AND users.deleted_at IS NULL LIMIT 1
) AS person ON true
WHERE owner.id = ANY ($2) AND owner.deleted_at IS NULL
ORDER BY it.user_id, it.last_updated_at DESC, it.id DESC;

EXPLAIN EXECUTE unread_of (NULL, NULL);
