//! The futures of all use cases are `Send`, so that servers can move tasks between threads.

use std::ops::ControlFlow;

use grateful_application::accounts::{self, ChangePassword};
use grateful_application::{
    AccessToken, App, IdempotencyKey, IdempotentRequest, Upload, export, feed, health,
    housekeeping, photos, posts, profiles, sessions, uploads,
};
use grateful_domain::{
    Limit, PageRequest, PostEdit, PostId, ProfileEdit, Session, SessionId, UserId, Viewer,
};

use crate::support::{credentials, draft, password, sign_up_data};

/// Never called. The test is that it compiles.
#[expect(dead_code, reason = "the compiler is the test")]
fn futures_of_all_use_cases_are_send(
    app: &App,
    session: &Session,
    token: &AccessToken,
    (user, post, id): (UserId, PostId, SessionId),
    (file, upload): (&uploads::File, fn() -> Upload),
) {
    let (viewer, page) = (Viewer::Guest, PageRequest::first(Limit::DEFAULT));
    let change = ChangePassword { current: String::new(), new: password("battery staple") };
    let idempotency =
        IdempotentRequest { key: IdempotencyKey::parse("k").unwrap(), fingerprint: [0; 32] };

    assert_send(accounts::sign_up(app, sign_up_data("ana", "ana@example.org")));
    assert_send(accounts::log_in(app, credentials("", "")));
    assert_send(accounts::get(app, user));
    assert_send(accounts::change_password(app, session, change));
    assert_send(accounts::reset_password(app, "ana", password("battery staple")));
    assert_send(accounts::delete_own(app, user, String::new()));
    assert_send(profiles::get_own(app, user));
    assert_send(profiles::get(app, viewer, user));
    assert_send(profiles::get_by_username(app, viewer, "ana"));
    assert_send(profiles::update(app, user, ProfileEdit::default()));
    assert_send(export::export(app, user, async |_, _| ControlFlow::Continue(())));
    assert_send(sessions::authenticate(app, token));
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
    assert_send(posts::delete(app, user, post));
    assert_send(posts::list_by_author(app, viewer, user, page));
    assert_send(feed::list_newest(app, viewer, page));
    assert_send(photos::upload(app, user, upload(), None, None, |_| Vec::new()));
    assert_send(photos::delete(app, user));
    assert_send(photos::find_default_avatar_user(app, user));
    assert_send(uploads::find(app, "posts/a.jpg"));
    assert_send(uploads::read(app, file, 0..1));
    assert_send(uploads::sweep(app));
    assert_send(health::check_readiness(app));
    assert_send(housekeeping::sweep(app));
}

fn assert_send(_: impl Future + Send) {}
