//! The ranked, newest and trending feeds.

use chrono::TimeDelta;
use grateful_application::{App, feed};
use grateful_domain::{
    FeedPageRequest, FeedStart, Limit, PageRequest, PageStart, PostId, Slot, TrendingWindow, Viewer,
};
use grateful_testkit::{MetricsCapture, NOON, TestApp, a_post, block};

#[tokio::test]
async fn the_newest_feed_lists_public_posts_newest_first_including_own_ones() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let by_other = a_post().insert_into(&database).await.id;
    let own = a_post().by(ana).insert_into(&database).await.id;
    a_post().by(ana).private().insert_into(&database).await;
    a_post().private().insert_into(&database).await;

    assert_eq!(ids(&app, Viewer::User(ana)).await, [own, by_other]);
    assert_eq!(ids(&app, Viewer::Guest).await, [own, by_other]);
}

#[tokio::test]
async fn the_duration_of_a_page_is_measured_by_feed_unless_it_fails() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let request = FeedPageRequest { limit: Limit::DEFAULT, start: FeedStart::Offset(0) };
    let page = PageRequest::first(Limit::DEFAULT);
    let metrics = MetricsCapture::start();
    let recorded_pages = || metrics.take_named(&["grateful_feed_duration_seconds"]);
    let request_all = async || {
        let trending =
            feed::list_trending(&app, Viewer::Guest, TrendingWindow::DEFAULT, Limit::DEFAULT).await;
        [
            feed::list_ranked(&app, Viewer::Guest, request.clone()).await.is_ok(),
            feed::list_newest(&app, Viewer::Guest, page).await.is_ok(),
            feed::list_newest_scored(&app, Viewer::Guest, page).await.is_ok(),
            trending.is_ok(),
        ]
    };

    assert_eq!(request_all().await, [true; 4]);
    let expected = [("newest", 2), ("ranked", 1), ("trending", 1)]
        .map(|(feed, count)| (format!("grateful_feed_duration_seconds{{feed={feed}}}"), count));
    assert_eq!(recorded_pages(), expected.into());

    database.execute("ALTER TABLE posts RENAME TO no_posts").await;
    assert_eq!(request_all().await, [false; 4]);
    assert_eq!(recorded_pages(), [].into());
}

#[tokio::test]
async fn posts_across_a_block_are_not_listed() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let by_ana = a_post().by(ana).insert_into(&database).await.id;
    let by_ben = a_post().by(ben).insert_into(&database).await.id;
    block(&database, ana, ben).await;

    assert_eq!(ids(&app, Viewer::User(ana)).await, [by_ana]);
    assert_eq!(ids(&app, Viewer::User(ben)).await, [by_ben]);
}

#[tokio::test]
async fn paging_through_the_newest_feed_lists_every_post_once_despite_equal_times_and_new_posts() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(a_post().by(ana).at(NOON).insert_into(&database).await.id);
    }

    let mut listed = Vec::new();
    let mut page = PageRequest::first(Limit::parse(2).unwrap());
    loop {
        let newest_page = feed::list_newest(&app, Viewer::Guest, page).await.unwrap();
        listed.extend(newest_page.items.into_iter().map(|item| item.post.id));
        // A newer post shifts all offsets, but no cursor.
        a_post().by(ana).insert_into(&database).await;
        let Some(position) = newest_page.next else { break };
        page.start = PageStart::After(position);
    }

    expected.sort_unstable();
    expected.reverse();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn paging_through_the_ranked_feed_lists_every_post_once_despite_changing_scores() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(a_post().at(NOON).insert_into(&database).await.id);
    }

    let mut listed = Vec::new();
    let mut request =
        FeedPageRequest { limit: Limit::parse(2).unwrap(), start: FeedStart::Offset(0) };
    loop {
        let ranked_page = feed::list_ranked(&app, Viewer::Guest, request.clone()).await.unwrap();
        listed.extend(ranked_page.posts.into_iter().map(|post| post.post.post.id));
        database
            .execute("UPDATE posts SET hearts_count = hearts_count + (hashtext(id::text) & 7)")
            .await;
        let Some(cursor) = ranked_page.next else { break };
        request.start = FeedStart::After(cursor);
    }

    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn scores_are_computed_at_the_time_of_the_request() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    a_post().at(NOON).insert_into(&database).await;
    let request = FeedPageRequest { limit: Limit::DEFAULT, start: FeedStart::Offset(0) };
    let page = PageRequest::first(Limit::DEFAULT);

    clock.advance(TimeDelta::hours(24));
    let ranked = feed::list_ranked(&app, Viewer::Guest, request).await.unwrap().posts.remove(0);
    let newest = feed::list_newest_scored(&app, Viewer::Guest, page).await.unwrap().items.remove(0);

    assert_eq!((ranked.slot, newest.slot), (Slot::Ranked, Slot::Fresh));
    assert_eq!(ranked.score, newest.score);
    assert_eq!(
        format!("{:?}", [ranked.score.worth, ranked.score.decay, ranked.score.total]),
        "[3.0, 0.5, 1.5]"
    );
}

#[tokio::test]
async fn a_trending_post_leaves_the_time_window() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let post = a_post().at(NOON).insert_into(&database).await.id;
    database.execute("UPDATE posts SET hearts_count = 1").await;
    let trending = async || {
        let window = TrendingWindow::DEFAULT;
        let posts = feed::list_trending(&app, Viewer::Guest, window, Limit::DEFAULT).await.unwrap();
        posts.into_iter().map(|item| item.post.id).collect::<Vec<_>>()
    };

    clock.advance(TimeDelta::hours(24));
    assert_eq!(trending().await, [post]);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(trending().await, []);
}

async fn ids(app: &App, viewer: Viewer) -> Vec<PostId> {
    let newest_page =
        feed::list_newest(app, viewer, PageRequest::first(Limit::DEFAULT)).await.unwrap();
    newest_page.items.into_iter().map(|item| item.post.id).collect()
}
