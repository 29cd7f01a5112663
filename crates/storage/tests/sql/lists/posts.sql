SET plan_cache_mode = force_generic_plan;

PREPARE posts AS
SELECT "posts"."id", "posts"."author_id", "posts"."title", "posts"."content", "posts"."post_type", "posts"."image_url", "posts"."location", "posts"."is_public", "posts"."created_at", "posts"."updated_at", "posts"."hearts_count", "posts"."reactions_count", "posts"."shares_count", "posts"."comments_count", "users"."id", "users"."username", "users"."display_name", "users"."profile_image_url", ((SELECT "likes"."user_id"
FROM "likes"
WHERE (("likes"."post_id" = "posts"."id")
AND ("likes"."user_id" = $1))
LIMIT $2) IS NOT NULL), (SELECT "emoji_reactions"."emoji_code"
FROM "emoji_reactions"
WHERE (("emoji_reactions"."post_id" = "posts"."id")
AND ("emoji_reactions"."user_id" = $3))
LIMIT $4)
FROM ("posts"
INNER JOIN "users" ON ("posts"."author_id" = "users"."id"))
WHERE (((NOT ("posts"."author_id" = ANY (SELECT user_id
FROM hidden_users($5)))
AND "posts"."is_public")
AND ("posts"."created_at" < $6))
AND ROW("posts"."created_at", "posts"."id") < ROW($7, $8))
ORDER BY "posts"."created_at" DESC, "posts"."id" DESC
LIMIT $9 OFFSET $10;

EXPLAIN EXECUTE posts (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
