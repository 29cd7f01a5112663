SET plan_cache_mode = force_generic_plan;

PREPARE users AS
SELECT "users"."id", "users"."username", "users"."display_name", "users"."profile_image_url", "users"."bio", "users"."created_at"
FROM "users"
WHERE NOT ("users"."id" = ANY (SELECT user_id
FROM hidden_users($1)))
ORDER BY "users"."id" DESC
LIMIT $2;

EXPLAIN EXECUTE users (NULL, NULL);
