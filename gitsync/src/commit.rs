//! Commits the user's work, all of it or what the pathspecs match, as `git commit` would.
//!
//! Nothing visible changes until everything is ready. Then the objects are flushed, the branch moves, and the index
//! follows, in this order. A run that dies in between leaves either the old commit with the old index, or the new
//! commit with an index in which each committed change appears staged in reverse, which the next run that commits
//! everything repairs. From the moment the branch moves, signals are deferred until the new index is complete and only
//! has to be put in place.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};
use gix::objs::WriteTo as _;
use phase::{Call, Fault, Hooks};
use scan::Ahead;
use signals::Section;

use crate::branch::{self, Moved};
use crate::context::SyncContext;
use crate::convert::FilterFailed;
use crate::ident::Person;
use crate::index::{self, Looked, Writing, Written};
use crate::look::Branch;
use crate::message::{self, Cleanup};
use crate::patience;
use crate::signing;
use crate::stage::sink::{Loose, Sink};
use crate::stage::{self, Changes, LeftOut, Refusal, Staged, Why};
use crate::submodules::Outdated;
use crate::tree::Counts;
use crate::{commit_template, failpoint, refuse};

/// The result of committing.
#[derive(Debug)]
pub enum Outcome {
    /// There was nothing to commit. Holds the index if it can be used as it was read.
    Nothing(Option<scan::Index>),
    /// There is a new commit, and an index that may still be being written.
    Made(New, Option<Writing>),
    /// Another process moved the branch in the meantime.
    SomebodyElseMoved,
}

/// A commit that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct New {
    /// Its id.
    pub id: ObjectId,
    /// How many files it adds, modifies and deletes.
    pub counts: Counts,
}

/// Commits what `policy` selects onto `branch`. Changes that are not committed are reported in `left_out`.
///
/// # Errors
/// A fault that names what cannot be committed, or what prevents the commit: an `index.lock` of another process, an
/// unfinished merge, a hook that refuses, a signing program that fails. Nothing is committed then.
pub fn commit(
    place: &SyncContext<'_>,
    branch: &Branch,
    policy: &stage::Policy,
    message: Option<&str>,
    ahead: Option<Ahead>,
    left_out: &mut LeftOut,
) -> anyhow::Result<Outcome> {
    let repo = place.repo;
    place.guard.check()?;
    let mut lock = patience::index_lock(place)?;
    let since = lock.taken_at()?;
    let before = tree_of(repo, branch.commit)?;
    let (index, changes) = find(place, before, policy, ahead, left_out)?;
    failpoint::reach("scanned", place.root());
    // If neither the working tree nor the index differs from the last commit, the index entries need not even be
    // decoded.
    if changes.is_empty() && index.tree() == Some(before) {
        return Ok(Outcome::Nothing(Some(index)));
    }

    place.progress.set(|| format!("reading {} changed files", changes.candidates.len()));
    let mut sink = Loose::new(repo);
    let staged = stage::prepare(repo, index, before, changes, policy, &mut sink, place)?
        .map_err(|why| refused(&why))?;
    if staged.counts.is_empty() {
        if staged.index_changed {
            place.guard.check()?;
            sink.sync()?;
            let Staged { index, index_tree, .. } = staged;
            lock.write(repo, index, index_tree.as_ref(), looked(policy), since)?;
        }
        return Ok(Outcome::Nothing(None));
    }

    // Before any hook runs, as in git: without an author nothing is committed.
    let author = place.people.author()?;
    let hooks = place.hooks()?;
    let mut staged = staged;
    if hooks.has("pre-commit") {
        // The hook reads what is staged.
        sink.sync()?;
        let private = lock.private_copy(repo, staged.for_hooks())?;
        hooks.ask("pre-commit", commit_call(author, &private, []))?;
        staged = stage::reread(repo, &private, before, policy, staged, &mut sink)?;
        if staged.counts.is_empty() {
            return Ok(Outcome::Nothing(None));
        }
    }
    if hooks.has("prepare-commit-msg") || hooks.has("commit-msg") {
        sink.sync()?;
    }
    let message = wording(place, &hooks, &mut lock, &staged, message)?;
    let id = write(place, branch, &staged, &message, &mut sink)?;
    sink.sync()?;
    failpoint::reach("committed-objects", place.root());

    let Staged { index, index_tree: built, counts, .. } = staged;
    let what = Written { index, built, looked: looked(policy), since };
    let Some(writing) = land(place, branch, id, &message, lock, what)? else {
        return Ok(Outcome::SomebodyElseMoved);
    };
    let mut writing = Some(writing);
    commit_template::clear(place)?;
    if hooks.has("post-commit") {
        writing.take().map_or(Ok(()), Writing::finish)?;
        hooks.tell("post-commit", Call::default())?;
    }
    Ok(Outcome::Made(New { id, counts }, writing))
}

