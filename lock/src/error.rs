//! Defines why the lock was not acquired or was lost, and how this is reported to the user.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use contract::{Exit, Owner};
use phase::Fault;

use crate::{LockPaths, platform};

/// Why the lock was not acquired or was lost.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process held it for as long as the caller was willing to wait.
    #[error("{}", deferred(.path, .held_by.as_ref(), *.waited))]
    Deferred {
        /// The path of the lock.
        path: PathBuf,
        /// Who holds it; `None` if the lock is free but the guard file is not.
        held_by: Option<Owner>,
        /// How long the caller waited.
        waited: Duration,
        /// What the user can do.
        remedy: Remedy,
    },
    /// Another process took it over, or it was removed.
    #[error("the lock {} is no longer this run's: {}", .path.display(), overtaken(.by.as_ref()))]
    Lost {
        /// The path of the lock.
        path: PathBuf,
        /// Who holds it now; `None` if nobody does.
        by: Option<Owner>,
    },
    /// Something that is not a lock is at the lock's path.
    #[error("the lock {} is {kind}, and is left alone", .path.display())]
    Obstacle {
        /// The lock's path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Another process held the guard file for longer than its use ever takes.
    #[error("the guard file {} is held by a process that does not move", .path.display())]
    Stuck {
        /// The path of the guard file.
        path: PathBuf,
    },
    /// The process that was to own it ended while the caller waited.
    #[error("process {pid}, to which the lock was to belong, has ended")]
    OwnerEnded {
        /// Its number.
        pid: u32,
    },
    /// The operating system refused.
    #[error("could not {action} the lock {}: {source}", .path.display())]
    Refused {
        /// What was tried: a verb.
        action: &'static str,
        /// The path of the lock.
        path: PathBuf,
        /// The directory in which this user may not write, if that is why; otherwise the one that the lock is in.
        directory: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

/// What a user whose run was deferred can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: the next run catches up.
    NextRun,
    /// The lock is stale, and on a file system without kernel locks only a person can safely clear it.
    ClearByHand,
}

impl LockError {
    pub(crate) fn refused(action: &'static str, place: &LockPaths) -> impl FnOnce(io::Error) -> Self {
        let place = place.clone();
        move |source| {
            let directory = match source.kind() {
                ErrorKind::PermissionDenied => not_writable(&place),
                _ => place.common_dir().to_owned(),
            };
            Self::Refused { action, path: place.lock(), directory, source }
        }
    }
}

impl From<LockError> for Fault {
    fn from(trouble: LockError) -> Self {
        let (exit, help) = match &trouble {
            LockError::Deferred { remedy: Remedy::NextRun, .. } => (
                Exit::Deferred,
                "nothing to do: the next run catches up; `lock status` says who holds it".into(),
            ),
            LockError::Deferred { path, remedy: Remedy::ClearByHand, .. } => (
                Exit::Deferred,
                format!(
                    "the file system has no file locks, so a stale lock is not cleared by itself: \
                     once no run is under way on any machine, remove {}",
                    path.display()
                ),
            ),
            LockError::Lost { .. } => {
                (Exit::Deferred, "nothing further was changed: run it again, and it catches up".into())
            }
            LockError::Obstacle { path, .. } => {
                (Exit::Misconfigured, format!("move {} away: a lock is a directory", path.display()))
            }
            LockError::Stuck { path } => {
                (Exit::Deferred, format!("let it go on or end it; `fuser {}` names it", path.display()))
            }
            LockError::OwnerEnded { .. } => {
                (Exit::Failed, "nothing was done: run again what was to have the lock".into())
            }
            LockError::Refused { directory, source, .. } => refusal(directory, source.kind()),
        };
        Self::new(exit, trouble.to_string()).help(help)
    }
}

/// Returns the place that this user may not write. In a shared repository, it may be what another user created in the
/// git directory.
fn not_writable(place: &LockPaths) -> PathBuf {
    let common_dir = place.common_dir().to_owned();
    let places = [common_dir.clone(), place.wings(), place.lock()];
    places.into_iter().find(|path| !platform::may_write(path)).unwrap_or(common_dir)
}

fn refusal(directory: &Path, kind: ErrorKind) -> (Exit, String) {
    let directory = directory.display();
    match kind {
        ErrorKind::PermissionDenied => {
            (Exit::NotAllowed, format!("you need to be allowed to write in {directory}"))
        }
        ErrorKind::ReadOnlyFilesystem => {
            (Exit::NotAllowed, format!("{directory} cannot be written: sync a copy that can be"))
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            (Exit::Failed, format!("make room on the disk of {directory}"))
        }
        _ => (Exit::Failed, format!("see whether {directory} is all right")),
    }
}

fn deferred(path: &Path, held_by: Option<&Owner>, waited: Duration) -> String {
    let path = path.display();
    let waited =
        if waited.as_secs() == 0 { String::new() } else { format!(" (waited {} s)", waited.as_secs()) };
    match held_by {
        Some(owner) => format!("the lock {path} is held by {}{waited}", describe(owner)),
        None => format!("the lock {path} is being taken by somebody who does not get on with it{waited}"),
    }
}

fn overtaken(by: Option<&Owner>) -> String {
    by.map_or_else(|| "it was removed".into(), |owner| format!("it was taken over by {}", describe(owner)))
}

/// Describes the owner of a lock in words.
pub fn describe(owner: &Owner) -> String {
    let name = owner.name.as_deref().map(|name| format!("{name}, ")).unwrap_or_default();
    let who = match (owner.pid, &owner.host) {
        (0, None) => "a script".into(),
        (pid, None) => format!("process {pid} of a script"),
        (0, Some(host)) => format!("a run on {host} that is between two phases"),
        (pid, Some(host)) => format!("process {pid} on {host}"),
    };
    format!("{name}{who} since {}", owner.since)
}
