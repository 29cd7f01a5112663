//! Rules about the shape of the repository: which crate may depend on which, what its sources may name, in which
//! direction its folders import, and what is packaged.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read is a failed test")]

/// What crates depend on and what their sources may name.
mod dependencies;
/// What crates publish: front pages, examples, packaged files.
mod embedding;
/// The direction of imports between the folders of a crate.
mod folders;
/// Manifests and module files.
mod manifests;
/// The workspace as Cargo describes it, and its files.
mod workspace;
