//! Images of posts, and when their files are deleted.

use std::collections::BTreeSet;

use diesel_async::SimpleAsyncConnection as _;
use futures_util::future::{join, join_all, join3};
use grateful_application::{
    App, Error, IdempotencyKey, IdempotentRequest, QueryLog, RecordedResponse, Result, accounts,
    image_files, photos, posts,
};
use grateful_domain::{
    Draft, ImageUrl, PostEdit, PostForViewer, PostId, Title, UserId, Viewer, Visibility,
};
use grateful_testkit::{
    TestApp, TestDatabase, a_png, a_user, create_user, draft, wait_until_blocked,
};

use crate::support::{
    assert_invalid, assert_not_found, create_post, create_post_with_image, dimensions_of, files,
    lock_user, post_id_in, upload, use_upload_folder,
};

#[tokio::test]
async fn an_uploaded_image_is_one_file_that_the_post_shows() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;

    for (sent, expected) in [((300, 200), (300, 200)), ((2_100, 700), (2_048, 683))] {
        let image_file = a_png(sent.0, sent.1);
        let response =
            create_post_with_image(&app, ana, draft("Look!"), &image_file, None).await.unwrap();

        let image = image_of(&app, ana, post_id_in(&response)).await.unwrap();
        assert!(files(&app).await.contains(&image_files::image_file(&image).to_owned()));
        assert_eq!(dimensions_of(&app, image_files::image_file(&image)).await, expected);
    }
    assert_eq!(files(&app).await.len(), 2);
}

#[tokio::test]
async fn an_uploaded_image_replaces_the_image_of_the_draft() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let other = create_image(&app, ana).await;

    let draft_with_image = Draft { image_url: Some(other.clone()), ..draft("Look!") };
    let response =
        create_post_with_image(&app, ana, draft_with_image, &a_png(9, 9), None).await.unwrap();

    assert_ne!(image_of(&app, ana, post_id_in(&response)).await, Some(other));
}

#[tokio::test]
async fn a_public_post_with_an_image_notifies_mentioned_users() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let ben = a_user().with_username("ben").insert_into(&database).await.id;
    let mentions = format!("notifications WHERE type = 'mention' AND user_id = {ben}");

    let private = Draft { visibility: Visibility::Private, ..draft("Look, @ben!") };
    let hidden = create_post_with_image(&app, ana, private, &a_png(9, 9), None).await.unwrap();
    assert_eq!(database.count(&mentions).await, 0);
    assert_not_found(posts::get(&app, Viewer::User(ben), post_id_in(&hidden)).await);

    create_post_with_image(&app, ana, draft("Look, @ben!"), &a_png(9, 9), None).await.unwrap();
    assert_eq!(database.count(&mentions).await, 1);
    let counts = format!("users WHERE id = {ana} AND posts_count = 2 AND public_posts_count = 1");
    assert_eq!(database.count(&counts).await, 1);
}

#[tokio::test]
async fn a_repeated_request_with_an_image_creates_one_post() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let send = |image_file, fingerprint| {
        create_post_with_image(
            &app,
            ana,
            draft("Look!"),
            image_file,
            Some(idempotent_request(fingerprint)),
        )
    };
    let image_file = a_png(9, 9);

    let first = send(&image_file, 1).await.unwrap();
    let before = files(&app).await;
    let again = send(b"processing this would fail", 1).await.unwrap();
    let other = send(&image_file, 2).await;

    assert_eq!(post_id_in(&again), post_id_in(&first));
    assert!(matches!(again, RecordedResponse::Replayed(_)));
    assert!(matches!(other, Err(Error::IdempotencyKeyReused)), "{other:?}");
    assert_eq!((database.count("posts").await, files(&app).await), (1, before));
}

#[tokio::test]
async fn an_invalid_image_creates_no_post() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let image_file = a_png(50, 50);
    let send = |image_file| {
        create_post_with_image(&app, ana, draft("Look!"), image_file, Some(idempotent_request(1)))
    };

    let text = send(b"GIF89a").await;
    assert!(matches!(text, Err(Error::UnsupportedMediaType { .. })), "{text:?}");
    assert_invalid(send(&image_file[..image_file.len() / 2]).await, "file");
    assert_eq!((database.count("posts").await, files(&app).await.len()), (0, 0));

    // A request that failed leaves its key free.
    send(&image_file).await.unwrap();
    assert_eq!((database.count("posts").await, files(&app).await.len()), (1, 1));
}

