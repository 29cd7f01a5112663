//! The program `grateful`, built for these tests; see `Cargo.toml`.

use std::process::ExitCode;

fn main() -> ExitCode {
    grateful_server::run()
}
