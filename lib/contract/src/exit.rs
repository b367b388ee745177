//! Defines all exit codes in one place, so that no phase can invent its own.

use crate::Outcome;

/// The exit status of a process. The numbers from 65 on are those of BSD's `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 0: done, or nothing to do.
    Ok,
    /// 1: failed; the message says what went wrong and what to do, and nothing is lost.
    Failed,
    /// 3: session logs were found, and the run stopped so that they can be saved.
    Unsaved,
    /// 4: local and remote changes touch the same lines; everything is as it was after the local commit.
    Conflict,
    /// 65 (`EX_DATAERR`): stdin is not a run document, or the previous phase died.
    BadInput,
    /// 69 (`EX_UNAVAILABLE`): the remote cannot be reached, or refused.
    Unreachable,
    /// 75 (`EX_TEMPFAIL`): another run holds the lock, or took it over; the next run catches up.
    Deferred,
    /// 77 (`EX_NOPERM`): the credentials were refused, or the repository belongs to someone else.
    NotAllowed,
    /// 78 (`EX_CONFIG`): the configuration is wrong.
    Misconfigured,
}

impl Exit {
    /// Returns the process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Unsaved => 3,
            Self::Conflict => 4,
            Self::BadInput => 65,
            Self::Unreachable => 69,
            Self::Deferred => 75,
            Self::NotAllowed => 77,
            Self::Misconfigured => 78,
        }
    }

    /// Returns the exit with this code, or [`Exit::Failed`] for an unknown code, of which nothing better is known.
    pub fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Ok,
            3 => Self::Unsaved,
            4 => Self::Conflict,
            65 => Self::BadInput,
            69 => Self::Unreachable,
            75 => Self::Deferred,
            77 => Self::NotAllowed,
            78 => Self::Misconfigured,
            _ => Self::Failed,
        }
    }

    /// Returns the outcome of a run whose first failure has this exit.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Ok => Outcome::Ok,
            Self::Unsaved => Outcome::Unsaved,
            Self::Conflict => Outcome::Conflict,
            Self::Deferred => Outcome::Deferred,
            Self::Failed | Self::BadInput | Self::Unreachable | Self::NotAllowed | Self::Misconfigured => {
                Outcome::Failed
            }
        }
    }

    /// Returns the exit for the outcome and the error code of a document, which are those of the first thing that
    /// went wrong in its run.
    pub fn of(outcome: Outcome, error_code: Option<u8>) -> Self {
        match outcome {
            Outcome::Ok | Outcome::Saved => Self::Ok,
            Outcome::Unsaved => Self::Unsaved,
            Outcome::Conflict => Self::Conflict,
            Outcome::Deferred => Self::Deferred,
            Outcome::Failed => match error_code.map(Self::from_code) {
                None | Some(Self::Ok) => Self::Failed,
                Some(exit) => exit,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Exit; 9] = [
        Exit::Ok,
        Exit::Failed,
        Exit::Unsaved,
        Exit::Conflict,
        Exit::BadInput,
        Exit::Unreachable,
        Exit::Deferred,
        Exit::NotAllowed,
        Exit::Misconfigured,
    ];

    #[test]
    fn every_exit_is_found_again_by_its_code() {
        for exit in ALL {
            assert_eq!(Exit::from_code(exit.code()), exit);
        }
    }

    #[test]
    fn every_exit_survives_the_way_through_a_document() {
        for exit in ALL {
            assert_eq!(Exit::of(exit.outcome(), Some(exit.code())), exit);
        }
    }

    #[test]
    fn a_failed_run_never_exits_with_zero() {
        for code in [None, Some(0), Some(1), Some(200)] {
            assert_eq!(Exit::of(Outcome::Failed, code), Exit::Failed);
        }
    }
}
