SET plan_cache_mode = force_generic_plan;

PREPARE first_candidates (bigint, bytea[], timestamp with time zone, bigint, double precision) AS
WITH across AS MATERIALIZED (
    SELECT user_id AS id FROM hidden_users($1)
), served AS MATERIALIZED (
    SELECT unnest($2) AS key
), followed AS MATERIALIZED (
    SELECT followed_id AS id FROM follows WHERE follower_id = $1 AND status = 'active'
), reach AS MATERIALIZED (
    SELECT CASE WHEN count(*) <= 20 THEN 0 ELSE 20 * count(*) END AS entries
    FROM (SELECT FROM followed LIMIT 100) AS part
), everyone1 AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $3 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND NOT (author_id = ANY (SELECT id FROM across))
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (3 * $4 - 2)
), newest1 AS (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $3 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND NOT (author_id = ANY (SELECT id FROM across))
        ORDER BY created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (3 * $4 - 2)
), listed1 AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT *, false AS is_fresh FROM everyone1 UNION ALL SELECT *, true FROM newest1
    ) AS part
), bar1 AS MATERIALIZED (
    SELECT CASE WHEN count(*) = (3 * $4 - 2) THEN min(rank) - $5 ELSE '-infinity' END AS rank FROM everyone1
), near1 AS MATERIALIZED (
    SELECT * FROM (
        SELECT * FROM (
            SELECT id, author_id, rank, created_at FROM posts
            WHERE is_public AND created_at < $3 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND rank >= (SELECT rank FROM bar1) AND rank <= 'infinity'
            ORDER BY rank DESC, created_at DESC, id DESC LIMIT 2000
        ) AS part LIMIT (SELECT entries FROM reach)
    ) AS part
    WHERE (author_id = ANY (SELECT id FROM followed)) IS TRUE AND NOT (author_id = ANY (SELECT id FROM across))
    LIMIT (3 * $4 - 2)
), reached1 AS MATERIALIZED (
    SELECT CASE WHEN (SELECT count(*) FROM near1) = (3 * $4 - 2) THEN true ELSE (
        SELECT count(*) < (SELECT entries FROM reach) FROM (
            SELECT FROM (
                SELECT FROM posts WHERE is_public AND created_at < $3
                    AND rank >= (SELECT rank FROM bar1) AND rank <= 'infinity'
                LIMIT 2000
            ) AS part LIMIT (SELECT entries FROM reach)
        ) AS part
    ) END AS is_all
), best1 AS MATERIALIZED (
    SELECT followed.id AS author_id, top.rank FROM followed, LATERAL (
        SELECT id, rank, created_at FROM posts
        WHERE is_public AND created_at < $3 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND author_id = followed.id AND rank >= (SELECT rank FROM bar1)
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1
    ) AS top
    WHERE NOT (SELECT is_all FROM reached1) AND NOT (followed.id = ANY (SELECT id FROM across))
    ORDER BY top.rank DESC, top.created_at DESC, top.id DESC LIMIT (3 * $4 - 2)
), ranked1 AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at, false AS is_followed
        FROM listed1 WHERE NOT is_fresh AND NOT is_followed
        UNION ALL
        SELECT id, author_id, rank + $5, created_at, true
        FROM near1 WHERE (SELECT is_all FROM reached1)
        UNION ALL
        SELECT part.id, part.author_id, part.rank + $5, part.created_at, true FROM best1, LATERAL (
            SELECT id, author_id, rank, created_at FROM posts
            WHERE is_public AND created_at < $3 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND author_id = best1.author_id AND rank >= (
                SELECT greatest(CASE WHEN count(*) = (3 * $4 - 2) THEN min(rank) END, (SELECT rank FROM bar1))
                FROM best1
            )
            ORDER BY rank DESC, created_at DESC, id DESC LIMIT (3 * $4 - 2)
        ) AS part
    ) AS part
    ORDER BY rank DESC, created_at DESC, id DESC LIMIT (3 * $4 - 2)
), fresh1 AS (
    SELECT id, author_id, rank, created_at, is_followed FROM listed1 WHERE is_fresh
)
SELECT id, author_id, rank, created_at, is_followed, false FROM ranked1
UNION ALL
SELECT id, author_id, rank, created_at, is_followed, true FROM fresh1;

EXPLAIN EXECUTE first_candidates (NULL, NULL, NULL, NULL, NULL);
