//! Changes that protect a user hold at once, at any size; the rest follows in small steps.

use std::time::Duration;

use grateful_application::accounts::LogIn;
use grateful_application::background_jobs::run_pending;
use grateful_application::{
    App, Error, accounts, comments, feed, follows, notifications, posts, profiles,
};
use grateful_domain::{CommentId, ListedComment, PostEdit, PostId, UserId, Viewer, Visibility};
use grateful_testkit::{MAX_PAGE, PASSWORD, Scenario, a_post};

/// More than several steps take.
const MANY: i64 = 1_500;

/// An `App` whose requests leave everything to the background but the first step.
fn without_budget(scenario: &Scenario) -> App {
    App { job_budget: Duration::ZERO, ..scenario.app.clone() }
}

#[tokio::test]
async fn a_deleted_account_is_gone_for_all_users_before_its_data_is_deleted() {
    let scenario = Scenario::create().await;
    let (app, ana, ben) = (without_budget(&scenario), scenario.ana, scenario.ben);
    let own = a_post().by(ben).insert_into(&scenario.database).await.id;
    scenario.add_heart(ben).await;
    scenario.add_heart(scenario.caro).await;
    scenario.comment(ben, "Thank you, @ana and @caro").await;
    follows::follow(&app, ben, ana).await.unwrap();

    accounts::delete(&app, ben).await.unwrap();

    assert_eq!(scenario.database.count(&format!("users WHERE id = {ben}")).await, 1);
    assert_eq!(scenario.database.count(&format!("likes WHERE user_id = {ben}")).await, 1);
    assert!(is_not_found(&profiles::get(&app, Viewer::User(ana), ben).await));
    assert!(is_not_found(&posts::get(&app, Viewer::User(ana), own).await));
    assert!(is_not_found(&posts::get(&app, Viewer::Guest, own).await));
    assert!(is_not_found(&follows::follow(&app, ana, ben).await));
    assert_eq!(comments::list(&app, ana, scenario.post.id, MAX_PAGE).await.unwrap().items, []);
    assert!(!newest_posts(&app, ana).await.contains(&own));
    let email = "ben@example.org".to_owned();
    let log_in = LogIn { email, password: PASSWORD.to_owned(), user_agent: None };
    assert!(matches!(accounts::log_in(&app, log_in).await, Err(Error::Unauthenticated(_))));
    scenario.assert_consistent().await;

    run_pending(&app).await.unwrap();

    assert_eq!(scenario.database.count(&format!("users WHERE id = {ben}")).await, 0);
    assert_eq!(scenario.messages(ana).await, ["caro liked your post"]);
    assert_eq!(scenario.database.count("background_jobs").await, 0);
    scenario.assert_consistent().await;
}

