//! Carries out the step for one command.
//!
//! Each file is written completely or not at all, and nothing that the user wrote is lost.

use std::{
    fs::Permissions,
    io::{Error, ErrorKind},
};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use contract::{CopiedFile, CopyResult};
use gix::ObjectId;
use phase::{Fault, Guard};

use crate::{
    disk,
    look::{self, Target},
    plan::{Step, Whose},
};

/// Writes to the target directory while the lock is held.
pub(crate) struct Writer<'a> {
    /// The target directory.
    pub(crate) folder: &'a Utf8Path,
    /// The common part of the names of this run's temporary files.
    pub(crate) mark: &'a str,
    /// The lock.
    pub(crate) guard: &'a dyn Guard,
}

/// Why a step was not done.
#[derive(Debug)]
pub(crate) enum Undone {
    /// The run has lost its lock: nothing more may be changed.
    Fenced(Fault),
    /// The file could not be written.
    Failed(anyhow::Error),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Writer<'_> {
    /// Carries out the step for one command; `None` if there is nothing to report.
    ///
    /// # Errors
    /// If it was not done, and the user's file is unchanged; or if it was done, but the directory could not be
    /// flushed.
    pub(crate) fn apply(&self, name: &str, step: &Step) -> Result<Option<CopiedFile>, Undone> {
        let target = self.folder.join(name);
        let Some(done) = step.outcome(name) else { return Ok(None) };
        let kept = || CopiedFile { result: CopyResult::Kept, reason: Some(CHANGED.into()), ..done.clone() };
        match step {
            Step::Leave | Step::Keep(_) | Step::Forget => {}
            Step::Add(content) => {
                self.check()?;
                std::fs::create_dir_all(self.folder)
                    .with_context(|| format!("{} cannot be made", self.folder))
                    .map_err(Undone::Failed)?;
                let new = self.write_beside(&content.bytes, None)?;
                if !disk::appear(&new.0, &target)? {
                    return Ok(Some(kept()));
                }
            }
            Step::Replace { content, there, whose } => {
                self.check()?;
                let permissions = target.metadata()?.permissions();
                let new = self.write_beside(&content.bytes, Some(permissions))?;
                let backup = match whose {
                    Whose::Ours => None,
                    Whose::Users => Some(self.back_up(name, *there)?),
                };
                self.check()?;
                if !is_still(&target, *there)? {
                    return Ok(Some(CopiedFile { backup, ..kept() }));
                }
                disk::replace(&new.0, &target)?;
                return Ok(Some(CopiedFile { backup, ..done }));
            }
            Step::Remove { there } => {
                self.check()?;
                if !is_still(&target, *there)? {
                    return Ok(Some(kept()));
                }
                std::fs::remove_file(&target)?;
            }
        }
        Ok(Some(done))
    }

    /// Removes the temporary files that a killed run with this mark left behind.
    ///
    /// # Errors
    /// If the run has lost its lock, or a file cannot be removed.
    pub(crate) fn clean_up_after(&self, mark: &str) -> Result<(), Undone> {
        let Ok(entries) = self.folder.read_dir_utf8() else { return Ok(()) };
        let end = temporary_end(mark);
        for entry in entries.flatten().filter(|entry| entry.file_name().ends_with(&end)) {
            self.check()?;
            std::fs::remove_file(entry.path())?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Undone> {
        self.guard.check().map_err(Undone::Fenced)?;
        self.guard.alive();
        Ok(())
    }

    /// Writes the new content of a command to a temporary file. Its name cannot be that of a command, and is short: a
    /// command's name may already have the maximum length.
    fn write_beside(&self, bytes: &[u8], permissions: Option<Permissions>) -> Result<Temporary, Undone> {
        let temporary = Temporary(self.folder.join(format!(".cmdcopy{}", temporary_end(self.mark))));
        disk::write_whole(&temporary.0, bytes, permissions)?;
        Ok(temporary)
    }

    /// Keeps the user's file under a backup name as well, and returns that name. Older backups are kept.
    fn back_up(&self, name: &str, there: ObjectId) -> Result<String, Undone> {
        for number in 0_u32.. {
            let backup = if number == 0 { format!("{name}.bak") } else { format!("{name}.bak.{number}") };
            let path = self.folder.join(&backup);
            match look::target(&path).map_err(Undone::Failed)? {
                Target::File { id, .. } if id == there => return Ok(backup),
                Target::File { .. } | Target::Link | Target::NoFile | Target::Unreadable => {}
                Target::Absent if disk::also_as(&self.folder.join(name), &path)? => return Ok(backup),
                Target::Absent => {}
            }
        }
        Err(Error::new(ErrorKind::AlreadyExists, format!("there are too many backups of {name}")).into())
    }
}

/// A file that is removed on drop, unless it was renamed to its target.
struct Temporary(Utf8PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It is usually gone; if it cannot be removed, the next run finds it by the mark in the record.
        let _ = std::fs::remove_file(&self.0);
    }
}

const CHANGED: &str = "it was changed while the run went on; the next run looks at it again";

/// Whether a file still has the content that it had when the plan was made.
fn is_still(target: &Utf8Path, there: ObjectId) -> Result<bool, Undone> {
    match look::target(target).map_err(Undone::Failed)? {
        Target::File { id, .. } => Ok(id == there),
        Target::Absent | Target::Link | Target::NoFile | Target::Unreadable => Ok(false),
    }
}

fn temporary_end(mark: &str) -> String {
    format!(".{mark}.tmp")
}
