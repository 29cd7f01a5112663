//! Search for users by username or display name.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use grateful_domain::{UserId, UserListItem, UserSearchQuery, Username, Viewer};

use super::Users;
use super::released_usernames::ids_by_username;
use crate::query::{statement, visible_users};
use crate::rows::list_item_from_columns;
use crate::schema::{released_usernames, users};
use crate::{ReadConnection, Result};

impl<C: ReadConnection> Users<'_, C> {
    /// Finds the users who have these usernames, or had them before if they are reserved, case-insensitive, without users
    /// with a block to or from `viewer`. One statement, or two if a name is reserved.
    pub async fn find_by_usernames(
        &mut self,
        viewer: UserId,
        names: &[Username],
    ) -> Result<Vec<NamedUser>> {
        let keys: Vec<String> =
            names.iter().map(|name| name.as_str().to_ascii_lowercase()).collect();
        let rows: Vec<(i64, String)> = visible_users(Viewer::User(viewer))
            .filter(users::id.eq_any(ids_by_username(keys.clone())))
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
            viewer_id: viewer.into(),
            text: query.as_str().to_owned(),
            min_chars_inside: UserSearchQuery::MIN_SUBSTRING_CHARS,
            max_users: limit,
            max_candidates: Self::MAX_CANDIDATES,
        };
        let rows: Vec<Row> = search.load(self.conn).await?;
        Ok(rows.into_iter().map(list_item_from_columns).collect())
    }

    /// The maximum number of users that a search considers because their display name starts with the query, and the maximum
    /// number that it considers because a name contains it.
    pub const MAX_CANDIDATES: i64 = 1_000;
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

statement! {
    Search {
        viewer_id: i64 as BigInt,
        text: String as Text,
        min_chars_inside: i32 as Integer,
        max_users: i64 as BigInt,
        max_candidates: i64 as BigInt,
    } -> (BigInt, Text, Nullable<Text>, Nullable<Text>, Nullable<Text>, Timestamptz),
    include_str!("search.sql")
}
