//! The counts and the viewer's heart and reaction in all representations of a post.

use grateful_testkit::{Api, a_post};
use serde_json::{Value, json};

use crate::support::post_subpath;

#[actix_web::test]
async fn every_list_shows_the_counts_and_the_engagement_of_the_viewer() {
    let (api, [ana, ben]) = Api::with_users().await;
    let post = a_post().by(ben.user.id).insert_into(api.database()).await.id;
    let other = a_post().by(ben.user.id).insert_into(api.database()).await.id;
    let interactions = [
        ("heart", json!({})),
        ("reactions", json!({"emoji_code": "hug"})),
        ("share", json!({"share_method": "url"})),
        ("comments", json!({"content": "A"})),
    ];
    for (rest, body) in &interactions {
        api.post(&post_subpath(post, rest)).by(&ana).json(body).send().await.expect(201);
    }

    let viewers = [(&ana, true, json!("hug")), (&ben, false, json!(null))];
    for (caller, is_hearted, reaction) in viewers {
        for list in [
            "/api/v1/posts/feed?algorithm=false".to_owned(),
            format!("/api/v1/users/{}/posts", ben.user.id),
        ] {
            let response = api.get(&list).by(caller).send().await.expect(200).json();
            let posts = response.get("data").unwrap_or(&response);
            let [untouched, engaged] = [other, post].map(|id| find(posts, &id.to_string()));
            assert_eq!(
                engagement(&engaged),
                (json!([1, 1, 1, 1]), is_hearted.into(), reaction.clone())
            );
            assert_eq!(engagement(&untouched), (json!([0, 0, 0, 0]), false.into(), json!(null)));
        }
    }
    let guest = api.get(&format!("/api/v1/posts/{post}")).send().await.expect(200).json();
    assert_eq!(engagement(&guest), (json!([1, 1, 1, 1]), false.into(), json!(null)));
}

#[actix_web::test]
async fn removed_engagement_is_no_longer_counted() {
    let (api, [ana]) = Api::with_users().await;
    let post = a_post().insert_into(api.database()).await.id;
    api.post(&post_subpath(post, "heart")).by(&ana).send().await.expect(201);
    let body = json!({"emoji_code": "hug"});
    api.post(&post_subpath(post, "reactions")).by(&ana).json(&body).send().await.expect(201);
    api.delete(&post_subpath(post, "heart")).by(&ana).send().await.expect(200);
    api.delete(&post_subpath(post, "reactions")).by(&ana).send().await.expect(204);

    let read = api.get(&format!("/api/v1/posts/{post}")).by(&ana).send().await.expect(200);

    assert_eq!(engagement(&read.json()), (json!([0, 0, 0, 0]), false.into(), json!(null)));
}

fn find(posts: &Value, id: &str) -> Value {
    posts.as_array().unwrap().iter().find(|post| post["id"] == id).cloned().unwrap()
}

/// Returns the four counts, the viewer's heart, and the viewer's reaction.
fn engagement(post: &Value) -> (Value, Value, Value) {
    let counts = ["hearts_count", "reactions_count", "shares_count", "comments_count"];
    let counts = counts.map(|name| post[name].clone());
    (json!(counts), post["is_hearted"].clone(), post["current_user_reaction"].clone())
}
