//! `/api/v1/notifications/{id}/read` and `/api/v1/notifications/read-all`.

use serde_json::json;

use crate::support::notifications::{NOTIFICATIONS, Scenario};
use crate::support::{error_details, problem_code_and_detail};

#[actix_web::test]
async fn marking_as_read_is_idempotent() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    let id = scenario.list().await[0]["id"].as_str().unwrap().to_owned();

    for _ in 0..2 {
        let response = scenario.mark_read(&id).await.expect(200);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.json(), json!({"success": true}));
    }

    assert_eq!(scenario.list().await[0]["read"], true);
}

#[actix_web::test]
async fn notifications_of_other_users_are_not_found() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    let id = scenario.list().await[0]["id"].as_str().unwrap().to_owned();

    let path = format!("{NOTIFICATIONS}/{id}/read");
    let response = scenario.api.post(&path).by(&scenario.ben).send().await;

    assert_eq!(problem_code_and_detail(&response, 404).0, "not_found");
    assert_eq!(error_details(&response)["resource"], "notification");
    assert_eq!(scenario.list().await[0]["read"], false);
}

#[actix_web::test]
async fn read_all_counts_the_marked_list_items() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    scenario.add_heart(&scenario.caro).await;
    scenario.share_link(&scenario.ben).await;
    let path = format!("{NOTIFICATIONS}/read-all");

    let first = scenario.api.post(&path).by(&scenario.ana).send().await.expect(200);
    let again = scenario.api.post(&path).by(&scenario.ana).send().await.expect(200);

    assert_eq!(first.json(), json!({"success": true, "marked_count": 2}));
    assert_eq!(again.json(), json!({"success": true, "marked_count": 0}));
    assert_eq!(scenario.summary().await, json!({"unread_count": 0, "total_count": 2}));
}

#[actix_web::test]
async fn an_empty_json_body_and_a_trailing_slash_are_accepted() {
    let scenario = Scenario::create().await;
    scenario.add_heart(&scenario.ben).await;
    let id = scenario.list().await[0]["id"].as_str().unwrap().to_owned();

    for path in [format!("{id}/read"), "read-all".to_owned(), "stream/ticket".to_owned()] {
        for slash in ["", "/"] {
            let path = format!("{NOTIFICATIONS}/{path}{slash}");
            scenario.api.post(&path).by(&scenario.ana).json_bytes("").send().await.expect(200);
        }
    }
    for path in ["", "/", "/summary/", "/stats/", &format!("/{id}/children/")] {
        let request = scenario.api.get(&format!("{NOTIFICATIONS}{path}")).by(&scenario.ana);
        request.header("Content-Type", "application/json").send().await.expect(200);
    }
}
