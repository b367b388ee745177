//! Reads facts about history from the repository and the document, and the notes in a range of it.

use std::collections::HashSet;

use anyhow::Context as _;
use contract::{Exit, SurfacedNote};
use gix::{ObjectId, bstr::BString, remote::Direction};
use phase::{Fault, Run, clock};
use store::local_ref;

use crate::{
    incoming::Located,
    logs::{Differing, Logs},
    person::People,
    pointer::Pointer,
    range::{Facts, Pulled, Range},
    trace::{Brought, trace},
};

/// Returns the pointer, and the facts that decide which range of history is examined.
///
/// # Errors
/// A fault with exit 65 if the document contains an invalid id.
pub(crate) fn facts(run: &Run<'_>) -> anyhow::Result<(Option<Pointer>, Facts)> {
    let repo = run.repo();
    let shown = Pointer::id(repo)?;
    let facts = Facts {
        surfaced: None,
        pulled: pulled(run)?,
        upstream: upstream(run, shown)?,
        head: repo.head()?.id().map(gix::Id::detach),
    };
    let pointer = shown.map(|id| Pointer::at(repo, id, facts.newest())).transpose()?;
    let surfaced = pointer.as_ref().map(|pointer| pointer.commits.clone());
    Ok((pointer, Facts { surfaced, ..facts }))
}

/// Returns the commit that a revision names.
///
/// # Errors
/// A fault with exit 1 if it names none.
pub(crate) fn commit(repo: &gix::Repository, revision: &str) -> Result<ObjectId, Fault> {
    let named = repo.rev_parse_single(revision).and_then(|id| id.object()?.peel_to_commit());
    named.map(|commit| commit.id).map_err(|_| {
        Fault::failed(format!("{revision} names no commit"))
            .help("give a revision such as HEAD~10, a tag or a commit's id")
    })
}

/// The notes in a range of history.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The notes for the user, oldest first.
    pub(crate) notes: Vec<SurfacedNote>,
    /// The paths of their logs that are not UTF-8, with the invalid bytes escaped.
    pub(crate) unnameable: Vec<String>,
}

/// The size of the tree cache in bytes: enough for what one commit shares with the next, without keeping all of
/// history.
const TREES: usize = 256 * 1024;

/// Returns the notes for the user in a range of history.
///
/// # Errors
/// If history cannot be read.
pub(crate) fn notes(run: &Run<'_>, range: &Range) -> anyhow::Result<Found> {
    if range.seen.contains(&range.tip) {
        return Ok(Found::default());
    }
    let mut repo = run.repo().clone();
    repo.object_cache_size(TREES);
    let logs = Logs::new(&repo, run.identity().user.as_deref())?;
    let come = match told(run, range)? {
        Some(changed) => logs.incoming(changed)?,
        None => come_in(&repo, &logs, range)?,
    };
    if come.is_empty() {
        return Ok(Found::default());
    }
    let new = match range.seen.as_slice() {
        [] => None,
        seen => Some(commits(&repo, range.tip, seen)?),
    };
    let people = People::of(&repo, run.identity());
    let mut dated = Vec::new();
    let mut unnameable = Vec::new();
    for Brought { located, commit } in trace(&repo, &logs, come, range.tip, new.as_ref())? {
        let commit = repo.find_commit(commit)?;
        let signature = phase::author::author(&commit)?;
        let author = people.resolve(signature.name.as_ref(), signature.email.as_ref());
        if people.is_user(&author) {
            continue;
        }
        let time = signature.time;
        let Located { path, note } = located;
        let path = String::from_utf8(path.into()).unwrap_or_else(|error| {
            let path = spelled_out(error.into_bytes());
            unnameable.push(path.clone());
            path
        });
        dated.push((
            time.seconds,
            SurfacedNote {
                author: author.name,
                date: clock::git_day(time),
                kind: note.address.kind,
                to: note.address.to,
                path,
                commit: commit.id.to_string(),
                heading: note.heading,
                body: note.body,
            },
        ));
    }
    // The sort is stable: notes of the same time stay in the order of the logs, and within a log in its order.
    dated.sort_by_key(|(seconds, _)| *seconds);
    Ok(Found { notes: dated.into_iter().map(|(_, note)| note).collect(), unnameable })
}

/// Returns the session logs that differ over `range`, if `gitsync` has found and reported them.
///
/// # Errors
/// A fault with exit 65 if the document contains an invalid id.
fn told(run: &Run<'_>, range: &Range) -> Result<Option<Vec<Differing>>, Fault> {
    let main = run.document().phases.gitsync.as_ref().and_then(|section| section.main.as_ref());
    let Some((pulled, head)) = main.and_then(|main| Some((main.pulled.as_ref()?, main.head.as_ref()?)))
    else {
        return Ok(None);
    };
    let (Some(from), Some(files)) = (&pulled.from, &pulled.session_logs) else { return Ok(None) };
    if range.tip != id("head", head)? || range.seen != [id("pulled.from", from)?] {
        return Ok(None);
    }
    let content = |hex: &Option<String>| hex.as_deref().map(|hex| id("pulled.session_logs", hex)).transpose();
    let differing = files.iter().map(|file| {
        let (before, after) = (content(&file.before)?, content(&file.after)?);
        Ok(Differing { path: file.path.as_str().into(), before, after })
    });
    differing.collect::<Result<_, _>>().map(Some)
}

