//! Runs a program and turns a failure into an [`Error`].

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::Error;

/// Runs a program and waits for it to exit.
pub(crate) fn run(command: &mut Command) -> Result<Output, Error> {
    let program = PathBuf::from(command.get_program());
    let output = command.output().map_err(Error::io("run", &program))?;
    if output.status.success() { Ok(output) } else { Err(failure(&program, &output)) }
}

/// The error for a program that exited with a failure.
pub(crate) fn failure(program: &Path, output: &Output) -> Error {
    let both_streams = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
    Error::CommandFailed {
        program: program.display().to_string(),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&both_streams).trim().to_owned(),
    }
}
