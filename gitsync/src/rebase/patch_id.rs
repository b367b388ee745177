//! Computes patch ids: two commits with the same change have the same id, whatever their parents are.
//!
//! The rules are those of git's `diff_get_patch_id`: paths, modes, and changed lines with three lines of context, all
//! without white space and line numbers. The context matters: without it, a commit that git replays would count as
//! upstream.

use std::collections::HashMap;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::diff::blob::{
    Algorithm, Diff, InternedInput, ResourceKind,
    pipeline::{Mode, WorktreeRoots},
    platform::prepare_diff::Operation,
    sources::byte_lines,
};
use gix::objs::tree::{EntryKind, EntryMode, EntryRef};

use super::{entries, topo_order};
use crate::changes::{self, Change};
use crate::commit::tree_of;

/// How many directory levels the names have by which commits are first told apart.
const TOP: usize = 2;

/// How many unchanged lines of context surround a change.
const CONTEXT: u32 = 3;

/// Computes patch ids and caches them.
pub struct PatchIds<'repo> {
    repo: &'repo gix::Repository,
    /// Created when the first contents are compared: most often none are.
    cache: Option<gix::diff::blob::Platform>,
    whole: HashMap<ObjectId, ObjectId>,
}

impl<'repo> PatchIds<'repo> {
    /// Returns an empty cache for the commits of `repo`.
    pub fn new(repo: &'repo gix::Repository) -> Self {
        Self { repo, cache: None, whole: HashMap::new() }
    }

