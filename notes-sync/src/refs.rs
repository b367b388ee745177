//! Reading and moving local notes refs.
//!
//! `git notes` writes a ref without saying what it expects there, which is how notes get lost. Here a ref is only ever
//! moved from the value that the new one was made from.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;
use gix::{
    ObjectId, Repository,
    lock::acquire::Fail,
    refs::{
        FullName, FullNameRef, Target,
        transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog},
    },
};
use phase::Guard;
use remote::durable;

/// How long another writer may hold a ref's lock file, as git's `core.filesRefLockTimeout` has it.
const LOCK_PATIENCE: Duration = Duration::from_millis(100);

/// Where a ref is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The ref to move: the one named, or where that points as a symbolic ref.
    pub name: FullName,
    /// Its commit; `None` where it does not exist.
    pub commit: Option<ObjectId>,
}

/// What came of moving a ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Moved {
    /// It has the new value.
    Done,
    /// It had another value than expected, or somebody was just writing it; nothing was changed.
    Raced,
}

/// Reads a ref, following symbolic ones.
///
/// # Errors
/// Where it cannot be read, or does not name a commit.
pub fn read(repo: &Repository, name: &FullNameRef) -> Result<Tip> {
    let mut name = name.to_owned();
    // Git gives up on longer chains as well.
    for _ in 0..5 {
        let Some(reference) = repo
            .try_find_reference(name.as_ref())
            .with_context(|| format!("cannot read {}", name.as_bstr()))?
        else {
            return Ok(Tip { name, commit: None });
        };
        match reference.target().into_owned() {
            Target::Symbolic(next) => name = next,
            Target::Object(id) => {
                let commit = repo
                    .find_object(id)
                    .and_then(|object| object.peel_to_commit())
                    .with_context(|| format!("{} does not name a commit with notes", name.as_bstr()))?;
                return Ok(Tip { name, commit: Some(commit.id) });
            }
        }
    }
    bail!("{} points around in circles", name.as_bstr())
}

/// Moves a ref from `tip` to `new`, if it is still there. The reflog gets `message`.
///
/// # Errors
/// Where the run's lock is lost, or the ref cannot be written for another reason than that somebody else did.
pub fn advance(
    repo: &Repository,
    tip: &Tip,
    new: ObjectId,
    message: &str,
    guard: &dyn Guard,
) -> Result<Moved> {
    if tip.commit == Some(new) {
        return Ok(Moved::Done);
    }
    if tip.commit.is_none() {
        refuse_taken_names(repo, &tip.name)?;
    }
    let expected = match tip.commit {
        Some(id) => PreviousValue::MustExistAndMatch(Target::Object(id)),
        None => PreviousValue::MustNotExist,
    };
    let log = LogChange { mode: RefLog::AndReference, force_create_reflog: true, message: message.into() };
    let edit = RefEdit {
        change: Change::Update { log, expected, new: Target::Object(new) },
        name: tip.name.clone(),
        deref: false,
    };
    match write(repo, edit, guard)? {
        Ok(()) => {
            durable::sync_ref(repo, tip.name.as_ref()).context("cannot flush a ref to the disk")?;
            Ok(Moved::Done)
        }
        Err(error) if is_race(repo, tip, &error) => Ok(Moved::Raced),
        Err(error) => Err(error).with_context(|| format!("cannot move {}", tip.name.as_bstr())),
    }
}

/// Writes the ref and its reflog. The inner error is the ref's, the outer one everything else.
fn write(repo: &Repository, edit: RefEdit, guard: &dyn Guard) -> Result<gix::Result<()>> {
    let nobody;
    let committer = match repo.committer() {
        Some(committer) => committer?,
        // Only the reflog needs it, and git makes up a name there too.
        None => {
            nobody = gix::date::Time::now_local_or_utc().to_string();
            gix::actor::SignatureRef {
                name: "unknown".into(),
                email: "unknown@localhost".into(),
                time: &nobody,
            }
        }
    };
    let lock_file = lock_file(repo, &edit.name).and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    let patience = Fail::AfterDurationWithBackoff(LOCK_PATIENCE);
    let prepared = match repo.refs.transaction().prepare([edit], patience, patience) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Err(error)),
    };
    // Killed from here on, the ref would stay locked for everybody.
    if let Some(lock_file) = &lock_file {
        guard.made(lock_file)?;
    }
    let written = prepared.commit(committer).map(drop);
    if let Some(lock_file) = &lock_file {
        guard.finished(lock_file);
    }
    Ok(written)
}

/// Whether somebody else moved the ref or holds its lock. What the error says is not relied on where looking again tells.
fn is_race(repo: &Repository, tip: &Tip, error: &gix::Error) -> bool {
    let moved = read(repo, tip.name.as_ref()).is_ok_and(|now| now.commit != tip.commit);
    moved || error.is_conflict() || lock_file(repo, &tip.name).is_some_and(|lock| lock.exists())
}

fn lock_file(repo: &Repository, name: &FullName) -> Option<std::path::PathBuf> {
    let path = repo.common_dir().join(name.to_path().ok()?);
    let mut file = path.file_name()?.to_owned();
    file.push(".lock");
    Some(path.with_file_name(file))
}

/// Refuses a new ref whose name is a folder of others, or below another. Git refuses that as well; gix overlooks refs
/// that are packed.
fn refuse_taken_names(repo: &Repository, name: &FullName) -> Result<()> {
    let text = name.as_bstr().to_string();
    for (end, _) in text.match_indices('/').skip(2) {
        let above = text.get(..end).unwrap_or_default();
        if let Ok(above) = FullName::try_from(above)
            && repo.try_find_reference(above.as_ref())?.is_some()
        {
            bail!("{text} cannot be created while there is a ref {}", above.as_bstr());
        }
    }
    let platform = repo.references()?;
    let below = format!("{text}/");
    if let Some(found) = platform.prefixed(below.as_str())?.next() {
        let found = found?;
        bail!("{text} cannot be created while there is a ref {}", found.name().as_bstr());
    }
    Ok(())
}
