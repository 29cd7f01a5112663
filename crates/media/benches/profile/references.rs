//! The same work by Pillow and libvips, in a process of Python that measures itself.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A Python, perhaps with Pillow and pyvips.
pub(crate) struct References {
    python: String,
}

impl References {
    pub(crate) fn find() -> Self {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        Self { python }
    }

    /// The least time that Pillow and libvips take; `None` where they are not installed.
    pub(crate) fn run(&self, jpeg: &[u8], rounds: usize) -> [Option<Duration>; 2] {
        let script = include_str!("references.py");
        ["pillow", "vips"].map(|which| {
            let mut child = Command::new(&self.python)
                .args(["-c", script, which, &rounds.to_string()])
                // Otherwise it would be as many threads as there are processors, which cost more together.
                .env("VIPS_CONCURRENCY", "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .ok()?;
            // Where the library is missing the other end is closed already.
            let _ = child.stdin.take()?.write_all(jpeg);
            let output = child.wait_with_output().ok()?;
            let seconds: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
            Some(Duration::from_secs_f64(seconds))
        })
    }
}
