//! Merges a tree that contains nothing but fan-out subtrees, on all sides.

use anyhow::Result;
use gix::{ObjectId, objs::Kind};

use crate::{
    objects,
    tree::Outcome,
    tree::layout::{self, Prefix},
    tree::raw::{Cell, Crowd, Form, Part, Sides},
};

use super::{folder::Worker, parallel};

/// A subtree to be merged, with the byte that it is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub(super) byte: u8,
    pub(super) trees: Sides<Option<ObjectId>>,
}

impl Worker<'_> {
    /// Merges the subtrees of `sides`; `None` if too few are left to keep this fan-out level.
    pub(super) fn fanned(
        &mut self,
        prefix: &Prefix,
        sides: Sides<&[u8]>,
        form: Form,
    ) -> Result<Option<Outcome>> {
        let came_in = |row: &Sides<Cell<'_>>| row.remote != row.base && row.remote != row.local;
        let job = |part: &Part<'_>| {
            let Part::Row(row) = *part else { return None };
            let entry = row.local.or(row.remote).or(row.base).filter(|_| came_in(&row))?;
            let byte = layout::byte_from_hex(form.name(entry))?;
            let id = |cell: Cell<'_>| cell.map(|entry| form.id(entry));
            let trees = Sides { base: id(row.base), local: id(row.local), remote: id(row.remote) };
            Some(Job { byte, trees })
        };
        let parts: Vec<Part<'_>> = form.side_by_side(sides).collect();
        let jobs: Vec<Job> = parts.iter().filter_map(job).collect();
        let before = self.tally.clone();
        let mut outcomes = parallel::merge(self, prefix, &jobs)?.into_iter();

        let mut merged = self.buffer(sides.local.len().max(sides.remote.len()));
        let (mut crowd, mut touched) = (Crowd::default(), prefix.depth() == 0);
        for part in parts {
            let row = match part {
                Part::Row(row) => row,
                Part::Same(entries) => {
                    form.names(entries).for_each(|name| crowd.folder(name));
                    merged.extend_from_slice(entries);
                    continue;
                }
            };
            let outcome = if came_in(&row) { outcomes.next() } else { None }.unwrap_or(Outcome::Untouched);
            let Some(entry) = row.local.or(row.remote).or(row.base) else { continue };
            let name = form.name(entry);
            touched |= outcome != Outcome::Untouched;
            match outcome {
                Outcome::Untouched => {
                    if let Some(entry) = row.local {
                        crowd.folder(name);
                        merged.extend_from_slice(entry);
                    }
                }
                Outcome::Gone => {}
                Outcome::Leftover(tree) => form.push(name, &tree, &mut merged),
                Outcome::One(tree) => {
                    crowd.note(name);
                    form.push(name, &tree, &mut merged);
                }
                Outcome::Many(tree) => {
                    crowd.folder(name);
                    form.push(name, &tree, &mut merged);
                }
            }
        }
        let outcome = if !touched {
            Some(Outcome::Untouched)
        } else if crowd.opens() {
            Some(Outcome::Many(objects::draft(self.repo, Kind::Tree, &merged)?))
        } else {
            // The tree is merged again note by note, which counts anew.
            self.tally = before;
            None
        };
        self.give_back(merged);
        Ok(outcome)
    }
}
