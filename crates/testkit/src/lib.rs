#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot be set up has failed"
)]

mod api;
mod app;
mod atlas;
mod builders;
mod clock;
mod contract;
mod database;
mod engagement;
mod measured;
mod pictures;

/// What [`assert_queries`] counts with.
#[doc(hidden)]
pub use grateful_application::QueryLog;

pub use self::api::{Answer, Api, Call, Caller, Opened};
pub use self::app::TestApp;
pub use self::atlas::FakeGeocoder;
pub use self::builders::{PASSWORD, PostBuilder, UserBuilder, a_post, a_user, block, create_user};
pub use self::clock::{FakeClock, NOON};
pub use self::database::TestDatabase;
pub use self::engagement::{
    CommentBuilder, a_comment, a_heart, a_link_share, a_message_share, a_reaction, load_engagement,
};
pub use self::measured::Measured;
pub use self::pictures::{BOUNDARY, a_large_png, a_png, a_png_with_comment, multipart_form};

/// Awaits a use case that must succeed, at exactly this price: `BEGIN` and `COMMIT` count.
#[macro_export]
macro_rules! assert_queries {
    ($price:expr, $use_case:expr) => {{
        let (outcome, queries) = $crate::QueryLog::record($use_case).await;
        assert_eq!(queries.total(), $price, "{queries:#?}");
        outcome.unwrap()
    }};
}
