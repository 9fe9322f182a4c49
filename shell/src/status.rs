//! The exit status: what the process tells whoever started it.

use lakesh_engine::failure::FailureKind;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// All is done, or nobody wanted to read more.
    Success,
    /// A statement or a command failed.
    StatementFailed,
    /// The command line or the configuration is wrong.
    WrongUsage,
    /// Reading input or writing results failed.
    InputOutput,
    /// The user interrupted it.
    Interrupted,
}

impl Status {
    /// Returns the number for the operating system.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::StatementFailed => 1,
            Self::WrongUsage => 2,
            Self::InputOutput => 3,
            Self::Interrupted => 130,
        }
    }

    /// Tells what a failed statement makes of the run.
    pub(crate) fn of_failure(kind: FailureKind) -> Self {
        match kind {
            FailureKind::InputOutput => Self::InputOutput,
            FailureKind::Interrupted => Self::Interrupted,
            FailureKind::Syntax
            | FailureKind::Plan
            | FailureKind::Execution
            | FailureKind::Resources
            | FailureKind::Usage
            | FailureKind::Denied => Self::StatementFailed,
        }
    }
}
