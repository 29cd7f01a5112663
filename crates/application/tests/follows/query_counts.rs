//! Statement counts: at most nine for an act that notifies one user, and at most three for a list of any length.

use grateful_application::follows;
use grateful_domain::{Limit, PageRequest, UserId};
use grateful_testkit::{Scenario, assert_queries, block, create_user, require_follow_approval};

#[tokio::test]
async fn acts_need_a_constant_number_of_statements_for_any_number_of_followers() {
    let scenario = Scenario::create().await;
    let app = &scenario.app;

    for _ in 0..12 {
        let user = create_user(&scenario.database).await;
        assert_queries!(8 in 6, follows::follow(app, user, scenario.ana));
        assert_queries!(8 in 6, follows::unfollow(app, user, scenario.ana));
        assert_queries!(8 in 6, follows::follow(app, user, scenario.ana));
        assert_queries!(8 in 6, follows::remove_follower(app, scenario.ana, user));
        assert_queries!(8 in 6, follows::follow(app, user, scenario.ana));
    }
    for _ in 0..3 {
        let user = create_user(&scenario.database).await;
        assert_queries!(8 in 6, follows::follow(app, user, scenario.sue));
        assert_queries!(8 in 6, follows::decline_request(app, scenario.sue, user));
        assert_queries!(8 in 6, follows::follow(app, user, scenario.sue));
        assert_queries!(8 in 6, follows::accept_request(app, scenario.sue, user));
        assert_queries!(17, follows::block(app, scenario.sue, user));
        assert_queries!(16, follows::block(app, scenario.sue, user));
        assert_queries!(5, follows::unblock(app, scenario.sue, user));
        assert_queries!(4, follows::unblock(app, scenario.sue, user));
    }
}

#[tokio::test]
async fn relationships_need_one_statement_for_any_number_of_users() {
    let scenario = Scenario::create().await;
    let app = &scenario.app;
    insert_mutual_followers(&scenario, scenario.ana).await;
    let users: Vec<UserId> = (1..=60).map(UserId::from).collect();

    for count in [1, 10, 50] {
        assert_queries!(1, follows::get_relationships(app, scenario.ana, &users[..count]));
    }
    assert_queries!(1, follows::get_relationship(app, scenario.ana, scenario.ben));
    assert_queries!(1, follows::count(app, scenario.ana, scenario.ana));
    assert_queries!(2 in 1, follows::count(app, scenario.ben, scenario.ana));
    assert_queries!(1, follows::list_suggestions(app, scenario.ana, 20));
}

#[tokio::test]
async fn lists_of_any_length_need_the_same_number_of_statements() {
    let scenario = Scenario::create().await;
    let app = &scenario.app;
    insert_mutual_followers(&scenario, scenario.ana).await;
    block(&scenario.database, scenario.ben, create_user(&scenario.database).await).await;
    for _ in 0..3 {
        block(&scenario.database, scenario.ana, create_user(&scenario.database).await).await;
        request_to_follow(&scenario, create_user(&scenario.database).await, scenario.ana).await;
    }

    for length in [1, 10, 50] {
        let page = PageRequest::first(Limit::parse(length).unwrap());
        let followers =
            assert_queries!(3 in 1, follows::list_followers(app, scenario.ben, scenario.ana, page))
                .0;
        let following =
            assert_queries!(3 in 1, follows::list_following(app, scenario.ben, scenario.ana, page))
                .0;
        let own =
            assert_queries!(2 in 1, follows::list_followers(app, scenario.ana, scenario.ana, page))
                .0;
        for list in [followers, following, own] {
            assert_eq!(i64::try_from(list.items.len()).unwrap(), length);
        }
    }
    for length in [1, 3] {
        let page = PageRequest::first(Limit::parse(length).unwrap());
        let requests = assert_queries!(2 in 1, follows::list_requests(app, scenario.ana, page)).0;
        let blocks = assert_queries!(2 in 1, follows::list_blocks(app, scenario.ana, page)).0;
        for list in [requests, blocks] {
            assert_eq!(i64::try_from(list.items.len()).unwrap(), length);
        }
    }
}

/// Turns on follow approval for `requested`, and requests to follow that user.
async fn request_to_follow(scenario: &Scenario, requester: UserId, requested: UserId) {
    require_follow_approval(&scenario.database, requested).await;
    scenario.follow(requester, requested).await;
}

/// Inserts 60 users who follow `user`, and are followed back.
async fn insert_mutual_followers(scenario: &Scenario, user: UserId) {
    scenario
        .database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password, followers_count, following_count)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x', 1, 1 FROM generate_series(1, 60) n;
             INSERT INTO follows (id, follower_id, followed_id, status)
             SELECT gen_random_uuid(), id, {user}, 'active' FROM users WHERE hashed_password = 'x';
             INSERT INTO follows (id, follower_id, followed_id, status)
             SELECT gen_random_uuid(), {user}, id, 'active' FROM users WHERE hashed_password = 'x';
             UPDATE users SET followers_count = 60, following_count = 60 WHERE id = {user}"
        ))
        .await;
}
