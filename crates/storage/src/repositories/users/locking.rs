//! Holding people in place for as long as an act on what is theirs takes.

use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{Author, CommentId, PostId, UserId};
use uuid::Uuid;

use super::Users;
use crate::Result;
use crate::query::statement;
use crate::rows::{AuthorColumns, author_of};

/// Whom an act concerns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Concerned<'a> {
    /// Whoever acts, and others who are known already.
    pub people: &'a [UserId],
    /// Whoever wrote this post.
    pub post: Option<PostId>,
    /// Whoever wrote this comment.
    pub comment: Option<CommentId>,
    /// Whoever has one of these usernames, whatever its case.
    pub names: &'a [&'a str],
}

impl Users<'_> {
    /// Holds all whom an act concerns in place until the transaction ends: none goes away, and no block comes between
    /// them. An act does so before it asks for blocks; those who do the same do not wait for each other. Returns who they
    /// are, by id; whom there is not is left out.
    ///
    /// One statement for all, since people are locked in the order of their ids.
    pub async fn hold(&mut self, concerned: Concerned<'_>) -> Result<Vec<Author>> {
        let hold = Hold {
            people: concerned.people.iter().copied().map(i64::from).collect(),
            post: concerned.post.map(Uuid::from),
            comment: concerned.comment.map(Uuid::from),
            names: concerned.names.iter().map(|name| name.to_ascii_lowercase()).collect(),
        };
        let rows: Vec<(i64, AuthorColumns)> = hold.load(self.conn).await?;
        Ok(rows.into_iter().map(|(id, columns)| author_of(id.into(), columns)).collect())
    }
}

statement! {
    /// Finds them first: conditions that are joined by OR would have PostgreSQL go through all people.
    Hold(
        people: Vec<i64> as Array<BigInt>,
        post: Option<Uuid> as Nullable<SqlUuid>,
        comment: Option<Uuid> as Nullable<SqlUuid>,
        names: Vec<String> as Array<Text>
    ) -> (BigInt, (Text, Nullable<Text>, Nullable<Text>)) {
        "wanted AS (
            SELECT id FROM unnest($1) AS known (id)
            UNION ALL SELECT author_id FROM posts WHERE id = $2
            UNION ALL SELECT author_id FROM comments WHERE id = $3
            UNION ALL SELECT id FROM users WHERE lower(username) = ANY ($4)
        )
        SELECT id, username, display_name, profile_image_url FROM users
        WHERE id = ANY (ARRAY(SELECT id FROM wanted)) ORDER BY id FOR KEY SHARE"
    }
}