    /// Returns the names that a commit changes in the uppermost directories. Commits that differ in them have
    /// different patch ids, and most do: then nothing below needs to be read.
    ///
    /// # Errors
    /// An object cannot be read.
    pub fn top(&self, commit: &topo_order::Commit) -> anyhow::Result<Vec<BString>> {
        let mut names = Vec::new();
        let (before, after) = trees(self.repo, commit)?;
        top(self.repo, Some(before), Some(after), BStr::new(""), TOP, &mut names)?;
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Returns the id of which paths and modes a commit changes, without their contents.
    ///
    /// # Errors
    /// An object cannot be read.
    pub fn outline(&mut self, commit: &topo_order::Commit) -> anyhow::Result<ObjectId> {
        self.compute(commit, Detail::Outline)
    }

    /// Returns the patch id of a commit.
    ///
    /// # Errors
    /// An object cannot be read.
    pub fn whole(&mut self, commit: &topo_order::Commit) -> anyhow::Result<ObjectId> {
        if let Some(known) = self.whole.get(&commit.id) {
            return Ok(*known);
        }
        let id = self.compute(commit, Detail::Whole)?;
        self.whole.insert(commit.id, id);
        Ok(id)
    }

    fn compute(&mut self, commit: &topo_order::Commit, detail: Detail) -> anyhow::Result<ObjectId> {
        let mut hasher = gix::hash::hasher(self.repo.object_hash());
        for change in changed(self.repo, commit)? {
            let mut text = Squeezed(&mut hasher);
            header(&change, &mut text);
            if detail == Detail::Whole {
                self.content(&change, &mut text)?;
            }
        }
        Ok(hasher.try_finalize()?)
    }

    /// Adds how one file or submodule changed.
    fn content(&mut self, change: &Change, text: &mut Squeezed<'_>) -> anyhow::Result<()> {
        let sides = [change.before, change.after];
        if sides.iter().flatten().any(|(mode, _)| mode.is_commit()) {
            file_names(change, text);
            let [before, after] = sides.map(|side| self.with_submodule(side));
            let (before, after) = (before?, after?);
            add_hunks(&InternedInput::new(byte_lines(&before), byte_lines(&after)), text);
            return Ok(());
        }
        let cache = match &mut self.cache {
            Some(cache) => cache,
            none => none.insert(self.repo.diff_resource_cache(Mode::ToGit, WorktreeRoots::default())?),
        };
        for (side, kind) in
            [(change.before, ResourceKind::OldOrSource), (change.after, ResourceKind::NewOrDestination)]
        {
            let (mode, id) = side.unwrap_or((EntryKind::Blob.into(), self.repo.object_hash().null()));
            cache
                .set_resource(id, mode.kind(), change.path.as_bstr(), kind, &self.repo.objects)
                .map_err(gix::Error::from)?;
        }
        cache.options.skip_internal_diff_if_external_is_configured = false;
        let prepared = cache.prepare_diff().map_err(gix::Error::from)?;
        match prepared.operation {
            Operation::SourceOrDestinationIsBinary => {
                for side in [change.before, change.after] {
                    let id = side.map_or(self.repo.object_hash().null(), |(_, id)| id);
                    text.add(id.to_hex().to_string().as_bytes());
                }
            }
            Operation::InternalDiff { .. } | Operation::ExternalCommand { .. } => {
                file_names(change, text);
                let before = prepared.old.data.as_slice().unwrap_or_default();
                let after = prepared.new.data.as_slice().unwrap_or_default();
                add_hunks(&InternedInput::new(byte_lines(before), byte_lines(after)), text);
            }
        }
        Ok(())
    }

    /// Returns one side of a change that involves a submodule: a diff shows its commit as a line of text.
    fn with_submodule(&self, side: Option<(EntryMode, ObjectId)>) -> anyhow::Result<Vec<u8>> {
        Ok(match side {
            None => Vec::new(),
            Some((mode, commit)) if mode.is_commit() => format!("Subproject commit {commit}\n").into(),
            Some((_, id)) => self.repo.find_object(id)?.detach().data,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    Outline,
    Whole,
}

fn header(change: &Change, text: &mut Squeezed<'_>) {
    text.add(b"diff--gita/");
    text.add(&change.path);
    text.add(b"b/");
    text.add(&change.path);
    let mut mode = |word: &str, mode: EntryMode| text.add(format!("{word}{:06o}", mode.value()).as_bytes());
    match (change.before, change.after) {
        (None, Some((new, _))) => mode("newfilemode", new),
        (Some((old, _)), None) => mode("deletedfilemode", old),
        (Some((old, _)), Some((new, _))) if old != new => {
            mode("oldmode", old);
            mode("newmode", new);
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
}

fn file_names(change: &Change, text: &mut Squeezed<'_>) {
    let mut name = |sign: &str, prefix: &str, is_there: bool| {
        text.add(sign.as_bytes());
        if is_there {
            text.add(prefix.as_bytes());
            text.add(&change.path);
        } else {
            text.add(b"/dev/null");
        }
    };
    name("---", "a/", change.before.is_some());
    name("+++", "b/", change.after.is_some());
}

/// Returns the trees before and after a commit.
fn trees(repo: &gix::Repository, commit: &topo_order::Commit) -> anyhow::Result<(ObjectId, ObjectId)> {
    Ok((tree_of(repo, commit.parents.first().copied())?, tree_of(repo, Some(commit.id))?))
}

/// Adds the names that differ between two trees, descending into subtrees for so many `levels`. A subtree that exists
/// on one side only counts with all its names, so that it makes no difference whether it existed before.
fn top(
    repo: &gix::Repository,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    folder: &BStr,
    levels: usize,
    names: &mut Vec<BString>,
) -> anyhow::Result<()> {
    let (before, after) = (before.map(|id| repo.find_tree(id)), after.map(|id| repo.find_tree(id)));
    let (before, after) = (before.transpose()?, after.transpose()?);
    let (before, after) = (entries(before.as_ref())?, entries(after.as_ref())?);
    for (before, after) in entries::changed(&before, &after) {
        let Some(entry) = after.or(before) else { continue };
        let path = BString::from([folder.as_bytes(), entry.filename, b"/"].concat());
        if levels > 1 && entry.mode.is_tree() {
            let id = |entry: Option<&EntryRef<'_>>| entry.map(|entry| entry.oid.to_owned());
            top(repo, id(before), id(after), path.as_bstr(), levels - 1, names)?;
        } else {
            names.push(path);
        }
    }
    Ok(())
}

fn entries<'a>(tree: Option<&'a gix::Tree<'_>>) -> anyhow::Result<Vec<EntryRef<'a>>> {
    Ok(tree.map(|tree| tree.decode()).transpose()?.map_or_else(Vec::new, |tree| tree.entries))
}

/// Returns what a commit changes, sorted by path.
fn changed(repo: &gix::Repository, commit: &topo_order::Commit) -> anyhow::Result<Vec<Change>> {
    let (before, after) = trees(repo, commit)?;
    let mut changed = changes::between(repo, before, after)?;
    changed.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(changed)
}

/// Adds what a diff of the two would print, without the hunk headers.
fn add_hunks(input: &InternedInput<&[u8]>, text: &mut Squeezed<'_>) {
    let mut diff = Diff::compute(Algorithm::Myers, input);
    diff.postprocess_no_heuristic(input);
    let line = |token: gix::diff::blob::Token| input.interner[token];
    let mut printed = 0;
    let around = |from: u32, to: u32, printed: &mut u32, text: &mut Squeezed<'_>| {
        for token in input.before.get(from.max(*printed) as usize..to as usize).unwrap_or_default() {
            text.add(line(*token));
        }
        *printed = to.max(*printed);
    };
    let mut hunks = diff.hunks().peekable();
    while let Some(hunk) = hunks.next() {
        around(hunk.before.start.saturating_sub(CONTEXT), hunk.before.start, &mut printed, text);
        for token in &input.before[hunk.before.start as usize..hunk.before.end as usize] {
            text.add(b"-");
            text.add(line(*token));
        }
        for token in &input.after[hunk.after.start as usize..hunk.after.end as usize] {
            text.add(b"+");
            text.add(line(*token));
        }
        printed = hunk.before.end;
        let next = hunks.peek().map_or(input.before.len() as u32, |next| next.before.start);
        around(hunk.before.end, next.min(hunk.before.end + CONTEXT), &mut printed, text);
    }
}

/// Text that is hashed without its white space.
struct Squeezed<'a>(&'a mut gix::hash::Hasher);

impl Squeezed<'_> {
    fn add(&mut self, text: &[u8]) {
        for word in text.split(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.0.update(word);
        }
    }
}
