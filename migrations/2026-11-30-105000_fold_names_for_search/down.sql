DROP INDEX idx_users_trigrams;
DROP INDEX idx_users_search_name;
ALTER TABLE users DROP COLUMN search_name;

-- For users with a display name, or with one that starts with a text. ICU folds the case, so that it does not depend on the
-- locale of the database. Both forms of the small sigma are equal.
CREATE INDEX idx_users_folded_name ON users (
    (translate(lower(display_name COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C"),
    lower(username)
);

-- For users whose names contain a text: every run of three characters of the username and the display name, whichever
-- characters these are. A line feed, which no name contains, separates the names and follows each run. The text is split three
-- times, from the first, second and third character on. This gives all runs, and some shorter pieces that match nothing.
--
-- New entries wait in a pending list that each search scans completely, so its size is limited (in kB). Without a pending list,
-- inserting many users would take four times as long.
CREATE INDEX idx_users_trigrams ON users USING gin (
    string_to_array(
        regexp_replace(
            lower(username) || chr(10)
                || coalesce(translate(lower(display_name COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C", ''),
            '(...)', '\1' || chr(10), 'g'
        ) || chr(10) || regexp_replace(
            substr(
                lower(username) || chr(10)
                    || coalesce(translate(lower(display_name COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C", ''),
                2
            ),
            '(...)', '\1' || chr(10), 'g'
        ) || chr(10) || regexp_replace(
            substr(
                lower(username) || chr(10)
                    || coalesce(translate(lower(display_name COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C", ''),
                3
            ),
            '(...)', '\1' || chr(10), 'g'
        ),
        chr(10)
    )
) WITH (gin_pending_list_limit = 64);
