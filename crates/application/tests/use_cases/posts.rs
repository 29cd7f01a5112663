//! Posts: permissions, edits and counts.

use chrono::TimeDelta;
use grateful_application::image_files::parse_image_url;
use grateful_application::{App, Error, Resource, Result, posts};
use grateful_domain::{
    Draft, PageRequest, PostEdit, PostForViewer, PostId, Revision, Title, UserId, Viewer,
    Visibility,
};
use grateful_testkit::{NOON, TestApp, TestDatabase, a_post, block, draft};

use crate::support::{assert_forbidden, assert_invalid, assert_not_found, create_post, post_id_in};

const IMAGE: &str = "/uploads/posts/01937b5e-7c2a-7000-8000-000000000001.jpg";

#[tokio::test]
async fn a_created_post_is_returned_as_written() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let written = Draft { title: Title::parse("Rain").unwrap(), ..draft("For rain.") };

    let response = create_post(&app, ana, written.clone(), None).await.unwrap();

    let found = posts::get(&app, Viewer::User(ana), post_id_in(&response)).await.unwrap();
    assert_eq!(found.post.draft, written);
    assert_eq!(found.post.created_at, NOON);
    assert_eq!(found.post.updated_at, None);
    assert_eq!(found.author.id, ana);
}

#[tokio::test]
async fn posts_are_counted_in_total_and_by_visibility() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    assert_counts(&database, ana, 0, 0).await;

    let public = create_post(&app, ana, draft("For all."), None).await.unwrap();
    let private = Draft { visibility: Visibility::Private, ..draft("For me.") };
    let private = create_post(&app, ana, private, None).await.unwrap();
    assert_counts(&database, ana, 2, 1).await;

    update_post(&app, ana, post_id_in(&private), with_visibility(Visibility::Public))
        .await
        .unwrap();
    assert_counts(&database, ana, 2, 2).await;
    update_post(&app, ana, post_id_in(&private), with_visibility(Visibility::Public))
        .await
        .unwrap();
    assert_counts(&database, ana, 2, 2).await;
    update_post(&app, ana, post_id_in(&public), with_visibility(Visibility::Private))
        .await
        .unwrap();
    assert_counts(&database, ana, 2, 1).await;

    posts::delete(&app, ana, post_id_in(&public), |_| true).await.unwrap();
    assert_counts(&database, ana, 1, 1).await;
    posts::delete(&app, ana, post_id_in(&private), |_| true).await.unwrap();
    assert_counts(&database, ana, 0, 0).await;
}

#[tokio::test]
async fn concurrent_creations_and_deletions_are_counted() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let one = post_id_in(&create_post(&app, ana, draft("One."), None).await.unwrap());
    let two = post_id_in(&create_post(&app, ana, draft("Two."), None).await.unwrap());

    let creations = (0..6).map(|_| create_post(&app, ana, draft("More."), None));
    let (created, hidden, deleted, deleted_again) = tokio::join!(
        futures_util::future::join_all(creations),
        update_post(&app, ana, one, with_visibility(Visibility::Private)),
        posts::delete(&app, ana, two, |_| true),
        posts::delete(&app, ana, two, |_| true),
    );

    assert!(created.iter().all(Result::is_ok), "{created:?}");
    hidden.unwrap();
    assert_ne!(deleted.is_ok(), deleted_again.is_ok());
    assert_counts(&database, ana, 7, 6).await;
}

#[tokio::test]
async fn a_post_that_cannot_be_inserted_is_not_counted() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    database.execute("ALTER TABLE posts ADD CONSTRAINT never CHECK (content <> 'For rain.')").await;

    let rejected = create_post(&app, ana, draft("For rain."), None).await.unwrap_err();

    assert!(matches!(rejected, Error::Internal(_)), "{rejected:?}");
    assert_eq!(database.count("posts").await, 0);
    assert_counts(&database, ana, 0, 0).await;
}

#[tokio::test]
async fn an_edit_changes_only_the_given_fields() {
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post()
        .by(ana)
        .at(NOON)
        .with(|draft| draft.title = Title::parse("Rain").unwrap())
        .insert_into(&database)
        .await;
    clock.advance(TimeDelta::hours(1));

    let edit = PostEdit { content: Some("For sun.".to_owned()), ..PostEdit::default() };
    let after = update_post(&app, ana, post.id, edit).await.unwrap();

    assert_eq!(after.post.draft.content.as_str(), "For sun.");
    assert_eq!(after.post.draft.title, post.draft.title);
    assert_eq!(after.post.created_at, NOON);
    assert_eq!(after.post.updated_at, Some(NOON + TimeDelta::hours(1)));
    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap(), after);
}