/// Returns the notes that `tip` has and that are new compared with each commit in `range.seen`.
fn come_in(repo: &gix::Repository, logs: &Logs<'_>, range: &Range) -> anyhow::Result<Vec<Located>> {
    let tip = tree(repo, range.tip)?;
    let since = |seen: Option<ObjectId>| -> anyhow::Result<Vec<Located>> {
        let before = seen.map(|seen| tree(repo, seen)).transpose()?;
        logs.incoming(logs.differing(before, tip)?)
    };
    let Some((first, others)) = range.seen.split_first() else { return since(None) };
    let mut come = since(Some(*first))?;
    for seen in others {
        let mut also = since(Some(*seen))?;
        come.retain(|located| {
            let is_it =
                |other: &Located| other.path == located.path && other.note.says_the_same_as(&located.note);
            also.iter().position(is_it).map(|at| also.swap_remove(at)).is_some()
        });
    }
    Ok(come)
}

/// Returns the commits reachable from `tip` but not from `seen`.
fn commits(repo: &gix::Repository, tip: ObjectId, seen: &[ObjectId]) -> anyhow::Result<HashSet<ObjectId>> {
    let walk = repo.rev_walk([tip]).with_hidden(seen.iter().copied()).all()?;
    walk.map(|commit| Ok(commit?.id)).collect()
}

fn tree(repo: &gix::Repository, commit: ObjectId) -> anyhow::Result<ObjectId> {
    let commit =
        repo.find_commit(commit).with_context(|| format!("the commit {commit} could not be read"))?;
    Ok(commit.tree_id()?.detach())
}

/// Returns the range that `gitsync` fetched during this run. A commit that it only heard of, as in a dry run, is not
/// here to be examined.
fn pulled(run: &Run<'_>) -> anyhow::Result<Option<Pulled>> {
    let main = run.document().phases.gitsync.as_ref().and_then(|section| section.main.as_ref());
    let Some(pulled) = main.and_then(|main| main.pulled.as_ref()) else { return Ok(None) };
    let to = id("pulled.to", &pulled.to)?;
    let from = pulled.from.as_deref().map(|from| id("pulled.from", from)).transpose()?;
    Ok(run.repo().try_find_object(to)?.map(|_| Pulled { from, to }))
}

/// Returns the commit up to which notes were looked for in this run, if they were.
///
/// # Errors
/// A fault with exit 65 if the document contains an invalid id.
pub(crate) fn looked_at(run: &Run<'_>) -> Result<Option<ObjectId>, Fault> {
    let section = run.document().phases.notesurface.as_ref();
    section.and_then(|section| section.upto.as_deref()).map(|upto| id("upto", upto)).transpose()
}

fn id(field: &str, hex: &str) -> Result<ObjectId, Fault> {
    ObjectId::from_hex(hex.as_bytes())
        .map_err(|_| Fault::new(Exit::BadInput, format!("the document's {field} {hex:?} is no object id")))
}

/// Returns the commit of the branch's upstream as last fetched. The upstream is the one named in the document, else
/// the configured one. An id that equals `known` is not resolved again.
fn upstream(run: &Run<'_>, known: Option<ObjectId>) -> anyhow::Result<Option<ObjectId>> {
    let repo = run.repo();
    let main = run.document().phases.gitsync.as_ref().and_then(|section| section.main.as_ref());
    let name = match main.and_then(|main| main.upstream.clone()) {
        Some(name) => Some(name.into()),
        None => configured_upstream(repo)?,
    };
    let Some(name) = name else { return Ok(None) };
    let Some(reference) = repo.try_find_reference(&name)? else { return Ok(None) };
    match reference.try_id() {
        Some(id) if Some(id.detach()) == known => Ok(known),
        _ => Ok(Some(reference.into_fully_peeled_id()?.detach())),
    }
}

fn configured_upstream(repo: &gix::Repository) -> anyhow::Result<Option<BString>> {
    let Some(branch) = local_ref::head(repo)? else { return Ok(None) };
    let tracking = repo.branch_remote_tracking_ref_name(branch.as_ref(), Direction::Fetch).transpose();
    // A branch whose remote has no tracking refs has no upstream here; gitsync reports that.
    Ok(tracking.ok().flatten().map(|name| name.as_bstr().to_owned()))
}

fn spelled_out(path: Vec<u8>) -> String {
    format!("{:?}", BString::from(path)).trim_matches('"').to_owned()
}
