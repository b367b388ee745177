//! The lock that allows one run at a time per repository and machine.
//!
//! The lock is a directory, since creating one is atomic on every file system and shell scripts can do it as well.
//! The difference from such a script is what happens when the holder dies: a stale lock is examined and cleared under
//! a kernel file lock on a guard file, so that of any number of waiters exactly one gets it.
//!
//! Each acquisition has its own token. Before each change, a process checks that the lock still has its token: an
//! owner that slept for too long finds out before it does harm.

mod acquire;
mod command;
mod error;
mod fence;
mod file_stamp;
mod give_back;
mod guard_file;
mod handover_pause;
mod held;
mod keeper;
mod leftovers;
mod look;
mod paths;
mod platform;
mod process;
mod queue;
mod record;
mod release;
mod run;
mod staging;
mod staleness;
mod status;
mod take;
mod token;
mod wait;

pub use command::Cli;
pub use error::{LockError, Remedy, describe};
pub use give_back::{Release, release};
pub use held::Held;
pub use keeper::LockManager;
pub use leftovers::Leftover;
pub use look::{LockState, Taken};
pub use paths::LockPaths;
pub use process::{Life, Process};
pub use record::{LockRequest, Record, Term};
pub use staleness::{Claim, Facts, Verdict, judge};
pub use take::Holder;
pub use token::{Inherited, TOKEN_VARIABLE, Token};
pub use wait::{Acquired, Patience, acquire};
