//! The images of posts: who shows them, and when their files go.

use std::collections::BTreeSet;

use diesel_async::SimpleAsyncConnection as _;
use futures_util::future::{join, join_all, join3};
use grateful_application::posts;
use grateful_application::{
    App, Error, IdempotencyKey, IdempotentRequest, QueryLog, RecordedResponse, Result, accounts,
    photos,
};
use grateful_domain::{
    Draft, ImageUrl, PostEdit, PostForViewer, PostId, Title, UserId, Viewer, Visibility,
};
use grateful_testkit::{TestApp, TestDatabase, a_png, a_user, create_user};

use crate::support::{
    assert_invalid, assert_not_found, draft, files, hold, in_a_folder, post_in, publish,
    publish_pictured, sides_of, until_waiting, upload,
};

#[tokio::test]
async fn a_picture_is_one_file_and_the_post_shows_it() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;

    for (sent, made) in [((300, 200), (300, 200)), ((2_100, 700), (2_048, 683))] {
        let picture = a_png(sent.0, sent.1);
        let answer = publish_pictured(&app, ana, draft("Look!"), &picture, None).await.unwrap();

        let image = image_of(&app, ana, post_in(&answer)).await.unwrap();
        assert!(files(&app).await.contains(&image.file().to_owned()));
        assert_eq!(sides_of(&app, image.file()).await, made);
    }
    assert_eq!(files(&app).await.len(), 2);
}

#[tokio::test]
async fn the_picture_takes_the_place_of_an_image_that_was_named() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let other = shown_by(&app, ana).await;

    let named = Draft { image_url: Some(other.clone()), ..draft("Look!") };
    let answer = publish_pictured(&app, ana, named, &a_png(9, 9), None).await.unwrap();

    assert_ne!(image_of(&app, ana, post_in(&answer)).await, Some(other));
}

#[tokio::test]
async fn whom_a_post_with_a_picture_names_is_told_unless_it_is_private() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let ben = a_user().with_username("ben").insert_into(&database).await.id;
    let told = format!("notifications WHERE type = 'mention' AND user_id = {ben}");

    let private = Draft { visibility: Visibility::Private, ..draft("Look, @ben!") };
    let hidden = publish_pictured(&app, ana, private, &a_png(9, 9), None).await.unwrap();
    assert_eq!(database.count(&told).await, 0);
    assert_not_found(
        grateful_application::posts::get(&app, Viewer::User(ben), post_in(&hidden)).await,
    );

    publish_pictured(&app, ana, draft("Look, @ben!"), &a_png(9, 9), None).await.unwrap();
    assert_eq!(database.count(&told).await, 1);
    let counted = format!("users WHERE id = {ana} AND posts_count = 2 AND public_posts_count = 1");
    assert_eq!(database.count(&counted).await, 1);
}

#[tokio::test]
async fn a_post_with_a_picture_is_published_once() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let send = |picture, fingerprint| {
        publish_pictured(&app, ana, draft("Look!"), picture, Some(key(fingerprint)))
    };
    let picture = a_png(9, 9);

    let first = send(&picture, 1).await.unwrap();
    let before = files(&app).await;
    let again = send(b"made anew, it would be refused", 1).await.unwrap();
    let other = send(&picture, 2).await;

    assert_eq!(post_in(&again), post_in(&first));
    assert!(matches!(again, RecordedResponse::Replayed(_)));
    assert_invalid(other, "Idempotency-Key");
    assert_eq!((database.count("posts").await, files(&app).await), (1, before));
}

#[tokio::test]
async fn what_is_no_picture_is_no_post() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let picture = a_png(50, 50);
    let send = |picture| publish_pictured(&app, ana, draft("Look!"), picture, Some(key(1)));

    let text = send(b"GIF89a").await;
    assert!(matches!(text, Err(Error::UnsupportedMediaType { .. })), "{text:?}");
    assert_invalid(send(&picture[..picture.len() / 2]).await, "file");
    assert_eq!((database.count("posts").await, files(&app).await.len()), (0, 0));

    // A request that failed leaves its key free.
    send(&picture).await.unwrap();
    assert_eq!((database.count("posts").await, files(&app).await.len()), (1, 1));
}

