//! How many statements each act and each list costs: at most nine for an act that tells one person of it, and three for a
//! list however long.

use grateful_application::follows;
use grateful_domain::{Limit, PageRequest, UserId};
use grateful_testkit::{assert_queries, block, create_user};

use crate::support::{Stage, shy};

#[tokio::test]
async fn acts_cost_a_few_statements_however_well_known_the_other_is() {
    let stage = Stage::set().await;
    let app = &stage.app;

    for _ in 0..12 {
        let user = create_user(&stage.database).await;
        assert_queries!(8, follows::follow(app, user, stage.ana));
        assert_queries!(8, follows::unfollow(app, user, stage.ana));
        assert_queries!(8, follows::follow(app, user, stage.ana));
    }
    for _ in 0..3 {
        let user = create_user(&stage.database).await;
        assert_queries!(8, follows::follow(app, user, stage.sue));
        assert_queries!(8, follows::decline_request(app, stage.sue, user));
        assert_queries!(8, follows::follow(app, user, stage.sue));
        assert_queries!(11, follows::accept_request(app, stage.sue, user));
        assert_queries!(9, follows::block(app, stage.sue, user));
        assert_queries!(5, follows::block(app, stage.sue, user));
        assert_queries!(5, follows::unblock(app, stage.sue, user));
        assert_queries!(4, follows::unblock(app, stage.sue, user));
    }
}

#[tokio::test]
async fn what_is_asked_about_people_costs_the_same_for_one_and_for_many() {
    let stage = Stage::set().await;
    let app = &stage.app;
    a_crowd(&stage, stage.ana).await;
    let everybody: Vec<UserId> = (1..=60).map(UserId::from).collect();

    for some in [1, 10, 50] {
        assert_queries!(1, follows::get_relationships(app, stage.ana, &everybody[..some]));
    }
    assert_queries!(1, follows::get_relationship(app, stage.ana, stage.ben));
    assert_queries!(1, follows::count(app, stage.ana, stage.ana));
    assert_queries!(2, follows::count(app, stage.ben, stage.ana));
    assert_queries!(1, follows::list_suggestions(app, stage.ana, 20));
}

#[tokio::test]
async fn a_list_costs_the_same_at_any_length() {
    let stage = Stage::set().await;
    let app = &stage.app;
    a_crowd(&stage, stage.ana).await;
    block(&stage.database, stage.ben, create_user(&stage.database).await).await;
    for _ in 0..3 {
        block(&stage.database, stage.ana, create_user(&stage.database).await).await;
        ask(&stage, create_user(&stage.database).await, stage.ana).await;
    }

    for length in [1, 10, 50] {
        let page = PageRequest::first(Limit::parse(length).unwrap());
        let followers =
            assert_queries!(3, follows::list_followers(app, stage.ben, stage.ana, page)).0;
        let following =
            assert_queries!(3, follows::list_following(app, stage.ben, stage.ana, page)).0;
        let own = assert_queries!(2, follows::list_followers(app, stage.ana, stage.ana, page)).0;
        for list in [followers, following, own] {
            assert_eq!(i64::try_from(list.items.len()).unwrap(), length);
        }
    }
    for length in [1, 3] {
        let page = PageRequest::first(Limit::parse(length).unwrap());
        let requests = assert_queries!(2, follows::list_requests(app, stage.ana, page)).0;
        let blocks = assert_queries!(2, follows::list_blocks(app, stage.ana, page)).0;
        for list in [requests, blocks] {
            assert_eq!(i64::try_from(list.items.len()).unwrap(), length);
        }
    }
}

/// Lets somebody have asked.
async fn ask(stage: &Stage, who: UserId, whom: UserId) {
    shy(&stage.database, whom).await;
    stage.follow(who, whom).await;
}

/// Sixty who follow somebody, and are followed back.
async fn a_crowd(stage: &Stage, person: UserId) {
    stage
        .database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password, followers_count, following_count)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x', 1, 1 FROM generate_series(1, 60) n;
             INSERT INTO follows (id, follower_id, followed_id, status)
             SELECT gen_random_uuid(), id, {person}, 'active' FROM users WHERE hashed_password = 'x';
             INSERT INTO follows (id, follower_id, followed_id, status)
             SELECT gen_random_uuid(), {person}, id, 'active' FROM users WHERE hashed_password = 'x';
             UPDATE users SET followers_count = 60, following_count = 60 WHERE id = {person}"
        ))
        .await;
}
