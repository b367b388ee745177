//! The look back at the end of an update, before the index says that all is as it shall be.
//!
//! An editor that had a file open may write to it after it was moved aside, and somebody may have changed a new file as
//! soon as it was in place. The one takes the update back; of the other the index must not say that it is unchanged.

use std::fs::File;
use std::time::SystemTime;

use anyhow::Context as _;
use gix::bstr::{BString, ByteSlice as _};
use remote::durable::{Durability, Part};

use super::super::Why;
use super::super::aside::Role;
use super::super::disk::Found;
use super::super::plan::{Op, Step};
use super::super::swap::is_same_content;
use super::super::way::{Place, name_of};
use super::{Stop, Update, edit, refuse};
use crate::index::{Edit, Lock, Revised};

/// An update of which nobody has touched anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    /// Since when the index may be sure of that.
    pub since: SystemTime,
    /// Whether the new index is in its lock already.
    pub index_is_written: bool,
}

impl Update<'_> {
    /// See that nobody has touched anything. Where it can be, the index that work tree `becomes` is written into its
    /// `lock` meanwhile, by another thread: most of that is to compute its checksum.
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

    /// Looks at all that was done, and tells of the index entry of each step.
    fn look_back(&mut self, tell: &mut dyn FnMut(BString, Edit)) -> Result<(), Stop> {
        // From the top, by their names: somebody may have moved a folder.
        self.way.forget();
        for (number, op) in self.plan.ops.iter().enumerate() {
            self.watch.alive();
            if let Step::Replace(stat) | Step::Remove(stat) = op.step
                && !self.kept(number, op)?.is_some_and(|kept| is_same_content(&kept.stat, &stat))
            {
                // An editor that had it open has written to it after all.
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

    /// Flush the files in place, where that is asked for.
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

    /// What is in place.
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

    /// What was in place, as it is kept.
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
