//! Reads and writes the refs of this repository by compare-and-swap.
//!
//! A process that is killed at any moment leaves nothing behind that keeps others from writing.
//!
//! gix can write refs too. But it leaves lock files behind that cannot be told from those of a living process, does
//! not detect packed refs with conflicting names, and never flushes. So the few steps are done here, in the same
//! order as in git (`refs/files-backend.c`): take the lock of the ref, check that the ref still has the expected
//! value, write the reflog, then the ref.

pub mod claim;
pub mod ident;
mod list;
mod lock_owner;
pub(crate) mod machine;
mod movements;
mod packed;
mod ref_path;
pub mod reflog;
mod symbolic;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use gix::{
    ObjectId,
    actor::Signature,
    bstr::BStr,
    refs::{FullName, FullNameRef},
};

pub use self::list::{list, names};
pub use self::movements::Movements;
pub use self::symbolic::{follow, head, resolve};
use self::{
    claim::{LockFile, LockFiles},
    packed::Packed,
    ref_path::{Loose, RefPath},
};
use crate::durable::{Durability, Flushing, Part};

/// The value of a local ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The ref does not exist.
    Absent,
    /// It names an object.
    Object(ObjectId),
    /// It is a symbolic ref, like `refs/remotes/origin/HEAD`.
    Symbolic,
}

/// A ref update.
#[derive(Debug, Clone, Copy)]
pub struct RefUpdate<'a> {
    /// The ref itself: a symbolic ref is not followed.
    pub name: &'a FullNameRef,
    /// The value that the ref must have for the update to be made; `None` if it must not exist.
    pub expected: Option<ObjectId>,
    /// The new value.
    pub new: ObjectId,
    /// The message for the reflog.
    pub reason: &'a str,
}

/// The result of a ref update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum UpdateOutcome {
    /// The ref has the new value, which is flushed to disk if the configuration demands that.
    Updated,
    /// The ref had another value than expected, and was not changed.
    Stale,
}

/// Why a ref was not written.
#[derive(Debug, thiserror::Error)]
pub enum RefError {
    /// Another process holds a lock.
    #[error("{0}")]
    Held(HeldLock),
    /// The name conflicts with that of another ref.
    #[error("{} cannot be created while there is a ref {}", name.as_bstr(), by.as_bstr())]
    NameTaken {
        /// The ref that was to be written.
        name: FullName,
        /// The existing ref.
        by: FullName,
    },
    /// An existing ref cannot be read.
    #[error("a ref of this repository cannot be read: {words}")]
    Broken {
        /// Which ref, and why.
        words: String,
    },
    /// Another failure of the local repository or disk.
    #[error("{0:#}")]
    Other(anyhow::Error),
}

/// A lock that another process holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLock {
    /// The lock file.
    pub lock: PathBuf,
}

impl std::fmt::Display for HeldLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "another program holds {}", self.lock.display())
    }
}

impl RefError {
    /// Returns advice on what to do about it, if there is any.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Held(HeldLock { lock }) => Some(format!(
                "let it finish; if no git is running here, it was left behind: rm {}",
                sanitize::quoted(&lock.to_string_lossy())
            )),
            Self::NameTaken { by, .. } => {
                Some(format!("rename one of them, or delete it: git update-ref -d {}", by.as_bstr()))
            }
            Self::Broken { .. } => Some(
                "put its last value back, which is in its file below `logs` in the git directory, or remove its file; \
                 `git for-each-ref` tells of such refs as well"
                    .to_owned(),
            ),
            Self::Other(_) => None,
        }
    }

    /// Wraps an error of the attempt that `what` describes.
    pub fn doing(what: String, error: impl Into<anyhow::Error>) -> Self {
        Self::Other(error.into().context(what))
    }
}

/// Reads the current value of `name`.
///
/// # Errors
///
/// If it cannot be read.
pub fn read(repo: &gix::Repository, name: &FullNameRef) -> gix::Result<Value> {
    Ok(match repo.try_find_reference(name)? {
        None => Value::Absent,
        Some(found) => found.target().try_id().map_or(Value::Symbolic, |id| Value::Object(id.to_owned())),
    })
}

