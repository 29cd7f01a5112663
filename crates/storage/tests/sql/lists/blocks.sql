SET plan_cache_mode = force_generic_plan;

PREPARE blocks AS
SELECT "edges"."id", "edges"."created_at", "users"."id", "users"."username", "users"."display_name", "users"."profile_image_url", "users"."bio", "users"."created_at", ((SELECT "follows"."id"
FROM "follows"
WHERE ((("follows"."follower_id" = $1)
AND ("follows"."followed_id" = "users"."id"))
AND ("follows"."status" = $2))
LIMIT $3) IS NOT NULL)
FROM ("follows" AS "edges"
INNER JOIN "users" ON ("users"."id" = "edges"."follower_id"))
WHERE (((("edges"."followed_id" = $4)
AND ("edges"."status" = $5))
AND ("users"."deleted_at" IS NULL))
AND ROW("edges"."created_at", "edges"."id") < ROW($6, $7))
ORDER BY "edges"."created_at" DESC, "edges"."id" DESC
LIMIT $8 OFFSET $9;

EXPLAIN EXECUTE blocks (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
