#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod client;
mod full_run;
mod processes;
mod raw_connection;
mod server;
mod setup;
mod sql;
mod wait;
mod working_dir;

pub use nix::unistd::Pid;
pub use serde_json::{Value, json};

pub use self::client::{
    ApiRequest, ApiResponse, Client, EventStream, PASSWORD, Token, is_timestamp,
};
pub use self::full_run::full_or_short;
pub use self::raw_connection::RawConnection;
pub use self::server::Server;
pub use self::setup::{ProcessOutput, Setup};
pub use self::sql::SqlConnection;
pub use self::wait::{TIMEOUT, eventually};
pub use self::working_dir::WorkingDir;

/// The front page of the repository, whose example must compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct FrontPage;
