//! Everybody's posts.

use grateful_application::{App, feed};
use grateful_domain::{Limit, Page, PostId, Start, Viewer};
use grateful_testkit::{NOON, TestApp, a_post, block, someone};

#[tokio::test]
async fn everybodys_public_posts_are_there_newest_first_ones_own_among_them() {
    let TestApp { app, test, .. } = TestApp::create().await;
    let ana = someone(&test).await;
    let theirs = a_post().saved_in(&test).await.id;
    let own = a_post().by(ana).saved_in(&test).await.id;
    a_post().by(ana).private().saved_in(&test).await;
    a_post().private().saved_in(&test).await;

    assert_eq!(ids(&app, Viewer::User(ana)).await, [own, theirs]);
    assert_eq!(ids(&app, Viewer::Guest).await, [own, theirs]);
}

#[tokio::test]
async fn nobody_is_there_across_a_block() {
    let TestApp { app, test, .. } = TestApp::create().await;
    let (ana, ben) = (someone(&test).await, someone(&test).await);
    let by_ana = a_post().by(ana).saved_in(&test).await.id;
    let by_ben = a_post().by(ben).saved_in(&test).await.id;
    block(&test, ana, ben).await;

    assert_eq!(ids(&app, Viewer::User(ana)).await, [by_ana]);
    assert_eq!(ids(&app, Viewer::User(ben)).await, [by_ben]);
}

#[tokio::test]
async fn a_walk_meets_every_post_once_though_all_have_the_same_time_and_others_write() {
    let TestApp { app, test, .. } = TestApp::create().await;
    let ana = someone(&test).await;
    let mut there = Vec::new();
    for _ in 0..7 {
        there.push(a_post().by(ana).at(NOON).saved_in(&test).await.id);
    }

    let mut met = Vec::new();
    let mut page = Page::first(Limit::parse(2).unwrap());
    loop {
        let slice = feed::newest(&app, Viewer::Guest, page).await.unwrap();
        met.extend(slice.items.into_iter().map(|seen| seen.post.id));
        // Newer than all, so it moves every offset, but no place.
        a_post().by(ana).saved_in(&test).await;
        let Some(place) = slice.next else { break };
        page.start = Start::After(place);
    }

    there.sort_unstable();
    there.reverse();
    assert_eq!(met, there);
}

async fn ids(app: &App, viewer: Viewer) -> Vec<PostId> {
    let slice = feed::newest(app, viewer, Page::first(Limit::DEFAULT)).await.unwrap();
    slice.items.into_iter().map(|seen| seen.post.id).collect()
}
