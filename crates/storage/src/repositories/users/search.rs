//! Finding people by what they are called.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::{UserId, UserListItem, UserSearchQuery, Username, Viewer};

use super::Users;
use crate::query::{lower, statement};
use crate::rows::list_item_from_columns;
use crate::schema::users;
use crate::{Result, UserQuery};

impl Users<'_> {
    /// People whose username or display name has `query` in it, without regard to case: first whoever has just that
    /// username, then those with that display name, then those with a name that begins so, then those with it inside one;
    /// by username in each of these. At most `most`; neither `viewer` nor anybody across a block with them.
    ///
    /// Of thousands whose display names begin so, those count whose names come first; of thousands with it inside, any
    /// [thousand](Users::MAX_CANDIDATES).
    pub async fn search(
        &mut self,
        viewer: UserId,
        query: &UserSearchQuery,
        most: i64,
    ) -> Result<Vec<UserListItem>> {
        let search = Search {
            viewer: viewer.into(),
            text: query.as_str().to_owned(),
            inside: query.is_long_enough_for_substring(),
            most,
            most_candidates: Self::MAX_CANDIDATES,
        };
        let rows: Vec<Row> = search.load(self.conn).await?;
        Ok(rows.into_iter().map(list_item_from_columns).collect())
    }

    /// How many people a search looks at for their display names, and as many again for what is inside their names.
    pub const MAX_CANDIDATES: i64 = 1_000;

    /// Those of these people whom there are, without regard to case, but for nobody across a block with `viewer`.
    pub async fn find_by_usernames(
        &mut self,
        viewer: UserId,
        names: &[Username],
    ) -> Result<Vec<(UserId, Username)>> {
        let keys: Vec<String> =
            names.iter().map(|name| name.as_str().to_ascii_lowercase()).collect();
        let rows: Vec<(i64, String)> = UserQuery::visible_to(Viewer::User(viewer))
            .filtered_users()
            .filter(lower(users::username).eq_any(keys))
            .select((users::id, users::username))
            .load(self.conn)
            .await?;
        let found = rows.into_iter().map(|(id, name)| (id.into(), Username::from_stored(name)));
        Ok(found.collect())
    }
}

type Row = (i64, String, Option<String>, Option<String>, Option<String>, DateTime<Utc>);

/// A text as names are compared: what `idx_users_folded_name` begins with, word by word.
macro_rules! folded {
    ($text:literal) => {
        concat!(r#"translate(lower("#, $text, r#" COLLATE "und-x-icu"), 'ς', 'σ') COLLATE "C""#)
    };
}

macro_rules! shown {
    () => {
        folded!("users.display_name")
    };
}

/// Both names of a person.
macro_rules! names {
    () => {
        concat!(r"lower(users.username) || chr(10) || coalesce(", shown!(), ", '')")
    };
}

/// Every third run of three characters.
macro_rules! runs {
    ($($text:expr),+) => {
        concat!("regexp_replace(", $($text),+, r", '(...)', '\1' || chr(10), 'g')")
    };
}

/// All runs of three characters in the names of a person: what `idx_users_trigrams` has, word by word.
macro_rules! trigrams {
    () => {
        concat!(
            "string_to_array(",
            runs!(names!()),
            r" || chr(10) || ",
            runs!("substr(", names!(), ", 2)"),
            r" || chr(10) || ",
            runs!("substr(", names!(), ", 3)"),
            r", chr(10))"
        )
    };
}

statement! {
    /// Reads no more people than are blocked, twice the candidates, and four times what is asked for. Each part takes its
    /// people from an index, in its order where it has one. What is inside names has none, and is only looked for where
    /// nothing better fills the list; the index still goes through all of whom there are, a row number each.
    ///
    /// Materialized, so that PostgreSQL does not hope to meet a thousand soon by reading everybody, and stops at them all
    /// the same. Names that begin so lie between two characters that are in none: a control character behind the text,
    /// and the last one of Unicode. By rows, since of two columns PostgreSQL expects a ninth of all people to lie there;
    /// of one it expects so few that it would rather sort them all.
    Search(
        viewer: i64 as BigInt,
        text: String as Text,
        inside: bool as Bool,
        most: i64 as BigInt,
        most_candidates: i64 as BigInt
    ) -> (BigInt, Text, Nullable<Text>, Nullable<Text>, Nullable<Text>, Timestamptz) {
        concat!(
            "folded AS MATERIALIZED (
                SELECT ", folded!("$2"), " AS text
            ), hidden AS MATERIALIZED (
                SELECT followed_id AS id FROM follows WHERE follower_id = $1 AND status = 'blocked'
                UNION ALL SELECT follower_id FROM follows WHERE followed_id = $1 AND status = 'blocked'
                UNION ALL SELECT $1
            ), better AS MATERIALIZED (
                (
                    SELECT id, lower(username) AS name, 0 AS place FROM users
                    WHERE lower(username) = (SELECT text FROM folded)
                        AND NOT (id = ANY (SELECT id FROM hidden))
                ) UNION ALL (
                    SELECT id, lower(username), 1 FROM users
                    WHERE (", shown!(), ", lower(username)) >= ((SELECT text FROM folded), '')
                        AND (", shown!(), ", lower(username)) < ((SELECT text || chr(1) FROM folded), '')
                        AND NOT (id = ANY (SELECT id FROM hidden))
                    ORDER BY ", shown!(), ", lower(username) LIMIT $4
                ) UNION ALL (
                    SELECT id, lower(username), 2 FROM users
                    WHERE lower(username) > (SELECT text FROM folded)
                        AND lower(username) < (SELECT text || chr(1114111) FROM folded)
                        AND NOT (id = ANY (SELECT id FROM hidden))
                    ORDER BY lower(username) LIMIT $4
                ) UNION ALL (
                    SELECT id, lower(username), 2 FROM users
                    WHERE (", shown!(), ", lower(username)) >= ((SELECT text || chr(1) FROM folded), '')
                        AND (", shown!(), ", lower(username)) < ((SELECT text || chr(1114111) FROM folded), '')
                        AND NOT (id = ANY (SELECT id FROM hidden))
                    ORDER BY ", shown!(), ", lower(username) LIMIT $5
                )
            ), inside AS MATERIALIZED (
                SELECT id, lower(username) AS name, ", shown!(), " AS shown FROM users
                WHERE $3 AND (SELECT count(DISTINCT id) FROM better) < $4
                    AND ", trigrams!(), " @> ARRAY(
                        SELECT substr(text, n, 3) FROM folded, generate_series(1, length(text) - 2) AS n
                    )
            ), candidates AS (
                SELECT * FROM inside LIMIT $5
            ), found AS (
                SELECT * FROM better
                UNION ALL
                SELECT id, name, 3 FROM candidates, folded
                WHERE (strpos(name, text) > 0 OR strpos(shown, text) > 0)
                    AND NOT (id = ANY (SELECT id FROM hidden))
            ), best AS (
                SELECT id, name, min(place) AS place FROM found
                GROUP BY id, name ORDER BY place, name LIMIT $4
            )
            SELECT users.id, username, display_name, bio, profile_image_url, created_at
            FROM best JOIN users ON users.id = best.id
            ORDER BY best.place, best.name"
        )
    }
}
