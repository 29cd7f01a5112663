//! What a person does, from joining to leaving.

use grateful_tests::{PASSWORD, Setup, Value, json};

#[tokio::test]
async fn what_was_said_survives_a_restart_and_what_was_ended_stays_ended() {
    let setup = Setup::with_private_postgres();
    let mut server = setup.start().await;
    let client = server.client();

    let ana = client.sign_up("ana").await;
    let thanks =
        client.create_post(&ana, "For the bus driver who waited.").send().await.expect(201);
    let path = format!("/api/v1/posts/{}", thanks.id());
    let titled = json!({"title": "Monday", "content": "For the bus driver who waited for me."});
    let edit = client.patch(&path).by(&ana).header("If-Match", thanks.header("etag").unwrap());
    let edited = edit.json(&titled).send().await.expect(200);
    let secret = json!({"content": "For a secret.", "is_public": false});
    let secret = client.post("/api/v1/posts").by(&ana).json(&secret).send().await.expect(201);

    let ben = client.sign_up("ben").await;
    let reply =
        client.create_post(&ben, "For Ana, who writes such things.").send().await.expect(201);
    let feed = "/api/v1/posts/feed?algorithm=false";
    let seen_by_ben = client.get(feed).by(&ben).send().await.expect(200).json();
    assert_eq!(seen_by_ben, json!([reply.json(), edited.json()]));
    client.get(&format!("/api/v1/posts/{}", secret.id())).by(&ben).send().await.expect(404);
    client.patch(&path).by(&ben).json(&json!({"title": "Mine"})).send().await.expect(403);

    let other_device = client.log_in("ANA", PASSWORD).send().await.expect(200).token();
    client.post("/api/v1/auth/logout").by(&ana).send().await.expect(200);
    client.get_session(&ana).send().await.expect(401);
    let mine = client.get("/api/v1/users/me/posts").by(&other_device).send().await.expect(200);
    assert_eq!(mine.data(), json!([secret.json(), edited.json()]));

    server.terminate();
    assert!(server.wait_for_exit().await.success(), "{}", server.log().join("\n"));
    assert_eq!(setup.working_dir().processes(), [], "PostgreSQL stops with the server");
    let server = setup.start().await;
    let client = server.client();

    assert_eq!(client.get(feed).by(&ben).send().await.expect(200).json(), seen_by_ben);
    let mine_now = client.get("/api/v1/users/me/posts").by(&other_device).send().await.expect(200);
    assert_eq!(mine_now.data(), mine.data());
    client.get_session(&ana).send().await.expect_problem(401, "authentication_error");
    client.log_in("ana", PASSWORD).send().await.expect(200);
}

#[tokio::test]
async fn somebody_who_lost_a_device_changes_the_password_and_is_alone_again() {
    let server = Setup::with_private_postgres().start().await;
    let client = server.client();
    let here = client.sign_up("ana").await;
    let lost = client.log_in("ana", PASSWORD).header("User-Agent", "lost").send().await.token();

    let sessions = client.get("/api/v1/auth/sessions").by(&here).send().await.expect(200).data();
    assert_eq!(sessions[0]["user_agent"], "lost");
    assert_eq!((&sessions[0]["current"], &sessions[1]["current"]), (&json!(false), &json!(true)));
    let change = json!({"current_password": PASSWORD, "new_password": "nobody knows this"});
    client.put("/api/v1/auth/password").by(&here).json(&change).send().await.expect(200);

    client.get_session(&lost).send().await.expect(401);
    client.get_session(&here).send().await.expect(200);
    client.log_in("ana", PASSWORD).send().await.expect(401);
    let new = client.log_in("ana", "nobody knows this").send().await.expect(200).token();
    let ended = client.post("/api/v1/auth/logout-all").by(&new).send().await.expect(200).data();
    assert_eq!(ended, json!({"ended": 2}));
    client.get_session(&here).send().await.expect(401);
}

#[tokio::test]
async fn a_walk_by_the_links_meets_every_post_once_while_others_write() {
    let server = Setup::with_private_postgres().start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let mut written = Vec::new();
    for number in 0..25 {
        let post =
            client.create_post(&ana, &format!("For number {number}.")).send().await.expect(201);
        written.insert(0, post.id());
    }

    let mut met = Vec::new();
    let mut next = Some("/api/v1/posts/feed?algorithm=false&limit=10".to_owned());
    while let Some(path) = next {
        let page = client.get(&path).by(&ana).send().await.expect(200);
        met.extend(ids(&page.json()));
        next = page.header("link").map(|link| target_of(link).to_owned());
        client.create_post(&ana, "For being quick.").send().await.expect(201);
        // What was met already may go, and shifts nothing.
        let gone = format!("/api/v1/posts/{}", met.last().unwrap());
        client.delete(&gone).by(&ana).send().await.expect(204);
    }

    assert_eq!(met, written);
}

fn ids(posts: &Value) -> Vec<String> {
    let posts = posts.as_array().unwrap();
    posts.iter().map(|post| post["id"].as_str().unwrap().to_owned()).collect()
}

fn target_of(link: &str) -> &str {
    let (target, relation) = link.split_once('>').unwrap();
    assert_eq!(relation, "; rel=\"next\"");
    target.trim_start_matches('<')
}
