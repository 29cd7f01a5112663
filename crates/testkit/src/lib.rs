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
mod clock;
mod geocoder;
mod images;
mod openapi;
mod scenario;

pub use grateful_test_database::*;

pub use self::api::{Api, ApiRequest, Caller, StreamingResponse};
pub use self::api_response::ApiResponse;
pub use self::app::TestApp;
pub use self::clock::FakeClock;
pub use self::geocoder::FakeGeocoder;
pub use self::images::{BOUNDARY, a_large_png, a_png, a_png_with_comment, multipart_form};
pub use self::scenario::{
    MAX_PAGE, Scenario, assert_consistent, create_comment, create_comment_idempotently,
    create_post, create_share, draft, idempotent_request, message_to, recorded_id,
};
