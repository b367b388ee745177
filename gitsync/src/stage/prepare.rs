//! Reads the files that may differ, and builds their objects, the index and the tree.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode, Stat};

use super::content::{self, Abilities, Content, Reader};
use super::pathspecs::Pathspecs;
use super::sink::Sink;
use super::{Candidate, Changes, Policy, Refusal, Scope, Seen, Why};
use crate::convert::is_of_attributes;
use crate::index::{Edit, Edits, Put, Revised, read_at};
use crate::path::{self, Leaf};
use crate::tree::{self, Built, Counts};
use crate::watch::{Doing, Watch};
use crate::worktree::disk::{Disk, Kind, parents};

/// Everything that a commit needs. Nothing of it is visible in the repository yet.
pub struct Staged {
    /// The tree to commit.
    pub tree: Built,
    /// The index as it shall be, to be written after the branch has moved.
    pub index: Revised,
    /// The tree to record in the index's `TREE` extension; `None` if the index contains more than was committed.
    pub index_tree: Option<Built>,
    /// Whether the index differs from the one on disk, if only in stat data.
    pub index_changed: bool,
    /// How the tree differs from that of the previous commit.
    pub counts: Counts,
    /// The index of the commit alone, if more is staged than is committed.
    partial: Option<Revised>,
}

impl Staged {
    /// Returns the index that the hooks of the commit get to see: what others have staged is none of their business.
    pub fn for_hooks(&self) -> &Revised {
        self.partial.as_ref().unwrap_or(&self.index)
    }
}

/// Reads the candidates, stores their objects in `sink`, and builds index and tree.
///
/// `index` is the index that was scanned, `head` the tree of the previous commit (the empty tree if there is none).
///
/// # Errors
/// The object database failed, or the run lost its lock. The inner error lists all paths that cannot be committed, so
/// that they can be fixed in one go.
pub fn prepare(
    repo: &gix::Repository,
    index: scan::Index,
    head: ObjectId,
    changes: Changes,
    policy: &Policy,
    sink: &mut dyn Sink,
    watch: &dyn Watch,
) -> anyhow::Result<Result<Staged, Vec<Refusal>>> {
    if !changes.refused.is_empty() {
        return Ok(Err(changes.refused));
    }
    let edits = match read_all(repo, &index, changes.candidates, sink, watch)? {
        Ok(edits) => edits,
        Err(refused) => return Ok(Err(refused)),
    };
    let index_changed = !edits.is_empty();
    finish(repo, Revised { index, edits }, head, policy, sink, index_changed).map(Ok)
}

/// Builds the tree of the index at `path`, which a hook may have changed since it was written for it.
///
/// # Errors
/// It cannot be read, or contains what a tree cannot contain.
pub fn reread(
    repo: &gix::Repository,
    path: &std::path::Path,
    head: ObjectId,
    policy: &Policy,
    staged: Staged,
    sink: &mut dyn Sink,
) -> anyhow::Result<Staged> {
    let after = read_at(repo, path)?;
    let Staged { mut index, partial: Some(before), .. } = staged else {
        return finish(repo, after.into(), head, policy, sink, true);
    };
    // git commits what the hook has staged, too, but leaves it out of the index, where it then counts as removed.
    let before = before.into_whole()?;
    take_over(&before, &after, &mut index.edits);
    let tree = tree::build(repo, &after, sink)?;
    let counts = tree::count(repo, sink, head, tree.id)?;
    Ok(Staged { tree, index, index_tree: None, index_changed: true, counts, partial: Some(after.into()) })
}

/// Adds the edits that lead from one index to the other.
fn take_over(before: &gix::index::State, after: &gix::index::State, edits: &mut Edits) {
    let content = |entry: &gix::index::Entry| (entry.id, entry.mode);
    for entry in after.entries() {
        let path = entry.path(after);
        if before.entry_by_path(path).map(content) != Some(content(entry)) {
            let put = Put { id: entry.id, mode: entry.mode, stat: entry.stat, flags: Flags::empty() };
            edits.insert(path.to_owned(), Edit::Put(put));
        }
    }
    for path in before.entries().iter().map(|entry| entry.path(before)) {
        if after.entry_by_path(path).is_none() {
            edits.insert(path.to_owned(), Edit::Remove);
        }
    }
}

