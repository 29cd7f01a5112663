//! Tests of the HTTP API, without a socket. One binary, so that it is linked once; the modules mirror `src`.
//!
//! The test kit checks every response of every test against the OpenAPI document.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

mod access;
mod across_blocks;
mod middleware;
mod openapi;
mod privacy;
mod request;
mod routes;