/// Moves the branch to the commit `id` with this `message`, and starts writing the index that goes with it. Returns
/// `None`, without having changed anything, if another process has moved the branch.
fn land(
    place: &SyncContext<'_>,
    branch: &Branch,
    id: ObjectId,
    message: &BString,
    lock: index::Lock,
    what: Written,
) -> anyhow::Result<Option<Writing>> {
    place.guard.check()?;
    let reason = if branch.commit.is_some() { "commit: " } else { "commit (initial): " };
    let mut reason = BString::from(reason);
    reason.extend_from_slice(message::subject(message.as_bstr()));
    let step = branch::Step { branch: branch.name.clone(), from: branch.commit, to: id, reason };
    let section = Section::begin();
    if branch::step(place, &step)? == Moved::SomebodyElseDid {
        return Ok(None);
    }
    failpoint::reach("committed-branch", place.root());
    let writing = Writing::begin(place.repo, lock, what, section)?;
    failpoint::reach("committed", place.root());
    Ok(Some(writing))
}

/// Returns the index, and the differences from it that are to be committed. What is not to be committed is reported
/// in `left_out`.
fn find(
    place: &SyncContext<'_>,
    before: ObjectId,
    policy: &stage::Policy,
    ahead: Option<Ahead>,
    left_out: &mut LeftOut,
) -> anyhow::Result<(scan::Index, Changes)> {
    place.progress.set(|| "looking for changes".into());
    let (index, mut changes) = look(place, policy, ahead)?;
    let submodules = Outdated::still(place.repo, &index)?;
    submodules.write(place)?;
    *left_out = changes.leave_out(place.repo, &index, &submodules)?;
    changes.remember();
    let unmatched = stage::unmatched_in(place.repo, before, std::mem::take(&mut changes.unmatched))?;
    match unmatched.first() {
        None => Ok((index, changes)),
        Some(pathspec) => Err(Fault::failed(format!("the pathspec '{pathspec}' matches no file"))
            .help("paths are relative to the current directory; `git status` lists what has changed")
            .into()),
    }
}

/// Returns the index, and the changes in the working tree that are to be staged. The scan made `ahead` is used if it
/// is still valid.
fn look(
    place: &SyncContext<'_>,
    policy: &stage::Policy,
    ahead: Option<Ahead>,
) -> anyhow::Result<(scan::Index, Changes)> {
    let repo = place.repo;
    let (index, scanned) = match ahead.and_then(|ahead| ahead.end(repo)) {
        Some((index, scanned)) => (index, Some(scanned)),
        None => (index::open(repo)?, None),
    };
    refuse::unmerged(&index::unmerged_in(&index)?)?;
    let changes = match scanned {
        Some(scanned) => stage::sort(repo, &index, policy, scanned, place)?,
        None => stage::scan(repo, &index, policy, place)?,
    };
    Ok((index, changes))
}

/// Returns the tree of a commit, or the empty tree if there is no commit.
///
/// # Errors
/// The commit cannot be read.
pub fn tree_of(repo: &gix::Repository, commit: Option<ObjectId>) -> anyhow::Result<ObjectId> {
    match commit {
        Some(id) => Ok(repo.find_commit(id)?.tree_id()?.detach()),
        None => Ok(repo.object_hash().empty_tree()),
    }
}

fn looked(policy: &stage::Policy) -> Looked {
    match policy.scope {
        stage::Scope::Everything => Looked::AtAll,
        stage::Scope::Only(_) => Looked::AtSome,
    }
}

