use crate::visitor::{Visitor, card, start_server};

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn offline_acts_are_taken_back_and_missed_notifications_arrive_when_online_again() {
    let server = start_server().await;
    let client = server.client();
    let ana = Visitor::sign_up(&server, "ana").await;
    let post = ana.publish("For the first snow.").await;
    let ben = client.sign_up("ben").await;

    ana.set_offline(true).await;
    ana.sees("You are offline").await;
    ana.press_in(&card(&post), "button", "Heart").await;
    ana.sees_in("[role=alert]", "The server cannot be reached").await;
    let is_taken_back = "return document.querySelector('.action-heart').ariaPressed === 'false'";
    ana.waits_until("the heart is taken back", is_taken_back).await;
    let heart = format!("/api/v1/posts/{post}/heart");
    client.post(&heart).by(&ben).send().await.expect(201);
    ana.set_offline(false).await;

    ana.no_longer_sees_in("body", "You are offline").await;
    ana.sees_in("#unread", "1").await;
    ana.press_in(&card(&post), "button", "Heart").await;
    ana.follow_link("Notifications").await;
    ana.sees_in(".notifications", "ben").await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn a_session_that_ended_elsewhere_leads_to_the_sign_in_form_with_the_reason() {
    let server = start_server().await;
    let client = server.client();
    let ana = Visitor::sign_up(&server, "ana").await;
    let post = ana.publish("For the first snow.").await;

    client.post("/api/v1/auth/logout").by(&ana.token).send().await.expect(200);
    ana.press_in(&card(&post), "button", "Heart").await;

    ana.sees_in("[role=alert]", "Your session has ended").await;
    let is_gone = "return sessionStorage.getItem('grateful.session') === null";
    ana.waits_until("the token is forgotten", is_gone).await;
    ana.sees("Sign in").await;
    ana.no_longer_sees_in("body", "For you").await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn another_tab_has_a_session_of_its_own() {
    let server = start_server().await;
    let ana = Visitor::sign_up(&server, "ana").await;
    let stored = "return [localStorage.length, document.cookie].join()";
    let before = ana.script(stored, &[]).await;

    ana.script("open('/')", &[]).await;
    let windows = ana.windows().await;
    ana.switch_to(&windows[1]).await;

    // A tab that a page opens starts with a copy of its session; a new one with none.
    ana.script("sessionStorage.clear()", &[]).await;
    ana.reload().await;
    ana.sees("Create an account").await;
    ana.switch_to(&windows[0]).await;
    ana.reload().await;
    ana.sees("For you").await;
    assert_eq!(before, "0,");
}

/// A browser keeps pages that were left for the way back, and opens six connections to a server.
#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn pages_that_were_left_keep_no_stream_open() {
    let server = start_server().await;
    let ana = Visitor::sign_up(&server, "ana").await;
    let post = ana.publish("For the first snow.").await;

    // With the two pages before, more than six; the server allows a user ten streams, also those that have just ended.
    for _ in 0..6 {
        ana.open_page("/notifications").await;
        ana.sees("Nothing yet").await;
    }
    ana.script("history.back()", &[]).await;
    ana.sees("For the first snow.").await;

    let client = server.client();
    let ben = client.sign_up("ben").await;
    let heart = format!("/api/v1/posts/{post}/heart");
    client.post(&heart).by(&ben).send().await.expect(201);
    ana.sees_in("#unread", "1").await;
}
