//! Finding people by name through [`Users`](grateful_storage::Users). One program, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// What the tests of other tables share with these.
#[path = "../support"]
mod support {
    pub(crate) mod plan;
    pub(crate) mod relations;
    pub(crate) mod sql;
}

/// What is found, and in which order, by example.
mod finding;
/// People by their whole usernames.
mod named;
/// What a search costs among many.
mod plans;
/// Any search in any world, against the rules read word by word.
mod reference;
/// People with names, and searches by one of them.
mod world;
