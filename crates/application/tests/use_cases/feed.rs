//! Everybody's posts.

use chrono::TimeDelta;
use grateful_application::{App, feed};
use grateful_domain::{
    FeedPageRequest, FeedStart, Limit, PageRequest, PageStart, PostId, Slot, TrendingWindow, Viewer,
};
use grateful_testkit::{MetricsCapture, NOON, TestApp, a_post, block, create_user};

#[tokio::test]
async fn everybodys_public_posts_are_there_newest_first_ones_own_among_them() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let theirs = a_post().insert_into(&database).await.id;
    let own = a_post().by(ana).insert_into(&database).await.id;
    a_post().by(ana).private().insert_into(&database).await;
    a_post().private().insert_into(&database).await;

    assert_eq!(ids(&app, Viewer::User(ana)).await, [own, theirs]);
    assert_eq!(ids(&app, Viewer::Guest).await, [own, theirs]);
}

#[tokio::test]
async fn how_long_a_page_takes_is_measured_by_its_feed_unless_there_is_none() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let stretch = FeedPageRequest { limit: Limit::DEFAULT, start: FeedStart::Offset(0) };
    let page = PageRequest::first(Limit::DEFAULT);
    let measured = MetricsCapture::start();
    let pages = || measured.take_named(&["grateful_feed_duration_seconds"]);
    let all = async || {
        let trending =
            feed::list_trending(&app, Viewer::Guest, TrendingWindow::DEFAULT, Limit::DEFAULT).await;
        [
            feed::list_ranked(&app, Viewer::Guest, stretch.clone()).await.is_ok(),
            feed::list_newest(&app, Viewer::Guest, page).await.is_ok(),
            feed::list_newest_scored(&app, Viewer::Guest, page).await.is_ok(),
            trending.is_ok(),
        ]
    };

    assert_eq!(all().await, [true; 4]);
    let counted = [("newest", 2), ("ranked", 1), ("trending", 1)]
        .map(|(feed, count)| (format!("grateful_feed_duration_seconds{{feed={feed}}}"), count));
    assert_eq!(pages(), counted.into());

    database.execute("ALTER TABLE posts RENAME TO no_posts").await;
    assert_eq!(all().await, [false; 4]);
    assert_eq!(pages(), [].into());
}

#[tokio::test]
async fn nobody_is_there_across_a_block() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let by_ana = a_post().by(ana).insert_into(&database).await.id;
    let by_ben = a_post().by(ben).insert_into(&database).await.id;
    block(&database, ana, ben).await;

    assert_eq!(ids(&app, Viewer::User(ana)).await, [by_ana]);
    assert_eq!(ids(&app, Viewer::User(ben)).await, [by_ben]);
}

#[tokio::test]
async fn a_walk_meets_every_post_once_though_all_have_the_same_time_and_others_write() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let mut there = Vec::new();
    for _ in 0..7 {
        there.push(a_post().by(ana).at(NOON).insert_into(&database).await.id);
    }

    let mut met = Vec::new();
    let mut page = PageRequest::first(Limit::parse(2).unwrap());
    loop {
        let slice = feed::list_newest(&app, Viewer::Guest, page).await.unwrap();
        met.extend(slice.items.into_iter().map(|seen| seen.post.id));
        // Newer than all, so it moves every offset, but no place.
        a_post().by(ana).insert_into(&database).await;
        let Some(place) = slice.next else { break };
        page.start = PageStart::After(place);
    }

    there.sort_unstable();
    there.reverse();
    assert_eq!(met, there);
}

#[tokio::test]
async fn a_ranked_page_goes_on_behind_what_was_met_though_what_is_better_came_meanwhile() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let mut there = Vec::new();
    for _ in 0..7 {
        there.push(a_post().at(NOON).insert_into(&database).await.id);
    }

    let mut met = Vec::new();
    let mut stretch =
        FeedPageRequest { limit: Limit::parse(2).unwrap(), start: FeedStart::Offset(0) };
    loop {
        let leg = feed::list_ranked(&app, Viewer::Guest, stretch.clone()).await.unwrap();
        met.extend(leg.posts.into_iter().map(|post| post.post.post.id));
        database
            .execute("UPDATE posts SET hearts_count = hearts_count + (hashtext(id::text) & 7)")
            .await;
        let Some(walk) = leg.next else { break };
        stretch.start = FeedStart::After(walk);
    }

    met.sort_unstable();
    there.sort_unstable();
    assert_eq!(met, there);
}

#[tokio::test]
async fn a_score_is_that_of_the_moment() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    a_post().at(NOON).insert_into(&database).await;
    let stretch = FeedPageRequest { limit: Limit::DEFAULT, start: FeedStart::Offset(0) };
    let page = PageRequest::first(Limit::DEFAULT);

    clock.advance(TimeDelta::hours(24));
    let ranked = feed::list_ranked(&app, Viewer::Guest, stretch).await.unwrap().posts.remove(0);
    let newest = feed::list_newest_scored(&app, Viewer::Guest, page).await.unwrap().items.remove(0);

    assert_eq!((ranked.slot, newest.slot), (Slot::Ranked, Slot::Fresh));
    assert_eq!(ranked.score, newest.score);
    assert_eq!(
        format!("{:?}", [ranked.score.worth, ranked.score.decay, ranked.score.total]),
        "[3.0, 0.5, 1.5]"
    );
}

#[tokio::test]
async fn what_is_trending_leaves_its_window_with_time() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let post = a_post().at(NOON).insert_into(&database).await.id;
    database.execute("UPDATE posts SET hearts_count = 1").await;
    let trending = async || {
        let window = TrendingWindow::DEFAULT;
        let posts = feed::list_trending(&app, Viewer::Guest, window, Limit::DEFAULT).await.unwrap();
        posts.into_iter().map(|seen| seen.post.id).collect::<Vec<_>>()
    };

    clock.advance(TimeDelta::hours(24));
    assert_eq!(trending().await, [post]);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(trending().await, []);
}

async fn ids(app: &App, viewer: Viewer) -> Vec<PostId> {
    let slice = feed::list_newest(app, viewer, PageRequest::first(Limit::DEFAULT)).await.unwrap();
    slice.items.into_iter().map(|seen| seen.post.id).collect()
}