#[tokio::test]
async fn an_edit_can_clear_a_field() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let title = Title::parse("Rain").unwrap();
    let post = a_post().by(ana).with(|draft| draft.title = title).insert_into(&database).await;

    let untitled = PostEdit { title: Some(None), ..PostEdit::default() };
    let after = update_post(&app, ana, post.id, untitled).await.unwrap();

    assert_eq!(after.post.draft.title, None);
    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap(), after);
}

#[tokio::test]
async fn an_edit_without_changes_does_not_update_the_post() {
    let (TestApp { app, database, clock, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().by(ana).insert_into(&database).await;
    clock.advance(TimeDelta::hours(1));

    let same = PostEdit {
        content: Some(format!("  {}\r\n", post.draft.content.as_str())),
        ..PostEdit::default()
    };
    let after = update_post(&app, ana, post.id, same).await.unwrap();

    assert_eq!(after.post, post);
}

#[tokio::test]
async fn content_too_long_for_the_new_type_is_rejected() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().by(ana).with_text(&"x".repeat(201)).insert_into(&database).await;

    let shorter = PostEdit {
        post_type: Some(grateful_domain::PostType::Spontaneous),
        title: Some(Title::parse("Rain").unwrap()),
        ..PostEdit::default()
    };
    assert_invalid(update_post(&app, ana, post.id, shorter).await, "content");

    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap().post, post);
}

#[tokio::test]
async fn an_edit_of_an_outdated_revision_is_stale() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().by(ana).insert_into(&database).await;
    let known = post.revision();
    let with_content =
        |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };

    let first =
        posts::update(&app, ana, post.id, with_content("First."), |revision| revision == known)
            .await
            .unwrap();
    let second =
        posts::update(&app, ana, post.id, with_content("Second."), |revision| revision == known)
            .await
            .unwrap_err();

    assert!(matches!(second, Error::Stale { resource: Resource::Post }), "{second:?}");
    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap(), first);
    assert_ne!(first.post.revision(), known, "the revision changes even if the clock does not");
}

#[tokio::test]
async fn a_deletion_of_an_outdated_revision_is_stale() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().by(ana).insert_into(&database).await;
    let known = post.revision();
    let edit = PostEdit { content: Some("Edited.".to_owned()), ..PostEdit::default() };
    let edited = posts::update(&app, ana, post.id, edit, |_| true).await.unwrap().post;

    let stale = posts::delete(&app, ana, post.id, |revision| revision == known).await.unwrap_err();

    assert!(matches!(stale, Error::Stale { resource: Resource::Post }), "{stale:?}");
    let current = edited.revision();
    posts::delete(&app, ana, post.id, |revision| revision == current).await.unwrap();
}

#[tokio::test]
async fn one_of_two_concurrent_edits_of_a_revision_is_stale() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().by(ana).insert_into(&database).await;
    let known = post.revision();
    let with_content =
        |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };

    let (one, other) = tokio::join!(
        posts::update(&app, ana, post.id, with_content("One."), |revision| revision == known),
        posts::update(&app, ana, post.id, with_content("Other."), |revision| revision == known),
    );

    let (winner, loser) = if one.is_ok() { (one, other) } else { (other, one) };
    assert!(matches!(loser, Err(Error::Stale { .. })), "{loser:?}");
    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap(), winner.unwrap());
}

#[tokio::test]
async fn engagement_does_not_change_the_revision() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await;

    database.execute("UPDATE posts SET hearts_count = 3, comments_count = 1").await;

    let found = posts::get(&app, Viewer::Guest, post.id).await.unwrap();
    assert_eq!(found.post.engagement.hearts, 3);
    assert_eq!(found.post.revision(), post.revision());
}

#[tokio::test]
async fn only_its_author_can_edit_or_delete_a_public_post() {
    let (TestApp { app, database, .. }, [ben]) = TestApp::with_users().await;
    let post = a_post().insert_into(&database).await;

    assert_forbidden(update_post(&app, ben, post.id, with_visibility(Visibility::Private)).await);
    assert_forbidden(posts::delete(&app, ben, post.id, |_| true).await);

    assert_eq!(posts::get(&app, Viewer::Guest, post.id).await.unwrap().post, post);
}

#[tokio::test]
async fn a_private_post_is_found_only_by_its_author() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = a_post().by(ana).private().insert_into(&database).await;

    assert_not_found(posts::get(&app, Viewer::Guest, post.id).await);
    assert_not_found(posts::get(&app, Viewer::User(ben), post.id).await);
    assert_not_found(update_post(&app, ben, post.id, with_visibility(Visibility::Public)).await);
    assert_not_found(posts::delete(&app, ben, post.id, |_| true).await);

    assert_eq!(posts::get(&app, Viewer::User(ana), post.id).await.unwrap().post, post);
}

