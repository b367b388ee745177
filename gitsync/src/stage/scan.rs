//! Finds everything that is to be staged, or the part of it that the pathspecs select.
//!
//! The crate `scan` does the actual comparison, by stat data alone. Files to be committed are read in any case, once,
//! when their objects are made; so nothing is read here.

use anyhow::Context as _;
use gix::bstr::ByteSlice;
use gix::index::entry::Mode;
use scan::{Difference, Everything, Reason, Scanned, Status as Found};

use super::pathspecs::Pathspecs;
use super::{Candidate, Changes, Policy, Refusal, Scope, Seen, Why};
use crate::index::Sparse;
use crate::path::{self, Leaf};
use crate::watch::Watch;

/// Looks for everything that `git add -A` would stage, restricted to what the policy's pathspecs match.
///
/// Reads only directories and stat data, and writes nothing.
///
/// # Errors
/// A directory cannot be read, or the configuration is wrong; the error names it.
pub fn scan(
    repo: &gix::Repository,
    index: &scan::Index,
    policy: &Policy,
    watch: &dyn Watch,
) -> anyhow::Result<Changes> {
    let scanned = scan::scan(repo, index, &Everything, &|files| watch.looked_at(files))?;
    sort(repo, index, policy, scanned, watch)
}

/// Selects what is to be staged from the result of a full scan.
///
/// # Errors
/// The configuration is wrong; the error names it.
pub fn sort(
    repo: &gix::Repository,
    index: &scan::Index,
    policy: &Policy,
    scanned: Scanned,
    watch: &dyn Watch,
) -> anyhow::Result<Changes> {
    let sparse = Sparse::of(repo)?;
    let mut pathspecs = match policy.scope {
        Scope::Everything => Pathspecs::everything(),
        Scope::Only(_) => Pathspecs::new(repo, index.decoded()?, &policy.scope)?,
    };
    watch.alive();

    let mut changes = Changes { learnt: scanned.learnt, ..Changes::default() };
    for Difference { path, seen } in scanned.differences {
        watch.alive();
        let is_repository = seen == Found::EmbeddedRepository;
        let is_submodule = || index.find(path.as_bstr()).is_some_and(|entry| entry.mode == Mode::COMMIT);
        if !pathspecs.matches(path.as_bstr(), || is_repository || is_submodule()) {
            continue;
        }
        let inside = match is_repository {
            true => sparse.contains_folder(path.as_bstr()),
            false => sparse.contains(path.as_bstr()),
        };
        if inside {
            let seen = of(seen).with_context(|| format!("{path} is unmerged"))?;
            changes.candidates.push(Candidate { path, seen });
        } else {
            changes.outside_sparse.push(path);
        }
    }
    changes.refused = changes.candidates.iter().filter_map(refuse).collect();
    changes.unmatched = pathspecs.unmatched(index);
    Ok(changes)
}

/// Converts one finding. There is none for an unmerged path: a run refuses these before it scans.
fn of(found: Found) -> Option<Seen> {
    match found {
        Found::Untracked => Some(Seen::New),
        Found::EmbeddedRepository => Some(Seen::NewRepository),
        Found::MaybeModified(doubt) => {
            Some(Seen::Doubtful { racy: doubt.reason == Reason::Racy, stat: doubt.stat })
        }
        Found::Deleted => Some(Seen::Gone),
        Found::Unmerged => None,
    }
}

/// Refuses a name that must not be committed. A deleted path is not refused, since deleting it is the remedy.
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