/// Writes one ref; see [`RefStore::write`].
///
/// # Errors
///
/// Those of [`RefStore::write`].
pub fn write(repo: &gix::Repository, edit: RefUpdate<'_>) -> Result<UpdateOutcome, RefError> {
    RefStore::new(repo).write(edit)
}

/// Returns the lock of `name`, if it is held at the moment.
#[must_use]
pub fn held(repo: &gix::Repository, name: &FullNameRef) -> Option<HeldLock> {
    let lock = claim::lock_of(&RefPath::of(repo, name).ok()?.file());
    lock.exists().then_some(HeldLock { lock })
}

/// Returns how long to wait for another writer of a ref, as `core.filesRefLockTimeout` says, or 100 ms by default.
#[must_use]
pub fn patience(repo: &gix::Repository) -> Duration {
    configured_patience(repo, "core.filesRefLockTimeout", 100)
}

/// Writes refs. What it looks up for one ref is cached for the next ones.
pub struct RefStore<'repo> {
    repo: &'repo gix::Repository,
    flushing: Flushing,
    claims: Vec<(PathBuf, LockFiles)>,
    packed: Packed,
    committer: Option<Signature>,
}

impl<'repo> RefStore<'repo> {
    /// Creates a writer.
    #[must_use]
    pub fn new(repo: &'repo gix::Repository) -> Self {
        Self {
            repo,
            flushing: Durability::of(repo).flushing(Part::Reference),
            claims: Vec::new(),
            packed: Packed::default(),
            committer: None,
        }
    }

    /// Updates a ref and its reflog.
    ///
    /// # Errors
    ///
    /// If the ref cannot be written. It is unchanged then, unless all that failed was to flush it to disk at the end.
    pub fn write(&mut self, edit: RefUpdate<'_>) -> Result<UpdateOutcome, RefError> {
        let mut answers = self.write_all(&[edit]);
        answers.pop().unwrap_or(Ok(UpdateOutcome::Stale))
    }

