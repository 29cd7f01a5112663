//! The program `grateful`.

use std::process::ExitCode;

fn main() -> ExitCode {
    grateful_server::run()
}
