//! Which objects the other side lacks.
//!
//! Commits are walked from the new tips down to what the other side has, and each one's tree is compared with
//! those of its parents: only what differs is looked at, however large the tree.

use std::collections::{HashMap, HashSet};

use gix::{
    ObjectId,
    object::Kind,
    objs::{FindExt, TreeRefIter, tree::EntryMode},
};

use super::{Item, NameHash};

/// Everything reachable from `tips` that the owner of `theirs` need not have, each object with what it was
/// before. An object's predecessor is either theirs, or comes before it in the list.
///
/// Ids of `theirs` that are not here are ignored. `found` is told how many there are so far.
pub(crate) fn new_objects(
    repo: &gix::Repository,
    tips: &[ObjectId],
    theirs: &[ObjectId],
    found: &mut dyn FnMut(usize),
) -> gix::Result<Vec<Item>> {
    let mut walk = Walk { repo, seen: HashSet::new(), items: Vec::new(), found };
    let mut commits = Vec::new();
    for tip in tips {
        walk.tip(*tip, &mut commits)?;
    }
    let hidden = commits_among(repo, theirs);
    walk.commits(commits, hidden)?;
    Ok(walk.items)
}

/// The commits behind `ids`, as far as they are here.
fn commits_among(repo: &gix::Repository, ids: &[ObjectId]) -> Vec<ObjectId> {
    // What the other side has and we have not is the normal case, and no reason to look for new packs.
    let mut repo = repo.clone();
    repo.objects.refresh = gix::odb::store::RefreshMode::Never;
    let mut commits: Vec<_> = ids
        .iter()
        .filter_map(|id| repo.try_find_object(*id).ok()??.peel_to_kind(Kind::Commit).ok())
        .map(|commit| commit.id)
        .collect();
    commits.sort_unstable();
    commits.dedup();
    commits
}

struct Walk<'a> {
    repo: &'a gix::Repository,
    seen: HashSet<ObjectId>,
    items: Vec<Item>,
    found: &'a mut dyn FnMut(usize),
}

/// An entry of a tree, without its name.
#[derive(Clone, Copy)]
struct Entry {
    mode: EntryMode,
    id: ObjectId,
}

