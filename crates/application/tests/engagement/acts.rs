//! The laws of all acts on a post.

use futures_util::future::join_all;
use grateful_application::comments::CommentDraft;
use grateful_application::{
    Error, RecordedResponse, Resource, Result, comments, hearts, reactions, shares,
};
use grateful_domain::{CommentId, Emoji, Engagement, PostId, ShareDetails};
use grateful_testkit::{MAX_PAGE, Scenario, a_comment, begin_block, block, commit_once_blocking, create_comment, create_comment_idempotently, create_share, idempotent_request, load_engagement, message_to};
use uuid::Uuid;

use self::Act::{Comment, Heart, Link, Message, Reaction, Reply};
use crate::support::{assert_not_found, comment_text};

/// Something that Ben does with a post of Ana.
#[derive(Debug, Clone, Copy)]
enum Act {
    Heart,
    Reaction(Emoji),
    Link,
    /// A message to Caro.
    Message,
    Comment,
    /// A reply to Ana's comment.
    Reply,
}

impl Act {
    const ALL: [Self; 6] = [Heart, Reaction(Emoji::Hug), Link, Message, Comment, Reply];

    /// The acts that a user does at most once on a post.
    const ONCE: [Self; 3] = [Heart, Reaction(Emoji::Hug), Link];

    /// The acts that can be undone, and the error of undoing them again.
    const UNDOABLE: [(Self, Resource, &str); 4] = [
        (Heart, Resource::Heart, "No heart found to remove"),
        (Reaction(Emoji::Hug), Resource::Reaction, "Reaction not found"),
        (Link, Resource::Share, "Share not found"),
        (Comment, Resource::Comment, "Comment not found"),
    ];

    /// Does the act, and returns its id, if it has one.
    async fn perform(self, scenario: &Scenario, post: PostId) -> Result<Uuid> {
        let Scenario { app, ana, ben, caro, .. } = scenario;
        let recorded_id = |response| grateful_testkit::recorded_id(&response);
        match self {
            Heart => hearts::add(app, *ben, post).await.map(|_| Uuid::nil()),
            Reaction(emoji) => {
                reactions::set(app, *ben, post, emoji).await.map(|reaction| reaction.id.into())
            }
            Link => create_share(app, *ben, post, ShareDetails::Url, None).await.map(recorded_id),
            Message => {
                let details = message_to(*ben, &[*caro]);
                create_share(app, *ben, post, details, None).await.map(recorded_id)
            }
            Comment => create_comment(app, *ben, post, "So kind", None).await.map(Into::into),
            Reply => {
                let parent = if post == scenario.post.id {
                    a_comment().by(*ana).on(&scenario.post).insert_into(&scenario.database).await.id
                } else {
                    Uuid::nil().into()
                };
                create_comment(app, *ben, post, "So kind", Some(parent)).await.map(Into::into)
            }
        }
    }

    async fn undo(self, scenario: &Scenario, id: Uuid) -> Result<()> {
        let Scenario { app, ben, post, .. } = scenario;
        match self {
            Heart => hearts::remove(app, *ben, post.id).await.map(drop),
            Reaction(_) => reactions::remove(app, *ben, post.id).await,
            Link | Message => shares::delete(app, *ben, post.id).await,
            Comment | Reply => comments::delete(app, *ben, id.into()).await,
        }
    }

    /// Does the act with an idempotency key. Versions differ in their fingerprints.
    async fn perform_idempotently(
        self,
        scenario: &Scenario,
        version: u8,
    ) -> Result<RecordedResponse> {
        let Scenario { app, ben, caro, post, .. } = scenario;
        let request = Some(idempotent_request("key", version));
        if let Message = self {
            return create_share(app, *ben, post.id, message_to(*ben, &[*caro]), request).await;
        }
        let draft = CommentDraft { post: post.id, parent: None, text: comment_text("So kind") };
        create_comment_idempotently(app, *ben, draft, request).await
    }

