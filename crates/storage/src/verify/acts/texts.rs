//! The notifications that posts and comments call for. Mentions are read from their texts.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, Cause, recipients_of_comment, recipients_of_post};
use grateful_domain::{Comment, Post, UserId, find_mentions};
use uuid::Uuid;

use super::{ExpectedNotification, ListedActs};
use crate::query::statement;
use crate::rows::{CommentRow, PostRow};
use crate::schema::{comments, posts};
use crate::{Connection, Result};

/// Lists posts, and the users they mention.
pub(super) async fn list_posts(
    conn: &mut Connection,
    after: Uuid,
    limit: i64,
) -> Result<ListedActs> {
    let rows: Vec<PostRow> = posts::table
        .filter(posts::id.gt(after))
        .order(posts::id)
        .limit(limit)
        .select(PostRow::as_select())
        .load(conn)
        .await?;
    let posts = rows.into_iter().map(Post::try_from).collect::<Result<Vec<_>>>()?;
    let users = Usernames::load(conn, posts.iter().map(|post| post.draft.content.as_str())).await?;
    let mut listed = ListedActs::new(posts.len(), posts.last().map(|post| post.id.into()));
    for post in &posts {
        let content = post.draft.content.as_str();
        let causes = recipients_of_post(post, &users.mentioned_in(content));
        listed.expected.extend(causes.into_iter().map(|cause| ExpectedNotification {
            text: Some(content.to_owned()),
            username: users.name_in(content, cause.recipient),
            ..ExpectedNotification::new(cause, post.created_at)
        }));
    }
    Ok(listed)
}

/// Lists comments, with the authors of their posts and parents, and the users they mention.
pub(super) async fn list_comments(
    conn: &mut Connection,
    after: Uuid,
    limit: i64,
) -> Result<ListedActs> {
    let parents = diesel::alias!(comments as parents);
    let rows: Vec<(CommentRow, PostRow, Option<i64>)> = comments::table
        .inner_join(posts::table.on(posts::id.eq(comments::post_id)))
        .left_join(parents.on(parents.field(comments::id).nullable().eq(comments::parent_id)))
        .filter(comments::id.gt(after))
        .order(comments::id)
        .limit(limit)
        .select((
            CommentRow::as_select(),
            PostRow::as_select(),
            parents.field(comments::author_id).nullable(),
        ))
        .load(conn)
        .await?;
    let to_domain = |(comment, post, parent_author): (CommentRow, PostRow, Option<i64>)| {
        Ok((Comment::from(comment), Post::try_from(post)?, parent_author.map(UserId::from)))
    };
    let rows = rows.into_iter().map(to_domain).collect::<Result<Vec<_>>>()?;
    let users =
        Usernames::load(conn, rows.iter().map(|(comment, ..)| comment.text.as_str())).await?;
    let mut listed = ListedActs::new(rows.len(), rows.last().map(|row| row.0.id.into()));
    for (comment, post, parent_author) in &rows {
        let text = comment.text.as_str();
        let causes =
            recipients_of_comment(post, comment, *parent_author, &users.mentioned_in(text));
        listed.expected.extend(causes.into_iter().map(|cause| ExpectedNotification {
            alternatives: alternatives(comment, cause),
            text: Some(text.to_owned()),
            username: match cause.act {
                Act::Mention { .. } => users.name_in(text, cause.recipient),
                _ => None,
            },
            ..ExpectedNotification::new(cause, comment.created_at)
        }));
    }
    Ok(listed)
}

/// The causes by which a comment may have notified a recipient. One of them is enough: an edit may add or remove a mention
/// after the recipient was notified of the comment or of the mention.
fn alternatives(comment: &Comment, cause: Cause) -> Vec<Cause> {
    let Cause { recipient, actor, .. } = cause;
    let (post, id) = (comment.post, comment.id);
    let reply = comment.parent.map(|parent| Act::Reply { post, comment: id, parent });
    let others = [Act::Mention { post, comment: Some(id) }, Act::Comment { post, comment: id }];
    reply.into_iter().chain(others).map(|act| Cause { recipient, actor, act }).collect()
}

/// The users with the usernames that texts mention, by name in lower case.
struct Usernames(HashMap<String, UserId>);

impl Usernames {
    async fn load<'t>(conn: &mut Connection, texts: impl Iterator<Item = &'t str>) -> Result<Self> {
        let mut names: Vec<String> =
            texts.flat_map(find_mentions).map(str::to_ascii_lowercase).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let found: Vec<(String, i64)> = FindUsernames { names }.load(conn).await?;
        Ok(Self(found.into_iter().map(|(name, user)| (name, user.into())).collect()))
    }

    fn mentioned_in(&self, text: &str) -> Vec<UserId> {
        let find_user = |name: &str| self.0.get(&name.to_ascii_lowercase()).copied();
        find_mentions(text).into_iter().filter_map(find_user).collect()
    }

    /// The name by which the text mentions the user, in lower case.
    fn name_in(&self, text: &str, user: UserId) -> Option<String> {
        let names = find_mentions(text).into_iter().map(str::to_ascii_lowercase);
        names.into_iter().find(|name| self.0.get(name) == Some(&user))
    }
}

statement! {
    FindUsernames { names: Vec<String> as Array<Text> } -> (Text, BigInt),
    "WITH found AS (
        SELECT lower(username) AS name, id FROM users WHERE lower(username) = ANY (:names)
    )
    SELECT name, id FROM found"
}
