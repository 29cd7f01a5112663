//! That use cases can be embedded in servers that move tasks between threads.

use std::ops::ControlFlow;

use grateful_application::accounts::{self, ChangePassword};
use grateful_application::{
    AccessToken, App, IdempotencyKey, IdempotentRequest, Upload, export, feed, health,
    housekeeping, photos, posts, profiles, sessions, uploads,
};
use grateful_domain::{
    Limit, PageRequest, PostEdit, PostId, ProfileEdit, Session, SessionId, UserId, Viewer,
};

use crate::support::{draft, newcomer, password, typed};

/// Never called: that it compiles is what it shows.
#[expect(dead_code, reason = "the compiler is the test")]
fn the_future_of_every_use_case_can_be_sent(
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

    sent(accounts::sign_up(app, newcomer("ana", "ana@example.org")));
    sent(accounts::log_in(app, typed("", "")));
    sent(accounts::get(app, user));
    sent(accounts::change_password(app, session, change));
    sent(accounts::reset_password(app, "ana", password("battery staple")));
    sent(accounts::delete_own(app, user, String::new()));
    sent(profiles::get_own(app, user));
    sent(profiles::get(app, viewer, user));
    sent(profiles::get_by_username(app, viewer, "ana"));
    sent(profiles::update(app, user, ProfileEdit::default()));
    sent(export::export(app, user, async |_, _| ControlFlow::Continue(())));
    sent(sessions::authenticate(app, token));
    sent(sessions::list(app, user));
    sent(sessions::log_out(app, token));
    sent(sessions::revoke(app, user, id));
    sent(sessions::revoke_all(app, user));
    sent(posts::create(app, user, draft("For rain."), Some(idempotency), |_| Vec::new()));
    sent(posts::create_with_image(app, user, draft("Look!"), upload(), None, |_| Vec::new()));
    sent(posts::get(app, viewer, post));
    sent(posts::update(app, user, post, PostEdit::default(), |_| true));
    sent(posts::delete(app, user, post));
    sent(posts::list_by_author(app, viewer, user, page));
    sent(feed::list_newest(app, viewer, page));
    sent(photos::upload(app, user, upload(), None, None, |_| Vec::new()));
    sent(photos::delete(app, user));
    sent(photos::find_default_avatar_user(app, user));
    sent(uploads::find(app, "posts/a.jpg"));
    sent(uploads::read(app, file, 0..1));
    sent(uploads::sweep(app));
    sent(health::check_readiness(app));
    sent(housekeeping::sweep(app));
}

fn sent(_: impl Future + Send) {}
