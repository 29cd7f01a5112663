use grateful_tests::Token;

use crate::visitor::{Visitor, start_server};

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn twenty_hearts_become_one_line_while_the_page_is_open() {
    let server = start_server().await;
    let client = server.client();
    let ana = Visitor::sign_up(&server, "ana").await;
    let post = ana.publish("For the first snow.").await;
    ana.follow_link("Notifications").await;
    ana.sees("Nothing yet").await;
    let mut friends: Vec<Token> = Vec::new();
    for number in 1..=20 {
        friends.push(client.sign_up(&format!("friend{number}")).await);
    }
    let give_heart = async |friend: &Token| {
        let path = format!("/api/v1/posts/{post}/heart");
        client.post(&path).by(friend).send().await.expect(201);
    };

    give_heart(&friends[0]).await;
    ana.sees_in(".notifications", "friend1").await;
    give_heart(&friends[1]).await;
    ana.sees_in(".notifications", "2 people engaged with your post").await;
    for friend in &friends[2..] {
        give_heart(friend).await;
    }

    ana.sees_in(".notifications", "20 people engaged with your post").await;
    let lines = "return document.querySelectorAll('.notification').length";
    assert_eq!(ana.script(lines, &[]).await, 1);
    ana.sees_in("#unread", "1").await;
    ana.press_in(".notification", "button", "Show 20").await;
    ana.waits_until(
        "every heart of the batch",
        "return document.querySelectorAll('.notification .children > li').length === 20",
    )
    .await;
    ana.sees_in(".children", "friend7").await;
    // A batch that is opened is read.
    ana.waits_until("nothing is unread", "return document.querySelector('#unread').hidden").await;
    ana.assert_no_errors().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn a_heart_that_is_taken_back_takes_its_line_away() {
    let server = start_server().await;
    let client = server.client();
    let ana = Visitor::sign_up(&server, "ana").await;
    let post = ana.publish("For the first snow.").await;
    let ben = client.sign_up("ben").await;
    let heart = format!("/api/v1/posts/{post}/heart");
    ana.follow_link("Notifications").await;
    client.post(&heart).by(&ben).send().await.expect(201);
    ana.sees_in(".notifications", "ben").await;

    client.delete(&heart).by(&ben).send().await.expect(200);

    ana.no_longer_sees_in(".notifications", "ben").await;
    ana.waits_until("nothing is unread", "return document.querySelector('#unread').hidden").await;
}