#[tokio::test]
async fn posts_across_a_block_are_not_found() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    block(&database, ana, ben).await;

    for (author, other) in [(ana, ben), (ben, ana)] {
        let post = a_post().by(author).insert_into(&database).await;
        let viewer = Viewer::User(other);
        assert_not_found(posts::get(&app, viewer, post.id).await);
        assert_not_found(
            update_post(&app, other, post.id, with_visibility(Visibility::Private)).await,
        );
        assert_not_found(posts::delete(&app, other, post.id, |_| true).await);
        assert_not_found(posts::list_by_author(&app, viewer, author, FIRST_PAGE).await);
        posts::get(&app, Viewer::Guest, post.id).await.unwrap();
    }
}

#[tokio::test]
async fn a_deleted_post_is_not_found() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = a_post().by(ana).insert_into(&database).await;

    posts::delete(&app, ana, post.id, |_| true).await.unwrap();

    assert_not_found(posts::get(&app, Viewer::User(ana), post.id).await);
    assert_not_found(update_post(&app, ana, post.id, with_visibility(Visibility::Private)).await);
    assert_not_found(posts::delete(&app, ana, post.id, |_| true).await);
}

#[tokio::test]
async fn an_image_must_have_been_uploaded_here() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let draft_with_image =
        || Draft { image_url: parse_image_url(IMAGE).unwrap(), ..draft("Look!") };
    let edit_to_image =
        || PostEdit { image_url: Some(parse_image_url(IMAGE).unwrap()), ..PostEdit::default() };
    let plain = a_post().by(ana).insert_into(&database).await;

    assert_invalid(create_post(&app, ana, draft_with_image(), None).await, "image_url");
    assert_invalid(update_post(&app, ana, plain.id, edit_to_image()).await, "image_url");
    assert_eq!(database.count("posts").await, 1);

    // An image that a post shows was uploaded.
    a_post().by(ana).with_image(IMAGE).insert_into(&database).await;
    create_post(&app, ana, draft_with_image(), None).await.unwrap();
    update_post(&app, ana, plain.id, edit_to_image()).await.unwrap();
    assert_eq!(database.count("posts WHERE image_url IS NOT NULL").await, 3);
}

#[tokio::test]
async fn the_posts_of_a_user_are_those_visible_to_the_viewer_newest_first() {
    let (TestApp { app, database, .. }, [ana, ben]) = TestApp::with_users().await;
    let first = a_post().by(ana).insert_into(&database).await.id;
    let private = a_post().by(ana).private().insert_into(&database).await.id;
    let last = a_post().by(ana).insert_into(&database).await.id;
    a_post().by(ben).insert_into(&database).await;

    assert_eq!(ids_by(&app, Viewer::User(ana), ana).await, [last, private, first]);
    assert_eq!(ids_by(&app, Viewer::User(ben), ana).await, [last, first]);
    assert_eq!(ids_by(&app, Viewer::Guest, ana).await, [last, first]);
}

#[tokio::test]
async fn the_posts_of_an_unknown_user_are_not_found() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;

    for unknown_user in [0, -1, i64::MIN, i64::MAX] {
        let result =
            posts::list_by_author(&app, Viewer::User(ana), unknown_user.into(), FIRST_PAGE).await;
        assert_not_found(result);
    }
}

const FIRST_PAGE: PageRequest = PageRequest::first(grateful_domain::Limit::DEFAULT);

async fn update_post(
    app: &App,
    editor: UserId,
    post: PostId,
    edit: PostEdit,
) -> Result<PostForViewer> {
    posts::update(app, editor, post, edit, |_: Revision| true).await
}

fn with_visibility(visibility: Visibility) -> PostEdit {
    PostEdit { visibility: Some(visibility), ..PostEdit::default() }
}

async fn ids_by(app: &App, viewer: Viewer, author: UserId) -> Vec<PostId> {
    let page = posts::list_by_author(app, viewer, author, FIRST_PAGE).await.unwrap();
    page.items.into_iter().map(|found| found.post.id).collect()
}

async fn assert_counts(database: &TestDatabase, user: UserId, total: i64, public: i64) {
    let counts = format!(
        "users WHERE id = {user} AND posts_count = {total} AND public_posts_count = {public}"
    );
    let posts = format!("posts WHERE author_id = {user}");
    assert_eq!(database.count(&posts).await, total);
    assert_eq!(database.count(&format!("{posts} AND is_public")).await, public);
    assert_eq!(database.count(&counts).await, 1, "{total} posts, {public} of them public");
}