#[tokio::test]
async fn a_picture_that_cannot_be_written_is_no_post() {
    let mut made = TestApp::create().await;
    let folder = in_a_folder(&mut made);
    let TestApp { app, database, .. } = made;
    let ana = create_user(&database).await;
    let place = folder.path().join("posts");
    std::fs::write(&place, "in the way").unwrap();
    let send = || publish_pictured(&app, ana, draft("Look!"), PICTURE, Some(key(1)));

    let refused = send().await;

    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert_eq!(database.count("posts").await, 0);
    std::fs::remove_file(&place).unwrap();
    send().await.unwrap();
    assert_eq!((database.count("posts").await, files(&app).await.len()), (1, 1));
}

#[tokio::test]
async fn a_picture_whose_post_was_not_committed_is_an_orphan_and_not_lost_too_early() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    database.execute("ALTER TABLE posts ADD CONSTRAINT never CHECK (content <> 'Look!')").await;

    let refused = publish_pictured(&app, ana, draft("Look!"), &a_png(9, 9), None).await;

    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    assert_eq!(database.count("posts").await, 0);
    // Whether a commit failed is not always known; the sweep asks the rows, and later.
    assert_eq!(files(&app).await.len(), 1);
}

#[tokio::test]
async fn a_file_goes_with_the_last_post_that_shows_it() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let first = pictured(&app, ana).await;
    let image = image_of(&app, ana, first).await.unwrap();
    let again = Draft { image_url: Some(image.clone()), ..draft("Again!") };
    let second = post_in(&publish(&app, ben, again, None).await.unwrap());

    posts::delete(&app, ana, first).await.unwrap();
    assert_eq!(files(&app).await, [image.file()]);

    posts::delete(&app, ben, second).await.unwrap();
    assert_eq!(files(&app).await, [""; 0]);
}

#[tokio::test]
async fn an_edit_removes_the_file_that_is_shown_no_longer_and_no_other() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let (first, second) = (pictured(&app, ana).await, pictured(&app, ana).await);
    let other = image_of(&app, ana, second).await.unwrap();
    let before = files(&app).await;

    let titled = PostEdit { title: Some(Title::parse("Rain").unwrap()), ..PostEdit::default() };
    change(&app, ana, first, titled).await.unwrap();
    assert_eq!(files(&app).await, before);

    let shared = PostEdit { image_url: Some(Some(other.clone())), ..PostEdit::default() };
    change(&app, ana, first, shared).await.unwrap();
    assert_eq!(files(&app).await, [other.file()]);

    change(&app, ana, second, cleared()).await.unwrap();
    assert_eq!(files(&app).await, [other.file()], "the first shows it now");

    change(&app, ana, first, cleared()).await.unwrap();
    assert_eq!(files(&app).await, [""; 0]);
}

#[tokio::test]
async fn an_edit_that_is_refused_removes_nothing() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let post = pictured(&app, ana).await;
    let before = files(&app).await;
    let unknown = ImageUrl::new(uuid::Uuid::from_u128(1));

    let stale = posts::update(&app, ana, post, cleared(), |_| false).await;
    assert!(matches!(stale, Err(Error::Stale { .. })), "{stale:?}");
    assert!(matches!(change(&app, ben, post, cleared()).await, Err(Error::Forbidden { .. })));
    assert!(matches!(posts::delete(&app, ben, post).await, Err(Error::Forbidden { .. })));
    let to_unknown = PostEdit { image_url: Some(Some(unknown)), ..PostEdit::default() };
    assert_invalid(change(&app, ana, post, to_unknown).await, "image_url");

    assert_eq!(files(&app).await, before);
}

