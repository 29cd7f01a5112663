//! Whether numbers equal rows.

use grateful_application::verify::{CounterTable, Progress, Repair, verify};
use grateful_testkit::{TestApp, a_comment, a_post, create_user, load_engagement};

#[tokio::test]
async fn a_sound_database_has_no_differences_and_every_row_was_looked_at() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await;
    a_comment().on(&post).insert_into(&database).await;
    let mut told = Vec::new();

    let differences = verify(&app, Repair::No, |progress| told.push(progress)).await.unwrap();

    assert_eq!(differences, 0);
    let looked_at = |table, rows| Progress::Verified { table, rows };
    assert_eq!(told, [looked_at(CounterTable::Users, 2), looked_at(CounterTable::Posts, 1)]);
}

#[tokio::test]
async fn each_difference_is_told_and_left_as_it_is() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await;
    database
        .execute("UPDATE posts SET hearts_count = 3; UPDATE users SET followers_count = 2")
        .await;
    let mut told = Vec::new();

    let differences = verify(&app, Repair::No, |progress| {
        if let Progress::Mismatch(it) = progress {
            told.push((it.table, it.key, it.column, it.stored, it.actual));
        }
    })
    .await
    .unwrap();

    assert_eq!(differences, 2);
    let users = (CounterTable::Users, post.author.to_string(), "followers_count".to_owned(), 2, 0);
    let posts = (CounterTable::Posts, post.id.to_string(), "hearts_count".to_owned(), 3, 0);
    assert_eq!(told, [users, posts]);
    assert_eq!(load_engagement(&database, post.id).await.hearts, 3);
}

#[tokio::test]
async fn mending_tells_each_difference_and_leaves_none() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let post = a_post().insert_into(&database).await;
    a_comment().on(&post).insert_into(&database).await;
    database
        .execute(
            "UPDATE posts SET hearts_count = 3, comments_count = 0;
         UPDATE users SET posts_count = 9, public_posts_count = 9",
        )
        .await;

    let mended = verify(&app, Repair::Yes, |_| ()).await.unwrap();

    // Two numbers of the post, and two of both its author and who commented.
    assert_eq!(mended, 6);
    assert_eq!(verify(&app, Repair::No, |_| ()).await.unwrap(), 0);
    let engagement = load_engagement(&database, post.id).await;
    assert_eq!((engagement.hearts, engagement.comments), (0, 1));
}

#[tokio::test]
async fn more_rows_than_one_step_are_all_looked_at() {
    let TestApp { app, database, .. } = TestApp::create().await;
    let author = create_user(&database).await;
    database
        .execute(&format!(
            "INSERT INTO posts (id, author_id, content, hearts_count)
         SELECT gen_random_uuid(), {author}, 'x', n % 2 FROM generate_series(1, 2500) n;
         UPDATE users SET posts_count = 2500, public_posts_count = 2500"
        ))
        .await;
    let mut looked_at = Vec::new();

    let differences = verify(&app, Repair::No, |progress| {
        if let Progress::Verified { table: CounterTable::Posts, rows } = progress {
            looked_at.push(rows);
        }
    })
    .await
    .unwrap();

    assert_eq!(differences, 1250);
    assert_eq!(looked_at, [1000, 2000, 2500]);
}
