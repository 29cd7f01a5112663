#![doc = include_str!("../README.md")]

mod account;
mod children;
mod cluster;
mod cluster_context;
mod cluster_dir;
mod command;
mod create;
mod deadline;
mod error;
mod file_lock;
mod installation;
mod postmaster;
mod processes;
mod reaper;
mod replicated_cluster;
mod server;
mod short_hash;
mod stale_files;
mod startup_guard;
mod supervisor;
mod url;

pub use cluster::Cluster;
pub use error::Error;
pub use installation::{Installation, InstallationSearch};
pub use replicated_cluster::{Node, NodeOptions, ReplicatedCluster};
