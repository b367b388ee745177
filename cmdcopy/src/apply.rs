//! Doing what the plan says about one command: the file as a whole or not at all, and nothing of the user's lost.

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

/// The folder that is written to, and the lock that is held meanwhile.
pub(crate) struct Writer<'a> {
    /// The folder.
    pub(crate) folder: &'a Utf8Path,
    /// What the names of this run's temporary files have in common.
    pub(crate) mark: &'a str,
    /// The lock.
    pub(crate) guard: &'a dyn Guard,
}

/// Why a step was not done.
#[derive(Debug)]
pub(crate) enum Undone {
    /// The lock is no longer this run's: nothing further may be changed.
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
    /// Does what the plan says about one command; `None` where there is nothing to tell.
    ///
    /// # Errors
    /// Where it was not done; the user's file is then as it was.
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
    /// Where the lock is no longer this run's, or a file cannot be removed.
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

    /// Writes a file that is to take a command's place. Its own name is that of no command, and short: a command's may be
    /// as long as the file system takes.
    fn write_beside(&self, bytes: &[u8], permissions: Option<Permissions>) -> Result<Temporary, Undone> {
        let temporary = Temporary(self.folder.join(format!(".cmdcopy{}", temporary_end(self.mark))));
        disk::write_whole(&temporary.0, bytes, permissions)?;
        Ok(temporary)
    }

    /// Keeps the user's file under a name of its own as well, and says which. An older backup stays.
    fn back_up(&self, name: &str, there: ObjectId) -> Result<String, Undone> {
        for number in 0_u32.. {
            let backup = if number == 0 { format!("{name}.bak") } else { format!("{name}.bak.{number}") };
            let path = self.folder.join(&backup);
            match look::target(&path).map_err(Undone::Failed)? {
                Target::File { id, .. } if id == there => return Ok(backup),
                Target::File { .. } | Target::Link | Target::NoFile => {}
                Target::Absent if disk::also_as(&self.folder.join(name), &path)? => return Ok(backup),
                Target::Absent => {}
            }
        }
        Err(Error::new(ErrorKind::AlreadyExists, format!("there are too many backups of {name}")).into())
    }
}

/// A file that is removed again unless it was moved to its place.
struct Temporary(Utf8PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It is usually gone; where it cannot be removed, the next run knows it by the record.
        let _ = std::fs::remove_file(&self.0);
    }
}

const CHANGED: &str = "it was changed while the run went on; the next run looks at it again";

/// Whether a file still holds what it held when the plan was made.
fn is_still(target: &Utf8Path, there: ObjectId) -> Result<bool, Undone> {
    match look::target(target).map_err(Undone::Failed)? {
        Target::File { id, .. } => Ok(id == there),
        Target::Absent | Target::Link | Target::NoFile => Ok(false),
    }
}

fn temporary_end(mark: &str) -> String {
    format!(".{mark}.tmp")
}
