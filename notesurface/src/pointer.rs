//! Reads and moves `refs/lockstep/surfaced`, which marks up to where notes have been shown.
//!
//! The ref points to the commit up to which notes have been shown. If there is no single such commit, because of
//! branches in several worktrees or a rewritten upstream, it points to a commit made for this purpose, whose parents
//! are the commits up to which notes have been shown. Otherwise one worktree would show again what another has shown.

use gix::{ObjectId, actor::Signature, objs::Commit};
use phase::{Fault, Guard};
use store::{
    PackKeep,
    local_ref::{self, RefUpdate, UpdateOutcome, Value},
};

/// The ref's name.
const NAME: &str = "refs/lockstep/surfaced";

/// The message of the commits made for this purpose, by which they are recognised.
const MESSAGE: &str = "lockstep: notes have been surfaced up to these commits\n";

/// The value of the pointer as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pointer {
    /// The id in the ref.
    id: ObjectId,
    /// The commits up to which notes have been shown.
    pub(crate) commits: Vec<ObjectId>,
}

/// A move of the pointer, to be applied later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Advance {
    /// The expected value of the ref; `None` if it does not exist.
    before: Option<ObjectId>,
    /// The commits up to which notes will have been shown.
    commits: Vec<ObjectId>,
}

impl Pointer {
    /// Returns the value of the ref; `None` if nothing was ever shown.
    ///
    /// # Errors
    /// A fault if the ref cannot be read.
    pub(crate) fn id(repo: &gix::Repository) -> anyhow::Result<Option<ObjectId>> {
        let (_, value) =
            local_ref::resolve(repo, NAME.try_into()?).map_err(|error| unreadable(repo, &error.into()))?;
        match value {
            Value::Absent => Ok(None),
            Value::Object(id) => Ok(Some(id)),
            Value::Symbolic => Err(names_no_commit().into()),
        }
    }

    /// Returns the pointer with the value `id`. If that is the `newest` commit, nothing has to be read: all of
    /// history has been shown.
    ///
    /// # Errors
    /// A fault if it is not a commit.
    pub(crate) fn at(repo: &gix::Repository, id: ObjectId, newest: Option<ObjectId>) -> anyhow::Result<Self> {
        if Some(id) == newest {
            return Ok(Self { id, commits: vec![id] });
        }
        let commit = repo.find_object(id).ok().and_then(|object| object.peel_to_commit().ok());
        let commit = commit.ok_or_else(names_no_commit)?;
        let parents: Vec<_> = commit.parent_ids().map(gix::Id::detach).collect();
        let is_made_for_this = commit.message_raw()? == MESSAGE;
        let commits = if is_made_for_this { parents } else { vec![commit.id] };
        Ok(Self { id, commits })
    }
}

fn names_no_commit() -> Fault {
    Fault::failed(format!("{NAME} does not name a commit of this repository"))
        .help(format!("remove it with `git update-ref -d {NAME}`, then look with notesurface --all"))
}

/// Reports a ref that git can neither read nor delete, so that its file has to be removed.
fn unreadable(repo: &gix::Repository, error: &anyhow::Error) -> Fault {
    let file = repo.common_dir().join(NAME);
    let file = std::path::absolute(&file).unwrap_or(file);
    Fault::failed(format!("{NAME} cannot be read: {error:#}"))
        .help(format!("remove the file {}, then look with notesurface --all", file.display()))
}

impl Advance {
    /// Returns the move that makes the pointer include `tip`; `None` if it does already.
    pub(crate) fn to(
        repo: &gix::Repository,
        pointer: Option<&Pointer>,
        tip: ObjectId,
    ) -> anyhow::Result<Option<Self>> {
        let Some(pointer) = pointer else { return Ok(Some(Self { before: None, commits: vec![tip] })) };
        if pointer.commits.contains(&tip) {
            return Ok(None);
        }
        let history = store::History::of(repo);
        let mut commits = vec![tip];
        for &commit in &pointer.commits {
            match history.base(repo, commit, tip) {
                Ok(Some(base)) if base == tip => return Ok(None),
                Ok(Some(base)) if base == commit => {}
                _ => commits.push(commit),
            }
        }
        commits.sort();
        Ok(Some(Self { before: Some(pointer.id), commits }))
    }

    /// Moves the pointer, unless another process has moved it since it was read: then that process has shown what
    /// there was, or the next run will.
    ///
    /// # Errors
    /// A fault with exit 75 if the run has lost its lock; else if the ref cannot be written.
    pub(crate) fn apply(&self, repo: &gix::Repository, guard: &dyn Guard) -> anyhow::Result<()> {
        guard.check()?;
        let (id, held) = match self.commits.as_slice() {
            [commit] => (*commit, PackKeep::default()),
            commits => made_for(repo, commits)?,
        };
        let edit = RefUpdate {
            name: NAME.try_into()?,
            expected: self.before,
            new: id,
            reason: "lockstep: notes surfaced",
        };
        let written = local_ref::write(repo, edit);
        drop(held);
        match written {
            Ok(UpdateOutcome::Updated | UpdateOutcome::Stale) => Ok(()),
            Err(failed) => Err(Fault::coded(1, failed.to_string(), failed.help()).into()),
        }
    }
}

/// Writes a commit with these parents. It depends on nothing else, so that the same parents give the same commit.
fn made_for(repo: &gix::Repository, commits: &[ObjectId]) -> anyhow::Result<(ObjectId, PackKeep)> {
    let nobody =
        Signature { name: "lockstep".into(), email: "lockstep@localhost".into(), time: Default::default() };
    let mut drafts = repo.clone().with_object_memory();
    let commit = Commit {
        tree: drafts.write_object(gix::objs::Tree::empty())?.detach(),
        parents: commits.iter().copied().collect(),
        author: nobody.clone(),
        committer: nobody,
        encoding: None,
        message: MESSAGE.into(),
        extra_headers: Vec::new(),
    };
    let id = drafts.write_object(&commit)?.detach();
    let (_, held) = store::add_objects(repo, drafts.objects.take_object_memory().unwrap_or_default())?;
    Ok((id, held))
}
