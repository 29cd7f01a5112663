//! Notifications quote the current words, and only to recipients who can see them.

use chrono::TimeDelta;
use grateful_domain::notification::{Act, RenderedNotification};
use grateful_domain::{Comment, Post, UserId};
use grateful_storage::{NotificationQuery, Repositories};
use grateful_test_database::{a_comment, a_post, block, create_user};

use super::scenario::Scenario;

const SECRET: &str = "PHONE5550100";

/// Ana is notified of everything that quotes: a heart, a message share, mentions, a comment and a reply.
struct Words {
    scenario: Scenario,
    author: UserId,
    post: Post,
    comment: Comment,
}

impl Words {
    /// Creates a post by another user, with a comment. Both contain the secret.
    async fn create() -> Self {
        let scenario = Scenario::create().await;
        let (database, author) = (&scenario.database, create_user(&scenario.database).await);
        let text = format!("Call {SECRET}");
        let post = a_post().by(author).with_text(&text).insert_into(database).await;
        let comment = a_comment().by(author).on(&post).with_text(&text).insert_into(database).await;
        Self { scenario, author, post, comment }
    }

    /// Notifies Ana of an act by a third user on the post, and of the author's mentions, one batch and singles.
    async fn notify_ana(&mut self) {
        let (post, comment) = (self.post.id, self.comment.id);
        let [third] = self.scenario.create_users().await;
        for act in [
            Act::Mention { post, comment: None },
            Act::Mention { post, comment: Some(comment) },
            Act::Reply { post, comment, parent: comment },
        ] {
            let cause = self.scenario.cause_for_ana(self.author, act);
            self.scenario.record(&[cause]).await;
            self.scenario.advance(TimeDelta::minutes(1));
        }
        let share = uuid::Uuid::from_u128(5).into();
        let sent = Act::MessageShare { post, share };
        let sent = self.scenario.cause_for_ana(third, sent);
        self.scenario.record(&[sent]).await;
    }

    /// All notifications of Ana's list, their children, and what a stream and an export send.
    async fn everything_shown(&mut self) -> Vec<RenderedNotification> {
        let ana = self.scenario.ana;
        let mut shown = self.scenario.list_for(ana).await;
        for parent in shown.clone() {
            shown.extend(self.scenario.children_of(parent.notification.id).await);
        }
        assert_eq!(shown.len(), 5, "a batch of two mentions, a reply and a share");
        let mut notifications = self.scenario.conn.notifications();
        shown.extend(notifications.list_changed_since(ana, 0, 100).await.unwrap().0);
        for change in notifications.list_changes(ana, 0, 100).await.unwrap() {
            if let grateful_domain::notification::InboxChangeKind::Upserted(rendered) = change.kind
            {
                shown.push(*rendered);
            }
        }
        let unread = NotificationQuery::of(ana).unread();
        shown.extend(notifications.list(unread).await.unwrap().items);
        assert_eq!(shown.len(), 5 + 3 * 3);
        shown
    }

    async fn execute(&self, sql: &str) {
        self.scenario.database.execute(sql).await;
    }

    /// The texts and the data of everything shown.
    async fn shown_words(&mut self) -> String {
        let shown = self.everything_shown().await;
        let words = |item: &RenderedNotification| {
            format!("{} {:?} {:?}\n", item.text.message, item.post_preview, item.comment_preview)
        };
        shown.iter().map(words).collect()
    }
}

#[tokio::test]
async fn words_that_an_edit_took_out_are_gone_from_everything_that_quoted_them() {
    let mut words = Words::create().await;
    words.notify_ana().await;
    assert!(words.shown_words().await.contains(SECRET));

    words
        .execute("UPDATE posts SET content = 'Call me'; UPDATE comments SET content = 'Or not'")
        .await;

    let shown = words.shown_words().await;
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(shown.contains(r#"Some("Call me")"#) && shown.contains(": Or not"), "{shown}");
}

/// Rows of older versions hold the words of the day.
#[tokio::test]
async fn words_that_an_older_version_stored_are_not_shown() {
    let mut words = Words::create().await;
    words.notify_ana().await;
    words
        .execute(&format!(
            r#"UPDATE notifications SET title = 'x', message = '{SECRET}', data = coalesce(data, '{{}}')
               || '{{"post_preview": "{SECRET}", "comment_preview": "{SECRET}", "actor_username": "{SECRET}"}}';
               UPDATE posts SET content = 'Call me'; UPDATE comments SET content = 'Or not'"#
        ))
        .await;

    let shown = words.shown_words().await;

    assert!(!shown.contains(SECRET), "{shown}");
    // A later event rewrites the row without them.
    let [another] = words.scenario.create_users().await;
    let share = uuid::Uuid::from_u128(6).into();
    let act = Act::MessageShare { post: words.post.id, share };
    words.scenario.record(&[words.scenario.cause_for_ana(another, act)]).await;
    let rewritten = format!(
        "notifications WHERE type = 'post_shared' AND (message IS NOT NULL OR data::text LIKE '%{SECRET}%')"
    );
    assert_eq!(words.scenario.database.count(&rewritten).await, 0);
}

#[tokio::test]
async fn a_post_that_its_reader_cannot_see_is_not_quoted() {
    for way in ["private", "blocked by the author", "blocks the author"] {
        let mut words = Words::create().await;
        words.notify_ana().await;
        let (ana, author) = (words.scenario.ana, words.author);
        match way {
            "private" => words.execute("UPDATE posts SET is_public = false").await,
            "blocks the author" => block(&words.scenario.database, ana, author).await,
            _ => block(&words.scenario.database, author, ana).await,
        }

        let shown = words.shown_words().await;

        assert!(!shown.contains(SECRET) && !shown.contains("preview"), "{way}: {shown}");
        assert!(shown.contains("mentioned you in a post ") && shown.contains("sent you a post"));
    }
}

#[tokio::test]
async fn authors_are_quoted_their_private_posts() {
    let mut words = Words::create().await;
    let (ana, post) = (words.scenario.ana, words.scenario.post.id);
    let act = Act::Comment { post, comment: words.comment.id };
    words.scenario.record(&[words.scenario.cause_for_ana(words.author, act)]).await;
    words
        .execute(&format!(
            "UPDATE comments SET post_id = '{post}';
             UPDATE posts SET is_public = false WHERE author_id = {ana}"
        ))
        .await;

    let shown = words.scenario.only_notification().await;

    assert_eq!(shown.post_preview.as_deref(), Some("For the bus driver"));
    assert!(shown.text.message.ends_with(SECRET), "{}", shown.text.message);
}

/// The post is Ana's, so she can see it.
#[tokio::test]
async fn a_comment_across_a_block_is_not_quoted_but_its_post_is() {
    let mut words = Words::create().await;
    let [commenter] = words.scenario.create_users().await;
    let comment = words.scenario.create_comment_by(commenter).await;
    let act = Act::Comment { post: words.scenario.post.id, comment: comment.id };
    words.scenario.record(&[words.scenario.cause_for_ana(commenter, act)]).await;

    block(&words.scenario.database, words.scenario.ana, commenter).await;

    let shown = words.scenario.only_notification().await;
    assert_eq!(shown.post_preview.as_deref(), Some("For the bus driver"));
    assert_eq!(shown.comment_preview, None);
    assert!(shown.text.message.ends_with("commented on your post"), "{}", shown.text.message);
}
