//! The program `grateful`.

use std::process::ExitCode;

/// Requests allocate many small things on many threads, which this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    grateful_server::run()
}
