//! The same work with Pillow and libvips, in a Python process that measures its own time.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A Python interpreter, which may have Pillow and pyvips.
pub(crate) struct References {
    python: String,
}

impl References {
    pub(crate) fn find() -> Self {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        Self { python }
    }

    /// The minimum times of Pillow and libvips; `None` if one is not installed.
    pub(crate) fn run(&self, jpeg: &[u8], rounds: usize) -> [Option<Duration>; 2] {
        let script = include_str!("references.py");
        ["pillow", "vips"].map(|library| {
            let mut child = Command::new(&self.python)
                .args(["-c", script, library, &rounds.to_string()])
                // By default libvips uses one thread per core, which takes more processor time in total.
                .env("VIPS_CONCURRENCY", "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .ok()?;
            // If the library is missing, the process has already closed its input.
            let _ = child.stdin.take()?.write_all(jpeg);
            let output = child.wait_with_output().ok()?;
            let seconds: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
            Some(Duration::from_secs_f64(seconds))
        })
    }
}
