//! Search for users by username or display name.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::{UserId, UserListItem, UserSearchQuery, Username, Viewer};

use super::Users;
use super::released_usernames::has_username;
use crate::Result;
use crate::query::{UserQuery, hidden_users, statement};
use crate::rows::list_item_from_columns;
use crate::schema::{released_usernames, users};

impl Users<'_> {
    /// Finds users whose username or display name contains `query`, without regard to case, width and accents. The best
    /// matches come first: the user with exactly this username, then users with exactly this display name, then users with a
    /// name that starts with it, then users with a name that contains it; each group is sorted by username. Returns at most
    /// `limit` users, without `viewer` and users with a block to or from the viewer.
    ///
    /// Considers at most [`MAX_CANDIDATES`](Users::MAX_CANDIDATES) users whose display name starts with the query (the first
    /// ones in the order of their names), and at most as many whose names contain it (any of them).
    pub async fn search(
        &mut self,
        viewer: UserId,
        query: &UserSearchQuery,
        limit: i64,
    ) -> Result<Vec<UserListItem>> {
        let search = Search {
            viewer: viewer.into(),
            text: query.as_str().to_owned(),
            min_chars_inside: UserSearchQuery::MIN_SUBSTRING_CHARS,
            limit,
            max_candidates: Self::MAX_CANDIDATES,
        };
        let rows: Vec<Row> = search.load(self.conn).await?;
        Ok(rows.into_iter().map(list_item_from_columns).collect())
    }

    /// The maximum number of users that a search considers because their display name starts with the query, and the maximum
    /// number that it considers because a name contains it.
    pub const MAX_CANDIDATES: i64 = 1_000;

    /// Finds the users who have these usernames, or had them before if they are reserved, case-insensitive, without users
    /// with a block to or from `viewer`. One statement, or two if a name is reserved.
    pub async fn find_by_usernames(
        &mut self,
        viewer: UserId,
        names: &[Username],
    ) -> Result<Vec<NamedUser>> {
        let keys: Vec<String> =
            names.iter().map(|name| name.as_str().to_ascii_lowercase()).collect();
        let rows: Vec<(i64, String)> = UserQuery::visible_to(Viewer::User(viewer))
            .filtered_users()
            .filter(has_username(keys.clone()))
            .select((users::id, users::username))
            .load(self.conn)
            .await?;
        let mut found = Vec::new();
        let mut renamed: HashMap<i64, Username> = HashMap::new();
        for (id, username) in rows {
            let username = Username::from_stored(username);
            if keys.contains(&username.as_str().to_ascii_lowercase()) {
                let matched = username.clone();
                found.push(NamedUser { id: id.into(), username: username.clone(), matched });
            }
            renamed.insert(id, username);
        }
        if found.len() < keys.len() && !renamed.is_empty() {
            found.extend(self.find_former_names(&renamed, keys).await?);
        }
        Ok(found)
    }

    /// Which of these names are reserved former names of these users, given by id with their current names.
    async fn find_former_names(
        &mut self,
        users: &HashMap<i64, Username>,
        names: Vec<String>,
    ) -> Result<Vec<NamedUser>> {
        let rows: Vec<(Option<i64>, String)> = released_usernames::table
            .filter(released_usernames::username.eq_any(names))
            .select((released_usernames::user_id, released_usernames::username))
            .load(self.conn)
            .await?;
        let found = rows.into_iter().filter_map(|(user, name)| {
            let user = user?;
            let username = users.get(&user)?.clone();
            Some(NamedUser { id: user.into(), username, matched: Username::from_stored(name) })
        });
        Ok(found.collect())
    }
}

/// A user found by a username.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedUser {
    /// The user.
    pub id: UserId,
    /// The current username.
    pub username: Username,
    /// The username that was looked up: the current one, or a former one in lower case.
    pub matched: Username,
}

type Row = (i64, String, Option<String>, Option<String>, Option<String>, DateTime<Utc>);

