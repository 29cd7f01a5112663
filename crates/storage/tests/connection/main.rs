//! Migrations, connections and transactions.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support"]
mod support {
    pub(crate) mod catalogue;
    pub(crate) mod sql;
}

mod hosts;
mod isolation;
mod limits;
mod migration_lock;
mod migrations;
mod opening;
mod own_connections;
mod own_schema;
mod reads;
mod session_settings;
mod silence;
mod transactions;
