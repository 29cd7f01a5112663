//! The binary `grateful` as a target of this package; see `Cargo.toml`.

use std::process::ExitCode;

fn main() -> ExitCode {
    grateful_server::run()
}