    async fn count(self, scenario: &Scenario) -> i64 {
        let counts = load_engagement(&scenario.database, scenario.post.id).await;
        let (count, table) = match self {
            Heart => (counts.hearts, "likes"),
            Reaction(_) => (counts.reactions, "emoji_reactions"),
            Link | Message => (counts.shares, "shares"),
            Comment | Reply => (counts.comments, "comments"),
        };
        assert_eq!(scenario.database.count(table).await, count, "{self:?}");
        count
    }
}

/// Why Ben cannot see Ana's post.
#[derive(Debug, Clone, Copy)]
enum Obstacle {
    Private,
    BlockedByAuthor,
    BlockedAuthor,
}

impl Obstacle {
    const ALL: [Self; 3] = [Self::Private, Self::BlockedByAuthor, Self::BlockedAuthor];

    async fn create(self, scenario: &Scenario) {
        let Scenario { database, ana, ben, .. } = scenario;
        match self {
            Self::Private => database.execute("UPDATE posts SET is_public = false").await,
            Self::BlockedByAuthor => block(database, *ana, *ben).await,
            Self::BlockedAuthor => block(database, *ben, *ana).await,
        }
    }
}

#[tokio::test]
async fn acts_on_an_invisible_post_and_lists_of_them_are_not_found() {
    for obstacle in Obstacle::ALL {
        let scenario = Scenario::create().await;
        obstacle.create(&scenario).await;
        let Scenario { app, ben, .. } = &scenario;

        for post in [scenario.post.id, Uuid::from_u128(7).into()] {
            for act in Act::ALL {
                assert_not_found(act.perform(&scenario, post).await, Resource::Post);
            }
            assert_not_found(hearts::get_status(app, *ben, post).await, Resource::Post);
            assert_not_found(hearts::list(app, *ben, post, MAX_PAGE).await, Resource::Post);
            assert_not_found(reactions::get_summary(app, *ben, post).await, Resource::Post);
            assert_not_found(reactions::list(app, *ben, post, MAX_PAGE).await, Resource::Post);
            assert_not_found(comments::list(app, *ben, post, MAX_PAGE).await, Resource::Post);
        }
        for rows in ["likes", "emoji_reactions", "shares", "comments WHERE content = 'So kind'"] {
            assert_eq!(scenario.database.count(rows).await, 0, "{obstacle:?} {rows}");
        }
    }
}

#[tokio::test]
async fn acts_on_a_post_that_is_deleted_hidden_or_blocked_meanwhile_are_not_found() {
    for act in Act::ALL {
        for change in ["DELETE FROM posts", "UPDATE posts SET is_public = false", "block"] {
            let scenario = Scenario::create().await;
            let Scenario { database, ana, ben, post, .. } = &scenario;
            let transaction = match change {
                "block" => begin_block(database, *ana, *ben).await,
                sql => database.begin(sql).await,
            };

            let (result, ()) = tokio::join!(
                act.perform(&scenario, post.id),
                commit_once_blocking(database, transaction, 1)
            );

            assert_not_found(result, Resource::Post);
            for table in ["likes", "emoji_reactions", "shares", "notifications"] {
                assert_eq!(database.count(table).await, 0, "{act:?} {change}");
            }
            assert_eq!(database.count(&format!("comments WHERE author_id = {ben}")).await, 0);
        }
    }
}

#[tokio::test]
async fn ten_equal_acts_at_once_take_effect_once() {
    for act in Act::ONCE {
        let scenario = Scenario::create().await;
        let nth = |n: usize| match act {
            Reaction(_) => Reaction(Emoji::ALL[n]),
            other => other,
        };

        let results =
            join_all((0..10).map(|n| nth(n).perform(&scenario, scenario.post.id))).await;

        let (done, rejected): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(done.len(), if let Heart = act { 1 } else { 10 }, "{act:?}: {rejected:?}");
        for rejected in rejected {
            let is_duplicate =
                matches!(rejected, Err(Error::AlreadyExists { resource: Resource::Heart, .. }));
            assert!(is_duplicate, "{rejected:?}");
        }
        let ids: Vec<Uuid> = done.into_iter().map(Result::unwrap).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{act:?}");
        assert_eq!(act.count(&scenario).await, 1);
    }
}

