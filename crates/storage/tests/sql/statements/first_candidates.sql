SET plan_cache_mode = force_generic_plan;

PREPARE first_candidates (bigint, bytea[], timestamp with time zone, bigint, double precision) AS
WITH across AS MATERIALIZED (
    SELECT user_id AS id FROM hidden_users($1)
), served AS MATERIALIZED (
    SELECT unnest($2) AS key
), followed AS MATERIALIZED (
    SELECT followed_id AS id FROM follows
    WHERE follower_id = $1 AND status = 'active' AND NOT (followed_id = ANY (SELECT id FROM across))
), away1 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT NULL::bigint WHERE false
), everyone1 AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $3 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND NOT (author_id = ANY (SELECT id FROM away1))
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (3 * $4 - 2)
), bar1 AS MATERIALIZED (
    SELECT CASE WHEN count(*) = (3 * $4 - 2) THEN min(rank) - $5 ELSE '-infinity' END AS rank FROM everyone1
), band1 AS MATERIALIZED (
    SELECT CASE WHEN (SELECT count(*) FROM followed) <= 100 OR (3 * $4 - 2) = 0 THEN false ELSE (
        SELECT count(*) < 1000 FROM (
            SELECT FROM posts WHERE is_public AND created_at < $3
                AND rank >= (SELECT rank FROM bar1) AND rank <= 'infinity'
            LIMIT 1000
        ) AS part
    ) END AS is_narrow
), best1 AS MATERIALIZED (
    SELECT followed.id AS author_id, top.rank FROM followed, LATERAL (
        SELECT id, rank, created_at FROM posts
        WHERE is_public AND created_at < $3 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND author_id = followed.id AND rank >= (SELECT rank FROM bar1)
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1
    ) AS top
    WHERE NOT (SELECT is_narrow FROM band1)
        AND NOT (followed.id = ANY (SELECT id FROM away1))
    ORDER BY top.rank DESC, top.created_at DESC, top.id DESC LIMIT (3 * $4 - 2)
), near1 AS MATERIALIZED (
    SELECT id, author_id, rank, created_at FROM posts
    WHERE (SELECT is_narrow FROM band1) AND is_public AND created_at < $3 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
        AND rank >= (SELECT rank FROM bar1) AND rank <= 'infinity'
        AND author_id = ANY (SELECT id FROM followed)
        AND NOT (author_id = ANY (SELECT id FROM away1))
    UNION ALL
    SELECT part.* FROM best1, LATERAL (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $3 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND author_id = best1.author_id AND rank >= (
            SELECT greatest(CASE WHEN count(*) = (3 * $4 - 2) THEN min(rank) END, (SELECT rank FROM bar1))
            FROM best1
        )
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT (3 * $4 - 2)
    ) AS part
), ranked1 AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank + CASE WHEN is_followed THEN $5 ELSE 0 END AS rank, created_at, is_followed
        FROM everyone1
        UNION
        SELECT id, author_id, rank + $5, created_at, true FROM near1
    ) AS part
    ORDER BY rank DESC, created_at DESC, id DESC LIMIT (3 * $4 - 2)
), absent1 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT NULL::bigint WHERE false
), fresh1 AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $3 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND NOT (author_id = ANY (SELECT id FROM absent1))
        ORDER BY created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (3 * $4 - 2)
)
SELECT id, author_id, rank, created_at, is_followed, false FROM ranked1
UNION ALL
SELECT id, author_id, rank, created_at, is_followed, true FROM fresh1;

EXPLAIN EXECUTE first_candidates (NULL, NULL, NULL, NULL, NULL);
