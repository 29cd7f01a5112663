#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot be set up has failed"
)]

mod api;
mod api_response;
mod app;
mod builders;
mod clock;
mod database;
mod engagement;
mod geocoder;
mod images;
mod metrics_capture;
mod openapi;
mod proxy;
mod scenario;

/// Counts the statements for [`assert_queries`].
#[doc(hidden)]
pub use grateful_application::QueryLog;

pub use self::api::{Api, ApiRequest, Caller, StreamingResponse};
pub use self::api_response::ApiResponse;
pub use self::app::TestApp;
pub use self::builders::{PASSWORD, PostBuilder, UserBuilder, a_post, a_user, block, create_user};
pub use self::clock::{FakeClock, NOON};
pub use self::database::TestDatabase;
pub use self::engagement::{
    CommentBuilder, a_comment, a_heart, a_link_share, a_message_share, a_reaction, load_engagement,
};
pub use self::geocoder::FakeGeocoder;
pub use self::images::{BOUNDARY, a_large_png, a_png, a_png_with_comment, multipart_form};
pub use self::metrics_capture::MetricsCapture;
pub use self::proxy::Proxy;
pub use self::scenario::{
    MAX_PAGE, Scenario, assert_consistent, begin_block, commit_once_blocking, create_comment,
    create_comment_idempotently, create_post, create_share, create_user_named, draft,
    idempotent_request, message_to, recorded_id, require_follow_approval, wait_until_blocked,
};

/// Awaits a use case, asserts that it runs exactly `$count` SQL statements (`BEGIN` and `COMMIT` included), and returns
/// its unwrapped result. `3 in 1` means three statements that are sent together, in one round trip.
#[macro_export]
macro_rules! assert_queries {
    ($count:literal in $round_trips:literal, $use_case:expr) => {{
        let (result, queries) = $crate::QueryLog::record($use_case).await;
        assert_eq!(
            (queries.total(), queries.round_trips()),
            ($count, $round_trips),
            "{queries:#?}"
        );
        result.unwrap()
    }};
    ($count:expr, $use_case:expr) => {{
        let (result, queries) = $crate::QueryLog::record($use_case).await;
        assert_eq!(queries.total(), $count, "{queries:#?}");
        result.unwrap()
    }};
}
