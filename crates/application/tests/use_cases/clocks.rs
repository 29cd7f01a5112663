//! Rows written by a node whose clock was 30 days ahead, seen from a node whose clock is right.

use chrono::TimeDelta;
use grateful_application::{App, Result, feed, hearts, posts, sessions, shares};
use grateful_domain::{
    FeedPageRequest, FeedStart, Limit, PageRequest, PostId, Recipients, ShareDetails, ShareQuota,
    TrendingWindow, UserId, Viewer,
};
use grateful_testkit::{FakeClock, TestApp, a_post, a_user, draft};

use crate::support::{create_post, log_in, post_id_in};

const A_MONTH: TimeDelta = TimeDelta::days(30);

/// The ranked feed, the newest posts, and trending posts.
async fn feeds(app: &App, viewer: Viewer) -> [Vec<PostId>; 3] {
    let request = FeedPageRequest { limit: Limit::DEFAULT, start: FeedStart::Offset(0) };
    let ranked = feed::list_ranked(app, viewer, request).await.unwrap().posts;
    let first_page = PageRequest::first(Limit::DEFAULT);
    let newest = feed::list_newest(app, viewer, first_page).await.unwrap().items;
    let window = TrendingWindow::DEFAULT;
    let trending = feed::list_trending(app, viewer, window, Limit::DEFAULT).await.unwrap();
    [
        ranked.iter().map(|entry| entry.post.post.id).collect(),
        newest.iter().map(|item| item.post.id).collect(),
        trending.iter().map(|item| item.post.id).collect(),
    ]
}

/// Creates a post with a heart while the clock is ahead.
async fn post_ahead(app: &App, clock: &FakeClock, author: UserId, ahead: TimeDelta) -> PostId {
    clock.advance(ahead);
    let post = post_id_in(&create_post(app, author, draft("For rain."), None).await.unwrap());
    hearts::add(app, author, post).await.unwrap();
    clock.advance(-ahead);
    post
}

#[tokio::test]
async fn a_post_dated_in_the_future_is_in_no_feed_until_its_time_has_come() {
    let (TestApp { app, clock, .. }, [ana]) = TestApp::with_users().await;
    let ahead = post_ahead(&app, &clock, ana, A_MONTH).await;
    let now = post_ahead(&app, &clock, ana, TimeDelta::zero()).await;

    for viewer in [Viewer::User(ana), Viewer::Guest] {
        assert_eq!(feeds(&app, viewer).await, [vec![now], vec![now], vec![now]]);
    }
    clock.advance(A_MONTH);
    let after_a_month = feeds(&app, Viewer::Guest).await;
    assert_eq!(after_a_month, [vec![ahead, now], vec![ahead, now], vec![ahead]]);
}

#[tokio::test]
async fn a_post_dated_in_the_future_is_found_by_its_id_and_in_the_list_of_its_author() {
    let (TestApp { app, clock, .. }, [ana]) = TestApp::with_users().await;
    let ahead = post_ahead(&app, &clock, ana, A_MONTH).await;
    let now = post_ahead(&app, &clock, ana, TimeDelta::zero()).await;

    assert_eq!(posts::get(&app, Viewer::Guest, ahead).await.unwrap().post.id, ahead);
    let page = PageRequest::first(Limit::DEFAULT);
    let own = posts::list_by_author(&app, Viewer::User(ana), ana, page).await.unwrap().items;
    assert_eq!(own.iter().map(|item| item.post.id).collect::<Vec<_>>(), [ahead, now]);
}

#[tokio::test]
async fn a_post_by_a_node_whose_clock_is_slightly_ahead_is_in_every_feed_with_a_decay_of_one() {
    let (TestApp { app, clock, .. }, [ana]) = TestApp::with_users().await;
    let post = post_ahead(&app, &clock, ana, TimeDelta::seconds(1)).await;

    assert_eq!(feeds(&app, Viewer::User(ana)).await, [vec![post], vec![post], vec![post]]);
    let page = PageRequest::first(Limit::DEFAULT);
    let scored = feed::list_newest_scored(&app, Viewer::Guest, page).await.unwrap().items;
    assert_eq!(scored[0].score.decay.to_string(), "1");
}

#[tokio::test]
async fn messages_sent_in_the_future_do_not_use_up_the_quota() {
    let (TestApp { app, database, clock, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await.id;
    let send = async || -> Result<_> {
        let recipients = Recipients::parse(ana, &[ben.into()]).unwrap();
        let details = ShareDetails::Message { recipients, message: None };
        shares::create(&app, ana, post, details, None, |_| Vec::new()).await
    };
    clock.advance(A_MONTH);
    for _ in 0..ShareQuota::MAX_PER_HOUR {
        send().await.unwrap();
    }
    send().await.unwrap_err();
    clock.advance(-A_MONTH);

    for _ in 0..ShareQuota::MAX_PER_HOUR {
        send().await.unwrap();
    }
    send().await.unwrap_err();
}

#[tokio::test]
async fn a_session_last_used_in_the_future_is_valid_and_gets_the_right_time() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = a_user().insert_into(&database).await;
    clock.advance(A_MONTH);
    let token = log_in(&app, &ana).await;
    clock.advance(-A_MONTH);

    sessions::authenticate(&app, &token).await.unwrap();

    let listed = sessions::list(&app, ana.id).await.unwrap();
    assert_eq!(listed[0].last_used_at, app.clock.now());
}
