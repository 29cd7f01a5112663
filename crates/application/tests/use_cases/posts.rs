//! Posts: who may do what, and what is counted.

use chrono::TimeDelta;
use grateful_application::posts;
use grateful_application::{App, Error, Resource, Result};
use grateful_domain::{
    Draft, ImageUrl, PageRequest, PostEdit, PostForViewer, PostId, Revision, Title, UserId, Viewer,
    Visibility,
};
use grateful_testkit::{NOON, TestApp, TestDatabase, a_post, block, create_user};

use crate::support::{assert_forbidden, assert_invalid, assert_not_found, draft, post_in, publish};

const IMAGE: &str = "/uploads/posts/01937b5e-7c2a-7000-8000-000000000001.jpg";

#[tokio::test]
async fn a_published_post_is_read_as_it_was_written() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let written = Draft { title: Title::parse("Rain").unwrap(), ..draft("For rain.") };

    let answer = publish(&app, ana, written.clone(), None).await.unwrap();

    let seen = posts::get(&app, Viewer::User(ana), post_in(&answer)).await.unwrap();
    assert_eq!(seen.post.draft, written);
    assert_eq!(seen.post.created_at, NOON);
    assert_eq!(seen.post.updated_at, None);
    assert_eq!(seen.author.id, ana);
}

#[tokio::test]
async fn what_is_written_is_counted() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    assert_counts(&database, ana, 0, 0).await;

    let public = publish(&app, ana, draft("For all."), None).await.unwrap();
    let private = Draft { visibility: Visibility::Private, ..draft("For me.") };
    let private = publish(&app, ana, private, None).await.unwrap();
    assert_counts(&database, ana, 2, 1).await;

    change(&app, ana, post_in(&private), showing(Visibility::Public)).await.unwrap();
    assert_counts(&database, ana, 2, 2).await;
    change(&app, ana, post_in(&private), showing(Visibility::Public)).await.unwrap();
    assert_counts(&database, ana, 2, 2).await;
    change(&app, ana, post_in(&public), showing(Visibility::Private)).await.unwrap();
    assert_counts(&database, ana, 2, 1).await;

    posts::delete(&app, ana, post_in(&public)).await.unwrap();
    assert_counts(&database, ana, 1, 1).await;
    posts::delete(&app, ana, post_in(&private)).await.unwrap();
    assert_counts(&database, ana, 0, 0).await;
}

#[tokio::test]
async fn what_many_write_and_take_back_at_once_is_counted() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let one = post_in(&publish(&app, ana, draft("One."), None).await.unwrap());
    let two = post_in(&publish(&app, ana, draft("Two."), None).await.unwrap());

    let writing = (0..6).map(|_| publish(&app, ana, draft("More."), None));
    let (written, hidden, deleted, deleted_again) = tokio::join!(
        futures_util::future::join_all(writing),
        change(&app, ana, one, showing(Visibility::Private)),
        posts::delete(&app, ana, two),
        posts::delete(&app, ana, two),
    );

    assert!(written.iter().all(Result::is_ok), "{written:?}");
    hidden.unwrap();
    assert_ne!(deleted.is_ok(), deleted_again.is_ok());
    assert_counts(&database, ana, 7, 6).await;
}

#[tokio::test]
async fn a_post_that_cannot_be_counted_is_not_written() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    database.execute("ALTER TABLE posts ADD CONSTRAINT never CHECK (content <> 'For rain.')").await;

    let refused = publish(&app, ana, draft("For rain."), None).await.unwrap_err();

    assert!(matches!(refused, Error::Internal(_)), "{refused:?}");
    assert_eq!(database.count("posts").await, 0);
    assert_counts(&database, ana, 0, 0).await;
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_keeps_the_rest() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post()
        .by(ana)
        .at(NOON)
        .with(|draft| draft.title = Title::parse("Rain").unwrap())
        .insert_into(&database)
        .await;
    clock.advance(TimeDelta::hours(1));

    let words = PostEdit { content: Some("For sun.".to_owned()), ..PostEdit::default() };
    let after = change(&app, ana, post.id, words).await.unwrap();

    assert_eq!(after.post.draft.content.as_str(), "For sun.");
    assert_eq!(after.post.draft.title, post.draft.title);
    assert_eq!(after.post.created_at, NOON);
    assert_eq!(after.post.updated_at, Some(NOON + TimeDelta::hours(1)));
    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap(), after);
}