fn finish(
    repo: &gix::Repository,
    mut index: Revised,
    head: ObjectId,
    policy: &Policy,
    sink: &mut dyn Sink,
    index_changed: bool,
) -> anyhow::Result<Staged> {
    // If the index had no cached tree, every run would build all trees again.
    let knew_tree = index.index.tree().is_some();
    let grafted = match policy.scope {
        Scope::Everything => tree::graft(repo, &index, head, sink)?,
        Scope::Only(_) => None,
    };
    let mut partial = None;
    let (tree, index_tree) = match (grafted, &policy.scope) {
        (Some(tree), _) => (tree.clone(), Some(tree)),
        (None, scope) => {
            let whole = index.into_whole()?;
            let built = match scope {
                Scope::Everything => {
                    let tree = tree::build(repo, &whole, sink)?;
                    (tree.clone(), Some(tree))
                }
                Scope::Only(_) => {
                    let only = only(repo, &whole, head, policy)?;
                    let tree = tree::build(repo, &only, sink)?;
                    partial = Some(gix::index::File::from_state(only, repo.index_path()).into());
                    (tree, None)
                }
            };
            index = whole.into();
            built
        }
    };
    let counts = tree::count(repo, sink, head, tree.id)?;
    let knows_tree = index_tree.as_ref().is_some_and(|built| built.cache.num_entries.is_some());
    let index_changed = index_changed || knows_tree && !knew_tree;
    Ok(Staged { tree, index, index_tree, index_changed, counts, partial })
}

/// Returns the index of a commit of the paths that match the pathspecs only: the previous commit's, with these paths
/// as they are in `index` now.
fn only(
    repo: &gix::Repository,
    index: &gix::index::State,
    head: ObjectId,
    policy: &Policy,
) -> anyhow::Result<gix::index::State> {
    let before = repo.index_from_tree(&head)?;
    let mut pathspecs = Pathspecs::new(repo, index, &policy.scope)?;
    let mut edits = Edits::default();
    for entry in before.entries() {
        let path = entry.path(&before);
        if pathspecs.matches(path, || entry.mode.is_submodule()) {
            edits.insert(path.to_owned(), Edit::Remove);
        }
    }
    for entry in index.entries().iter().filter(|entry| !entry.flags.contains(Flags::INTENT_TO_ADD)) {
        let path = entry.path(index);
        if pathspecs.matches(path, || entry.mode.is_submodule()) {
            let put = Put { id: entry.id, mode: entry.mode, stat: Stat::default(), flags: Flags::empty() };
            edits.insert(path.to_owned(), Edit::Put(put));
        }
    }
    let (mut state, _) = before.into_parts();
    edits.apply(&mut state);
    Ok(state)
}

fn read_all(
    repo: &gix::Repository,
    index: &scan::Index,
    candidates: Vec<Candidate>,
    sink: &mut dyn Sink,
    watch: &dyn Watch,
) -> anyhow::Result<Result<Edits, Vec<Refusal>>> {
    let mut edits = Edits::default();
    let mut refused = Vec::new();
    if candidates.is_empty() {
        return Ok(Ok(edits));
    }
    let root = repo.workdir().context("a bare repository has no work tree")?;
    // The candidates are sorted by path.
    let is_candidate =
        |path: &BStr| candidates.binary_search_by(|candidate| candidate.path.as_bstr().cmp(path)).is_ok();
    let gone = gone_attributes(&candidates);
    let known = index.part(|path| is_candidate(path) || is_of_attributes(path) && !gone.contains(path));
    let mut one = One {
        reader: Reader::new(repo, &known)?,
        disk: Disk::new(root),
        abilities: Abilities::of(repo)?,
        index: &known,
        folders: Folders::new(repo, index)?,
    };
    let of = candidates.len();
    for (number, candidate) in candidates.iter().enumerate() {
        watch.check()?;
        watch.done_with(Doing::Reading, number, of);
        let name = one.folders.as_in_index(candidate);
        match one.edit(candidate, sink, watch)? {
            Ok(Some(edit)) => edits.insert(name, edit),
            Ok(None) => {}
            Err(why) => refused.push(Refusal { path: candidate.path.clone(), why }),
        }
    }
    Ok(if refused.is_empty() { Ok(edits) } else { Err(refused) })
}

/// Returns the deleted attribute files that no longer say anything about the files in their directories.
///
/// As long as such a file is in the index, git takes it from there. So it still counts if git, which goes through what
/// it knows path by path, read another file of the directory before it came to this one, since it then keeps the
/// attributes in memory.
fn gone_attributes(candidates: &[Candidate]) -> BTreeSet<&BStr> {
    let is_gone = |candidate: &&Candidate| candidate.seen == Seen::Gone;
    let files = candidates.iter().filter(is_gone).filter(|file| is_of_attributes(file.path.as_bstr()));
    let mut gone = BTreeSet::new();
    for file in files {
        let folder = file.path.rfind_byte(b'/').map_or(&[][..], |end| &file.path[..=end]);
        let mut before = candidates.iter().take_while(|candidate| candidate.path < file.path);
        let is_read = before.any(|candidate| {
            matches!(candidate.seen, Seen::Doubtful { .. }) && candidate.path.starts_with(folder)
        });
        if !is_read {
            gone.insert(file.path.as_bstr());
        }
    }
    gone
}

