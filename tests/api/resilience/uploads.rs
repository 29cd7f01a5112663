//! Pictures: kills in the midst of them, no room for them, and many at once.

use std::collections::BTreeMap;

use grateful_testkit::a_png;
use grateful_tests::{Setup, eventually, full_or_short};
use tokio::task::JoinSet;

use super::uploaders::{Uploaders, files_in, is_whole, named_files};

/// How many people send pictures at once.
const PEOPLE: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_leaves_no_row_without_its_file_and_the_sweep_no_file_without_its_row() {
    let setup = Setup::with_test_database().await;
    let mut server = setup.start().await;
    let client = server.client();
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(client.sign_up(&format!("uploader_{number}")).await);
    }
    let rounds = full_or_short(20, 4);
    let (mut known, mut orphans) = (0, 0);

    for _ in 0..rounds {
        let uploaders = Uploaders::on(&server, &people);
        uploaders.hear(30).await;
        server.kill().await;
        let memory = uploaders.stop().await;

        let (files, named) = (files_in(&setup), named_files(&setup).await);
        let missing: Vec<_> = named.difference(&files).collect();
        assert!(missing.is_empty(), "rows without their files: {missing:?}");
        orphans += files.difference(&named).count();
        server = setup.start().await;
        memory.assert_true_on(&server).await;
        known += memory.len();
    }

    server.kill().await;
    let named = named_files(&setup).await;
    let server = setup.clone().env("GRATEFUL_ORPHAN_MINUTES", 0).start().await;
    eventually("the sweep has removed the rest", || files_in(&setup) == named).await;
    assert!(!named.is_empty());
    for path in &named {
        assert!(is_whole(&server.client().get(path).send().await.expect(200).body), "{path}");
    }
    println!(
        "{rounds} kills of the server, {known} acknowledged facts, all true; {orphans} files without a row, all swept, \
         {} with one, all there",
        named.len()
    );
}

/// A disk is full where the file that is being written cannot grow: here by a limit of the process, which fails the
/// same calls in the same place, whoever runs the tests.
#[tokio::test]
async fn where_there_is_no_room_the_photo_before_stays_and_all_else_goes_on() {
    let setup = Setup::with_test_database().await.with_sigxfsz_ignored();
    let server = setup.start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let picture = a_png(600, 400);
    client.upload_photo(&ana, &picture).send().await.expect(200);
    let before = files_in(&setup);
    let profile = client.get("/api/v1/users/me/profile").by(&ana).send().await.expect(200).data();

    // Enough for the smallest size, and not for the largest.
    server.limit_file_size(Some(3_000));
    for _ in 0..3 {
        let photo = client.upload_photo(&ana, &picture).send().await;
        let photo = photo.expect_problem(503, "unavailable");
        assert_eq!(photo.header("retry-after"), Some("1"));
        let post = client.create_post_with_image(&ana, "Look!", &picture).send().await;
        post.expect_problem(503, "unavailable");
    }
    assert_eq!(files_in(&setup), before, "nothing half written, nothing lost");
    for path in &before {
        assert!(is_whole(&client.get(path).send().await.expect(200).body), "{path}");
    }
    client.create_post(&ana, "For words.").send().await.expect(201);
    client.get("/readyz").send().await.expect(200);
    let now = client.get("/api/v1/users/me/profile").by(&ana).send().await.expect(200).data();
    assert_eq!(now["profile_image_url"], profile["profile_image_url"]);

    server.limit_file_size(None);
    client.upload_photo(&ana, &picture).send().await.expect(200);
    client.create_post_with_image(&ana, "Look!", &picture).send().await.expect(201);
    assert_eq!(files_in(&setup), named_files(&setup).await);
    let log = server.log().join("\n");
    assert!(log.contains("File too large"), "the operator is told why\n{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_many_pictures_are_sent_ordinary_requests_are_all_answered() {
    let setup = Setup::with_test_database().await;
    let server = setup.start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let post = client.create_post(&ana, "For rain.").send().await.expect(201);
    let post = format!("/api/v1/posts/{}", post.id());
    let picture = a_png(2_000, 1_500);
    let mut rush = JoinSet::new();
    for _ in 0..full_or_short(400, 80) {
        rush.spawn(client.upload_photo(&ana, &picture).send());
    }

    let mut responses = BTreeMap::<u16, usize>::new();
    let mut ordinary = 0;
    while !rush.is_empty() {
        for path in ["/livez", "/readyz", &post, "/api/v1/posts/feed", "/api/v1/users/me/profile"] {
            client.get(path).by(&ana).send().await.expect(200);
            ordinary += 1;
        }
        while let Some(response) = rush.try_join_next() {
            let response = response.unwrap();
            *responses.entry(response.status).or_default() += 1;
            if response.status != 200 {
                assert_eq!(response.header("retry-after"), Some("1"));
                response.expect_problem(503, "unavailable");
            }
        }
    }

    println!("{responses:?} for pictures, {ordinary} ordinary requests meanwhile, all answered");
    assert!(responses.contains_key(&200), "{responses:?}");
    assert!(10 < ordinary, "too few to say anything: {ordinary}");
    assert_eq!(files_in(&setup), named_files(&setup).await);
    // Of all those photos, one is left.
    let profile = client.get("/api/v1/users/me/profile").by(&ana).send().await.expect(200).data();
    let files = files_in(&setup);
    assert!(files.contains(profile["profile_image_url"].as_str().unwrap()), "{files:?}");
    assert_eq!(files.len(), 4);
}
