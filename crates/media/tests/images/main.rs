//! Pictures in, pictures out: every one of them is made here.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "pictures of the tests are small, and what fails is a test"
)]

/// Files, made of pixels.
mod fixtures;
/// What comes out, taken apart.
mod inspect;

/// Which square is shown.
mod crop;
/// Every format and kind of pixels that is taken.
mod formats;
/// What pictures look like afterwards.
mod golden;
/// What somebody who means harm sends.
mod hostile_input;
/// The eight ways that a camera is held.
mod orientation;
/// What is written: sizes, coding, and nothing else.
mod output;