#[tokio::test]
async fn an_edit_that_clears_a_part_leaves_none() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let title = Title::parse("Rain").unwrap();
    let post = a_post().by(ana).with(|draft| draft.title = title).insert_into(&database).await;

    let untitled = PostEdit { title: Some(None), ..PostEdit::default() };
    let after = change(&app, ana, post.id, untitled).await.unwrap();

    assert_eq!(after.post.draft.title, None);
    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap(), after);
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_no_edit() {
    let TestApp { app, database, clock, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await;
    clock.advance(TimeDelta::hours(1));

    let same = PostEdit {
        content: Some(format!("  {}\r\n", post.draft.content.as_str())),
        ..PostEdit::default()
    };
    let after = change(&app, ana, post.id, same).await.unwrap();

    assert_eq!(after.post, post);
}

#[tokio::test]
async fn words_that_do_not_fit_the_type_are_refused_and_nothing_changes() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).with_text(&"x".repeat(201)).insert_into(&database).await;

    let shorter = PostEdit {
        post_type: Some(grateful_domain::PostType::Spontaneous),
        title: Some(Title::parse("Rain").unwrap()),
        ..PostEdit::default()
    };
    assert_invalid(change(&app, ana, post.id, shorter).await, "content");

    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap().post, post);
}

#[tokio::test]
async fn an_edit_of_a_state_that_is_past_is_stale() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await;
    let known = post.revision();
    let words = |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };

    let first = posts::update(&app, ana, post.id, words("First."), |it| it == known).await.unwrap();
    let second =
        posts::update(&app, ana, post.id, words("Second."), |it| it == known).await.unwrap_err();

    assert!(matches!(second, Error::Stale { resource: Resource::Post }), "{second:?}");
    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap(), first);
    assert_ne!(first.post.revision(), known, "though the clock stood still");
}

#[tokio::test]
async fn of_two_edits_of_one_state_at_once_one_is_stale() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await;
    let known = post.revision();
    let words = |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };

    let (one, other) = tokio::join!(
        posts::update(&app, ana, post.id, words("One."), |it| it == known),
        posts::update(&app, ana, post.id, words("Other."), |it| it == known),
    );

    let (winner, loser) = if one.is_ok() { (one, other) } else { (other, one) };
    assert!(matches!(loser, Err(Error::Stale { .. })), "{loser:?}");
    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap(), winner.unwrap());
}

#[tokio::test]
async fn what_others_do_to_a_post_is_no_edit() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await;

    database.execute("UPDATE posts SET hearts_count = 3, comments_count = 1").await;

    let seen = posts::get(&app, Viewer::Guest, post.id).await.unwrap();
    assert_eq!(seen.post.engagement.hearts, 3);
    assert_eq!(seen.post.revision(), post.revision());
}

#[tokio::test]
async fn only_its_author_may_change_or_delete_a_public_post() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ben = create_user(&database).await;
    let post = a_post().insert_into(&database).await;

    assert_forbidden(change(&app, ben, post.id, showing(Visibility::Private)).await);
    assert_forbidden(posts::delete(&app, ben, post.id).await);

    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap().post, post);
}

#[tokio::test]
async fn a_private_post_exists_for_its_author_alone() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let post = a_post().by(ana).private().insert_into(&database).await;

    assert_not_found(posts::get(&app, Viewer::Guest, post.id).await);
    assert_not_found(posts::get(&app, Viewer::User(ben), post.id).await);
    assert_not_found(change(&app, ben, post.id, showing(Visibility::Public)).await);
    assert_not_found(posts::delete(&app, ben, post.id).await);

    assert_eq!(posts::get(&app, Viewer::User(ana), post.id).await.unwrap().post, post);
}

