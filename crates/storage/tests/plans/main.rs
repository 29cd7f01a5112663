//! Query plans in large databases, of the statements that the code itself prepared rather than of copies.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support"]
mod support {
    pub(crate) mod sql;
}

mod plan;

mod feed;
mod follows;
mod personal_data;
mod query;
mod repositories;
mod user_search;