/// Returns the commit message after the hooks have edited it.
fn wording(
    place: &SyncContext<'_>,
    hooks: &Hooks<'_>,
    lock: &mut index::Lock,
    staged: &Staged,
    message: Option<&str>,
) -> anyhow::Result<BString> {
    let cleanup = Cleanup::of(place.repo);
    let usual = || message::usual(place.host, &phase::clock::now_for_people());
    let given = message.map_or_else(usual, str::to_owned);
    // As by `git commit -m`, the last line has an end even if nothing is cleaned up.
    let given = if given.is_empty() || given.ends_with('\n') { given } else { format!("{given}\n") };
    let mut text = cleanup.apply(given.as_str().into());
    if hooks.has("prepare-commit-msg") || hooks.has("commit-msg") {
        let file = place.repo.git_dir().join("COMMIT_EDITMSG");
        std::fs::write(&file, &text).with_context(|| file.display().to_string())?;
        let index = lock.private_copy(place.repo, staged.for_hooks())?;
        let (argument, author) = (short(place.root(), &file), place.people.author()?);
        hooks.ask("prepare-commit-msg", commit_call(author, &index, [argument.clone(), "message".into()]))?;
        hooks.ask("commit-msg", commit_call(author, &index, [argument]))?;
        text = cleanup.apply(std::fs::read(&file).with_context(|| file.display().to_string())?.as_bstr());
    }
    if text.contains(&0) {
        return Err(Fault::failed("the commit message has a NUL byte in it, with which git reads no commit")
            .help("mend the hook commit-msg or prepare-commit-msg, which put it there")
            .into());
    }
    if text.is_empty() {
        return Err(Fault::failed("the commit message is empty").help("give one with --message TEXT").into());
    }
    Ok(text)
}

/// Returns the call of a hook that belongs to a commit.
fn commit_call<const N: usize>(author: &Person, index: &Path, args: [OsString; N]) -> Call {
    let author = author.now();
    let text = |bytes: &BString| OsString::from(bytes.to_string());
    Call {
        index: Some(index.to_owned()),
        env: vec![
            ("GIT_AUTHOR_NAME", text(&author.name)),
            ("GIT_AUTHOR_EMAIL", text(&author.email)),
            (
                "GIT_AUTHOR_DATE",
                format!("@{}", author.time.format_or_unix(gix::date::time::Format::Raw)).into(),
            ),
        ],
        ..Call::with(args)
    }
}

/// Returns a path as git passes it to hooks: relative to the working tree if it is inside it.
fn short(root: &Path, path: &Path) -> OsString {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let full = absolute(path);
    full.strip_prefix(absolute(root)).map(PathBuf::from).unwrap_or(full).into_os_string()
}

/// Writes the commit object, signed if the configuration asks for it.
fn write(
    place: &SyncContext<'_>,
    branch: &Branch,
    staged: &Staged,
    message: &BString,
    sink: &mut dyn Sink,
) -> anyhow::Result<ObjectId> {
    let commit = gix::objs::Commit {
        tree: staged.tree.id,
        parents: branch.commit.into_iter().collect(),
        author: place.people.author()?.now(),
        committer: place.people.committer()?.now(),
        encoding: None,
        message: message.clone(),
        extra_headers: Vec::new(),
    };
    let held = place.signing.held(place.progress);
    let commit = signing::sign(commit, place.signing)?;
    drop(held);
    let mut data = Vec::new();
    commit.write_to(&mut data)?;
    sink.put(gix::objs::Kind::Commit, &data)
}

/// Returns the fault that reports paths that cannot be committed.
pub fn refused(refusals: &[Refusal]) -> Fault {
    let mut lines: Vec<String> = refusals.iter().take(10).map(ToString::to_string).collect();
    if refusals.len() > lines.len() {
        lines.push(format!("and {} more", refusals.len() - lines.len()));
    }
    let message = format!("nothing was committed, as this cannot be:\n  {}", lines.join("\n  "));
    if refusals.iter().any(|refusal| refusal.why == Why::UnreadableRepository) {
        return Fault::misconfigured(message).help(
            "`git refs migrate --ref-format=files` of git 2.48 or later, run in it, turns reftables into files; or let \
             .gitignore name it, if it is not tracked",
        );
    }
    let fault = Fault::failed(message);
    let of_conversion = refusals.iter().find_map(|refusal| match &refusal.why {
        Why::Filter(FilterFailed { driver, .. }) => Some(format!(
            "mend or install filter.{driver}.clean, or let .gitattributes name another filter: \
             `git config --show-origin --get-regexp '^filter[.]{driver}[.]'` shows what is set"
        )),
        Why::Encoding(failed) => Some(failed.help()),
        _ => None,
    });
    match of_conversion {
        Some(help) => fault.help(help),
        None => fault.help("rename or move it, or let .gitignore name it; then run this again"),
    }
}
