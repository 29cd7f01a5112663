//! One cluster, from this process's side: where it is, who runs it, with which programs.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::account::Account;
use crate::home::{Fate, Home};
use crate::{Error, Programs};

/// Everything that creating and starting a cluster needs to know.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) home: Home,
    pub(crate) account: Account,
    pub(crate) programs: Programs,
    /// The folder of its socket.
    pub(crate) socket: PathBuf,
}

impl Site {
    /// One of PostgreSQL's programs, run as the account, in the cluster's folder.
    pub(crate) fn program(&self, name: &str) -> Command {
        self.programs.command(name, &self.account, &self.home.path)
    }

    pub(crate) fn is_throwaway(&self) -> bool {
        self.home.fate == Fate::Remove
    }
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<Output, Error> {
    let program = PathBuf::from(command.get_program());
    let output = command.output().map_err(Error::io("run", &program))?;
    if output.status.success() { Ok(output) } else { Err(failure(&program, &output)) }
}

pub(crate) fn failure(program: &std::path::Path, output: &Output) -> Error {
    let said = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
    Error::Failed {
        program: program.display().to_string(),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(&said).trim().to_owned(),
    }
}
