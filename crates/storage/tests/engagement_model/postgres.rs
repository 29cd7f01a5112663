//! Actions through the repositories, and the resulting rows in PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use grateful_domain::{Comment, Post, UserId, Visibility};
use grateful_storage::{Connection, NewReaction, Repositories, Result, StorageError, Thread};
use grateful_test_database::{
    TestDatabase, a_comment, a_heart, a_link_share, a_message_share, a_post, a_reaction,
    create_user,
};

use crate::actions::{Action, POSTS, USERS};
use crate::model::Outcome;

/// The rows that the indexes of an action refer to.
pub(crate) struct Fixture {
    pub(crate) users: [UserId; USERS],
    pub(crate) posts: [Post; POSTS],
    pub(crate) comments: Vec<Comment>,
}

/// A database with only the rows of the fixture.
pub(crate) struct PostgresEngagement {
    pub(crate) fixture: Fixture,
    conn: Connection,
}

impl PostgresEngagement {
    pub(crate) async fn create(database: &TestDatabase) -> Self {
        database.execute("DELETE FROM users").await;
        let users =
            [create_user(database).await, create_user(database).await, create_user(database).await];
        let [a, b, c] = users.map(|author| a_post().by(author));
        let posts = [
            a.insert_into(database).await,
            b.insert_into(database).await,
            c.insert_into(database).await,
        ];
        let fixture = Fixture { users, posts, comments: Vec::new() };
        Self { fixture, conn: database.connect().await }
    }

    pub(crate) async fn apply(&mut self, action: Action) -> Outcome {
        let (conn, Fixture { users, posts, comments }) = (&mut self.conn, &self.fixture);
        let is_counted = match action {
            Action::Heart { user, post } => {
                conn.hearts().add(&[a_heart(users[user], posts[post].id)]).await.unwrap().len() == 1
            }
            Action::RemoveHeart { user, post } => {
                conn.hearts().remove(&[(users[user], posts[post].id)]).await.unwrap().len() == 1
            }
            Action::SetReaction { user, post, emoji } => {
                let new = NewReaction { emoji, ..a_reaction(users[user], posts[post].id) };
                conn.emoji_reactions().set(&[new]).await.unwrap().iter().any(|saved| saved.is_new)
            }
            Action::RemoveReaction { user, post } => {
                conn.emoji_reactions().remove(&[(users[user], posts[post].id)]).await.unwrap().len()
                    == 1
            }
            Action::ShareLink { user, post } => {
                conn.shares().create(&a_link_share(users[user], posts[post].id)).await.unwrap()
            }
            Action::DeleteLink { user, post } => {
                conn.shares().delete_link(users[user], posts[post].id).await.unwrap().is_some()
            }
            Action::SendMessage { user, post } => {
                let recipient = users[(user + 1) % USERS];
                conn.shares()
                    .create(&a_message_share(users[user], posts[post].id, &[recipient]))
                    .await
                    .unwrap()
            }
            Action::Comment { user, post } => {
                let comment = a_comment().by(users[user]).on(&posts[post]).build();
                return self.insert_comment(comment).await;
            }
            Action::Reply { user, comment, on } => {
                let Some(parent) = comments.get(comment) else { return Outcome::Unchanged };
                let reply = a_comment().by(users[user]).replying_to(parent);
                let reply = match on {
                    Some(post) => reply.on(&posts[post]),
                    None => reply,
                };
                return self.insert_comment(reply.build()).await;
            }
            Action::DeleteComment { comment } => match comments.get(comment) {
                Some(comment) => {
                    let thread = Thread::Below(comment.id);
                    let thread = conn.comments().list_deepest(thread, i64::MAX).await.unwrap();
                    conn.comments().delete_all(comment.post, &thread).await.unwrap();
                    !thread.is_empty()
                }
                None => false,
            },
            Action::DeletePost { post } => delete(conn, &posts[post]).await.unwrap(),
            Action::Hide { post } => {
                set_visibility(conn, &posts[post], Visibility::Private).await.unwrap()
            }
            Action::Show { post } => {
                set_visibility(conn, &posts[post], Visibility::Public).await.unwrap()
            }
        };
        is_counted.into()
    }

    async fn insert_comment(&mut self, comment: Comment) -> Outcome {
        match self.conn.comments().insert(&comment).await {
            Ok(is_inserted) => {
                self.fixture.comments.extend(is_inserted.then_some(comment));
                is_inserted.into()
            }
            Err(StorageError::ForeignKeyViolation { .. }) => Outcome::Rejected,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// All rows, in the form of the model.
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

async fn set_visibility(
    conn: &mut Connection,
    post: &Post,
    visibility: Visibility,
) -> Result<bool> {
    let Some(before) = conn.posts().lock(post.id).await? else { return Ok(false) };
    let mut after = before.clone();
    after.draft.visibility = visibility;
    conn.posts().update(&before, &after).await?;
    Ok(after != before)
}
