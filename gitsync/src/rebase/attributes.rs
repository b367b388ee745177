//! Reads the attribute files of a tree, without its other files.
//!
//! A merge uses the attributes of the tree that is merged into, and these may come with the change; the index has
//! those of the last commit and would give an outdated answer.

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::index::entry::{Flags, Mode, Stat};
use gix::objs::tree::EntryRef;
use gix::traverse::tree::{Visit, visit::Action};

use crate::changes;

const NAME: &[u8] = b".gitattributes";

/// Returns an index of the attribute files of `tree`, and of nothing else.
///
/// # Errors
/// A tree cannot be read.
pub fn of(repo: &gix::Repository, tree: ObjectId) -> anyhow::Result<gix::index::State> {
    let mut found = Finder::default();
    repo.find_tree(tree)?.traverse().breadthfirst(&mut found)?;
    let mut index = gix::index::State::new(repo.object_hash());
    for (path, id) in found.files {
        index.dangerously_push_entry(Stat::default(), id, Flags::empty(), Mode::FILE, path.as_bstr());
    }
    index.sort_entries();
    Ok(index)
}

/// Whether the two trees differ in an attribute file.
///
/// # Errors
/// A tree cannot be read.
pub fn differ(repo: &gix::Repository, one: ObjectId, other: ObjectId) -> anyhow::Result<bool> {
    let changes = changes::between(repo, one, other)?;
    Ok(changes.iter().any(|change| change.path.rsplit(|byte| *byte == b'/').next() == Some(NAME)))
}

/// Visits a tree and keeps the attribute files.
#[derive(Default)]
struct Finder {
    files: Vec<(BString, ObjectId)>,
    path: BString,
    queue: std::collections::VecDeque<BString>,
}

impl Finder {
    fn pop(&mut self) {
        let end = self.path.rfind_byte(b'/').unwrap_or(0);
        self.path.truncate(end);
    }

    fn push(&mut self, component: &BStr) {
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(component);
    }
}

impl Visit for Finder {
    fn pop_back_tracked_path_and_set_current(&mut self) {
        self.path = self.queue.pop_back().unwrap_or_default();
    }

    fn pop_front_tracked_path_and_set_current(&mut self) {
        self.path = self.queue.pop_front().unwrap_or_default();
    }

    fn push_back_tracked_path_component(&mut self, component: &BStr) {
        self.push(component);
        self.queue.push_back(self.path.clone());
    }

    fn push_path_component(&mut self, component: &BStr) {
        self.push(component);
    }

    fn pop_path_component(&mut self) {
        self.pop();
    }

    fn visit_tree(&mut self, _entry: &EntryRef<'_>) -> Action {
        std::ops::ControlFlow::Continue(true)
    }

    fn visit_nontree(&mut self, entry: &EntryRef<'_>) -> Action {
        if entry.filename == NAME && entry.mode.is_blob() {
            self.files.push((self.path.clone(), entry.oid.to_owned()));
        }
        std::ops::ControlFlow::Continue(true)
    }
}
