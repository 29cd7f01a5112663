//! What is, by the repositories and PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use grateful_domain::{Comment, Post, UserId, Visibility};
use grateful_storage::{Connection, NewReaction, Repositories, Result, StorageError};
use grateful_testkit::{
    TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post, a_reaction,
    create_user,
};

use crate::actions::{Act, PEOPLE, POSTS};
use crate::model::Outcome;

/// Whom and what the numbers of an act stand for.
pub(crate) struct Cast {
    pub(crate) people: [UserId; PEOPLE],
    pub(crate) posts: [Post; POSTS],
    pub(crate) comments: Vec<Comment>,
}

/// A database with nothing but the cast.
pub(crate) struct Stage {
    pub(crate) cast: Cast,
    conn: Connection,
}

impl Stage {
    pub(crate) async fn set(database: &TestDatabase) -> Self {
        database.execute("DELETE FROM users").await;
        let people =
            [create_user(database).await, create_user(database).await, create_user(database).await];
        let [a, b, c] = people.map(|author| a_post().by(author));
        let posts = [
            a.insert_into(database).await,
            b.insert_into(database).await,
            c.insert_into(database).await,
        ];
        let cast = Cast { people, posts, comments: Vec::new() };
        Self { cast, conn: database.connect().await }
    }

    pub(crate) async fn play(&mut self, act: Act) -> Outcome {
        let (conn, Cast { people, posts, comments }) = (&mut self.conn, &self.cast);
        let counted = match act {
            Act::Heart { who, post } => {
                conn.hearts().add(&a_heart(people[who], posts[post].id)).await.unwrap().is_some()
            }
            Act::Unheart { who, post } => {
                conn.hearts().remove(people[who], posts[post].id).await.unwrap().is_some()
            }
            Act::React { who, post, emoji } => {
                let new = NewReaction { emoji, ..a_reaction(people[who], posts[post].id) };
                conn.emoji_reactions().set(&new).await.unwrap().is_some_and(|put| put.is_new)
            }
            Act::Unreact { who, post } => {
                conn.emoji_reactions().remove(people[who], posts[post].id).await.unwrap()
            }
            Act::TakeLink { who, post } => {
                conn.shares().create(&a_link_share(people[who], posts[post].id)).await.unwrap()
            }
            Act::GiveLinkBack { who, post } => {
                conn.shares().delete_link(people[who], posts[post].id).await.unwrap()
            }
            Act::Send { who, post } => {
                let to = people[(who + 1) % PEOPLE];
                conn.shares()
                    .create(&a_message_share(people[who], posts[post].id, &[to]))
                    .await
                    .unwrap()
            }
            Act::Comment { who, post } => {
                let comment = a_comment().by(people[who]).on(&posts[post]).build();
                return self.comment(comment).await;
            }
            Act::Reply { who, comment, on } => {
                let Some(parent) = comments.get(comment) else { return Outcome::Uncounted };
                let reply = a_comment().by(people[who]).replying_to(parent);
                let reply = match on {
                    Some(post) => reply.on(&posts[post]),
                    None => reply,
                };
                return self.comment(reply.build()).await;
            }
            Act::Uncomment { comment } => match comments.get(comment) {
                Some(it) => 0 < conn.comments().delete(it.post, it.id).await.unwrap(),
                None => false,
            },
            Act::Delete { post } => delete(conn, &posts[post]).await.unwrap(),
            Act::Hide { post } => show(conn, &posts[post], Visibility::Private).await.unwrap(),
            Act::Show { post } => show(conn, &posts[post], Visibility::Public).await.unwrap(),
        };
        counted.into()
    }

    async fn comment(&mut self, comment: Comment) -> Outcome {
        match self.conn.comments().insert(&comment).await {
            Ok(is_there) => {
                self.cast.comments.extend(is_there.then_some(comment));
                is_there.into()
            }
            Err(StorageError::Missing { .. }) => Outcome::Refused,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// All rows that there are.
    pub(crate) async fn rows(&mut self) -> BTreeSet<String> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            line: String,
        }

        let rows: Vec<Row> = diesel::sql_query(ROWS).load(&mut self.conn).await.unwrap();
        rows.into_iter().map(|row| row.line).collect()
    }
}

const ROWS: &str = "
    SELECT concat_ws(' ', 'author', id, posts_count, public_posts_count) AS line FROM users
    UNION ALL
    SELECT concat_ws(' ', 'post', id, is_public::text, hearts_count, reactions_count, shares_count, comments_count)
    FROM posts
    UNION ALL SELECT concat_ws(' ', 'heart', user_id, post_id) FROM likes
    UNION ALL SELECT concat_ws(' ', 'reaction', user_id, post_id, emoji_code) FROM emoji_reactions
    UNION ALL
    SELECT concat_ws(' ', share_method, user_id, post_id, count(*))
    FROM shares GROUP BY share_method, user_id, post_id
    UNION ALL SELECT concat_ws(' ', 'comment', id, post_id, coalesce(parent_id::text, '-')) FROM comments";

async fn delete(conn: &mut Connection, post: &Post) -> Result<bool> {
    let Some(post) = conn.posts().lock(post.id).await? else { return Ok(false) };
    conn.posts().delete(&post).await?;
    Ok(true)
}

async fn show(conn: &mut Connection, post: &Post, visibility: Visibility) -> Result<bool> {
    let Some(before) = conn.posts().lock(post.id).await? else { return Ok(false) };
    let mut after = before.clone();
    after.draft.visibility = visibility;
    conn.posts().update(&before, &after).await?;
    Ok(after != before)
}
