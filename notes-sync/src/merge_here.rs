//! Runs the command `notes-sync merge`, which merges like `git notes merge`, but never leaves a conflict behind.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use contract::Exit;
use gix::{ObjectId, Repository};
use phase::{Fault, Unlocked};
use remote::Backoff;
use store::{History, RecentObjects};

use crate::{
    apply::{self, Applied, Manner},
    commits::Commits,
    manual_merge,
    names::{self, NotesRef},
    plan::{Plan, Step},
    refs,
    strategy::Strategy,
};

/// Merges the notes of `from`, a ref or any other revision, into `name`. Retries for at most `wait` while others
/// write the ref.
///
/// # Errors
/// A fault if `from` does not exist or neither side has notes, and one with exit 75 if others keep writing; else if
/// the repository cannot be read or written.
pub fn merge(
    repo: &Repository,
    name: &NotesRef,
    from: &str,
    strategy: Strategy,
    wait: Duration,
) -> Result<Applied> {
    manual_merge::check(repo, name)?;
    let (began, history) = (Instant::now(), History::of(repo));
    let commits = Commits { repo, history: &history, latest: &RecentObjects::default() };
    let (from_name, theirs) = resolve(repo, from)?;
    let into = name.to_string();
    let manner = Manner { strategy, from: &from_name, into: &into };
    let mut backoff = Backoff::new(Duration::from_millis(2), Duration::from_millis(100), Backoff::seed());
    loop {
        let tip = refs::read(repo, name.full().as_ref())?;
        if tip.commit.is_none() && theirs.is_none() {
            return Err(
                Fault::failed(format!("there are no notes at {from_name}, and none at {name}")).into()
            );
        }
        let steps = theirs.into_iter().map(Step::Join).collect();
        if let Some(applied) = apply::apply(commits, &tip, &Plan { steps }, manner, &Unlocked)? {
            return Ok(applied);
        }
        if began.elapsed() >= wait {
            return Err(Fault::new(Exit::Deferred, refs::raced(repo, name.full().as_ref()))
                .help("nothing was written: try again later, or give it more time with --wait")
                .into());
        }
        thread::sleep(backoff.pause());
    }
}

/// Returns the commit of a revision, and the name for the merge message: the revision as given if it resolves, else
/// the notes ref of that name below `refs/notes/`. A notes ref that does not exist has no notes.
fn resolve(repo: &Repository, from: &str) -> Result<(String, Option<ObjectId>)> {
    if let Ok(id) = repo.rev_parse_single(from) {
        let commit = id
            .object()
            .and_then(|object| object.peel_to_commit())
            .with_context(|| format!("{from} does not name a commit with notes"))?;
        return Ok((from.to_owned(), Some(commit.id)));
    }
    let name = NotesRef::parse(from).map_err(|bad| {
        Fault::failed(bad.to_string()).help("name a notes ref, such as refs/notes/origin/mem/decisions")
    })?;
    let tip = refs::read(repo, name.full().as_ref())?;
    Ok((names::expand(from), tip.commit))
}