#[tokio::test]
async fn whoever_goes_takes_their_files_along_but_for_those_that_others_show() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let (ana, ben) = (create_user(&database).await, create_user(&database).await);
    let mut theirs = vec![];
    for who in [ana, ben] {
        let sent = upload(&app, &a_png(9, 9));
        photos::upload(&app, who, sent, None, None, |_| vec![]).await.unwrap();
        theirs = vec![pictured(&app, who).await, pictured(&app, who).await];
    }
    let shared = shown_by(&app, ana).await;
    let again = Draft { image_url: Some(shared.clone()), ..draft("Again!") };
    publish(&app, ben, again, None).await.unwrap();
    assert_eq!(files(&app).await.len(), 2 * 4 + 4 + 1);

    accounts::delete(&app, ana).await.unwrap();

    let left = files(&app).await;
    assert_eq!(left.len(), 4 + 2 + 1, "{left:#?}");
    assert!(left.contains(&shared.file().to_owned()));
    for post in theirs {
        let image = image_of(&app, ben, post).await.unwrap();
        assert!(left.contains(&image.file().to_owned()));
    }
    accounts::delete(&app, ben).await.unwrap();
    assert_eq!(files(&app).await, [""; 0]);
}

/// A picture may come in between the steps of a deletion and its end.
#[tokio::test]
async fn what_is_published_while_the_account_goes_leaves_no_file() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    for _ in 0..3 {
        pictured(&app, ana).await;
    }

    let publishing =
        join_all((0..6).map(|_| publish_pictured(&app, ana, draft("Look!"), PICTURE, None)));
    let (gone, published) = join(accounts::delete(&app, ana), publishing).await;

    gone.unwrap();
    let refused = published.iter().filter(|it| it.is_err()).count();
    assert_eq!(database.count("posts").await, 0);
    // Those that came too late were written, and are orphans.
    assert_eq!(files(&app).await.len(), refused, "{published:?}");
}

/// Posts that show the same image come and go, all at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_done_at_once_every_row_has_its_file_and_every_file_its_row() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let (mut borrowed, mut late) = (0, 0);

    for _ in 0..15 {
        let [one, other, third] =
            [pictured(&app, ana).await, pictured(&app, ana).await, pictured(&app, ana).await];
        let [first, second] = [one, other].map(|post| image_of(&app, ana, post));
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        let borrow = |image: &ImageUrl| {
            publish(&app, ana, Draft { image_url: Some(image.clone()), ..draft("Again!") }, None)
        };
        let swap = PostEdit { image_url: Some(Some(second.clone())), ..PostEdit::default() };

        let (gone, (changed, cleared), new) = join3(
            posts::delete(&app, ana, one),
            join(change(&app, ana, third, swap), change(&app, ana, other, cleared())),
            join_all([borrow(&first), borrow(&second), borrow(&first)]),
        )
        .await;

        gone.unwrap();
        cleared.unwrap();
        for outcome in new.iter().map(|it| it.as_ref().err()).chain([changed.as_ref().err()]) {
            match outcome {
                None => borrowed += 1,
                Some(Error::Invalid(_)) => late += 1,
                Some(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(files(&app).await, shown_files(&database).await);
    }

    println!("{borrowed} showed another's image, {late} came too late");
}

/// One order of locks everywhere: posts before inboxes. Whoever answers the post whose image is shown has it locked when
/// they come to its author's inbox.
#[tokio::test]
async fn the_post_whose_image_is_shown_is_held_before_anybody_is_told() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = a_user().with_username("ana").insert_into(&database).await.id;
    let ben = create_user(&database).await;
    database.execute(&format!("INSERT INTO inboxes (user_id) VALUES ({ana})")).await;
    let image = shown_by(&app, ana).await;
    let mut answering = database.begin("SELECT FROM posts FOR UPDATE").await;

    let again = Draft { image_url: Some(image), ..draft("Like @ana!") };
    let told = async {
        until_waiting(&database, 1).await;
        let inbox = format!("SELECT FROM inboxes WHERE user_id = {ana} FOR UPDATE NOWAIT");
        let free = answering.batch_execute(&inbox).await;
        drop(answering);
        free
    };
    let (published, free) = join(publish(&app, ben, again, None), told).await;

    free.unwrap();
    published.unwrap();
}

/// Deleting an account waits for whoever is in its way; its files wait with it.
#[tokio::test]
async fn no_file_goes_before_its_row() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let post = pictured(&app, ana).await;
    let before = files(&app).await;
    let holder = hold(&database, ana).await;

    let looking = async {
        until_waiting(&database, 1).await;
        let files = files(&app).await;
        drop(holder);
        files
    };
    let (gone, meanwhile) = join(posts::delete(&app, ana, post), looking).await;

    gone.unwrap();
    assert_eq!(meanwhile, before);
    assert_eq!(files(&app).await, [""; 0]);
}