#[tokio::test]
async fn an_image_that_cannot_be_written_creates_no_post() {
    let mut test_app = TestApp::create().await;
    let folder = use_upload_folder(&mut test_app);
    let TestApp { app, database, .. } = test_app;
    let ana = create_user(&database).await;
    let image_folder = folder.path().join("posts");
    std::fs::write(&image_folder, "in the way").unwrap();
    let send =
        || create_post_with_image(&app, ana, draft("Look!"), TINY_PNG, Some(idempotent_request(1)));

    let rejected = send().await;

    assert!(matches!(rejected, Err(Error::Unavailable(_))), "{rejected:?}");
    assert_eq!(database.count("posts").await, 0);
    std::fs::remove_file(&image_folder).unwrap();
    send().await.unwrap();
    assert_eq!((database.count("posts").await, files(&app).await.len()), (1, 1));
}

#[tokio::test]
async fn an_image_whose_post_was_not_committed_is_left_to_the_sweep() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    database.execute("ALTER TABLE posts ADD CONSTRAINT never CHECK (content <> 'Look!')").await;

    let rejected = create_post_with_image(&app, ana, draft("Look!"), &a_png(9, 9), None).await;

    assert!(matches!(rejected, Err(Error::Internal(_))), "{rejected:?}");
    assert_eq!(database.count("posts").await, 0);
    // A failed commit may have succeeded on the server. The sweep checks the rows later.
    assert_eq!(files(&app).await.len(), 1);
}

#[tokio::test]
async fn a_file_is_deleted_with_the_last_post_that_shows_it() {
    let (TestApp { app, .. }, [ana, ben]) = TestApp::with_users().await;
    let first = create_post_with_tiny_image(&app, ana).await;
    let image = image_of(&app, ana, first).await.unwrap();
    let again = Draft { image_url: Some(image.clone()), ..draft("Again!") };
    let second = post_id_in(&create_post(&app, ben, again, None).await.unwrap());

    posts::delete(&app, ana, first, |_| true).await.unwrap();
    assert_eq!(files(&app).await, [image_files::image_file(&image)]);

    posts::delete(&app, ben, second, |_| true).await.unwrap();
    assert_eq!(files(&app).await, [""; 0]);
}

#[tokio::test]
async fn an_edit_deletes_only_the_file_that_is_no_longer_shown() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let (first, second) = (
        create_post_with_tiny_image(&app, ana).await,
        create_post_with_tiny_image(&app, ana).await,
    );
    let other = image_of(&app, ana, second).await.unwrap();
    let before = files(&app).await;

    let titled = PostEdit { title: Some(Title::parse("Rain").unwrap()), ..PostEdit::default() };
    update_post(&app, ana, first, titled).await.unwrap();
    assert_eq!(files(&app).await, before);

    let shared = PostEdit { image_url: Some(Some(other.clone())), ..PostEdit::default() };
    update_post(&app, ana, first, shared).await.unwrap();
    assert_eq!(files(&app).await, [image_files::image_file(&other)]);

    update_post(&app, ana, second, without_image()).await.unwrap();
    assert_eq!(files(&app).await, [image_files::image_file(&other)], "the first post shows it now");

    update_post(&app, ana, first, without_image()).await.unwrap();
    assert_eq!(files(&app).await, [""; 0]);
}

#[tokio::test]
async fn a_rejected_edit_deletes_no_file() {
    let (TestApp { app, .. }, [ana, ben]) = TestApp::with_users().await;
    let post = create_post_with_tiny_image(&app, ana).await;
    let before = files(&app).await;
    let unknown = image_files::image_url(uuid::Uuid::from_u128(1));

    let stale = posts::update(&app, ana, post, without_image(), |_| false).await;
    assert!(matches!(stale, Err(Error::Stale { .. })), "{stale:?}");
    assert!(matches!(
        update_post(&app, ben, post, without_image()).await,
        Err(Error::Forbidden { .. })
    ));
    assert!(matches!(posts::delete(&app, ben, post, |_| true).await, Err(Error::Forbidden { .. })));
    let to_unknown = PostEdit { image_url: Some(Some(unknown)), ..PostEdit::default() };
    assert_invalid(update_post(&app, ana, post, to_unknown).await, "image_url");

    assert_eq!(files(&app).await, before);
}

