SET plan_cache_mode = force_generic_plan;

PREPARE unread_notifications AS
SELECT "notifications"."id", "notifications"."user_id", "notifications"."actor_id", "notifications"."type", "notifications"."data", "notifications"."priority", "notifications"."read", "notifications"."read_at", "notifications"."created_at", "notifications"."last_updated_at", "notifications"."closed_at", "notifications"."parent_id", "notifications"."is_batch", "notifications"."batch_count", "notifications"."actor_count", "notifications"."batch_key", "notifications"."act", "notifications"."post_id", "notifications"."comment_id", "notifications"."seq", "users"."id", "users"."username", "users"."display_name", "users"."profile_image_url"
FROM ("notifications"
LEFT OUTER JOIN "users" ON (("notifications"."actor_id" = "users"."id")
AND ("users"."deleted_at" IS NULL)))
WHERE (((("notifications"."user_id" = $1)
AND ("notifications"."parent_id" IS NULL))
AND NOT ("notifications"."read"))
AND ROW("notifications"."last_updated_at", "notifications"."id") < ROW($2, $3))
ORDER BY "notifications"."last_updated_at" DESC, "notifications"."id" DESC
LIMIT $4 OFFSET $5;

EXPLAIN EXECUTE unread_notifications (NULL, NULL, NULL, NULL, NULL);