struct One<'repo> {
    reader: Reader<'repo>,
    disk: Disk,
    abilities: Abilities,
    /// The index entries of everything to be read, and of the attribute files.
    index: &'repo gix::index::State,
    folders: Folders,
}

impl One<'_> {
    /// Returns the index edit that one candidate needs.
    fn edit(
        &mut self,
        candidate: &Candidate,
        sink: &mut dyn Sink,
        watch: &dyn Watch,
    ) -> anyhow::Result<Result<Option<Edit>, Why>> {
        if candidate.seen == Seen::Gone {
            return Ok(Ok(Some(Edit::Remove)));
        }
        let path = candidate.path.as_bstr();
        let entry = self.index.entry_by_path(path);
        let content = self.reader.read(&mut self.disk, path, self.index, content::Into::Sink(sink), watch)?;
        let (id, found) = match content {
            Content::Read { id, found } => (id, found),
            // It was removed after the scan: treat it as deleted.
            Content::Missing => return Ok(Ok(entry.map(|_| Edit::Remove))),
            Content::NotAFile(found) if found.kind == Kind::Folder => {
                return Ok(Err(Why::NoCommitCheckedOut));
            }
            Content::NotAFile(_) => return Ok(Err(Why::CannotBeHeld)),
            Content::UnreadableRepository => return Ok(Err(Why::UnreadableRepository)),
            Content::KeepsChanging => return Ok(Err(Why::KeepsChanging)),
            Content::FilterFailed(failed) => return Ok(Err(Why::Filter(failed))),
            Content::EncodingFailed(failed) => return Ok(Err(Why::Encoding(failed))),
            Content::Failed(why) => return Ok(Err(Why::Unreadable(why))),
        };
        let Some(mode) = content::mode(found.kind, entry.map(|entry| entry.mode), self.abilities) else {
            return Ok(Err(Why::CannotBeHeld));
        };
        if mode == Mode::SYMLINK
            && let Err(why) = path::check(path, Leaf::Link)
        {
            return Ok(Err(Why::Hostile(why)));
        }
        // The stat data of a submodule's directory mean nothing.
        let stat = if mode == Mode::COMMIT { Stat::default() } else { found.stat };
        if let Some(entry) = entry
            && (entry.id, entry.mode) == (id, mode)
            && !entry.flags.contains(Flags::INTENT_TO_ADD)
        {
            // A racy entry is certain once the index is written: the next run need not read it.
            let settles = matches!(candidate.seen, Seen::Doubtful { racy: true, .. });
            return Ok(Ok((settles || entry.stat != stat).then_some(Edit::Refresh(stat))));
        }
        Ok(Ok(Some(Edit::Put(Put { id, mode, stat, flags: Flags::empty() }))))
    }
}

/// How directories are spelled in the index, if the file system ignores case.
struct Folders {
    by_folded: BTreeMap<BString, BString>,
}

impl Folders {
    fn new(repo: &gix::Repository, index: &scan::Index) -> anyhow::Result<Self> {
        let mut by_folded = BTreeMap::new();
        if !Abilities::of(repo)?.case {
            for at in 0..index.len() {
                for folder in parents(index.path(at)) {
                    by_folded.entry(folder.to_ascii_lowercase().into()).or_insert_with(|| folder.to_owned());
                }
            }
        }
        Ok(Folders { by_folded })
    }

    /// Returns the candidate's path with its directory spelled as in the index, so that a new file does not get a
    /// second directory.
    fn as_in_index(&self, candidate: &Candidate) -> BString {
        let is_new = matches!(candidate.seen, Seen::New | Seen::NewRepository);
        if !is_new || self.by_folded.is_empty() {
            return candidate.path.clone();
        }
        let path = candidate.path.as_bstr();
        let known = parents(path).rev().find_map(|folder| {
            self.by_folded.get(&BString::from(folder.to_ascii_lowercase())).map(|known| (folder.len(), known))
        });
        match known {
            Some((len, known)) => [known.as_slice(), &path[len..]].concat().into(),
            None => path.to_owned(),
        }
    }
}
