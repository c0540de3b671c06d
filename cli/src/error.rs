//! Why a command failed, and with which code the process ends.

use std::error::Error;
use weir_core::{Diagnostic, Diagnostics};

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// Which kind of failure: it decides the exit code.
    pub(crate) kind: ErrorKind,
    /// All that went wrong.
    pub(crate) source: Diagnostics,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// It was tried and failed: code 1.
    Failed,
    /// The command can't be run like this: code 2.
    Usage,
    /// Whoever read the output closed it: code 0, and not a word.
    Closed,
}

/// How a command that did not fail ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Code 0.
    Done,
    /// Code 2 of `-detailed-exitcode`: there is something to change.
    Pending,
    /// Code 3 of `fmt -check`, as in Terraform: something is not formatted.
    Unformatted,
    /// Code 1, and all was said already.
    Failed,
}

impl Outcome {
    /// The code the process ends with.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::Pending => 2,
            Outcome::Unformatted => 3,
        }
    }
}

impl CommandError {
    /// The command can't be run like this.
    pub(crate) fn usage(summary: impl Into<String>) -> CommandError {
        let source = Diagnostic::error(summary).into();
        CommandError {
            kind: ErrorKind::Usage,
            source,
        }
    }
    /// It was tried and failed.
    pub(crate) fn failed(summary: impl Into<String>) -> CommandError {
        Diagnostics::from(Diagnostic::error(summary)).into()
    }
    /// It failed, for the reason another part of weir gave.
    pub(crate) fn caused(error: impl Error) -> CommandError {
        CommandError::failed(error.to_string())
    }
    /// With the next step.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> CommandError {
        if let Some(last) = self.source.0.last_mut() {
            last.help = Some(hint.into());
        }
        self
    }
    /// The code the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Closed => 0,
            ErrorKind::Failed => 1,
            ErrorKind::Usage => 2,
        }
    }
}

impl From<Diagnostics> for CommandError {
    fn from(source: Diagnostics) -> CommandError {
        CommandError {
            kind: ErrorKind::Failed,
            source,
        }
    }
}

impl From<weir_state::StateError> for CommandError {
    fn from(error: weir_state::StateError) -> CommandError {
        CommandError::caused(error)
    }
}

impl From<std::io::Error> for CommandError {
    /// A failed write of output; files are opened with their own messages.
    fn from(error: std::io::Error) -> CommandError {
        let kind = match error.kind() {
            std::io::ErrorKind::BrokenPipe => ErrorKind::Closed,
            _ => ErrorKind::Failed,
        };
        CommandError {
            kind,
            ..CommandError::caused(error)
        }
    }
}