    /// Updates refs independently of each other; the results are in the same order. All are flushed together, which
    /// is much faster for many refs than flushing each.
    pub fn write_all(&mut self, edits: &[RefUpdate<'_>]) -> Vec<Result<UpdateOutcome, RefError>> {
        let drafts: Vec<_> = edits.iter().map(|edit| self.draft(*edit)).collect();
        let paths = |pick: fn(&Draft) -> PathBuf| -> Vec<PathBuf> {
            drafts.iter().flatten().filter_map(Option::as_ref).map(pick).collect()
        };
        let root = self.repo.common_dir();
        // Only the contents are flushed, as the drafts still have temporary names.
        let flushed = self.flushing.contents(root, &paths(|draft| draft.claim.draft_path().to_owned()));
        let written = paths(|draft| draft.claim.target().to_owned());
        let mut answers = Vec::with_capacity(edits.len());
        for (edit, draft) in edits.iter().zip(drafts) {
            answers.push(match (draft, &flushed) {
                (Err(failed), _) => Err(failed),
                (Ok(None), _) => Ok(UpdateOutcome::Stale),
                (Ok(Some(draft)), Ok(())) => self.publish(*edit, draft),
                (Ok(Some(_)), Err(error)) => {
                    Err(RefError::Other(anyhow::anyhow!("cannot flush refs: {error}")))
                }
            });
        }
        if let Err(error) = self.flushing.batch(root, &written) {
            answers.fill_with(|| Err(RefError::Other(anyhow::anyhow!("cannot flush refs: {error}"))));
        }
        answers
    }

    /// Takes the lock of a ref and writes the new value into it; `None` if the ref has another value than expected.
    fn draft(&mut self, edit: RefUpdate<'_>) -> Result<Option<Draft>, RefError> {
        let RefUpdate { name, expected, new, .. } = edit;
        let place = RefPath::of(self.repo, name)?;
        let claim = match self.claim(&place) {
            Ok(claim) => claim,
            // There is a file in place of a directory, or the reverse.
            Err(failed) => return Err(self.name_taken(&place, name)?.unwrap_or(failed)),
        };
        let now = self.value(&place, name)?;
        if now == Value::Object(new) {
            return Ok(Some(Draft { place, claim, change: Change::None }));
        }
        if now != expected.map_or(Value::Absent, Value::Object) {
            return Ok(None);
        }
        if let Some(taken) = expected.is_none().then(|| self.name_taken(&place, name)).transpose()?.flatten()
        {
            return Err(taken);
        }
        claim.draft(self.repo, format!("{new}\n").as_bytes()).map_err(|error| {
            RefError::doing(format!("cannot write {}", claim.draft_path().display()), error)
        })?;
        Ok(Some(Draft { place, claim, change: Change::Drafted }))
    }

    /// Writes the reflog, and renames the draft to the ref.
    fn publish(&mut self, edit: RefUpdate<'_>, draft: Draft) -> Result<UpdateOutcome, RefError> {
        let Draft { place, claim, change } = draft;
        if change == Change::None {
            return Ok(UpdateOutcome::Updated);
        }
        let RefUpdate { name, expected, new, reason } = edit;
        let by = self.committer()?;
        let line = reflog::Line { old: expected, new, by: &by, reason: BStr::new(reason) };
        reflog::append(self.repo, &place.base, &place.name, line).map_err(|error| {
            RefError::doing(format!("cannot write the reflog of {}", name.as_bstr()), error)
        })?;
        match claim.publish() {
            Ok(()) => Ok(UpdateOutcome::Updated),
            Err(error) => Err(self
                .name_taken(&place, name)?
                .unwrap_or_else(|| RefError::doing(format!("cannot write {}", name.as_bstr()), error))),
        }
    }

    /// Keeps others from writing a ref for as long as the claim exists.
    ///
    /// # Errors
    ///
    /// If another process holds the lock, or the lock cannot be created.
    pub fn hold(&mut self, name: &FullNameRef) -> Result<LockFile, RefError> {
        self.claim(&RefPath::of(self.repo, name)?)
    }

    /// Deletes refs that still have the given values, with their reflogs. The results are in the same order.
    ///
    /// # Errors
    ///
    /// If a ref cannot be deleted. Each ref is either unchanged or deleted then.
    pub fn delete(&mut self, refs: &[(FullName, ObjectId)]) -> Result<Vec<UpdateOutcome>, RefError> {
        let mut answers = Vec::with_capacity(refs.len());
        let mut going = Vec::new();
        for (name, old) in refs {
            let place = RefPath::of(self.repo, name.as_ref())?;
            let claim = self.claim(&place)?;
            let now = self.value(&place, name.as_ref())?;
            let is_gone = matches!(now, Value::Absent) || now == Value::Object(*old);
            if now == Value::Object(*old) {
                going.push((name, place, claim));
            }
            answers.push(if is_gone { UpdateOutcome::Updated } else { UpdateOutcome::Stale });
        }
        if !going.is_empty() {
            self.delete_claimed(going)?;
        }
        Ok(answers)
    }

    /// Deletes refs whose locks are held. As in git, `packed-refs` is locked from before the first change until the
    /// last file is deleted: otherwise `git pack-refs` could pack a loose ref meanwhile, and so bring it back.
    fn delete_claimed(&mut self, going: Vec<(&FullName, RefPath, LockFile)>) -> Result<(), RefError> {
        let common = RefPath { base: self.repo.common_dir().to_owned(), name: packed::NAME.into() };
        let patience = configured_patience(self.repo, "core.packedRefsTimeout", 1000);
        let lock = self.claims(&common.base)?.take(self.repo, &common.name, patience)?;
        let mut packed = BTreeSet::new();
        for (name, ..) in &going {
            if self.find_packed(name.as_ref())?.is_some() {
                packed.insert(name.as_bstr());
            }
        }
        let rewritten = if packed.is_empty() { None } else { packed::rewritten(&lock, &packed)? };
        // The reflogs are deleted first, as in git: if the process is killed, a ref without a reflog does no harm,
        // while a reflog without a ref prevents refs below its name.
        for (_, place, _) in &going {
            reflog::delete(&place.base, &place.name)
                .map_err(|error| RefError::doing(format!("cannot delete the reflog of {place:?}"), error))?;
        }
        // Before the loose refs, as in git: in the other order, an older packed value would become visible.
        if let Some(text) = rewritten {
            packed::replace(self.repo, &lock, &text, self.flushing)?;
        }
        for (_, place, claim) in going {
            claim.delete(self.flushing)?;
            remove_empty_parents(&place.base, &place.file());
        }
        Ok(())
    }

    fn claim(&mut self, place: &RefPath) -> Result<LockFile, RefError> {
        let patience = patience(self.repo);
        self.claims(&place.base)?.take(self.repo, &place.name, patience)
    }

    fn claims(&mut self, base: &Path) -> Result<LockFiles, RefError> {
        if let Some((_, known)) = self.claims.iter().find(|(known, _)| known == base) {
            return Ok(known.clone());
        }
        let new = LockFiles::begin(self.repo, base)
            .map_err(|error| RefError::doing(format!("cannot lock refs in {}", base.display()), error))?;
        self.claims.push((base.to_owned(), new.clone()));
        Ok(new)
    }

    /// Reads the value of a ref whose lock is held, so that neither the loose ref nor the packed value can change.
    fn value(&mut self, place: &RefPath, name: &FullNameRef) -> Result<Value, RefError> {
        Ok(match place.read(self.repo, name)? {
            Loose::Object(id) => Value::Object(id),
            Loose::Symbolic => Value::Symbolic,
            Loose::Absent => self.find_packed(name)?.map_or(Value::Absent, Value::Object),
        })
    }

    fn find_packed(&mut self, name: &FullNameRef) -> Result<Option<ObjectId>, RefError> {
        self.packed
            .find(self.repo, name)
            .map_err(|error| RefError::doing(format!("cannot look up {}", name.as_bstr()), error))
    }

    fn name_taken(&mut self, place: &RefPath, name: &FullNameRef) -> Result<Option<RefError>, RefError> {
        let by = place.taken_by(self.repo, &mut self.packed, name)?;
        Ok(by.map(|by| RefError::NameTaken { name: name.to_owned(), by }))
    }

    fn committer(&mut self) -> Result<Signature, RefError> {
        if let Some(known) = &self.committer {
            return Ok(known.clone());
        }
        let committer = reflog::committer(self.repo)
            .map_err(|error| RefError::doing("cannot tell who writes refs".into(), error))?;
        Ok(self.committer.insert(committer).clone())
    }
}

/// The new value of a ref, written but not in place yet.
struct Draft {
    place: RefPath,
    claim: LockFile,
    change: Change,
}

/// Whether a ref changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It has the new value already.
    None,
    Drafted,
}

/// Removes the directories from that of `path` up to `base` that have become empty, but none that every repository
/// has.
fn remove_empty_parents(base: &Path, path: &Path) {
    let depth = |folder: &Path| folder.strip_prefix(base).map_or(0, |below| below.components().count());
    // `refs/heads` stays, and so does `logs/refs/heads`, for which `base` is `logs`.
    for folder in path.ancestors().skip(1).take_while(|folder| depth(folder) > 2) {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// Returns a timeout in milliseconds. It is limited to a minute even if the configuration sets no limit, so that
/// nobody waits for a dead process forever.
fn configured_patience(repo: &gix::Repository, key: &str, usual: u64) -> Duration {
    let millis =
        repo.config_snapshot().integer(key).map_or(usual, |millis| u64::try_from(millis).unwrap_or(60_000));
    Duration::from_millis(millis.min(60_000))
}