#[tokio::test]
async fn across_a_block_either_way_nothing_exists() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    block(&database, ana, ben).await;

    for (author, other) in [(ana, ben), (ben, ana)] {
        let post = a_post().by(author).insert_into(&database).await;
        let viewer = Viewer::User(other);
        assert_not_found(posts::get(&app, viewer, post.id).await);
        assert_not_found(change(&app, other, post.id, showing(Visibility::Private)).await);
        assert_not_found(posts::delete(&app, other, post.id).await);
        assert_not_found(posts::list_by_author(&app, viewer, author, FIRST_PAGE).await);
        posts::get(&app, Viewer::Guest, post.id).await.unwrap();
    }
}

#[tokio::test]
async fn a_post_that_is_gone_is_gone_for_its_author_too() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = a_post().by(ana).insert_into(&database).await;

    posts::delete(&app, ana, post.id).await.unwrap();

    assert_not_found(posts::get(&app, Viewer::User(ana), post.id).await);
    assert_not_found(change(&app, ana, post.id, showing(Visibility::Private)).await);
    assert_not_found(posts::delete(&app, ana, post.id).await);
}

#[tokio::test]
async fn an_image_must_have_been_uploaded_here() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let pictured = || Draft { image_url: ImageUrl::parse(IMAGE).unwrap(), ..draft("Look!") };
    let picture =
        || PostEdit { image_url: Some(ImageUrl::parse(IMAGE).unwrap()), ..PostEdit::default() };
    let plain = a_post().by(ana).insert_into(&database).await;

    assert_invalid(publish(&app, ana, pictured(), None).await, "image_url");
    assert_invalid(change(&app, ana, plain.id, picture()).await, "image_url");
    assert_eq!(database.count("posts").await, 1);

    // That a post shows it proves that it was.
    a_post().by(ana).with_image(IMAGE).insert_into(&database).await;
    publish(&app, ana, pictured(), None).await.unwrap();
    change(&app, ana, plain.id, picture()).await.unwrap();
    assert_eq!(database.count("posts WHERE image_url IS NOT NULL").await, 3);
}

#[tokio::test]
async fn somebodys_posts_are_those_that_the_viewer_may_see_newest_first() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let first = a_post().by(ana).insert_into(&database).await.id;
    let private = a_post().by(ana).private().insert_into(&database).await.id;
    let last = a_post().by(ana).insert_into(&database).await.id;
    a_post().by(ben).insert_into(&database).await;

    assert_eq!(ids_by(&app, Viewer::User(ana), ana).await, [last, private, first]);
    assert_eq!(ids_by(&app, Viewer::User(ben), ana).await, [last, first]);
    assert_eq!(ids_by(&app, Viewer::Guest, ana).await, [last, first]);
}

#[tokio::test]
async fn the_posts_of_nobody_are_not_found() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;

    for nobody in [0, -1, i64::MIN, i64::MAX] {
        let outcome =
            posts::list_by_author(&app, Viewer::User(ana), nobody.into(), FIRST_PAGE).await;
        assert_not_found(outcome);
    }
}

const FIRST_PAGE: PageRequest = PageRequest::first(grateful_domain::Limit::DEFAULT);

async fn change(app: &App, editor: UserId, post: PostId, what: PostEdit) -> Result<PostForViewer> {
    posts::update(app, editor, post, what, |_: Revision| true).await
}

fn showing(visibility: Visibility) -> PostEdit {
    PostEdit { visibility: Some(visibility), ..PostEdit::default() }
}

async fn ids_by(app: &App, viewer: Viewer, author: UserId) -> Vec<PostId> {
    let slice = posts::list_by_author(app, viewer, author, FIRST_PAGE).await.unwrap();
    slice.items.into_iter().map(|seen| seen.post.id).collect()
}

async fn assert_counts(database: &TestDatabase, user: UserId, all: i64, public: i64) {
    let counted = format!(
        "users WHERE id = {user} AND posts_count = {all} AND public_posts_count = {public}"
    );
    let there = format!("posts WHERE author_id = {user}");
    assert_eq!(database.count(&there).await, all);
    assert_eq!(database.count(&format!("{there} AND is_public")).await, public);
    assert_eq!(database.count(&counted).await, 1, "{all} posts, {public} of them public");
}
