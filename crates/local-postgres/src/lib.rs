#![doc = include_str!("../README.md")]

mod account;
mod children;
mod cluster;
mod create;
mod entry;
mod error;
mod home;
mod keeper;
mod leftovers;
mod lock;
mod patience;
mod postmaster;
mod processes;
mod programs;
mod reaper;
mod server;
mod site;
mod tag;
mod url;

pub use cluster::Cluster;
pub use error::Error;
pub use programs::{Programs, Search};
