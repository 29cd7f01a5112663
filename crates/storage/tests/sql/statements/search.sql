SET plan_cache_mode = force_generic_plan;

PREPARE search (text, bigint, bigint, bigint, integer) AS
WITH folded AS MATERIALIZED (
    SELECT
        left(
            normalize(
                replace(
                    replace(
                        translate(
                            lower(upper(lower(
                                regexp_replace(
                                    normalize($1, NFKD),
                                    '[\u00AD\u0300-\u036F\u0483-\u0489\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7'
                                        '\u0610-\u061A\u061C\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED'
                                        '\u0711\u0730-\u074A\u08CA-\u08E1\u08E3-\u08FF\u115F\u1160\u17B4\u17B5\u180B-\u180F'
                                        '\u1AB0-\u1AFF\u1DC0-\u1DFF\u200B-\u200F\u202A-\u202E\u2060-\u206F\u20D0-\u20F0'
                                        '\u3164\uFE00-\uFE0F\uFE20-\uFE2F\uFEFF\uFFA0\uFFF0-\uFFF8'
                                        '\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]',
                                    '', 'g'
                                ) COLLATE "und-x-icu"
                            ))),
                            'ςøłđħŧ', 'σoldht'
                        ),
                        'æ', 'ae'
                    ),
                    'œ', 'oe'
                ),
                NFC
            ),
            300
        ) COLLATE "C" AS text
), hidden AS MATERIALIZED (
    SELECT user_id AS id FROM hidden_users($2) UNION ALL SELECT $2
), better AS MATERIALIZED (
    (
        SELECT id, lower(username) AS name, 0 AS place FROM users
        WHERE lower(username) = (SELECT text FROM folded)
            AND NOT (id = ANY (SELECT id FROM hidden))
    ) UNION ALL (
        SELECT id, lower(username), 1 FROM users
        WHERE (search_name, lower(username)) >= ((SELECT text FROM folded), '')
            AND (search_name, lower(username)) < ((SELECT text || chr(1) FROM folded), '')
            AND NOT (id = ANY (SELECT id FROM hidden))
        ORDER BY search_name, lower(username) LIMIT $3
    ) UNION ALL (
        SELECT id, lower(username), 2 FROM users
        WHERE lower(username) > (SELECT text FROM folded)
            AND lower(username) < (SELECT text || chr(1114111) FROM folded)
            AND NOT (id = ANY (SELECT id FROM hidden))
        ORDER BY lower(username) LIMIT $3
    ) UNION ALL (
        SELECT id, lower(username), 2 FROM users
        WHERE (search_name, lower(username)) >= ((SELECT text || chr(1) FROM folded), '')
            AND (search_name, lower(username)) < ((SELECT text || chr(1114111) FROM folded), '')
            AND NOT (id = ANY (SELECT id FROM hidden))
        ORDER BY search_name, lower(username) LIMIT $4
    )
), inside AS MATERIALIZED (
    SELECT id, lower(username) AS name, search_name AS shown FROM users
    WHERE $5 <= (SELECT length(text) FROM folded)
        AND (SELECT count(DISTINCT id) FROM better) < $3
        AND string_to_array(
                regexp_replace(
                    lower(users.username) || chr(10) || coalesce(users.search_name, ''),
                    '(...)', '\1' || chr(10), 'g'
                ) || chr(10) || regexp_replace(
                    substr(lower(users.username) || chr(10) || coalesce(users.search_name, ''), 2),
                    '(...)', '\1' || chr(10), 'g'
                ) || chr(10) || regexp_replace(
                    substr(lower(users.username) || chr(10) || coalesce(users.search_name, ''), 3),
                    '(...)', '\1' || chr(10), 'g'
                ),
                chr(10)
            ) @> ARRAY(
            SELECT substr(text, n, 3) FROM folded, generate_series(1, length(text) - 2) AS n
        )
), candidates AS (
    SELECT * FROM inside LIMIT $4
), found AS (
    SELECT * FROM better
    UNION ALL
    SELECT id, name, 3 FROM candidates, folded
    WHERE (strpos(name, text) > 0 OR strpos(shown, text) > 0)
        AND NOT (id = ANY (SELECT id FROM hidden))
), best AS (
    SELECT id, name, min(place) AS place FROM found
    GROUP BY id, name ORDER BY place, name LIMIT $3
)
SELECT users.id, username, display_name, bio, profile_image_url, created_at
FROM best JOIN users ON users.id = best.id
ORDER BY best.place, best.name;

EXPLAIN EXECUTE search (NULL, NULL, NULL, NULL, NULL);
