-- The form of the display name in which the search compares it: without regard to case, width and accents. First the
-- compatibility decomposition, which makes full-width letters, ligatures and accents plain letters and marks. Then without
-- accents and without what cannot be seen (see below), and with the case folded by ICU, independently of the locale of the
-- database: lower, upper and lower case again turn ß and ẞ into ss, and the dotless i into i. Both forms of the small sigma are
-- equal. Letters with a stroke, and the ligatures of a and o with e, have no decomposition. The result has at most 300
-- characters, since a character can decompose into eighteen, and an index row has at most 2,704 bytes.
--
-- The ranges are the combining diacritical marks of Latin, Greek and Cyrillic, the points of Hebrew, Arabic and Syriac, and the
-- default ignorable code points of Unicode, such as zero width spaces and variation selectors. Other marks make letters and
-- remain: か and が differ.
--
-- PostgreSQL keeps the column up to date, so nothing that writes a display name has to.
ALTER TABLE users ADD COLUMN search_name text COLLATE "C" GENERATED ALWAYS AS (
    left(
        normalize(
            replace(
                replace(
                    translate(
                        lower(upper(lower(
                            regexp_replace(
                                normalize(display_name, NFKD),
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
    ) COLLATE "C"
) STORED;

DROP INDEX idx_users_trigrams;
DROP INDEX idx_users_folded_name;

-- For users with a display name, or with one that starts with a text.
CREATE INDEX idx_users_search_name ON users (search_name, lower(username));

-- For users whose names contain a text: every run of three characters of the username and the display name, whichever
-- characters these are. A line feed, which no name contains, separates the names and follows each run. The text is split three
-- times, from the first, second and third character on. This gives all runs, and some shorter pieces that match nothing.
--
-- New entries wait in a pending list that each search scans completely, so its size is limited (in kB). Without a pending list,
-- inserting many users would take four times as long.
CREATE INDEX idx_users_trigrams ON users USING gin (
    string_to_array(
        regexp_replace(
            lower(username) || chr(10) || coalesce(search_name, ''),
            '(...)', '\1' || chr(10), 'g'
        ) || chr(10) || regexp_replace(
            substr(lower(username) || chr(10) || coalesce(search_name, ''), 2),
            '(...)', '\1' || chr(10), 'g'
        ) || chr(10) || regexp_replace(
            substr(lower(username) || chr(10) || coalesce(search_name, ''), 3),
            '(...)', '\1' || chr(10), 'g'
        ),
        chr(10)
    )
) WITH (gin_pending_list_limit = 64);
