//! The futures of all use cases are `Send`, so that servers can move tasks between threads.

use std::ops::ControlFlow;

use grateful_application::accounts::{self, ChangePassword};
use grateful_application::comments::{self, CommentDraft};
use grateful_application::notifications::{self, ReadFilter};
use grateful_application::verify::{self, Repair};
use grateful_application::{
    AccessToken, App, IdempotencyKey, IdempotentRequest, Upload, export, feed, follows, health,
    hearts, housekeeping, locations, photos, posts, profiles, reactions, sessions, shares, uploads,
    users,
};
use grateful_domain::{
    CommentId, CommentText, Emoji, FeedPageRequest, FeedStart, Limit, LocationQuery,
    NotificationId, PageRequest, PostEdit, PostId, ProfileEdit, Session, SessionId, ShareDetails,
    TrendingWindow, UserId, UserSearchQuery, UsernameBatch, Viewer,
};

use grateful_testkit::draft;

use crate::support::{credentials, password, sign_up_data};

/// Never called. The test is that it compiles.
#[expect(dead_code, reason = "the compiler is the test")]
fn futures_of_all_use_cases_are_send(
    app: &App,
    session: &Session,
    token: &AccessToken,
    (user, post, comment): (UserId, PostId, CommentId),
    (id, notification): (SessionId, NotificationId),
    (file, upload): (&uploads::File, fn() -> Upload),
    (location, name): (&LocationQuery, &UserSearchQuery),
) {
    let (viewer, page) = (Viewer::Guest, PageRequest::first(Limit::DEFAULT));
    let feed_page = FeedPageRequest { limit: Limit::DEFAULT, start: FeedStart::Offset(0) };
    let text = || CommentText::parse("How lovely").unwrap();
    let comment_draft = CommentDraft { post, parent: None, text: text() };
    let change = ChangePassword { current: String::new(), new: password("battery staple") };
    let idempotency =
        IdempotentRequest { key: IdempotencyKey::parse("k").unwrap(), fingerprint: [0; 32] };

    assert_send(accounts::sign_up(app, sign_up_data("ana", "ana@example.org")));
    assert_send(accounts::log_in(app, credentials("", "")));
    assert_send(accounts::get(app, user));
    assert_send(accounts::change_password(app, session, change));
    assert_send(accounts::reset_password(app, "ana", password("battery staple")));
    assert_send(accounts::delete_own(app, user, String::new()));
    assert_send(accounts::delete(app, user));
    assert_send(profiles::get_own(app, user));
    assert_send(profiles::get(app, viewer, user));
    assert_send(profiles::get_by_username(app, viewer, "ana"));
    assert_send(profiles::update(app, user, ProfileEdit::default(), None));
    assert_send(export::export(app, user, async |_, _| ControlFlow::Continue(())));
    assert_send(sessions::authenticate(app, token));
    assert_send(sessions::authenticate_and_read(app, token, async |_| Ok(())));
    assert_send(sessions::list(app, user));
    assert_send(sessions::log_out(app, token));
    assert_send(sessions::revoke(app, user, id));
    assert_send(sessions::revoke_all(app, user));
    assert_send(posts::create(app, user, draft("For rain."), Some(idempotency), |_| Vec::new()));
    assert_send(posts::create_with_image(app, user, draft("Look!"), upload(), None, |_| {
        Vec::new()
    }));
    assert_send(posts::get(app, viewer, post));
    assert_send(posts::update(app, user, post, PostEdit::default(), |_| true));
    assert_send(posts::delete(app, user, post, |_| true));
    assert_send(posts::list_by_author(app, viewer, user, page));
    assert_send(feed::list_ranked(app, viewer, feed_page));
    assert_send(feed::list_newest(app, viewer, page));
    assert_send(feed::list_newest_scored(app, viewer, page));
    assert_send(feed::list_trending(app, viewer, TrendingWindow::DEFAULT, Limit::DEFAULT));
    assert_send(hearts::add(app, user, post));
    assert_send(hearts::remove(app, user, post));
    assert_send(hearts::get_status(app, user, post));
    assert_send(hearts::list(app, user, post, page));
    assert_send(reactions::set(app, user, post, Emoji::Hug));
    assert_send(reactions::remove(app, user, post));
    assert_send(reactions::list(app, user, post, page));
    assert_send(reactions::get_summary(app, user, post));
    assert_send(shares::create(app, user, post, ShareDetails::Url, None, |_| Vec::new()));
    assert_send(shares::delete(app, user, post));
    assert_send(comments::create(app, user, comment_draft, None, |_| Vec::new()));
    assert_send(comments::list(app, user, post, page));
    assert_send(comments::list_replies(app, user, comment, page));
    assert_send(comments::update(app, user, comment, text()));
    assert_send(comments::delete(app, user, comment));
    assert_send(follows::follow(app, user, user));
    assert_send(follows::unfollow(app, user, user));
    assert_send(follows::accept_request(app, user, user));
    assert_send(follows::decline_request(app, user, user));
    assert_send(follows::block(app, user, user));
    assert_send(follows::unblock(app, user, user));
    assert_send(follows::get_relationship(app, user, user));
    assert_send(follows::get_relationships(app, user, &[user]));
    assert_send(follows::list_followers(app, user, user, page));
    assert_send(follows::list_following(app, user, user, page));
    assert_send(follows::count(app, user, user));
    assert_send(follows::list_requests(app, user, page));
    assert_send(follows::list_blocks(app, user, page));
    assert_send(follows::list_suggestions(app, user, 1));
    assert_send(notifications::list(app, user, ReadFilter::All, page));
    assert_send(notifications::list_children(app, user, notification, page));
    assert_send(notifications::count(app, user));
    assert_send(notifications::get_stats(app, user, None));
    assert_send(notifications::mark_read(app, user, notification));
    assert_send(notifications::mark_all_read(app, user));
    assert_send(notifications::issue_ticket(app, session));
    assert_send(notifications::redeem_ticket(app, token));
    assert_send(notifications::Stream::open(app.clone(), session.clone(), None));
    assert_send(users::search(app, user, name, 1));
    assert_send(users::validate_usernames(app, user, UsernameBatch::new(Vec::new())));
    assert_send(users::find_by_username(app, user, "ana"));
    assert_send(locations::search(app, location, 1));
    assert_send(photos::upload(app, user, upload(), None, None, |_| Vec::new()));
    assert_send(photos::delete(app, user));
    assert_send(photos::find_default_avatar_user(app, user));
    assert_send(uploads::find(app, "posts/a.jpg"));
    assert_send(uploads::read(app, file, 0..1));
    assert_send(uploads::sweep(app));
    assert_send(health::check_readiness(app));
    assert_send(housekeeping::sweep(app));
    assert_send(verify::verify(app, Repair::No, |_| ()));
}

fn assert_send(_: impl Future + Send) {}
