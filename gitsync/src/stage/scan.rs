//! Looking at every path that the index or the work tree has, by stat data alone.
//!
//! The rules are those of git's `ie_match_stat` and `check_removed`. It is written out here, and not left to a status
//! that also reads files, since what is to be committed gets read in any case, once, when its object is made.

use std::num::NonZeroUsize;

use anyhow::Context as _;
use gix::bstr::{BStr, ByteSlice};
use gix::index::Entry;
use gix::index::entry::stat::Options as StatOptions;
use gix::index::entry::{Flags, Mode};

use super::content::{Abilities, nested_head};
use super::walk::{Pathspecs, Untracked, walk};
use super::{Candidate, Changes, Policy, Refusal, Seen, Why};
use crate::index::{Sparse, is_left_out};
use crate::path::{self, Leaf};
use crate::watch::Watch;
use crate::worktree::disk::{Disk, Found, Kind};

/// Entries that one thread looks at, at least.
const SHARE: usize = 2_000;

/// Look for everything that `git add -A` would stage, or as much of it as the policy's pathspecs match.
///
/// Only looks: nothing is read but folders and stat data, nothing is written.
///
/// # Errors
/// A folder cannot be read, or the configuration is wrong; the error names it.
pub fn scan(
    repo: &gix::Repository,
    index: &gix::index::State,
    policy: &Policy,
    watch: &dyn Watch,
) -> anyhow::Result<Changes> {
    let root = repo.workdir().context("a bare repository has no work tree")?;
    let sparse = Sparse::of(repo)?;
    let rules = Rules { stat: repo.stat_options()?, abilities: Abilities::of(repo)?, sparse: &sparse, index };
    let mut pathspecs = Pathspecs::new(repo, index, &policy.scope)?;
    watch.alive();

    let mut changes = Changes::default();
    for candidate in tracked(root, &rules)? {
        watch.alive();
        if !pathspecs.matches(candidate.path.as_bstr()) {
            continue;
        }
        if sparse.contains(candidate.path.as_bstr()) {
            changes.candidates.push(candidate);
        } else {
            changes.outside_sparse.push(candidate.path);
        }
    }
    for Untracked { path, is_repository } in walk(repo, index, &policy.scope)? {
        watch.alive();
        pathspecs.saw(path.as_bstr());
        // A file in place of a submodule is no new path: what becomes of it was decided above.
        if !is_repository && index.entry_by_path(path.as_bstr()).is_some() {
            continue;
        }
        let wanted = if is_repository {
            sparse.contains_folder(path.as_bstr())
        } else {
            sparse.contains(path.as_bstr())
        };
        if wanted {
            changes.candidates.push(Candidate { path, seen: Seen::New });
        } else {
            changes.outside_sparse.push(path);
        }
    }
    changes.candidates.sort_by(|a, b| a.path.cmp(&b.path));
    changes.candidates.dedup_by(|later, first| later.path == first.path);
    changes.refused = changes.candidates.iter().filter_map(refuse).collect();
    changes.unmatched = pathspecs.unmatched(index);
    Ok(changes)
}

/// A name that must not get into a commit. What is gone is no concern: its deletion is what helps.
fn refuse(candidate: &Candidate) -> Option<Refusal> {
    let refusal = |why| Some(Refusal { path: candidate.path.clone(), why });
    if candidate.seen == Seen::Gone {
        return None;
    }
    if candidate.path.to_str().is_err() {
        return refusal(Why::NotUtf8);
    }
    match path::check(candidate.path.as_bstr(), Leaf::Other) {
        Ok(()) => None,
        Err(why) => refusal(Why::Hostile(why)),
    }
}

struct Rules<'a> {
    stat: StatOptions,
    abilities: Abilities,
    sparse: &'a Sparse,
    index: &'a gix::index::State,
}

/// The tracked paths that may differ. Looking is spread over as many threads as there are processors.
fn tracked(root: &std::path::Path, rules: &Rules<'_>) -> anyhow::Result<Vec<Candidate>> {
    let entries = rules.index.entries();
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = entries.len().div_ceil(threads).max(SHARE);
    let look = |entries: &[Entry]| -> anyhow::Result<Vec<Candidate>> {
        let mut disk = Disk::new(root);
        entries.iter().filter_map(|entry| rules.look(&mut disk, entry).transpose()).collect()
    };
    if entries.len() <= share {
        return look(entries);
    }
    std::thread::scope(|scope| {
        let running: Vec<_> = entries.chunks(share).map(|part| scope.spawn(move || look(part))).collect();
        let mut all = Vec::new();
        for part in running {
            match part.join() {
                Ok(found) => all.extend(found?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}

impl Rules<'_> {
    /// Whether the file of `entry` may differ from it.
    fn look(&self, disk: &mut Disk, entry: &Entry) -> anyhow::Result<Option<Candidate>> {
        if entry.flags.contains(Flags::ASSUME_VALID) {
            return Ok(None);
        }
        let skipped = entry.flags.contains(Flags::SKIP_WORKTREE);
        if skipped && !self.sparse.is_on() {
            return Ok(None);
        }
        let path = entry.path(self.index);
        let found = disk.look(path)?;
        if is_left_out(entry.flags, self.sparse, found.is_some()) {
            return Ok(None);
        }
        let seen = match found {
            None => Some(Seen::Gone),
            Some(found) => self.compare(disk, entry, path, &found)?,
        };
        Ok(seen.map(|seen| Candidate { path: path.to_owned(), seen }))
    }

    fn compare(
        &self,
        disk: &Disk,
        entry: &Entry,
        path: &BStr,
        found: &Found,
    ) -> anyhow::Result<Option<Seen>> {
        let doubtful = |racy| Some(Seen::Doubtful { racy, stat: found.stat });
        if entry.mode == Mode::COMMIT && !entry.flags.contains(Flags::INTENT_TO_ADD) {
            return Ok(match found.kind {
                // A submodule that is not checked out is unchanged.
                Kind::Folder => nested_head(&disk.full(path)?)
                    .filter(|head| *head != entry.id)
                    .and_then(|_| doubtful(false)),
                _ => doubtful(false),
            });
        }
        if found.kind == Kind::Folder && entry.mode != Mode::COMMIT {
            // A file that became a folder is gone, one that became a repository has changed.
            let is_repository = nested_head(&disk.full(path)?).is_some();
            return Ok(if is_repository { doubtful(false) } else { Some(Seen::Gone) });
        }
        if entry.flags.contains(Flags::INTENT_TO_ADD) || !self.has_kind(entry.mode, found.kind) {
            return Ok(doubtful(false));
        }
        // An entry that is marked with size 0 must be read, unless it is empty in truth.
        let marked = entry.stat.size == 0 && !entry.id.is_empty_blob();
        if marked || !entry.stat.matches(&found.stat, self.stat) {
            return Ok(doubtful(false));
        }
        Ok(if entry.stat.is_racy(self.index.timestamp(), self.stat) { doubtful(true) } else { None })
    }

    fn has_kind(&self, mode: Mode, found: Kind) -> bool {
        match found {
            Kind::Link => mode == Mode::SYMLINK,
            Kind::File { .. } if mode == Mode::SYMLINK => !self.abilities.links,
            Kind::File { executable } => {
                !self.abilities.executable || executable == (mode == Mode::FILE_EXECUTABLE)
            }
            Kind::Folder | Kind::Other => false,
        }
    }
}
