SET plan_cache_mode = force_generic_plan;

PREPARE more_candidates (bigint, bytea[], bigint[], bigint[], timestamp with time zone, bigint, double precision) AS
WITH across AS MATERIALIZED (
    SELECT user_id AS id FROM hidden_users($1)
), served AS MATERIALIZED (
    SELECT unnest($2) AS key
), followed AS MATERIALIZED (
    SELECT followed_id AS id FROM follows WHERE follower_id = $1 AND status = 'active'
), reach AS MATERIALIZED (
    SELECT CASE WHEN count(*) <= 20 THEN 0 ELSE 20 * count(*) END AS entries
    FROM (SELECT FROM followed LIMIT 100) AS part
), ranked_without2 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT unnest($3)
), fresh_without2 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT unnest($4)
), everyone2 AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND NOT (author_id = ANY (SELECT id FROM ranked_without2))
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (CASE cardinality($3) WHEN 1 THEN 2 * $6 - 1 WHEN 2 THEN $6 ELSE 0 END)
), newest2 AS (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND NOT (author_id = ANY (SELECT id FROM fresh_without2))
        ORDER BY created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (CASE cardinality($4) WHEN 1 THEN 2 * $6 - 1 WHEN 2 THEN $6 ELSE 0 END)
), listed2 AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT *, false AS is_fresh FROM everyone2 UNION ALL SELECT *, true FROM newest2
    ) AS part
), bar2 AS MATERIALIZED (
    SELECT CASE WHEN count(*) = (CASE cardinality($3) WHEN 1 THEN 2 * $6 - 1 WHEN 2 THEN $6 ELSE 0 END) THEN min(rank) - $7 ELSE '-infinity' END AS rank FROM everyone2
), near2 AS MATERIALIZED (
    SELECT * FROM (
        SELECT * FROM (
            SELECT id, author_id, rank, created_at FROM posts
            WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND rank >= (SELECT rank FROM bar2) AND rank <= 'infinity'
            ORDER BY rank DESC, created_at DESC, id DESC LIMIT 2000
        ) AS part LIMIT (SELECT entries FROM reach)
    ) AS part
    WHERE (author_id = ANY (SELECT id FROM followed)) IS TRUE AND NOT (author_id = ANY (SELECT id FROM ranked_without2))
    LIMIT (CASE cardinality($3) WHEN 1 THEN 2 * $6 - 1 WHEN 2 THEN $6 ELSE 0 END)
), reached2 AS MATERIALIZED (
    SELECT CASE WHEN (SELECT count(*) FROM near2) = (CASE cardinality($3) WHEN 1 THEN 2 * $6 - 1 WHEN 2 THEN $6 ELSE 0 END) THEN true ELSE (
        SELECT count(*) < (SELECT entries FROM reach) FROM (
            SELECT FROM (
                SELECT FROM posts WHERE is_public AND created_at < $5
                    AND rank >= (SELECT rank FROM bar2) AND rank <= 'infinity'
                LIMIT 2000
            ) AS part LIMIT (SELECT entries FROM reach)
        ) AS part
    ) END AS is_all
), best2 AS MATERIALIZED (
    SELECT followed.id AS author_id, top.rank FROM followed, LATERAL (
        SELECT id, rank, created_at FROM posts
        WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND author_id = followed.id AND rank >= (SELECT rank FROM bar2)
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1
    ) AS top
    WHERE NOT (SELECT is_all FROM reached2) AND NOT (followed.id = ANY (SELECT id FROM ranked_without2))
    ORDER BY top.rank DESC, top.created_at DESC, top.id DESC LIMIT (CASE cardinality($3) WHEN 1 THEN 2 * $6 - 1 WHEN 2 THEN $6 ELSE 0 END)
), ranked2 AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at, false AS is_followed
        FROM listed2 WHERE NOT is_fresh AND NOT is_followed
        UNION ALL
        SELECT id, author_id, rank + $7, created_at, true
        FROM near2 WHERE (SELECT is_all FROM reached2)
        UNION ALL
        SELECT part.id, part.author_id, part.rank + $7, part.created_at, true FROM best2, LATERAL (
            SELECT id, author_id, rank, created_at FROM posts
            WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND author_id = best2.author_id AND rank >= (
                SELECT greatest(CASE WHEN count(*) = (CASE cardinality($3) WHEN 1 THEN 2 * $6 - 1 WHEN 2 THEN $6 ELSE 0 END) THEN min(rank) END, (SELECT rank FROM bar2))
                FROM best2
            )
            ORDER BY rank DESC, created_at DESC, id DESC LIMIT (CASE cardinality($3) WHEN 1 THEN 2 * $6 - 1 WHEN 2 THEN $6 ELSE 0 END)
        ) AS part
    ) AS part
    ORDER BY rank DESC, created_at DESC, id DESC LIMIT (CASE cardinality($3) WHEN 1 THEN 2 * $6 - 1 WHEN 2 THEN $6 ELSE 0 END)
), fresh2 AS (
    SELECT id, author_id, rank, created_at, is_followed FROM listed2 WHERE is_fresh
), full_ranked AS MATERIALIZED (
    SELECT author_id FROM ranked2 WHERE cardinality($3) = 1
    GROUP BY author_id HAVING count(*) >= $6
), ranked_without3 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT unnest($3) UNION ALL SELECT author_id FROM full_ranked
), full_fresh AS MATERIALIZED (
    SELECT author_id FROM fresh2 WHERE cardinality($4) = 1
    GROUP BY author_id HAVING count(*) >= $6
), fresh_without3 AS MATERIALIZED (
    SELECT id FROM across UNION ALL SELECT unnest($4) UNION ALL SELECT author_id FROM full_fresh
), everyone3 AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND NOT (author_id = ANY (SELECT id FROM ranked_without3))
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $6 ELSE 0 END)
), newest3 AS (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at FROM posts
        WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND NOT (author_id = ANY (SELECT id FROM fresh_without3))
        ORDER BY created_at DESC, id DESC LIMIT 1600
    ) AS part LIMIT (CASE WHEN EXISTS (SELECT FROM full_fresh) THEN $6 ELSE 0 END)
), listed3 AS MATERIALIZED (
    SELECT *, author_id = ANY (SELECT id FROM followed) AS is_followed FROM (
        SELECT *, false AS is_fresh FROM everyone3 UNION ALL SELECT *, true FROM newest3
    ) AS part
), bar3 AS MATERIALIZED (
    SELECT CASE WHEN count(*) = (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $6 ELSE 0 END) THEN min(rank) - $7 ELSE '-infinity' END AS rank FROM everyone3
), near3 AS MATERIALIZED (
    SELECT * FROM (
        SELECT * FROM (
            SELECT id, author_id, rank, created_at FROM posts
            WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND rank >= (SELECT rank FROM bar3) AND rank <= 'infinity'
            ORDER BY rank DESC, created_at DESC, id DESC LIMIT 2000
        ) AS part LIMIT (SELECT entries FROM reach)
    ) AS part
    WHERE (author_id = ANY (SELECT id FROM followed)) IS TRUE AND NOT (author_id = ANY (SELECT id FROM ranked_without3))
    LIMIT (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $6 ELSE 0 END)
), reached3 AS MATERIALIZED (
    SELECT CASE WHEN (SELECT count(*) FROM near3) = (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $6 ELSE 0 END) THEN true ELSE (
        SELECT count(*) < (SELECT entries FROM reach) FROM (
            SELECT FROM (
                SELECT FROM posts WHERE is_public AND created_at < $5
                    AND rank >= (SELECT rank FROM bar3) AND rank <= 'infinity'
                LIMIT 2000
            ) AS part LIMIT (SELECT entries FROM reach)
        ) AS part
    ) END AS is_all
), best3 AS MATERIALIZED (
    SELECT followed.id AS author_id, top.rank FROM followed, LATERAL (
        SELECT id, rank, created_at FROM posts
        WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND author_id = followed.id AND rank >= (SELECT rank FROM bar3)
        ORDER BY rank DESC, created_at DESC, id DESC LIMIT 1
    ) AS top
    WHERE NOT (SELECT is_all FROM reached3) AND NOT (followed.id = ANY (SELECT id FROM ranked_without3))
    ORDER BY top.rank DESC, top.created_at DESC, top.id DESC LIMIT (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $6 ELSE 0 END)
), ranked3 AS MATERIALIZED (
    SELECT * FROM (
        SELECT id, author_id, rank, created_at, false AS is_followed
        FROM listed3 WHERE NOT is_fresh AND NOT is_followed
        UNION ALL
        SELECT id, author_id, rank + $7, created_at, true
        FROM near3 WHERE (SELECT is_all FROM reached3)
        UNION ALL
        SELECT part.id, part.author_id, part.rank + $7, part.created_at, true FROM best3, LATERAL (
            SELECT id, author_id, rank, created_at FROM posts
            WHERE is_public AND created_at < $5 AND (
                cardinality($2) = 0 OR NOT (substring(uuid_send(id) FROM 9) = ANY (SELECT key FROM served))
            ) AND author_id = best3.author_id AND rank >= (
                SELECT greatest(CASE WHEN count(*) = (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $6 ELSE 0 END) THEN min(rank) END, (SELECT rank FROM bar3))
                FROM best3
            )
            ORDER BY rank DESC, created_at DESC, id DESC LIMIT (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $6 ELSE 0 END)
        ) AS part
    ) AS part
    ORDER BY rank DESC, created_at DESC, id DESC LIMIT (CASE WHEN EXISTS (SELECT FROM full_ranked) THEN $6 ELSE 0 END)
), fresh3 AS (
    SELECT id, author_id, rank, created_at, is_followed FROM listed3 WHERE is_fresh
)
SELECT id, author_id, rank, created_at, is_followed, false FROM ranked2
UNION ALL
SELECT id, author_id, rank, created_at, is_followed, true FROM fresh2
UNION ALL
SELECT id, author_id, rank, created_at, is_followed, false FROM ranked3
UNION ALL
SELECT id, author_id, rank, created_at, is_followed, true FROM fresh3;

EXPLAIN EXECUTE more_candidates (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