#[tokio::test]
async fn deleting_an_account_deletes_its_files_except_those_that_other_posts_show() {
    let (TestApp { app, .. }, [ana, ben]) = TestApp::with_users().await;
    let mut by_ben = vec![];
    for user in [ana, ben] {
        let sent = upload(&app, &a_png(9, 9));
        photos::upload(&app, user, sent, None, None, |_| vec![]).await.unwrap();
        by_ben = vec![
            create_post_with_tiny_image(&app, user).await,
            create_post_with_tiny_image(&app, user).await,
        ];
    }
    let shared = create_image(&app, ana).await;
    let again = Draft { image_url: Some(shared.clone()), ..draft("Again!") };
    create_post(&app, ben, again, None).await.unwrap();
    assert_eq!(files(&app).await.len(), 2 * 4 + 4 + 1);

    accounts::delete(&app, ana).await.unwrap();

    let remaining = files(&app).await;
    assert_eq!(remaining.len(), 4 + 2 + 1, "{remaining:#?}");
    assert!(remaining.contains(&image_files::image_file(&shared).to_owned()));
    for post in by_ben {
        let image = image_of(&app, ben, post).await.unwrap();
        assert!(remaining.contains(&image_files::image_file(&image).to_owned()));
    }
    accounts::delete(&app, ben).await.unwrap();
    assert_eq!(files(&app).await, [""; 0]);
}

/// A post can be created between the steps of a deletion and its end.
#[tokio::test]
async fn posts_created_during_an_account_deletion_are_deleted_with_their_files() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    for _ in 0..3 {
        create_post_with_tiny_image(&app, ana).await;
    }

    let creations =
        join_all((0..6).map(|_| create_post_with_image(&app, ana, draft("Look!"), TINY_PNG, None)));
    let (deletion, created) = join(accounts::delete(&app, ana), creations).await;

    deletion.unwrap();
    let rejected = created.iter().filter(|result| result.is_err()).count();
    assert_eq!(database.count("posts").await, 0);
    // The files of rejected posts were written and are orphans.
    assert_eq!(files(&app).await.len(), rejected, "{created:?}");
}

