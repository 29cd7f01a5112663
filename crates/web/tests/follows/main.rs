//! What people are to each other, over HTTP without a socket. One program, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// What the tests of several subjects share.
mod support;

/// Asking to follow somebody who approves their followers.
mod approval;
/// `/users/{id}/block` and `/users/me/blocks`
mod blocks;
/// `POST` and `DELETE /follows/{id}`
mod following;
/// `/users/{id}/followers`, `/following` and `/follow-stats`
mod lists;
/// `/follows/{id}/status` and `/follows/status`
mod status;
/// `/follows/suggestions`
mod suggestions;