/// A text in the form in which names are compared. Must equal the expression of `users.search_name`.
macro_rules! folded {
    ($text:literal) => {
        concat!(
            "left(normalize(replace(replace(translate(lower(upper(lower(regexp_replace(normalize(", $text, r", NFKD), '",
            r"[\u00AD\u0300-\u036F\u0483-\u0489\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7",
            r"\u0610-\u061A\u061C\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED",
            r"\u0711\u0730-\u074A\u08CA-\u08E1\u08E3-\u08FF\u115F\u1160\u17B4\u17B5\u180B-\u180F",
            r"\u1AB0-\u1AFF\u1DC0-\u1DFF\u200B-\u200F\u202A-\u202E\u2060-\u206F\u20D0-\u20F0",
            r"\u3164\uFE00-\uFE0F\uFE20-\uFE2F\uFEFF\uFFA0\uFFF0-\uFFF8",
            r"\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF]",
            r#"', '', 'g') COLLATE "und-x-icu"))), 'ςøłđħŧ', 'σoldht'), 'æ', 'ae'), 'œ', 'oe'), NFC), 300) COLLATE "C""#
        )
    };
}

/// The username and the folded display name of a user.
macro_rules! folded_names {
    () => {
        "lower(users.username) || chr(10) || coalesce(users.search_name, '')"
    };
}

/// Every third run of three characters of a text.
macro_rules! runs {
    ($($text:expr),+) => {
        concat!("regexp_replace(", $($text),+, r", '(...)', '\1' || chr(10), 'g')")
    };
}

/// All runs of three characters in the names of a user. Must equal the expression of `idx_users_trigrams`.
macro_rules! trigrams {
    () => {
        concat!(
            "string_to_array(",
            runs!(folded_names!()),
            r" || chr(10) || ",
            runs!("substr(", folded_names!(), ", 2)"),
            r" || chr(10) || ",
            runs!("substr(", folded_names!(), ", 3)"),
            r", chr(10))"
        )
    };
}

statement! {
    /// Reads at most the blocked users, twice the candidates, and four times the limit. Each CTE reads its users from an
    /// index, in its order if it has one. The index for matches inside a name has none, and is searched only if better
    /// matches do not fill the list. Its scan still visits every user with the trigrams of the text, one row number each.
    ///
    /// The CTEs are materialized, so that PostgreSQL does not plan to scan all users in the hope of finding a thousand matches
    /// early. Reading still stops at a thousand. Names that start with the text lie between two characters that no name
    /// contains: a control character after the text, and the last character of Unicode. The range compares rows of two
    /// columns, in which PostgreSQL expects a ninth of all users. In a range of one column it would expect so few that it
    /// would rather sort them all.
    Search(
        viewer: i64 as BigInt,
        text: String as Text,
        min_chars_inside: i32 as Integer,
        limit: i64 as BigInt,
        max_candidates: i64 as BigInt
    ) -> (BigInt, Text, Nullable<Text>, Nullable<Text>, Nullable<Text>, Timestamptz) {
        concat!(
            "folded AS MATERIALIZED (
                SELECT ", folded!("$2"), " AS text
            ), hidden AS MATERIALIZED (
                ", hidden_users!("$1"), " UNION ALL SELECT $1
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
                    ORDER BY search_name, lower(username) LIMIT $4
                ) UNION ALL (
                    SELECT id, lower(username), 2 FROM users
                    WHERE lower(username) > (SELECT text FROM folded)
                        AND lower(username) < (SELECT text || chr(1114111) FROM folded)
                        AND NOT (id = ANY (SELECT id FROM hidden))
                    ORDER BY lower(username) LIMIT $4
                ) UNION ALL (
                    SELECT id, lower(username), 2 FROM users
                    WHERE (search_name, lower(username)) >= ((SELECT text || chr(1) FROM folded), '')
                        AND (search_name, lower(username)) < ((SELECT text || chr(1114111) FROM folded), '')
                        AND NOT (id = ANY (SELECT id FROM hidden))
                    ORDER BY search_name, lower(username) LIMIT $5
                )
            ), inside AS MATERIALIZED (
                SELECT id, lower(username) AS name, search_name AS shown FROM users
                WHERE $3 <= (SELECT length(text) FROM folded) AND (SELECT count(DISTINCT id) FROM better) < $4
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
