//! Undoing one's own acts on posts that are no longer visible.

use grateful_application::hearts::HeartStatus;
use grateful_application::{Resource, comments, hearts, reactions, shares};
use grateful_domain::{Emoji, Engagement, PostId, ShareDetails, UserId};
use grateful_testkit::{TestApp, TestDatabase, a_post, block, create_user, load_engagement};
use uuid::Uuid;

use crate::support::{assert_not_found, create_comment, create_reply, create_share};

/// Why Ana can no longer see the post of Ben.
#[derive(Debug, Clone, Copy)]
enum Obstacle {
    Private,
    BlockedByAuthor,
    BlockedAuthor,
}

impl Obstacle {
    const ALL: [Self; 3] = [Self::Private, Self::BlockedByAuthor, Self::BlockedAuthor];

    /// The notifications stay, as if they were not withdrawn yet.
    async fn put_between(self, database: &TestDatabase, ana: UserId, ben: UserId) {
        match self {
            Self::Private => database.execute("UPDATE posts SET is_public = false").await,
            Self::BlockedByAuthor => block(database, ben, ana).await,
            Self::BlockedAuthor => block(database, ana, ben).await,
        }
    }
}

#[tokio::test]
async fn users_can_undo_their_own_acts_on_a_post_they_can_no_longer_see() {
    for obstacle in Obstacle::ALL {
        let TestApp { app, database, .. } = TestApp::create().await;
        let [ana, ben] = [create_user(&database).await, create_user(&database).await];
        let post = a_post().by(ben).insert_into(&database).await.id;
        hearts::add(&app, create_user(&database).await, post).await.unwrap();
        hearts::add(&app, ana, post).await.unwrap();
        reactions::set(&app, ana, post, Emoji::Hug).await.unwrap();
        create_share(&app, ana, post, ShareDetails::Url).await.unwrap();
        let comment = create_comment(&app, ana, post).await.unwrap();
        create_reply(&app, ben, post, comment).await.unwrap();
        obstacle.put_between(&database, ana, ben).await;

        let status = hearts::remove(&app, ana, post).await.unwrap();
        reactions::remove(&app, ana, post).await.unwrap();
        shares::delete(&app, ana, post).await.unwrap();
        comments::delete(&app, ana, comment).await.unwrap();

        // One heart is left, which Ana does not learn.
        assert_eq!(status, HeartStatus { count: 0, is_hearted: false });
        let left = Engagement { hearts: 1, ..Engagement::default() };
        assert_eq!(load_engagement(&database, post).await, left);
        assert_eq!(database.count(&format!("notifications WHERE actor_id = {ana}")).await, 0);
        assert_eq!(database.count(&format!("notifications WHERE user_id = {ana}")).await, 0);
    }
}

/// Otherwise the response would tell whether the post exists.
#[tokio::test]
async fn undoing_nothing_on_an_invisible_post_is_the_error_of_an_unknown_post() {
    for obstacle in Obstacle::ALL {
        let TestApp { app, database, .. } = TestApp::create().await;
        let [ana, ben] = [create_user(&database).await, create_user(&database).await];
        let post = a_post().by(ben).insert_into(&database).await.id;
        let comment = create_comment(&app, ben, post).await.unwrap();
        obstacle.put_between(&database, ana, ben).await;

        for post in [post, PostId::from(Uuid::from_u128(7))] {
            assert_not_found(hearts::remove(&app, ana, post).await, Resource::Post);
            assert_not_found(reactions::remove(&app, ana, post).await, Resource::Post);
            assert_not_found(shares::delete(&app, ana, post).await, Resource::Post);
        }
        for comment in [comment, Uuid::from_u128(7).into()] {
            assert_not_found(comments::delete(&app, ana, comment).await, Resource::Comment);
        }
    }
}
