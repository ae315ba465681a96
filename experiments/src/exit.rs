//! Exit codes, and the error that a verb ends with.

use std::fmt;
use std::io;
use std::process::ExitCode;

use crate::command;
use crate::data::DataError;
use crate::diagnostics::Diagnostics;

/// How the program ends. The numbers are part of its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, also if all was done already; a trial that diverged is a result.
    Done = 0,
    /// 1: a trial failed.
    TrialFailed = 1,
    /// 2: bad usage or a bad experiment file.
    Usage = 2,
    /// 3: data that is missing, damaged or does not fit.
    Data = 3,
    /// 4: a result differs from the expected one.
    Differs = 4,
    /// 5: the filter matched no trial.
    NoMatch = 5,
    /// 6: a file or folder cannot be read or written.
    Io = 6,
    /// 130: interrupted (SIGINT) with the state safe.
    Interrupted = 130,
    /// 143: terminated (SIGTERM) with the state safe.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a verb stopped: what to print on stderr and the code to leave with.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The whole message, one or more lines: what, why, and what to do.
    pub message: String,
}

impl Failure {
    /// A failure with `exit` and a message that names the remedy.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// A results folder that cannot be written: the first line says where, why and what to do. `arguments` are those of
    /// the verb.
    pub fn cannot_write(error: &io::Error, arguments: &[&str]) -> Self {
        let example = command::line(arguments.iter().chain(&["--results", "my-results"]));
        Self::new(
            Exit::Io,
            format!(
                "error: {error}: make it writable, or name another folder with `--results FOLDER`\n   = fix: for example `{example}`; nothing was computed"
            ),
        )
    }

    /// The reason without its heading, and the remedy, which may be empty.
    pub fn parts(&self) -> (&str, &str) {
        let message = self.message.strip_prefix("error: ").unwrap_or(&self.message);
        message.split_once("\n   = fix: ").unwrap_or((message, ""))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    /// `fs_err` puts the path and the operation into the message.
    fn from(error: io::Error) -> Self {
        let fix = match error.kind() {
            io::ErrorKind::PermissionDenied => "\n   = fix: change its permissions, or those of its folder",
            io::ErrorKind::ReadOnlyFilesystem => "\n   = fix: write to another disk with `--results FOLDER`",
            io::ErrorKind::StorageFull => {
                "\n   = fix: make room; the same command goes on from what was saved"
            }
            _ => "",
        };
        Self::new(Exit::Io, format!("error: {error}{fix}"))
    }
}

impl From<kernels::Error> for Failure {
    /// Of the environment: a level that `KERNELS_LEVEL` names and this CPU lacks.
    fn from(error: kernels::Error) -> Self {
        Self::new(Exit::Usage, format!("error: {error}"))
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::new(Exit::Data, format!("error: {error}"))
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::new(Exit::Usage, diagnostics.to_string())
    }
}
