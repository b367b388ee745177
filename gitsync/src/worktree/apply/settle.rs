//! Checks at the end of an update, before the index is written, whether files were changed meanwhile.
//!
//! An editor that had a file open may write to it after it was moved aside; then the update is undone. A new file may
//! be changed as soon as it is in place; then the index must not record it as unchanged.

use std::fs::File;
use std::time::SystemTime;

use anyhow::Context as _;
use gix::bstr::{BString, ByteSlice as _};
use store::durable::{Durability, Part};

use super::super::Why;
use super::super::backup::Role;
use super::super::disk::Found;
use super::super::leading_dirs::{Place, name_of};
use super::super::plan::{Op, Step};
use super::super::swap::is_same_content;
use super::{Stop, Update, edit, refuse};
use crate::index::{Edit, Lock, Revised};

/// The result of a successful check.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    /// When the check began. The new index gets this modification time, so that files changed at or after it are
    /// racy.
    pub since: SystemTime,
    /// Whether the new index has already been written to its lock file.
    pub index_is_written: bool,
}

impl Update<'_> {
    /// Checks whether anything was changed meanwhile, and refuses the update if an old file was. If possible, another
    /// thread meanwhile writes the index that the working tree `becomes` into its `lock`; most of that work is
    /// computing its checksum.
    pub(super) fn settle(&mut self, lock: &mut Lock, becomes: &Revised) -> Result<Settled, Stop> {
        self.flush()?;
        let stamp = self.pending.aside()?.folder().join("settled");
        let since = File::create(&stamp).and_then(|file| file.metadata()?.modified());
        let since = since.with_context(|| format!("cannot write {}", stamp.display()))?;
        let (looked, index_is_written) =
            lock.fill_while(self.repo, becomes, since, |tell| self.look_back(tell))?;
        looked?;
        Ok(Settled { since, index_is_written })
    }

    /// Checks the result of every step, and reports the index entry of each through `tell`.
    fn look_back(&mut self, tell: &mut dyn FnMut(BString, Edit)) -> Result<(), Stop> {
        // Open directories again by their names, from the root: one may have been moved.
        self.way.forget();
        for (number, op) in self.plan.ops.iter().enumerate() {
            self.watch.alive();
            if let Step::Replace(stat) | Step::Remove(stat) = op.step
                && !self.kept(number, op)?.is_some_and(|kept| is_same_content(&kept.stat, &stat))
            {
                // An editor that had the old file open has written to it after all.
                return Err(refuse(op, Why::Edited));
            }
            let found = self.found(op)?;
            match op.step {
                Step::Adopt(stat) if found.is_none_or(|found| found.stat != stat) => {
                    return Err(refuse(op, Why::Edited));
                }
                Step::Adopt(stat) => drop(self.placed.insert(number, stat)),
                _ => {
                    if let (Some(found), Some(written)) = (found, self.written.get(&number))
                        && is_same_content(&found.stat, written)
                    {
                        self.placed.insert(number, found.stat);
                    }
                }
            }
            tell(op.path.clone(), edit(op, self.placed.get(&number)));
        }
        Ok(())
    }

    /// Flushes the files in place to disk, if the configuration asks for it.
    fn flush(&self) -> Result<(), Stop> {
        let durability = Durability::of(self.repo);
        if durability.covers(Part::WorkTree) {
            let files = self.written.keys().map(|number| self.full(&self.plan.ops[*number]));
            let files: Vec<_> = files.collect::<Result<_, _>>()?;
            let flushed = durability.flushing(Part::WorkTree).batch(self.root, &files);
            flushed.context("cannot flush the work tree")?;
        }
        Ok(())
    }

    /// Returns what is in place.
    fn found(&mut self, op: &Op) -> Result<Option<Found>, Stop> {
        if !op.writes() && !matches!(op.step, Step::Adopt(_)) {
            return Ok(None);
        }
        let name = name_of(op.path.as_bstr())?;
        Ok(match self.way.to(op.path.as_bstr())? {
            Place::In(folder) => folder.look(&name).with_context(|| format!("cannot look at {}", op.path))?,
            Place::Blocked(_) => None,
        })
    }

    /// Returns the old file, which is kept aside.
    fn kept(&mut self, number: usize, op: &Op) -> Result<Option<Found>, Stop> {
        let Some(role) = self.replaced.get(&number).copied() else { return Ok(None) };
        let [new, old] = self.names(number, op)?;
        let name = match role {
            Role::New => new,
            Role::Old => old,
        };
        if self.near.1 {
            return Ok(self.kept.look(&name)?);
        }
        Ok(match self.way.to(op.path.as_bstr())? {
            Place::In(folder) => folder.look(&name)?,
            Place::Blocked(_) => None,
        })
    }
}