impl Walk<'_> {
    /// Tags are followed to what they are of; trees and blobs can be pushed too.
    fn tip(&mut self, id: ObjectId, commits: &mut Vec<ObjectId>) -> gix::Result<()> {
        let mut object = self.repo.find_object(id)?;
        loop {
            match object.kind {
                Kind::Tag => {
                    self.add(object.id, Kind::Tag, NameHash::default(), None);
                    let target = object.into_tag().target_id()?.detach();
                    object = self.repo.find_object(target)?;
                }
                Kind::Commit => {
                    commits.push(object.id);
                    return Ok(());
                }
                Kind::Tree => return self.tree(object.id, NameHash::default(), &[]),
                Kind::Blob => {
                    self.add(object.id, Kind::Blob, NameHash::default(), None);
                    return Ok(());
                }
            }
        }
    }

    fn commits(&mut self, tips: Vec<ObjectId>, hidden: Vec<ObjectId>) -> gix::Result<()> {
        let mut parents_of = HashMap::new();
        let mut newest_first = Vec::new();
        for info in self.repo.rev_walk(tips).with_hidden(hidden).all()? {
            let info = info?;
            newest_first.push(info.id);
            parents_of.insert(info.id, info.parent_ids.to_vec());
        }
        for id in parents_first(&newest_first, &parents_of) {
            let tree = self.repo.find_commit(id)?.tree_id()?.detach();
            let mut before = Vec::new();
            for parent in &parents_of[&id] {
                // In a shallow repository there may be none.
                if let Ok(commit) = self.repo.find_commit(*parent) {
                    before.push(commit.tree_id()?.detach());
                }
            }
            self.add(id, Kind::Commit, NameHash::default(), None);
            self.tree(tree, NameHash::default(), &before)?;
        }
        Ok(())
    }

    /// Adds the tree `new` and what is new in it, compared with the trees that were `before`.
    fn tree(&mut self, new: ObjectId, name: NameHash, before: &[ObjectId]) -> gix::Result<()> {
        // Folders can be nested deeper than a stack.
        let mut open = vec![(new, name, before.to_vec())];
        while let Some((new, name, before)) = open.pop() {
            if before.contains(&new) || !self.add(new, Kind::Tree, name, before.first().copied()) {
                continue;
            }
            let mut old_entries: HashMap<Vec<u8>, Vec<Entry>> = HashMap::new();
            for old in &before {
                self.each_entry(*old, |name, entry| {
                    old_entries.entry(name.to_owned()).or_default().push(entry);
                })?;
            }
            // They have it, or it is in the list already; then it may not come once more under another name.
            self.seen.extend(old_entries.values().flatten().map(|entry| entry.id));
            let mut folders = Vec::new();
            let mut files = Vec::new();
            self.each_entry(new, |name, entry| {
                if entry.mode.is_commit() {
                    return;
                }
                let same_kind =
                    |old: &&Entry| old.mode.is_tree() == entry.mode.is_tree() && !old.mode.is_commit();
                let olds = old_entries.get(name).into_iter().flatten().filter(same_kind);
                let olds: Vec<_> = olds.map(|old| old.id).collect();
                if entry.mode.is_tree() {
                    folders.push((entry.id, NameHash::of(name), olds));
                } else {
                    files.push((entry.id, NameHash::of(name), olds));
                }
            })?;
            for (id, name, olds) in files {
                self.add(id, Kind::Blob, name, olds.first().copied());
            }
            folders.reverse();
            open.extend(folders);
        }
        Ok(())
    }

    fn each_entry(&self, tree: ObjectId, mut visit: impl FnMut(&[u8], Entry)) -> gix::Result<()> {
        let mut buffer = Vec::new();
        let entries: TreeRefIter<'_> = self.repo.objects.find_tree_iter(&tree, &mut buffer)?;
        for entry in entries {
            let entry = entry?;
            visit(entry.filename, Entry { mode: entry.mode, id: entry.oid.to_owned() });
        }
        Ok(())
    }

    /// Adds an object unless it is there or theirs.
    fn add(&mut self, id: ObjectId, kind: Kind, name: NameHash, before: Option<ObjectId>) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        self.items.push(Item { id, kind, name, before });
        if self.items.len().is_multiple_of(1000) {
            (self.found)(self.items.len());
        }
        true
    }
}

/// The same commits, with every parent before its children. Dates cannot be relied on for that.
fn parents_first(newest_first: &[ObjectId], parents_of: &HashMap<ObjectId, Vec<ObjectId>>) -> Vec<ObjectId> {
    let mut ordered = Vec::with_capacity(newest_first.len());
    let mut done: HashSet<ObjectId> = HashSet::new();
    for start in newest_first.iter().rev() {
        let mut open = vec![*start];
        while let Some(id) = open.last().copied() {
            if done.contains(&id) {
                open.pop();
                continue;
            }
            let missing: Vec<_> = parents_of[&id]
                .iter()
                .filter(|parent| parents_of.contains_key(*parent) && !done.contains(*parent))
                .copied()
                .collect();
            if missing.is_empty() {
                open.pop();
                done.insert(id);
                ordered.push(id);
            } else {
                open.extend(missing);
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    #[test]
    fn parents_come_before_their_children_whatever_the_dates_say() {
        let parents = HashMap::from([
            (id(1), vec![]),
            (id(2), vec![id(1)]),
            (id(3), vec![id(1), id(9)]),
            (id(4), vec![id(3), id(2)]),
        ]);
        let ordered = parents_first(&[id(1), id(3), id(4), id(2)], &parents);
        let at = |number| ordered.iter().position(|one| *one == id(number)).unwrap();
        assert_eq!(ordered.len(), 4);
        assert!(at(1) < at(2) && at(1) < at(3) && at(2) < at(4) && at(3) < at(4));
    }
}
