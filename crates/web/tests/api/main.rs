//! The HTTP API, called without a socket. One program, so that it is linked once. The test kit holds every answer of
//! every test against the OpenAPI document.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// What the tests of several resources share, and no more than that.
mod support;

/// `/auth`
mod auth;
/// `/api/avatar`
mod avatars;
/// `/users/me/export`
mod export;
/// `/posts/feed`
mod feed;
/// `/health` and the like
mod health;
/// `DELETE /users/me`
mod leaving;
/// `/users/location`
mod locations;
/// `/users/search`, `/users/validate-batch` and `/users/by-username`
mod people;
/// `/users/me/profile/photo`
mod photos;
/// `/posts/upload`
mod pictured;
/// `/posts`
mod posts;
/// The pages of people, and one's own
mod profiles;
/// `/posts/feed`, ranked
mod ranked;
/// `/posts/trending`
mod trending;
/// `/uploads`
mod uploads;
/// `/users`
mod users;

/// Who may call what: a table that must name every route.
mod access;
/// Bodies that cannot be read, requests that are too large, and what else may be wrong with any request.
mod bad_input;
/// The one body of errors, and what makes the server itself fail.
mod errors;
/// What every answer carries beside its body.
mod headers;
/// How often anything may be done.
mod limits;
/// The one line of a request, and what is never in it.
mod logs;
/// What is measured, who may see it, and what developers are told.
mod monitoring;
/// The OpenAPI document.
mod openapi;
/// What is told of nobody else.
mod privacy;
