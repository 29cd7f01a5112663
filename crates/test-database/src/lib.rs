#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot be set up has failed"
)]

mod builders;
mod database;
mod engagement;
mod locks;
mod metrics_capture;
mod proxy;

use chrono::{DateTime, Utc};

/// Counts the statements for [`assert_queries`].
#[doc(hidden)]
pub use grateful_storage::QueryLog;

pub use self::builders::{
    PASSWORD, PostBuilder, UserBuilder, a_post, a_user, block, create_user, create_user_named,
    require_follow_approval,
};
pub use self::database::TestDatabase;
pub use self::engagement::{
    CommentBuilder, a_comment, a_heart, a_link_share, a_message_share, a_reaction, load_engagement,
};
pub use self::locks::{begin_block, commit_once_blocking, wait_until_blocked};
pub use self::metrics_capture::MetricsCapture;
pub use self::proxy::Proxy;

/// The default time of tests: 2026-01-05, 12:00 UTC.
pub const NOON: DateTime<Utc> = DateTime::from_timestamp_micros(1_767_614_400_000_000).unwrap();

/// Awaits an operation, asserts that it runs exactly `$count` SQL statements (`BEGIN` and `COMMIT` included), and returns
/// its unwrapped result. `3 in 1` means three statements that are sent together, in one round trip.
#[macro_export]
macro_rules! assert_queries {
    ($count:literal in $round_trips:literal, $operation:expr) => {{
        let (result, queries) = $crate::QueryLog::record($operation).await;
        assert_eq!(
            (queries.total(), queries.round_trips()),
            ($count, $round_trips),
            "{queries:#?}"
        );
        result.unwrap()
    }};
    ($count:expr, $operation:expr) => {{
        let (result, queries) = $crate::QueryLog::record($operation).await;
        assert_eq!(queries.total(), $count, "{queries:#?}");
        result.unwrap()
    }};
}
