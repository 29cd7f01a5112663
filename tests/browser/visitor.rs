//! People with a browser.

use std::ops::Deref;

use grateful_tests::{PASSWORD, Server, Setup, Token};

use crate::browser::Browser;

/// Starts a server with a new database. Links to posts lead to its own pages.
pub(crate) async fn start_server() -> Server {
    Setup::with_test_database().await.start().await
}

/// A user with a browser of their own.
pub(crate) struct Visitor {
    browser: Browser,
    /// The token of the session in the browser.
    pub(crate) token: Token,
}

impl Visitor {
    /// Signs a new user up through the page.
    pub(crate) async fn sign_up(server: &Server, username: &str) -> Self {
        let browser = Browser::open(server).await;
        browser.open_page("/signup").await;
        browser.fill_in("Username", username).await;
        browser.fill_in("Email", &format!("{username}@example.org")).await;
        browser.fill_in("Password", PASSWORD).await;
        browser.press_button("Sign up").await;
        browser.sees("For you").await;
        let stored = "return JSON.parse(sessionStorage.getItem('grateful.session')).token";
        let token = browser.script(stored, &[]).await.as_str().unwrap().to_owned();
        Self { browser, token: Token(token) }
    }

    /// Publishes a post through the page, and returns its id.
    pub(crate) async fn publish(&self, text: &str) -> String {
        self.open_page("/").await;
        self.fill_in("What are you grateful for?", text).await;
        self.press_in("form.composer", "button", "Post").await;
        self.sees("Your post is published.").await;
        let newest = "return document.querySelector('.feed [data-post]').dataset.post";
        self.script(newest, &[]).await.as_str().unwrap().to_owned()
    }

    /// Asserts that no script has failed and that nothing violated the policy of the pages.
    #[track_caller]
    pub(crate) fn assert_no_errors(&self) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let errors = self.take_errors().await;
            assert!(errors.is_empty(), "{caller}: {errors:#?}");
        }
    }
}

impl Deref for Visitor {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}

/// The selector of the card of a post.
pub(crate) fn card(post: &str) -> String {
    format!("[data-post='{post}']")
}
