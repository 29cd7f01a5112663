-- Who is called so, and whose display name begins so. Case is folded by ICU, so that it does not depend on the locale of
-- the database; both kinds of a small sigma are one.
CREATE INDEX idx_users_folded_name ON users (
    (translate(lower(display_name COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C"),
    lower(username)
);

-- Whose names have something inside: each run of three characters of a username and a display name, whatever they are.
-- Between the names, and behind each run, stands a line feed, which no name has. Cut three times, from the first, second
-- and third character on, the text gives all of its runs, and some pieces that are shorter and match nothing.
--
-- What was written last waits in a list that each search reads from end to end: so it is kept short, in kB. Without one,
-- many people would take four times as long to write.
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
