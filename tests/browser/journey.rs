use grateful_testkit::a_png;
use grateful_tests::{PASSWORD, json};

use crate::visitor::{Visitor, card, start_server};

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn two_people_mention_heart_react_comment_reply_and_follow_in_two_browsers_at_once() {
    let server = start_server().await;
    let (ana, ben) =
        tokio::join!(Visitor::sign_up(&server, "ana"), Visitor::sign_up(&server, "ben"));

    // A mention is suggested while it is typed.
    ana.fill_in("What are you grateful for?", "For the driver who waited, and for @be").await;
    ana.press_in("[role=listbox]", "option", "ben").await;
    ana.press_in("form.composer", "button", "Post").await;
    ana.sees_in(".feed", "and for @ben").await;

    // Ben's page is open meanwhile: the number of unread notifications changes by itself.
    ben.sees_in("#unread", "1").await;
    ben.follow_link("Notifications").await;
    ben.press_in(".notification", "link", "For the driver").await;
    ben.sees_in(".post", "For the driver who waited").await;
    ben.press_in(".post", "button", "Heart").await;
    ben.press_in(".post", "button", "React").await;
    ben.press_in(".reactions", "button", "Hug").await;
    ben.fill_in("Write a comment", "And for the bus.").await;
    ben.press_in(".comments", "button", "Comment").await;
    ben.sees_in(".engaged", "1 heart").await;
    ben.sees_in(".comment-list", "And for the bus.").await;

    ana.sees_in("#unread", "2").await;
    ana.follow_link("Notifications").await;
    ana.press_in(".notifications", "link", "And for the bus.").await;
    ana.press_in(".comment", "button", "Reply to ben").await;
    ana.fill_in_within(".replies", "Reply to ben", "And for the seat.").await;
    ana.press_in(".replies", "button", "Reply").await;
    ana.sees_in(".replies", "And for the seat.").await;

    ben.follow_link("Notifications").await;
    ben.sees_in(".notifications", "And for the seat.").await;
    ben.press_in(".notifications", "link", "ana").await;
    ben.press_button("Follow ana").await;
    ben.sees_in(".profile-actions", "Following").await;
    ben.sees_in(".profile-counts", "1 follower").await;
    ana.follow_link("Notifications").await;
    ana.sees_in(".notifications", "started following you").await;
    ana.assert_no_errors().await;
    ben.assert_no_errors().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn a_shared_link_shows_the_post_to_a_guest_who_can_sign_up_there() {
    let server = start_server().await;
    let ana = Visitor::sign_up(&server, "ana").await;
    let post = ana.publish("For the first snow.").await;

    ana.press_in(&card(&post), "button", "Share").await;
    let link = ana.find("dialog", "field", "Link").await;
    let link = ana.script("return arguments[0].value", &[link]).await;
    let path = link.as_str().unwrap().rsplit_once("/post/").unwrap().1.to_owned();
    assert_eq!(path, post);
    ana.press_in("dialog", "button", "Copy link").await;
    ana.sees("ink").await;
    ana.sees_in(&card(&post), "1").await;
    ana.press_in("dialog", "button", "Close").await;
    ana.press_button("Sign out").await;
    ana.open_page(&format!("/post/{post}")).await;
    ana.sees("For the first snow.").await;
    ana.sees("Sign in to give a heart").await;

    ana.follow_link("Create an account").await;
    ana.fill_in("Username", "ben").await;
    ana.fill_in("Email", "ben@example.org").await;
    ana.fill_in("Password", PASSWORD).await;
    ana.press_in("main", "button", "Sign up").await;

    ana.fill_in("Write a comment", "Here as well.").await;
    ana.press_in(".comments", "button", "Comment").await;
    ana.sees_in(".comment-list", "Here as well.").await;
    ana.assert_no_errors().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn every_refusal_of_the_server_is_shown_at_its_field() {
    let server = start_server().await;
    server.client().sign_up("ana").await;
    let browser = crate::browser::Browser::open(&server).await;

    browser.open_page("/signup").await;
    browser.fill_in("Username", "me").await;
    browser.fill_in("Email", "nowhere").await;
    browser.press_button("Sign up").await;

    browser.sees_in("[data-field=username]", "Is reserved").await;
    browser.sees_in("[data-field=email]", "Must be an email address").await;
    browser.sees_in("[data-field=password]", "Must be 8 to 128 characters long").await;
    browser.open_page("/signin").await;
    browser.fill_in("Email", "ana@example.org").await;
    browser.fill_in("Password", "not her password").await;
    browser.press_in("main", "button", "Sign in").await;
    browser.sees_in("[role=alert]", "ncorrect").await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn an_act_that_the_server_refuses_is_taken_back_with_the_reason() {
    let server = start_server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let post = client.create_post(&ana, "For the first snow.").send().await.expect(201).id();
    let ben = Visitor::sign_up(&server, "ben").await;
    ben.sees_in(&card(&post), "For the first snow.").await;

    client.delete(&format!("/api/v1/posts/{post}")).by(&ana).send().await.expect(204);
    ben.press_in(&card(&post), "button", "Heart").await;

    ben.sees_in("[role=alert]", "Post not found").await;
    let pressed = "return document.querySelector('.action-heart').ariaPressed === 'false'";
    ben.waits_until("the heart is taken back", pressed).await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn follow_requests_are_approved_and_a_block_hides_people_from_each_other() {
    let server = start_server().await;
    let (ana, ben) =
        tokio::join!(Visitor::sign_up(&server, "ana"), Visitor::sign_up(&server, "ben"));
    ana.follow_link("Settings").await;
    ana.press_in("main", "field", "Approve").await;
    ana.press_button("Save preferences").await;
    ana.sees("saved").await;

    ben.open_page("/search").await;
    ben.fill_in("Search for people", "an").await;
    ben.press_button("Follow ana").await;
    ben.sees("Requested").await;
    ana.follow_link("Notifications").await;
    ana.press_button("Approve ben").await;
    ben.follow_link("Notifications").await;
    ben.sees_in(".notifications", "accepted").await;

    ana.open_page("/people/ben").await;
    ana.press_button("Actions for ben").await;
    ana.press_button("Block").await;
    ana.press_in("dialog", "button", "Block").await;
    ana.sees("This person is not here").await;
    ben.open_page("/people/ana").await;
    ben.sees("This person is not here").await;
    ana.open_page("/settings").await;
    ana.press_button("Unblock ben").await;
    ana.sees("no longer blocked").await;
    ana.assert_no_errors().await;
    ben.reload().await;
    ben.sees("Follow").await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn a_picture_has_a_preview_and_a_profile_has_a_name_and_a_photo() {
    let server = start_server().await;
    let ana = Visitor::sign_up(&server, "ana").await;
    let picture = server.setup().working_dir().path().join("snow.png");
    std::fs::write(&picture, a_png(640, 480)).unwrap();
    let picture = picture.to_str().unwrap();

    ana.choose_file("form.composer input[type=file]", picture).await;
    ana.sees_in("form.composer", "Remove picture").await;
    ana.fill_in("What are you grateful for?", "For snow, which shows every track.").await;
    ana.press_in("form.composer", "button", "Post").await;
    let is_shown = "return document.querySelector('.post-image')?.naturalWidth > 0";
    ana.waits_until("the picture is shown", is_shown).await;

    ana.follow_link("Settings").await;
    ana.fill_in("Name", "Ana of the snow").await;
    ana.press_button("Save profile").await;
    ana.sees("saved").await;
    ana.choose_file("main input[type=file]", picture).await;
    ana.press_button("Save photo").await;
    ana.follow_link("Your page").await;
    ana.sees_in(".profile", "Ana of the snow").await;
    let has_photo = "return document.querySelector('.profile .avatar').src.includes('/uploads/')";
    ana.waits_until("the photo is shown", has_photo).await;
    ana.assert_no_errors().await;
}

#[tokio::test]
#[ignore = "needs Chromium: tests/browser/run"]
async fn the_ranked_feed_explains_the_place_of_each_post() {
    let server = start_server().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let post = client.create_post(&ana, "For the first snow.").send().await.expect(201).id();
    let ben = Visitor::sign_up(&server, "ben").await;
    let follow = client.get_session(&ana).send().await.expect(200).data()["id"].to_string();
    client.post(&format!("/api/v1/follows/{follow}")).by(&ben.token).send().await.expect(201);
    let heart = format!("/api/v1/posts/{post}/heart");
    client.post(&heart).by(&ben.token).send().await.expect(201);

    ben.reload().await;
    ben.press_in(&card(&post), "button", "Why is this here?").await;

    for text in ["Worth", "1 heart", "× 2", "You follow ana", "Freshness", "Score"] {
        ben.sees_in(&format!("{} .why", card(&post)), text).await;
    }
    let feed = client.get("/api/v1/posts/feed?explain=true").by(&ben.token).send().await;
    let score = &feed.expect(200).json()[0]["score"];
    assert_eq!(score["relationship"], json!(2.0), "{score}");
}
