SET plan_cache_mode = force_generic_plan;

PREPARE children_of_a_batch AS
SELECT "notifications"."id", "notifications"."user_id", "notifications"."actor_id", "notifications"."type", "notifications"."data", "notifications"."priority", "notifications"."read", "notifications"."read_at", "notifications"."created_at", "notifications"."last_updated_at", "notifications"."closed_at", "notifications"."parent_id", "notifications"."is_batch", "notifications"."batch_count", "notifications"."actor_count", "notifications"."batch_key", "notifications"."act", "notifications"."post_id", "notifications"."comment_id", "notifications"."seq", "users"."id", "users"."username", "users"."display_name", "users"."profile_image_url"
FROM ("notifications"
LEFT OUTER JOIN "users" ON (("notifications"."actor_id" = "users"."id")
AND ("users"."deleted_at" IS NULL)))
WHERE ((EXISTS (SELECT "parents"."id", "parents"."user_id", "parents"."actor_id", "parents"."type", "parents"."title", "parents"."message", "parents"."data", "parents"."priority", "parents"."read", "parents"."read_at", "parents"."created_at", "parents"."last_updated_at", "parents"."closed_at", "parents"."parent_id", "parents"."is_batch", "parents"."batch_count", "parents"."actor_count", "parents"."batch_key", "parents"."act", "parents"."post_id", "parents"."comment_id", "parents"."seq"
FROM "notifications" AS "parents"
WHERE (("parents"."id" = $1)
AND ("parents"."user_id" = $2)))
AND ("notifications"."parent_id" = $3))
AND ROW("notifications"."created_at", "notifications"."id") < ROW($4, $5))
ORDER BY "notifications"."created_at" DESC, "notifications"."id" DESC
LIMIT $6 OFFSET $7;

EXPLAIN EXECUTE children_of_a_batch (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
