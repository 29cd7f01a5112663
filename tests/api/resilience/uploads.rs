//! Uploads: kills, a full disk, and many at once.

use std::collections::BTreeMap;

use grateful_testkit::a_png;
use grateful_tests::{Setup, eventually, full_or_short};
use tokio::task::JoinSet;

use super::upload_load::{UploadLoad, is_complete_jpeg, list_referenced_files, list_upload_files};

/// Concurrent users who upload images.
const USERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_server_is_killed_no_row_lacks_its_file_and_the_sweep_deletes_orphans() {
    let setup = Setup::with_test_database().await;
    let mut server = setup.start().await;
    let client = server.client();
    let mut users = Vec::new();
    for number in 0..USERS {
        users.push(client.sign_up(&format!("uploader_{number}")).await);
    }
    let rounds = full_or_short(20, 4);
    let (mut acknowledged, mut orphans) = (0, 0);

    for _ in 0..rounds {
        let load = UploadLoad::start(&server, &users);
        load.wait_for_requests(30).await;
        server.kill().await;
        let known_files = load.stop().await;

        let (files, referenced) = (list_upload_files(&setup), list_referenced_files(&setup).await);
        let missing: Vec<_> = referenced.difference(&files).collect();
        assert!(missing.is_empty(), "rows without their files: {missing:?}");
        orphans += files.difference(&referenced).count();
        server = setup.start().await;
        known_files.assert_served_by(&server).await;
        acknowledged += known_files.len();
    }

    server.kill().await;
    let referenced = list_referenced_files(&setup).await;
    // Otherwise it is due tomorrow.
    setup.sql().await.run("DELETE FROM daily_jobs").await;
    let server = setup.clone().env("GRATEFUL_ORPHAN_MINUTES", 0).start().await;
    let are_orphans_deleted = || list_upload_files(&setup) == referenced;
    eventually("the sweep has deleted all orphans", are_orphans_deleted).await;
    assert!(!referenced.is_empty());
    for path in &referenced {
        let response = server.client().get(path).send().await.expect(200);
        assert!(is_complete_jpeg(&response.body), "{path}");
    }
    println!(
        "{rounds} kills of the server, {acknowledged} acknowledged files, all consistent; {orphans} orphans, all deleted; \
         {} referenced files, all complete",
        referenced.len()
    );
}

/// Simulates a full disk by limiting the size of files that the process writes. This fails the same calls in the same
/// place, for root and for other users.
#[tokio::test]
async fn on_a_full_disk_uploads_get_503_and_existing_files_and_other_requests_are_unaffected() {
    let setup = Setup::with_test_database().await.with_sigxfsz_ignored();
    let server = setup.start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let image = a_png(600, 400);
    client.upload_photo(&ana, &image).send().await.expect(200);
    let before = list_upload_files(&setup);
    let profile = client.get("/api/v1/users/me/profile").by(&ana).send().await.expect(200).data();

    // Enough for the smallest size of the photo, and too little for the largest.
    server.limit_file_size(Some(3_000));
    for _ in 0..3 {
        let photo = client.upload_photo(&ana, &image).send().await;
        let photo = photo.expect_problem(503, "unavailable");
        assert_eq!(photo.header("retry-after"), Some("1"));
        let post = client.create_post_with_image(&ana, "Look!", &image).send().await;
        post.expect_problem(503, "unavailable");
    }
    assert_eq!(list_upload_files(&setup), before, "no file is left behind and none is lost");
    for path in &before {
        assert!(is_complete_jpeg(&client.get(path).send().await.expect(200).body), "{path}");
    }
    client.create_post(&ana, "For words.").send().await.expect(201);
    client.get("/readyz").send().await.expect_problem(503, "unavailable");
    client.get("/livez").send().await.expect(200);
    let profile_now =
        client.get("/api/v1/users/me/profile").by(&ana).send().await.expect(200).data();
    assert_eq!(profile_now["profile_image_url"], profile["profile_image_url"]);

    server.limit_file_size(None);
    client.upload_photo(&ana, &image).send().await.expect(200);
    client.create_post_with_image(&ana, "Look!", &image).send().await.expect(201);
    client.get("/readyz").send().await.expect(200);
    assert_eq!(list_upload_files(&setup), list_referenced_files(&setup).await);
    let has_cause = || server.log().iter().any(|line| line.contains("File too large"));
    eventually("the log has the cause", has_cause).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_many_concurrent_uploads_other_requests_all_succeed() {
    let setup = Setup::with_test_database().await;
    let server = setup.start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    // One account sends at most two bodies at a time, so it takes many to fill the queue.
    let mut others = Vec::new();
    for number in 0..20 {
        others.push(client.sign_up(&format!("uploader_{number}")).await);
    }
    let post = client.create_post(&ana, "For rain.").send().await.expect(201);
    let post = format!("/api/v1/posts/{}", post.id());
    let image = a_png(2_000, 1_500);
    let mut uploads = JoinSet::new();
    for number in 0..full_or_short(400, 80) {
        let uploader = if number == 0 { &ana } else { &others[number % others.len()] };
        uploads.spawn(client.upload_photo(uploader, &image).send());
    }

    let mut statuses = BTreeMap::<u16, usize>::new();
    let mut other_requests = 0;
    while !uploads.is_empty() {
        for path in ["/livez", "/readyz", &post, "/api/v1/posts/feed", "/api/v1/users/me/profile"] {
            client.get(path).by(&ana).send().await.expect(200);
            other_requests += 1;
        }
        while let Some(response) = uploads.try_join_next() {
            let response = response.unwrap();
            *statuses.entry(response.status).or_default() += 1;
            if response.status != 200 {
                assert_eq!(response.header("retry-after"), Some("1"));
                match response.status {
                    429 => response.expect_problem(429, "rate_limit_exceeded"),
                    _ => response.expect_problem(503, "unavailable"),
                };
            }
        }
    }

    println!("uploads: {statuses:?}; {other_requests} other requests meanwhile, all successful");
    assert!(statuses.contains_key(&200), "{statuses:?}");
    assert!(10 < other_requests, "too few other requests: {other_requests}");
    assert_eq!(list_upload_files(&setup), list_referenced_files(&setup).await);
    // Each photo replaced the previous one of its user: at most the four sizes of the last are left.
    let files = list_upload_files(&setup);
    let mut photos = 0;
    // The queue may have refused all uploads of a user.
    for user in others.iter().chain([&ana]) {
        let profile = client.get("/api/v1/users/me/profile").by(user).send().await.expect(200);
        if let Some(photo) = profile.data()["profile_image_url"].as_str() {
            assert!(files.contains(photo), "{files:?}");
            photos += 1;
        }
    }
    assert!(0 < photos, "{statuses:?}");
    assert!(files.len() <= 4 * (1 + others.len()), "{files:?}");
}
