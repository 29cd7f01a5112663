//! Verifying and repairing cached counts, and that all rows are verified.

use grateful_application::verify::{Progress, Repair, verify};
use grateful_storage::{ActTable, CounterTable};
use grateful_testkit::{TestApp, a_comment, a_post, load_engagement};

#[tokio::test]
async fn a_consistent_database_has_no_mismatches_and_all_rows_are_verified() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await;
    // Users are not notified of their own comments.
    a_comment().by(post.author).on(&post).insert_into(&database).await;
    let mut reports = Vec::new();

    let mismatches = verify(&app, Repair::No, |progress| reports.push(progress)).await.unwrap();

    assert_eq!(mismatches, 0);
    let verified = |table, rows| Progress::Verified { table, rows };
    let verified_acts = |table| Progress::VerifiedActs { table, rows: 1 };
    assert_eq!(
        reports,
        [
            verified(CounterTable::Users, 1),
            verified(CounterTable::Posts, 1),
            verified(CounterTable::Inboxes, 1),
            verified_acts(ActTable::Comments),
            verified_acts(ActTable::Posts),
        ]
    );
}

#[tokio::test]
async fn without_repair_mismatches_are_reported_and_stay() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await;
    database
        .execute("UPDATE posts SET hearts_count = 3; UPDATE users SET followers_count = 2")
        .await;
    let mut reports = Vec::new();

    let mismatches = verify(&app, Repair::No, |progress| {
        if let Progress::Mismatch(found) = progress {
            reports.push((found.table, found.key, found.column, found.stored, found.actual));
        }
    })
    .await
    .unwrap();

    assert_eq!(mismatches, 2);
    let users = (CounterTable::Users, post.author.to_string(), "followers_count".to_owned(), 2, 0);
    let posts = (CounterTable::Posts, post.id.to_string(), "hearts_count".to_owned(), 3, 0);
    assert_eq!(reports, [users, posts]);
    assert_eq!(load_engagement(&database, post.id).await.hearts, 3);
}

#[tokio::test]
async fn with_repair_mismatches_are_counted_and_none_is_left() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await;
    a_comment().by(post.author).on(&post).insert_into(&database).await;
    database
        .execute(
            "UPDATE posts SET hearts_count = 3, comments_count = 0;
         UPDATE users SET posts_count = 9, public_posts_count = 9",
        )
        .await;

    let repaired = verify(&app, Repair::Yes, |_| ()).await.unwrap();

    // Two counts of the post, and two counts of its author.
    assert_eq!(repaired, 4);
    assert_eq!(verify(&app, Repair::No, |_| ()).await.unwrap(), 0);
    let engagement = load_engagement(&database, post.id).await;
    assert_eq!((engagement.hearts, engagement.comments), (0, 1));
}

#[tokio::test]
async fn rows_beyond_one_batch_are_verified() {
    let (TestApp { app, database, .. }, [author]) = TestApp::with_users().await;
    database
        .execute(&format!(
            "INSERT INTO posts (id, author_id, content, hearts_count)
         SELECT gen_random_uuid(), {author}, 'x', n % 2 FROM generate_series(1, 2500) n;
         UPDATE users SET posts_count = 2500, public_posts_count = 2500"
        ))
        .await;
    let mut verified = Vec::new();

    let mismatches = verify(&app, Repair::No, |progress| {
        if let Progress::Verified { table: CounterTable::Posts, rows } = progress {
            verified.push(rows);
        }
    })
    .await
    .unwrap();

    assert_eq!(mismatches, 1250);
    assert_eq!(verified, [1000, 2000, 2500]);
}
