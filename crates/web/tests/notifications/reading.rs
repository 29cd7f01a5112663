//! `/notifications/{id}/read` and `/notifications/read-all`.

use serde_json::json;

use crate::support::{LIST, MALFORMED, NOTHINGS, Stage, details, problem};

#[actix_web::test]
async fn a_notification_is_marked_read_once_and_again() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    let id = stage.list().await[0]["id"].as_str().unwrap().to_owned();

    for _ in 0..2 {
        let answer = stage.read(&id).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.json(), json!({"success": true}));
    }

    assert_eq!(stage.list().await[0]["read"], true);
}

#[actix_web::test]
async fn a_child_is_read_by_itself_and_leaves_its_parent() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    stage.heart(&stage.caro).await;
    let batch = stage.list().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("{LIST}/{batch}/children");
    let children = stage.api.get(&path).by(&stage.ana).send().await.expect(200).json();

    stage.read(children[0]["id"].as_str().unwrap()).await.expect(200);

    let after = stage.api.get(&path).by(&stage.ana).send().await.expect(200).json();
    assert_eq!((&after[0]["read"], &after[1]["read"]), (&json!(true), &json!(false)));
    assert_eq!(stage.list().await[0]["read"], false);
    stage.read(&batch).await.expect(200);
    let after = stage.api.get(&path).by(&stage.ana).send().await.expect(200).json();
    assert_eq!(after[1]["read"], true);
}

#[actix_web::test]
async fn what_is_another_persons_or_nothing_is_not_found() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    let id = stage.list().await[0]["id"].as_str().unwrap().to_owned();

    for (caller, id) in MALFORMED
        .iter()
        .map(|id| (&stage.ana, *id))
        .chain([(&stage.ben, id.as_str()), (&stage.ana, NOTHINGS)])
    {
        let refused = stage.api.post(&format!("{LIST}/{id}/read")).by(caller).send().await;
        assert_eq!(problem(&refused, 404).0, "not_found", "{id}");
        assert_eq!(details(&refused)["resource"], "notification");
    }
    assert_eq!(stage.list().await[0]["read"], false);
}

#[actix_web::test]
async fn all_are_marked_read_and_counted_by_the_list() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    stage.heart(&stage.caro).await;
    stage.link(&stage.ben).await;
    let path = format!("{LIST}/read-all");

    let first = stage.api.post(&path).by(&stage.ana).send().await.expect(200);
    let again = stage.api.post(&path).by(&stage.ana).send().await.expect(200);

    assert_eq!(first.json(), json!({"success": true, "marked_count": 2}));
    assert_eq!(again.json(), json!({"success": true, "marked_count": 0}));
    assert_eq!(stage.summary().await, json!({"unread_count": 0, "total_count": 2}));
}

#[actix_web::test]
async fn requests_without_a_body_may_say_that_it_is_json_and_may_end_in_a_slash() {
    let stage = Stage::set().await;
    stage.heart(&stage.ben).await;
    let id = stage.list().await[0]["id"].as_str().unwrap().to_owned();

    for path in [format!("{id}/read"), "read-all".to_owned(), "stream/ticket".to_owned()] {
        for slash in ["", "/"] {
            let path = format!("{LIST}/{path}{slash}");
            stage.api.post(&path).by(&stage.ana).json_bytes("").send().await.expect(200);
        }
    }
    for path in ["", "/", "/summary/", "/stats/", &format!("/{id}/children/")] {
        let call = stage.api.get(&format!("{LIST}{path}")).by(&stage.ana);
        call.header("Content-Type", "application/json").send().await.expect(200);
    }
}
