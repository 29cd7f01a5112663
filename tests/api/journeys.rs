//! Journeys of users through many endpoints.

use grateful_tests::{PASSWORD, Setup, Value, json};

#[tokio::test]
async fn posts_and_revoked_sessions_survive_a_restart() {
    let setup = Setup::with_private_postgres();
    let mut server = setup.start().await;
    let client = server.client();

    let ana = client.sign_up("ana").await;
    let created =
        client.create_post(&ana, "For the bus driver who waited.").send().await.expect(201);
    let path = format!("/api/v1/posts/{}", created.id());
    let update = json!({"title": "Monday", "content": "For the bus driver who waited for me."});
    let edit = client.patch(&path).by(&ana).header("If-Match", created.header("etag").unwrap());
    let edited = edit.json(&update).send().await.expect(200);
    let private = json!({"content": "For a secret.", "is_public": false});
    let private = client.post("/api/v1/posts").by(&ana).json(&private).send().await.expect(201);

    let ben = client.sign_up("ben").await;
    let reply =
        client.create_post(&ben, "For Ana, who writes such things.").send().await.expect(201);
    let feed = "/api/v1/posts/feed?algorithm=false";
    let feed_of_ben = client.get(feed).by(&ben).send().await.expect(200).json();
    assert_eq!(feed_of_ben, json!([reply.json(), edited.json()]));
    client.get(&format!("/api/v1/posts/{}", private.id())).by(&ben).send().await.expect(404);
    client.patch(&path).by(&ben).json(&json!({"title": "Mine"})).send().await.expect(403);

    let other_device = client.log_in("ANA", PASSWORD).send().await.expect(200).token();
    client.post("/api/v1/auth/logout").by(&ana).send().await.expect(200);
    client.get_session(&ana).send().await.expect(401);
    let posts_of_ana =
        client.get("/api/v1/users/me/posts").by(&other_device).send().await.expect(200);
    assert_eq!(posts_of_ana.data(), json!([private.json(), edited.json()]));

    server.terminate();
    assert!(server.wait_for_exit().await.success(), "{}", server.log().join("\n"));
    assert_eq!(setup.working_dir().processes(), [], "PostgreSQL stops with the server");
    let server = setup.start().await;
    let client = server.client();

    assert_eq!(client.get(feed).by(&ben).send().await.expect(200).json(), feed_of_ben);
    let posts_after_restart =
        client.get("/api/v1/users/me/posts").by(&other_device).send().await.expect(200);
    assert_eq!(posts_after_restart.data(), posts_of_ana.data());
    client.get_session(&ana).send().await.expect_problem(401, "authentication_error");
    client.log_in("ana", PASSWORD).send().await.expect(200);
}

#[tokio::test]
async fn following_the_next_links_returns_every_post_once_despite_concurrent_writes() {
    let server = Setup::with_private_postgres().start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let mut expected = Vec::new();
    for number in 0..25 {
        let post =
            client.create_post(&ana, &format!("For number {number}.")).send().await.expect(201);
        expected.insert(0, post.id());
    }

    let mut received = Vec::new();
    let mut next = Some("/api/v1/posts/feed?algorithm=false&limit=10".to_owned());
    while let Some(path) = next {
        let page = client.get(&path).by(&ana).send().await.expect(200);
        received.extend(post_ids(&page.json()));
        next = page.header("link").map(|link| parse_next_link(link).to_owned());
        client.create_post(&ana, "For being quick.").send().await.expect(201);
        // Deleting a received post does not shift the next page.
        let deleted = format!("/api/v1/posts/{}", received.last().unwrap());
        client.delete(&deleted).by(&ana).send().await.expect(204);
    }

    assert_eq!(received, expected);
}

fn post_ids(posts: &Value) -> Vec<String> {
    let posts = posts.as_array().unwrap();
    posts.iter().map(|post| post["id"].as_str().unwrap().to_owned()).collect()
}

fn parse_next_link(link: &str) -> &str {
    let (target, relation) = link.split_once('>').unwrap();
    assert_eq!(relation, "; rel=\"next\"");
    target.trim_start_matches('<')
}
