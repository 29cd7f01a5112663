#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod client;
mod folder;
mod patience;
mod processes;
mod server;
mod setup;
mod sql;
mod wire;

pub use nix::unistd::Pid;
pub use serde_json::{Value, json};

pub use self::client::{Answer, Call, Client, Events, PASSWORD, Token, is_timestamp};
pub use self::folder::Folder;
pub use self::patience::{DEADLINE, eventually, full_or};
pub use self::server::Server;
pub use self::setup::{Finished, Setup};
pub use self::sql::Sql;
pub use self::wire::Wire;
