//! Merges a tree that contains nothing but notes, on all sides.

use anyhow::Result;
use gix::{ObjectId, objs::Kind};

use crate::{
    objects,
    tree::Outcome,
    tree::diff::Change,
    tree::layout::{self, Prefix},
    tree::raw::{Cell, Crowd, Form, Part, Sides},
};

use super::folder::Worker;

impl Worker<'_> {
    /// Merges the notes of `sides`; `their_tree` is the id of the remote's tree.
    pub(super) fn notes(
        &mut self,
        prefix: &Prefix,
        sides: Sides<&[u8]>,
        form: Form,
        their_tree: Option<ObjectId>,
    ) -> Result<Outcome> {
        let mut merged = self.buffer(sides.local.len().max(sides.remote.len()));
        let (mut crowd, mut touched) = (Crowd::default(), prefix.depth() == 0);
        for part in form.side_by_side(sides) {
            let row = match part {
                Part::Row(row) => row,
                Part::Same(entries) => {
                    form.names(entries).for_each(|name| crowd.note(name));
                    merged.extend_from_slice(entries);
                    continue;
                }
            };
            let mut kept = row.local;
            if row.remote != row.base && row.remote != row.local {
                let id = |cell: Cell<'_>| cell.map(|entry| form.id(entry));
                let [base, local, remote] = [row.base, row.local, row.remote].map(id);
                let their = Change { old: base, new: remote };
                let Some(entry) = row.local.or(row.remote).or(row.base) else { continue };
                let version = if local == base {
                    self.tally.counts.take(base, remote);
                    Some(remote)
                } else {
                    let object = layout::object_from_hex(form.name(entry), prefix, self.repo.object_hash());
                    let Some(object) = object else { continue };
                    self.note(object, Some(Change { old: base, new: local }), their)?
                };
                match version {
                    None => {}
                    Some(version) if version == remote => {
                        touched = true;
                        kept = row.remote;
                    }
                    Some(version) => {
                        touched = true;
                        kept = None;
                        if let Some(blob) = version {
                            crowd.note(form.name(entry));
                            form.push(form.name(entry), &blob, &mut merged);
                        }
                    }
                }
            }
            if let Some(entry) = kept {
                crowd.note(form.name(entry));
                merged.extend_from_slice(entry);
            }
        }
        let outcome = if touched {
            let known = their_tree.filter(|_| merged == sides.remote);
            self.settle(&merged, crowd, prefix.depth(), known)
        } else {
            Ok(Outcome::Untouched)
        };
        self.give_back(merged);
        outcome
    }

    /// Writes the notes of a tree at `depth`, with a further fan-out level if there are many; `known` is an existing
    /// tree with exactly these notes.
    fn settle(
        &mut self,
        notes: &[u8],
        crowd: Crowd,
        depth: usize,
        known: Option<ObjectId>,
    ) -> Result<Outcome> {
        let tree = match known {
            _ if crowd.opens() => self.spread(notes, depth)?,
            Some(known) => known,
            None if notes.is_empty() => return Ok(Outcome::Gone),
            None => objects::draft(self.repo, Kind::Tree, notes)?,
        };
        Ok(if crowd.notes() == 1 { Outcome::One(tree) } else { Outcome::Many(tree) })
    }

    /// Writes notes into one subtree for each next byte of their ids.
    fn spread(&mut self, notes: &[u8], depth: usize) -> Result<ObjectId> {
        let kind = self.repo.object_hash();
        let (form, inner) = (Form::of_notes(depth, kind), Form::of_notes(depth + 1, kind));
        let (mut folders, mut below) = (self.buffer(0), self.buffer(0));
        let mut rest = notes;
        while let Some(first) = rest.get(..form.entry()) {
            let byte = &form.name(first)[..2];
            let (mut crowd, mut len) = (Crowd::default(), 0);
            below.clear();
            for entry in
                rest.chunks_exact(form.entry()).take_while(|entry| form.name(entry).starts_with(byte))
            {
                let name = &form.name(entry)[2..];
                inner.push(name, &form.id(entry), &mut below);
                crowd.note(name);
                len += form.entry();
            }
            if let Outcome::One(tree) | Outcome::Many(tree) = self.settle(&below, crowd, depth + 1, None)? {
                Form::of_folders(kind).push(byte, &tree, &mut folders);
            }
            rest = &rest[len..];
        }
        let tree = objects::draft(self.repo, Kind::Tree, &folders);
        self.give_back(folders);
        self.give_back(below);
        tree
    }
}
