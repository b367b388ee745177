//! Reads and updates local notes refs.
//!
//! `git notes` overwrites a ref without stating the expected old value, which is how notes get lost. Here every
//! update is a compare-and-swap from the value that the new one is based on.

use anyhow::Result;
use gix::{
    ObjectId, Repository,
    objs::Kind,
    refs::{FullName, FullNameRef, file::find::ReferenceDecode},
};
use phase::Fault;
use remote::RemoteName;
use store::local_ref::{self, RefError, RefUpdate, UpdateOutcome, Value};

use crate::names::NotesRef;

/// The value of a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The ref to update: the one that was asked for, or the target if that is a symbolic ref.
    pub name: FullName,
    /// Its commit, or with [`find`] its object of any kind; `None` if the ref does not exist.
    pub commit: Option<ObjectId>,
}

/// The outcome of a ref update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Moved {
    /// The ref has the new value.
    Done,
    /// The ref had another value than expected, or was locked by another writer; nothing was changed.
    Raced,
}

/// Reads a ref, following symbolic refs.
///
/// # Errors
/// If it cannot be read, or does not name a commit.
pub fn read(repo: &Repository, name: &FullNameRef) -> Result<Tip> {
    let Tip { name, commit } = find(repo, name)?;
    let Some(id) = commit else { return Ok(Tip { name, commit }) };
    let commit = repo
        .find_object(id)
        .and_then(gix::Object::try_into_commit)
        .map_err(|error| names_no_commit(name.as_ref(), error.into()))?;
    Ok(Tip { name, commit: Some(commit.id) })
}

/// Reads a ref, following symbolic refs, whatever kind of object it names.
///
/// # Errors
/// If it cannot be read.
pub fn find(repo: &Repository, name: &FullNameRef) -> Result<Tip> {
    let resolved = local_ref::resolve(repo, name.to_owned());
    let (name, value) = resolved.map_err(|error| unreadable(repo, name, error))?;
    let commit = match value {
        Value::Absent => None,
        Value::Object(id) => Some(id),
        Value::Symbolic => {
            return Err(Fault::failed(format!("{} points around in circles", name.as_bstr()))
                .help(format!(
                    "remove it: `git symbolic-ref --delete {}`; then run this again",
                    name.as_bstr()
                ))
                .into());
        }
    };
    Ok(Tip { name, commit })
}

/// Reports a ref that cannot be read. If its file does not contain a ref, git can neither read nor delete it either,
/// so the remedy is to remove the file.
fn unreadable(repo: &Repository, name: &FullNameRef, error: gix::Error) -> anyhow::Error {
    let name = name.as_bstr();
    let holds_no_ref = error.iter_errors().any(|error| error.is::<ReferenceDecode>());
    let error = anyhow::Error::from(error).context(format!("cannot read {name}"));
    if !holds_no_ref {
        return error;
    }
    let base = std::path::absolute(repo.common_dir()).unwrap_or_else(|_| repo.common_dir().to_owned());
    let [file, log] = [base.clone(), base.join("logs")].map(|base| base.join(name.to_string()));
    let (file, log) = (file.display(), log.display());
    let help = format!(
        "remove the file {file}, and the next run fetches it anew; the last line of {log} says where it was"
    );
    Fault::failed(format!("{error:#}")).help(help).into()
}

fn names_no_commit(name: &FullNameRef, error: anyhow::Error) -> Fault {
    let name = name.as_bstr();
    Fault::failed(format!("{name} does not name a commit with notes: {error:#}")).help(format!(
        "`git rev-parse {name}` says what it names, to be looked at; `git update-ref -d {name}` removes it, and the next \
         run fetches it anew"
    ))
}

/// Checks that what `remote` has of a notes ref is a commit, if the object is here. Removing the local tracking ref
/// would not help: the next fetch brings it back.
///
/// # Errors
/// A fault if it is another kind of object; else if the object cannot be read.
pub fn check_theirs(repo: &Repository, name: &NotesRef, remote: &RemoteName, theirs: ObjectId) -> Result<()> {
    match repo.try_find_header(theirs)?.map(|header| header.kind()) {
        None | Some(Kind::Commit) => Ok(()),
        Some(kind) => {
            Err(Fault::failed(format!("{name} at {remote} does not name a commit with notes, but a {kind}"))
                .help(format!("have it removed there: `git push {remote} :{name}`"))
                .into())
        }
    }
}

/// Updates a ref from `tip` to `new` if it is still at `tip`, with `message` in the reflog.
///
/// # Errors
/// If the ref cannot be written for another reason than a concurrent writer.
pub fn advance(repo: &Repository, tip: &Tip, new: ObjectId, message: &str) -> Result<Moved> {
    if tip.commit == Some(new) {
        return Ok(Moved::Done);
    }
    let edit = RefUpdate { name: tip.name.as_ref(), expected: tip.commit, new, reason: message };
    match local_ref::write(repo, edit) {
        Ok(UpdateOutcome::Updated) => Ok(Moved::Done),
        Ok(UpdateOutcome::Stale) | Err(RefError::Held(_)) => Ok(Moved::Raced),
        Err(failed @ (RefError::NameTaken { .. } | RefError::Broken { .. } | RefError::Other(_))) => {
            Err(Fault::coded(1, failed.to_string(), failed.help()).into())
        }
    }
}

/// Returns the message that a ref was contended for too long, naming the holder of its lock if there is one.
pub fn raced(repo: &Repository, name: &FullNameRef) -> String {
    let lock = read(repo, name).ok().and_then(|tip| local_ref::held(repo, tip.name.as_ref()));
    match lock {
        Some(held) => {
            let failed = RefError::Held(held);
            format!("{failed}; {}", failed.help().unwrap_or_default())
        }
        None => format!("{} is being written by others all the time", name.as_bstr()),
    }
}
