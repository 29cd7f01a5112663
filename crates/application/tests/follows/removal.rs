//! Removing followers.

use grateful_application::{Error, Resource, follows};
use grateful_domain::FollowState::{Active, None, Pending};
use grateful_testkit::{MAX_PAGE, Scenario, create_user};

#[tokio::test]
async fn a_removed_follower_no_longer_follows_and_is_not_notified() {
    let scenario = Scenario::create().await;
    let Scenario { app, ana, ben, caro, .. } = &scenario;
    scenario.follow(*ben, *ana).await;
    scenario.follow(*ana, *ben).await;
    scenario.follow(*caro, *ana).await;

    follows::remove_follower(app, *ana, *ben).await.unwrap();

    assert_eq!(scenario.relationship(*ana, *ben).await, (Active, None));
    let (followers, total) = follows::list_followers(app, *ana, *ana, MAX_PAGE).await.unwrap();
    assert_eq!((followers.items[0].user.author.id, total), (*caro, 1));
    assert_eq!(follows::count(app, *ben, *ben).await.unwrap().following, 0);
    assert_eq!(scenario.messages(*ana).await, ["caro started following you"]);
    assert_eq!(scenario.messages(*ben).await, ["ana started following you"]);
    scenario.assert_consistent().await;
    scenario.follow(*ben, *ana).await;
}

/// The acceptance is withdrawn as if the follower had unfollowed.
#[tokio::test]
async fn removing_an_accepted_follower_withdraws_the_acceptance() {
    let scenario = Scenario::create().await;
    let Scenario { app, ben, sue, .. } = &scenario;
    scenario.follow(*ben, *sue).await;
    follows::accept_request(app, *sue, *ben).await.unwrap();

    follows::remove_follower(app, *sue, *ben).await.unwrap();

    assert_eq!(scenario.messages(*ben).await, [""; 0]);
    assert_eq!(scenario.messages(*sue).await, [""; 0]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn only_an_active_follower_can_be_removed() {
    let scenario = Scenario::create().await;
    let Scenario { app, ana, ben, caro, sue, .. } = &scenario;
    scenario.follow(*ben, *sue).await;
    scenario.follow(*sue, *caro).await;
    scenario.block(*sue, *ana).await;

    let unknown = 404.into();
    for other in [*ben, *caro, *ana, *sue, unknown] {
        let rejected = follows::remove_follower(app, *sue, other).await;
        let expected = Err(Error::NotFound { resource: Resource::Follow, id: Option::None });
        assert_eq!(format!("{rejected:?}"), format!("{:?}", expected as Result<(), Error>));
    }

    assert_eq!(scenario.relationship(*sue, *ben).await, (None, Pending));
    assert_eq!(scenario.messages(*sue).await, ["ben wants to follow you"]);
    assert_eq!(scenario.relationship(*sue, *caro).await, (Active, None));
    follows::remove_follower(app, *caro, *sue).await.unwrap();
    assert!(follows::remove_follower(app, *caro, *sue).await.is_err());
    assert!(
        follows::remove_follower(app, create_user(&scenario.database).await, *sue).await.is_err()
    );
    scenario.assert_consistent().await;
}
