//! Tests of decoding and encoding. All input files are generated.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    reason = "the images of the tests are small, and a failed unwrap fails the test"
)]

/// Generated test images and files.
mod fixtures;
/// Decodes and inspects output files.
mod inspect;
/// Generated colour profiles.
#[expect(dead_code, reason = "other test binaries use the rest")]
mod profiles;

/// The square crop.
mod crop;
/// Supported formats and pixel types.
mod formats;
/// Recorded colours of the output.
mod golden;
/// Invalid and malicious files.
mod hostile_input;
/// Damaged, missing and misleading metadata.
mod metadata;
/// The eight EXIF orientations.
mod orientation;
/// Dimensions, encoding and metadata of the output.
mod output;
