SET plan_cache_mode = force_generic_plan;

PREPARE find_usernames (text[]) AS
WITH found AS (
    SELECT lower(username) AS name, id FROM users WHERE lower(username) = ANY ($1)
)
SELECT name, id FROM found;

EXPLAIN EXECUTE find_usernames (NULL);
