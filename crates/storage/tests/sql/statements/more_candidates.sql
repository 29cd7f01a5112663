SET plan_cache_mode = force_generic_plan;

PREPARE more_candidates (bigint, bytea[], bigint[], timestamp with time zone, bigint, double precision, bigint[]) AS
WITH across AS MATERIALIZED (
    SELECT user_id AS id FROM hidden_users($1)
), served AS MATERIALIZED (
    SELECT unnest($2) AS key
), followed AS MATERIALIZED (
    SELECT followed_id AS id FROM follows
    WHERE follower_id = $1 AND status = 'active' AND NOT (followed_id = ANY (SELECT id FROM across))
), away2 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT unnest($3)
), everyone2 AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND NOT (author_id = ANY (SELECT id FROM away2))
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (CASE cardinality($3) WHEN 1 THEN 2 * $5 - 1 WHEN 2 THEN $5 ELSE 0 END)
), bar2 AS MATERIALIZED (
    SELECT CASE WHEN count(*) = (CASE cardinality($3) WHEN 1 THEN 2 * $5 - 1 WHEN 2 THEN $5 ELSE 0 END) THEN min(rank) - $6 ELSE '-infinity' END AS rank FROM everyone2
), band2 AS MATERIALIZED (
    SELECT CASE WHEN (SELECT count(*) FROM followed) <= 100 OR (CASE cardinality($3) WHEN 1 THEN 2 * $5 - 1 WHEN 2 THEN $5 ELSE 0 END) = 0 THEN false ELSE (
        SELECT count(*) < 1000 FROM (
            SELECT FROM posts WHERE is_public AND created_at < $4
                AND rank >= (SELECT rank FROM bar2) AND rank <= 'infinity'
            LIMIT 1000
        ) AS part
    ) END AS is_narrow
), best2 AS MATERIALIZED (
    SELECT followed.id AS author_id, top.rank FROM followed, LATERAL (
        SELECT id, rank, created_at FROM posts
        WHERE is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND author_id = followed.id AND rank >= (SELECT rank FROM bar2)
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1
    ) AS top
    WHERE NOT (SELECT is_narrow FROM band2)
        AND NOT (followed.id = ANY (SELECT id FROM away2))
    ORDER BY top.rank DESC, top.created_at DESC, top.id DESC LIMIT (CASE cardinality($3) WHEN 1 THEN 2 * $5 - 1 WHEN 2 THEN $5 ELSE 0 END)
), near2 AS MATERIALIZED (
    SELECT id, author_id, rank, created_at FROM posts
    WHERE (SELECT is_narrow FROM band2) AND is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
        AND rank >= (SELECT rank FROM bar2) AND rank <= 'infinity'
        AND author_id = ANY (SELECT id FROM followed)
        AND NOT (author_id = ANY (SELECT id FROM away2))
    UNION ALL
    SELECT part.* FROM best2, LATERAL (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND author_id = best2.author_id AND rank >= (
            SELECT greatest(CASE WHEN count(*) = (CASE cardinality($3) WHEN 1 THEN 2 * $5 - 1 WHEN 2 THEN $5 ELSE 0 END) THEN min(rank) END, (SELECT rank FROM bar2))
            FROM best2
        )
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT (CASE cardinality($3) WHEN 1 THEN 2 * $5 - 1 WHEN 2 THEN $5 ELSE 0 END)
    ) AS part
), ranked2 AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank + CASE WHEN is_followed THEN $6 ELSE 0 END AS rank, created_at, is_followed
        FROM everyone2
        UNION
        SELECT id, author_id, rank + $6, created_at, true FROM near2
    ) AS part
    ORDER BY rank DESC, created_at DESC, id DESC LIMIT (CASE cardinality($3) WHEN 1 THEN 2 * $5 - 1 WHEN 2 THEN $5 ELSE 0 END)
), full_ranked AS MATERIALIZED (
    SELECT author_id FROM ranked2 WHERE cardinality($3) = 1 GROUP BY author_id HAVING count(*) >= $5
), away3 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT unnest($3) UNION ALL SELECT author_id FROM full_ranked
), everyone3 AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND NOT (author_id = ANY (SELECT id FROM away3))
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $5 ELSE 0 END)
), bar3 AS MATERIALIZED (
    SELECT CASE WHEN count(*) = (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $5 ELSE 0 END) THEN min(rank) - $6 ELSE '-infinity' END AS rank FROM everyone3
), band3 AS MATERIALIZED (
    SELECT CASE WHEN (SELECT count(*) FROM followed) <= 100 OR (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $5 ELSE 0 END) = 0 THEN false ELSE (
        SELECT count(*) < 1000 FROM (
            SELECT FROM posts WHERE is_public AND created_at < $4
                AND rank >= (SELECT rank FROM bar3) AND rank <= 'infinity'
            LIMIT 1000
        ) AS part
    ) END AS is_narrow
), best3 AS MATERIALIZED (
    SELECT followed.id AS author_id, top.rank FROM followed, LATERAL (
        SELECT id, rank, created_at FROM posts
        WHERE is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND author_id = followed.id AND rank >= (SELECT rank FROM bar3)
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1
    ) AS top
    WHERE NOT (SELECT is_narrow FROM band3)
        AND NOT (followed.id = ANY (SELECT id FROM away3))
    ORDER BY top.rank DESC, top.created_at DESC, top.id DESC LIMIT (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $5 ELSE 0 END)
), near3 AS MATERIALIZED (
    SELECT id, author_id, rank, created_at FROM posts
    WHERE (SELECT is_narrow FROM band3) AND is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
        AND rank >= (SELECT rank FROM bar3) AND rank <= 'infinity'
        AND author_id = ANY (SELECT id FROM followed)
        AND NOT (author_id = ANY (SELECT id FROM away3))
    UNION ALL
    SELECT part.* FROM best3, LATERAL (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND author_id = best3.author_id AND rank >= (
            SELECT greatest(CASE WHEN count(*) = (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $5 ELSE 0 END) THEN min(rank) END, (SELECT rank FROM bar3))
            FROM best3
        )
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $5 ELSE 0 END)
    ) AS part
), ranked3 AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank + CASE WHEN is_followed THEN $6 ELSE 0 END AS rank, created_at, is_followed
        FROM everyone3
        UNION
        SELECT id, author_id, rank + $6, created_at, true FROM near3
    ) AS part
    ORDER BY rank DESC, created_at DESC, id DESC LIMIT (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $5 ELSE 0 END)
), absent2 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT unnest($7)
), fresh2 AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND NOT (author_id = ANY (SELECT id FROM absent2))
        ORDER BY created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (CASE cardinality($7) WHEN 1 THEN 2 * $5 - 1 WHEN 2 THEN $5 ELSE 0 END)
), full_fresh AS MATERIALIZED (
    SELECT author_id FROM fresh2 WHERE cardinality($7) = 1 GROUP BY author_id HAVING count(*) >= $5
), absent3 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT unnest($7) UNION ALL SELECT author_id FROM full_fresh
), fresh3 AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $4 AND NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served)) AND NOT (author_id = ANY (SELECT id FROM absent3))
        ORDER BY created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (CASE WHEN EXISTS (SELECT FROM full_fresh) THEN $5 ELSE 0 END)
)
SELECT id, author_id, rank, created_at, is_followed, false FROM ranked2
UNION ALL
SELECT id, author_id, rank, created_at, is_followed, false FROM ranked3
UNION ALL
SELECT id, author_id, rank, created_at, is_followed, true FROM fresh2
UNION ALL
SELECT id, author_id, rank, created_at, is_followed, true FROM fresh3;

EXPLAIN EXECUTE more_candidates (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