/// Posts that show the same image are created, edited and deleted concurrently.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_changes_keep_rows_and_files_consistent() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let (mut reused, mut too_late) = (0, 0);

    for _ in 0..15 {
        let [one, other, third] = [
            create_post_with_tiny_image(&app, ana).await,
            create_post_with_tiny_image(&app, ana).await,
            create_post_with_tiny_image(&app, ana).await,
        ];
        let [first, second] = [one, other].map(|post| image_of(&app, ana, post));
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        let reuse = |image: &ImageUrl| {
            create_post(
                &app,
                ana,
                Draft { image_url: Some(image.clone()), ..draft("Again!") },
                None,
            )
        };
        let swap = PostEdit { image_url: Some(Some(second.clone())), ..PostEdit::default() };

        let (deletion, (updated, without_image), new) = join3(
            posts::delete(&app, ana, one, |_| true),
            join(
                update_post(&app, ana, third, swap),
                update_post(&app, ana, other, without_image()),
            ),
            join_all([&first, &second, &first].map(|url| Box::pin(reuse(url)))),
        )
        .await;

        deletion.unwrap();
        without_image.unwrap();
        for result in new.iter().map(|result| result.as_ref().err()).chain([updated.as_ref().err()])
        {
            match result {
                None => reused += 1,
                Some(Error::Invalid(_)) => too_late += 1,
                Some(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(files(&app).await, shown_files(&database).await);
    }

    println!("{reused} reused an image, {too_late} were too late");
}

/// The lock order is posts before inboxes: a comment on the post whose image is reused locks that post before the inbox of
/// its author.
#[tokio::test]
async fn a_post_whose_image_is_reused_is_locked_before_any_inbox() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("ana").insert_into(&database).await.id;
    let ben = create_user(&database).await;
    database.execute(&format!("INSERT INTO inboxes (user_id) VALUES ({ana})")).await;
    let image = create_image(&app, ana).await;
    let mut comment_in_flight = database.begin("SELECT FROM posts FOR UPDATE").await;

    let again = Draft { image_url: Some(image), ..draft("Like @ana!") };
    let lock_inbox = async {
        wait_until_blocked(&database, 1).await;
        let inbox = format!("SELECT FROM inboxes WHERE user_id = {ana} FOR UPDATE NOWAIT");
        let result = comment_in_flight.batch_execute(&inbox).await;
        drop(comment_in_flight);
        result
    };
    let (created, inbox_locked) = join(create_post(&app, ben, again, None), lock_inbox).await;

    inbox_locked.unwrap();
    created.unwrap();
}

/// A deletion that waits for a lock keeps its files until it commits.
#[tokio::test]
async fn no_file_is_deleted_before_its_row() {
    let (TestApp { app, database, .. }, [ana]) = TestApp::with_users().await;
    let post = create_post_with_tiny_image(&app, ana).await;
    let before = files(&app).await;
    let lock = lock_user(&database, ana).await;

    let observation = async {
        wait_until_blocked(&database, 1).await;
        let files = files(&app).await;
        drop(lock);
        files
    };
    let (deletion, meanwhile) = join(posts::delete(&app, ana, post, |_| true), observation).await;

    deletion.unwrap();
    assert_eq!(meanwhile, before);
    assert_eq!(files(&app).await, [""; 0]);
}

#[tokio::test]
async fn reusing_or_replacing_an_image_needs_one_more_statement() {
    let (TestApp { app, .. }, [ana]) = TestApp::with_users().await;
    let assert_queries =
        |expected, queries: &QueryLog| assert_eq!(queries.total(), expected, "{queries:#?}");

    let creation = create_post_with_image(&app, ana, draft("Look!"), TINY_PNG, None);
    let (response, queries) = QueryLog::record(Box::pin(creation)).await;
    assert_queries(5, &queries);
    let post = post_id_in(&response.unwrap());
    let image = image_of(&app, ana, post).await.unwrap();
    let again = Draft { image_url: Some(image), ..draft("Again!") };
    let creation = Box::pin(create_post(&app, ana, again, None));
    let (response, queries) = QueryLog::record(creation).await;
    assert_queries(6, &queries);
    let (updated, queries) = QueryLog::record(update_post(&app, ana, post, without_image())).await;
    assert_queries(6, &queries);
    updated.unwrap();
    let post = post_id_in(&response.unwrap());
    let (deletion, queries) = QueryLog::record(posts::delete(&app, ana, post, |_| true)).await;
    assert_queries(20, &queries);
    deletion.unwrap();
}

/// The smallest valid PNG: one pixel.
const TINY_PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0,
    0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T',
    0x78, 0x9C, 0x63, 0x60, 0, 0, 0, 2, 0, 1, 0x48, 0xAF, 0xA4, 0x71, 0, 0, 0, 0, b'I', b'E', b'N',
    b'D', 0xAE, 0x42, 0x60, 0x82,
];

/// Creates a post with an image of its own.
async fn create_post_with_tiny_image(app: &App, author: UserId) -> PostId {
    post_id_in(&create_post_with_image(app, author, draft("Look!"), TINY_PNG, None).await.unwrap())
}

/// Creates a post with an image and returns the image.
async fn create_image(app: &App, author: UserId) -> ImageUrl {
    let post = create_post_with_tiny_image(app, author).await;
    image_of(app, author, post).await.unwrap()
}

async fn image_of(app: &App, author: UserId, post: PostId) -> Option<ImageUrl> {
    let found = posts::get(app, Viewer::User(author), post).await.unwrap();
    found.post.draft.image_url
}

async fn update_post(
    app: &App,
    editor: UserId,
    post: PostId,
    edit: PostEdit,
) -> Result<PostForViewer> {
    posts::update(app, editor, post, edit, |_| true).await
}

fn without_image() -> PostEdit {
    PostEdit { image_url: Some(None), ..PostEdit::default() }
}

/// The files that rows name, sorted.
async fn shown_files(database: &TestDatabase) -> Vec<String> {
    let sql = "SELECT image_url AS line FROM posts WHERE image_url IS NOT NULL";
    let urls = database.lines(sql).await.into_iter();
    let files = urls.map(|url| image_files::image_file(&ImageUrl::from_stored(url)).to_owned());
    files.collect::<BTreeSet<_>>().into_iter().collect()
}

fn idempotent_request(fingerprint: u8) -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse("k").unwrap(), fingerprint: [fingerprint; 32] }
}