#[tokio::test]
async fn an_act_is_undone_once_also_by_ten_requests_at_once() {
    for (act, resource, message) in Act::UNDOABLE {
        let scenario = Scenario::create().await;
        let id = act.perform(&scenario, scenario.post.id).await.unwrap();

        let results = join_all((0..10).map(|_| act.undo(&scenario, id))).await;

        let (undone, rejected): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(undone.len(), 1, "{act:?}");
        for rejected in rejected {
            assert_eq!(rejected.as_ref().unwrap_err().to_string(), message);
            assert_not_found(rejected, resource);
        }
        assert_eq!(act.count(&scenario).await, 0);
    }
}

#[tokio::test]
async fn a_repeated_request_replays_the_first_response() {
    for act in [Message, Comment] {
        let scenario = Scenario::create().await;

        let RecordedResponse::New(first) = act.perform_idempotently(&scenario, 1).await.unwrap()
        else {
            panic!("{act:?}")
        };
        let again = act.perform_idempotently(&scenario, 1).await.unwrap();
        let other = act.perform_idempotently(&scenario, 2).await;

        assert_eq!(again, RecordedResponse::Replayed(first));
        assert!(matches!(other, Err(Error::IdempotencyKeyReused)), "{other:?}");
        assert_eq!(act.count(&scenario).await, 1);
    }
}

#[tokio::test]
async fn ten_requests_with_one_key_at_once_take_effect_once() {
    for act in [Message, Comment] {
        let scenario = Scenario::create().await;

        let results = join_all((0..10).map(|_| act.perform_idempotently(&scenario, 1))).await;

        let is_new = |result: &&_| matches!(result, Ok(RecordedResponse::New(_)));
        assert_eq!(results.iter().filter(is_new).count(), 1, "{act:?}");
        for result in results {
            assert!(matches!(result, Ok(_) | Err(Error::Conflict { .. })), "{result:?}");
        }
        assert_eq!(act.count(&scenario).await, 1);
    }
}

#[tokio::test]
async fn users_can_undo_their_own_acts_on_a_post_they_can_no_longer_see() {
    for obstacle in Obstacle::ALL {
        let scenario = Scenario::create().await;
        let Scenario { app, database, ben, caro, post, .. } = &scenario;
        scenario.add_heart(*caro).await;
        let mut acts = Vec::new();
        for (act, ..) in Act::UNDOABLE {
            acts.push((act, act.perform(&scenario, post.id).await.unwrap()));
        }
        create_comment(app, *caro, post.id, "Indeed", acts.last().map(|act| act.1.into()))
            .await
            .unwrap();
        obstacle.create(&scenario).await;

        for (act, id) in acts {
            act.undo(&scenario, id).await.unwrap();
        }

        let left = Engagement { hearts: 1, ..Engagement::default() };
        assert_eq!(load_engagement(database, post.id).await, left);
        let of_ben = format!("notifications WHERE {ben} IN (actor_id, user_id)");
        assert_eq!(database.count(&of_ben).await, 0);
    }
}

#[tokio::test]
async fn undoing_nothing_on_an_invisible_post_is_the_error_of_an_unknown_post() {
    for obstacle in Obstacle::ALL {
        let scenario = Scenario::create().await;
        let Scenario { app, ana, ben, .. } = &scenario;
        let comment = scenario.comment(*ana, "Thank you").await;
        obstacle.create(&scenario).await;

        for post in [scenario.post.id, Uuid::from_u128(7).into()] {
            assert_not_found(hearts::remove(app, *ben, post).await, Resource::Post);
            assert_not_found(reactions::remove(app, *ben, post).await, Resource::Post);
            assert_not_found(shares::delete(app, *ben, post).await, Resource::Post);
        }
        for comment in [comment, CommentId::from(Uuid::from_u128(7))] {
            assert_not_found(comments::delete(app, *ben, comment).await, Resource::Comment);
        }
    }
}