/// One transaction could never withdraw all entries of one user from such a batch.
#[tokio::test]
async fn a_user_who_caused_thousands_of_notifications_in_one_batch_can_be_blocked() {
    let scenario = Scenario::create().await;
    let (app, ana, ben) = (without_budget(&scenario), scenario.ana, scenario.ben);
    scenario.comment(scenario.caro, "Lovely").await;
    insert_comments(&scenario, ben, None).await;

    follows::block(&app, ana, ben).await.unwrap();

    assert!(follows::get_relationship(&app, ana, ben).await.unwrap().is_blocked());
    scenario.assert_consistent().await;
    run_pending(&app).await.unwrap();
    assert_eq!(scenario.messages(ana).await, ["caro commented on your post: Lovely"]);
    assert_eq!(scenario.database.count(&format!("notifications WHERE actor_id = {ben}")).await, 0);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_block_withdraws_what_third_users_caused_about_posts_across_it() {
    for is_blocked_by_author in [true, false] {
        let scenario = Scenario::create().await;
        let (ana, ben, caro) = (scenario.ana, scenario.ben, scenario.caro);
        scenario.send_message(caro, &[ben]).await;
        let comment = scenario.comment(ben, "So kind").await;
        scenario.reply(caro, comment, "Indeed").await;
        assert_eq!(scenario.list(ben).await.len(), 2);

        let (user, other) = if is_blocked_by_author { (ana, ben) } else { (ben, ana) };
        follows::block(&scenario.app, user, other).await.unwrap();

        assert_eq!(scenario.messages(ben).await, [""; 0]);
        scenario.assert_consistent().await;
    }
}

#[tokio::test]
async fn a_comment_with_thousands_of_replies_is_gone_at_once() {
    let scenario = Scenario::create().await;
    let (app, ana, ben) = (without_budget(&scenario), scenario.ana, scenario.ben);
    let root = scenario.comment(scenario.caro, "Lovely").await;
    let kept = scenario.comment(ben, "So kind").await;
    insert_comments(&scenario, ben, Some(root)).await;

    comments::delete(&app, scenario.caro, root).await.unwrap();

    let listed = comments::list(&app, ana, scenario.post.id, MAX_PAGE).await.unwrap().items;
    assert_eq!(listed.iter().map(id_of).collect::<Vec<_>>(), [kept]);
    assert!(is_not_found(&comments::list_replies(&app, ana, root, MAX_PAGE).await));
    assert!(is_not_found(&comments::delete(&app, scenario.caro, root).await));
    scenario.assert_consistent().await;
    run_pending(&app).await.unwrap();
    assert_eq!(scenario.database.count("comments").await, 1);
    assert_eq!(scenario.messages(scenario.caro).await, [""; 0]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_post_with_thousands_of_comments_is_gone_at_once() {
    let scenario = Scenario::create().await;
    let (app, ana) = (without_budget(&scenario), scenario.ana);
    scenario.add_heart(scenario.ben).await;
    insert_comments(&scenario, scenario.ben, None).await;
    let post = scenario.post.id;

    posts::delete(&app, ana, post, |_| true).await.unwrap();

    for viewer in [Viewer::User(ana), Viewer::User(scenario.ben), Viewer::Guest] {
        assert!(is_not_found(&posts::get(&app, viewer, post).await));
    }
    assert!(is_not_found(&posts::delete(&app, ana, post, |_| true).await));
    scenario.assert_consistent().await;
    run_pending(&app).await.unwrap();
    assert_eq!(scenario.database.count("posts").await, 0);
    assert_eq!(scenario.database.count("notifications").await, 0);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn marking_all_as_read_works_for_thousands_of_notifications() {
    let scenario = Scenario::create().await;
    let (app, ana, ben) = (without_budget(&scenario), scenario.ana, scenario.ben);
    insert_comments(&scenario, ben, None).await;
    scenario
        .database
        .execute(&format!(
            "INSERT INTO notifications (
                id, user_id, actor_id, type, data, act, seq, created_at, last_updated_at
             )
             SELECT gen_random_uuid(), {ana}, {ben}, 'follow_request', '{{}}', 'old ' || number, number,
                '2026-01-01', '2026-01-01'
             FROM generate_series(1, 5000) AS number"
        ))
        .await;
    scenario.database.recount_inboxes().await;
    let unread = scenario.counts(ana).await.0;

    let marked = notifications::mark_all_read(&app, ana).await.unwrap();
    scenario.clock.advance(chrono::TimeDelta::seconds(1));
    scenario.comment(scenario.caro, "Lovely").await;
    run_pending(&app).await.unwrap();

    assert_eq!((marked, unread), (5_001, 5_001));
    assert_eq!(scenario.counts(ana).await.0, 1, "the batch with the later comment");
    assert_eq!(scenario.database.count("notifications WHERE NOT read").await, 2);
}

#[tokio::test]
async fn a_post_that_is_public_again_keeps_its_notifications() {
    let scenario = Scenario::create().await;
    let (app, ana, ben) = (without_budget(&scenario), scenario.ana, scenario.ben);
    scenario.send_message(scenario.caro, &[ben]).await;
    let edit = |visibility| PostEdit { visibility: Some(visibility), ..PostEdit::default() };
    let post = scenario.post.id;
    posts::update(&app, ana, post, edit(Visibility::Private), |_| true).await.unwrap();
    assert_eq!(scenario.list(ben).await.len(), 0);
    posts::update(&app, ana, post, edit(Visibility::Public), |_| true).await.unwrap();
    scenario.send_message(scenario.caro, &[ben]).await;

    run_pending(&app).await.unwrap();

    assert_eq!(scenario.list(ben).await.len(), 1);
}

async fn newest_posts(app: &App, viewer: UserId) -> Vec<PostId> {
    let page = feed::list_newest(app, Viewer::User(viewer), MAX_PAGE).await.unwrap();
    page.items.iter().map(|post| post.post.id).collect()
}

fn id_of(listed: &ListedComment) -> CommentId {
    let ListedComment::Visible(found) = listed else { panic!("{listed:?}") };
    found.comment.id
}

fn is_not_found<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::NotFound { .. }))
}

/// Inserts many comments by a user, with their notifications in one batch.
async fn insert_comments(scenario: &Scenario, author: UserId, parent: Option<CommentId>) {
    let post = scenario.post.id;
    match parent {
        None => scenario.comment(author, "First").await,
        Some(parent) => scenario.reply(author, parent, "First").await,
    };
    scenario.clock.advance(chrono::TimeDelta::seconds(1));
    match parent {
        None => scenario.comment(author, "Second").await,
        Some(parent) => scenario.reply(author, parent, "Second").await,
    };
    let parent = parent.map_or("NULL".to_owned(), |parent| format!("'{parent}'"));
    scenario
        .database
        .execute(&format!(
            "WITH made AS (
                INSERT INTO comments (id, author_id, post_id, parent_id, content, created_at)
                SELECT gen_random_uuid(), {author}, '{post}', {parent}, 'Spam ' || number, '2026-01-01'
                FROM generate_series(1, {MANY}) AS number
                RETURNING id
            ), batch AS (
                UPDATE notifications SET batch_count = batch_count + {MANY}
                WHERE is_batch AND actor_id = {author} RETURNING *
            ), told AS (
                INSERT INTO notifications (
                    id, user_id, actor_id, type, data, act, batch_key, post_id, comment_id, parent_id, created_at,
                    last_updated_at
                )
                SELECT gen_random_uuid(), batch.user_id, {author}, batch.type, batch.data,
                    batch.type || ':comment:' || made.id, batch.batch_key, '{post}', made.id, batch.id,
                    '2026-01-01', '2026-01-01'
                FROM made, batch
            )
            UPDATE posts SET comments_count = comments_count + {MANY} WHERE id = '{post}'"
        ))
        .await;
}
