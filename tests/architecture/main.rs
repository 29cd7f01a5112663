//! Rules about the shape of the repository: which crate may depend on which, what its sources may name, in which
//! direction its folders import, what is packaged, and how its comments and documents are written.

#![expect(clippy::unwrap_used, reason = "a file that cannot be read is a failed test")]

/// What crates depend on and what their sources may name.
mod dependencies;
/// What crates publish: front pages, examples, packaged files.
mod embedding;
/// The direction of imports between the folders of a crate.
mod folders;
/// Relative links and cited sections.
mod links;
/// Manifests and module files.
mod manifests;
/// The words of comments, documents and names.
mod prose;
/// Public functions without a caller.
mod surface;
/// The workspace as Cargo describes it, and its files.
mod workspace;