#[tokio::test]
async fn an_image_costs_a_statement_more_where_it_is_anothers_or_goes() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let ana = create_user(&database).await;
    let assert_queries =
        |price, queries: &QueryLog| assert_eq!(queries.total(), price, "{queries:#?}");

    let sending = publish_pictured(&app, ana, draft("Look!"), PICTURE, None);
    let (answer, queries) = QueryLog::record(Box::pin(sending)).await;
    assert_queries(5, &queries);
    let post = post_in(&answer.unwrap());
    let image = image_of(&app, ana, post).await.unwrap();
    let again = Draft { image_url: Some(image), ..draft("Again!") };
    let publishing = Box::pin(publish(&app, ana, again, None));
    let (answer, queries) = QueryLog::record(publishing).await;
    assert_queries(6, &queries);
    let (changed, queries) = QueryLog::record(change(&app, ana, post, cleared())).await;
    assert_queries(6, &queries);
    changed.unwrap();
    let post = post_in(&answer.unwrap());
    let (gone, queries) = QueryLog::record(posts::delete(&app, ana, post)).await;
    assert_queries(7, &queries);
    gone.unwrap();
}

/// The smallest PNG that there is: one pixel.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0,
    0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T',
    0x78, 0x9C, 0x63, 0x60, 0, 0, 0, 2, 0, 1, 0x48, 0xAF, 0xA4, 0x71, 0, 0, 0, 0, b'I', b'E', b'N',
    b'D', 0xAE, 0x42, 0x60, 0x82,
];

/// A post with a picture of its own.
async fn pictured(app: &App, author: UserId) -> PostId {
    post_in(&publish_pictured(app, author, draft("Look!"), PICTURE, None).await.unwrap())
}

/// An image that a post shows.
async fn shown_by(app: &App, author: UserId) -> ImageUrl {
    let post = pictured(app, author).await;
    image_of(app, author, post).await.unwrap()
}

async fn image_of(app: &App, author: UserId, post: PostId) -> Option<ImageUrl> {
    let seen = grateful_application::posts::get(app, Viewer::User(author), post).await.unwrap();
    seen.post.draft.image_url
}

async fn change(app: &App, editor: UserId, post: PostId, what: PostEdit) -> Result<PostForViewer> {
    posts::update(app, editor, post, what, |_| true).await
}

fn cleared() -> PostEdit {
    PostEdit { image_url: Some(None), ..PostEdit::default() }
}

/// The files that the rows name, in their order.
async fn shown_files(database: &TestDatabase) -> Vec<String> {
    let sql = "SELECT image_url AS line FROM posts WHERE image_url IS NOT NULL";
    let urls = database.lines(sql).await.into_iter();
    let files = urls.map(|url| ImageUrl::from_stored(url).file().to_owned());
    files.collect::<BTreeSet<_>>().into_iter().collect()
}

fn key(fingerprint: u8) -> IdempotentRequest {
    IdempotentRequest { key: IdempotencyKey::parse("k").unwrap(), fingerprint: [fingerprint; 32] }
}
