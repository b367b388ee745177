//! Reading and writing refs of this repository: always by compare-and-swap, and so that a process that is killed at any
//! moment leaves nothing behind that keeps others from writing.
//!
//! gix can write refs too. It leaves locks behind that nobody can tell from a living writer's, does not see packed refs
//! whose names are in the way, and never flushes. So the few steps are made here, in the order in which git makes them
//! (`refs/files-backend.c`): take the ref's lock, see that it still has the value expected, write the reflog, then the
//! ref.

pub mod claim;
mod list;
pub(crate) mod machine;
mod movements;
mod packed;
pub mod person;
mod place;
pub mod reflog;
mod session;
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
    claim::{Claim, Claims},
    packed::Packed,
    place::{Loose, Place},
};
use crate::durable::{Durability, Flushing, Part};

/// What a local ref is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// There is none.
    Absent,
    /// It names an object.
    Object(ObjectId),
    /// It only points to another ref, like `refs/remotes/origin/HEAD`.
    Symbolic,
}

/// A ref's way from one value to another.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    /// The ref itself: where it is a symbolic one, it is not followed.
    pub name: &'a FullNameRef,
    /// What it must be for the edit to be made; none: no such ref.
    pub expected: Option<ObjectId>,
    /// What it shall be.
    pub new: ObjectId,
    /// What the reflog says about it.
    pub reason: &'a str,
}

/// What became of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// The ref has the new value; where it should survive a power cut, it does.
    Done,
    /// The ref had another value than was expected, and was left alone.
    Moved,
}

/// Why a ref was not written.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Somebody else holds a lock.
    #[error("{0}")]
    Held(Held),
    /// Another ref's name is in the way.
    #[error("{} cannot be created while there is a ref {}", name.as_bstr(), by.as_bstr())]
    NameTaken {
        /// The ref that was to be written.
        name: FullName,
        /// The one that is there.
        by: FullName,
    },
    /// What is there cannot be read.
    #[error("a ref of this repository cannot be read: {words}")]
    Broken {
        /// Which one, and why.
        words: String,
    },
    /// Something in this machine's own repository or disk.
    #[error("{0:#}")]
    Other(anyhow::Error),
}

/// A lock that is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The lock file.
    pub lock: PathBuf,
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "another program holds {}", self.lock.display())
    }
}

impl Failed {
    /// What to do about it, where there is something to do.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Held(Held { lock }) => Some(format!(
                "let it finish; if no git is running here, it was left behind: rm {}",
                words::quoted(&lock.to_string_lossy())
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

    pub(crate) fn doing(what: String, error: impl Into<anyhow::Error>) -> Self {
        Self::Other(error.into().context(what))
    }
}

/// The value of `name` now.
///
/// # Errors
///
/// It cannot be read.
pub fn read(repo: &gix::Repository, name: &FullNameRef) -> gix::Result<Value> {
    Ok(match repo.try_find_reference(name)? {
        None => Value::Absent,
        Some(found) => found.target().try_id().map_or(Value::Symbolic, |id| Value::Object(id.to_owned())),
    })
}

/// Writes one ref; see [`Writer::write`].
///
/// # Errors
///
/// Those of [`Writer::write`].
pub fn write(repo: &gix::Repository, edit: Edit<'_>) -> Result<Written, Failed> {
    Writer::new(repo).write(edit)
}

/// Whoever holds the lock of `name` at this moment.
#[must_use]
pub fn held(repo: &gix::Repository, name: &FullNameRef) -> Option<Held> {
    let lock = claim::lock_of(&Place::of(repo, name).ok()?.file());
    lock.exists().then_some(Held { lock })
}

/// How long to wait for another writer of a ref, by `core.filesRefLockTimeout`: 100 ms where nothing is said.
#[must_use]
pub fn patience(repo: &gix::Repository) -> Duration {
    configured_patience(repo, "core.filesRefLockTimeout", 100)
}

/// Writes refs. What it looks up for the first stays known for the next ones.
pub struct Writer<'repo> {
    repo: &'repo gix::Repository,
    flushing: Flushing,
    claims: Vec<(PathBuf, Claims)>,
    packed: Packed,
    committer: Option<Signature>,
}

impl<'repo> Writer<'repo> {
    /// A writer that has not done anything yet.
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

    /// Moves a ref, and says so in its reflog.
    ///
    /// # Errors
    ///
    /// The ref is as it was then.
    pub fn write(&mut self, edit: Edit<'_>) -> Result<Written, Failed> {
        let mut answers = self.write_all(&[edit]);
        answers.pop().unwrap_or(Ok(Written::Moved))
    }

    /// Moves refs, each on its own merits; the answers come in the same order. All are flushed together, which for many
    /// is much faster than one by one.
    pub fn write_all(&mut self, edits: &[Edit<'_>]) -> Vec<Result<Written, Failed>> {
        let drafts: Vec<_> = edits.iter().map(|edit| self.draft(*edit)).collect();
        let paths = |pick: fn(&Draft) -> PathBuf| -> Vec<PathBuf> {
            drafts.iter().flatten().filter_map(Option::as_ref).map(pick).collect()
        };
        let root = self.repo.common_dir();
        // The names that they have now are nobody's.
        let flushed = self.flushing.contents(root, &paths(|draft| draft.claim.draft_path().to_owned()));
        let written = paths(|draft| draft.claim.target().to_owned());
        let mut answers = Vec::with_capacity(edits.len());
        for (edit, draft) in edits.iter().zip(drafts) {
            answers.push(match (draft, &flushed) {
                (Err(failed), _) => Err(failed),
                (Ok(None), _) => Ok(Written::Moved),
                (Ok(Some(draft)), Ok(())) => self.publish(*edit, draft),
                (Ok(Some(_)), Err(error)) => {
                    Err(Failed::Other(anyhow::anyhow!("cannot flush refs: {error}")))
                }
            });
        }
        if let Err(error) = self.flushing.batch(root, &written) {
            answers.fill_with(|| Err(Failed::Other(anyhow::anyhow!("cannot flush refs: {error}"))));
        }
        answers
    }

    /// Takes a ref's lock and writes the new value into it; none where the ref has another value than expected.
    fn draft(&mut self, edit: Edit<'_>) -> Result<Option<Draft>, Failed> {
        let Edit { name, expected, new, .. } = edit;
        let place = Place::of(self.repo, name)?;
        let claim = match self.claim(&place) {
            Ok(claim) => claim,
            // A file where a folder is to be, or the other way round.
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
            Failed::doing(format!("cannot write {}", claim.draft_path().display()), error)
        })?;
        Ok(Some(Draft { place, claim, change: Change::Drafted }))
    }

    /// Writes the reflog, and puts the new value in place.
    fn publish(&mut self, edit: Edit<'_>, draft: Draft) -> Result<Written, Failed> {
        let Draft { place, claim, change } = draft;
        if change == Change::None {
            return Ok(Written::Done);
        }
        let Edit { name, expected, new, reason } = edit;
        let by = self.committer()?;
        let line = reflog::Line { old: expected, new, by: &by, reason: BStr::new(reason) };
        reflog::append(self.repo, &place.base, &place.name, line).map_err(|error| {
            Failed::doing(format!("cannot write the reflog of {}", name.as_bstr()), error)
        })?;
        match claim.publish() {
            Ok(()) => Ok(Written::Done),
            Err(error) => Err(self
                .name_taken(&place, name)?
                .unwrap_or_else(|| Failed::doing(format!("cannot write {}", name.as_bstr()), error))),
        }
    }

    /// Keeps others from writing a ref for as long as the claim lives.
    ///
    /// # Errors
    ///
    /// Somebody else keeps it, or no lock can be made.
    pub fn hold(&mut self, name: &FullNameRef) -> Result<Claim, Failed> {
        self.claim(&Place::of(self.repo, name)?)
    }

    /// Deletes refs that still have the value given, with their reflogs. The answers come in the same order.
    ///
    /// # Errors
    ///
    /// Each ref is as it was, or gone.
    pub fn delete(&mut self, refs: &[(FullName, ObjectId)]) -> Result<Vec<Written>, Failed> {
        let mut answers = Vec::with_capacity(refs.len());
        let mut going = Vec::new();
        let mut packed = BTreeSet::new();
        for (name, old) in refs {
            let place = Place::of(self.repo, name.as_ref())?;
            let claim = self.claim(&place)?;
            let now = self.value(&place, name.as_ref())?;
            if now == Value::Object(*old) {
                if self.find_packed(name.as_ref())?.is_some() {
                    packed.insert(name.as_bstr());
                }
                going.push((place, claim));
            }
            let is_gone = matches!(now, Value::Absent) || now == Value::Object(*old);
            answers.push(if is_gone { Written::Done } else { Written::Moved });
        }
        // As with git, first of all: should the process be killed, a ref without a log does no harm, while a log
        // without a ref is in the way of refs below its name.
        for (place, _) in &going {
            reflog::delete(&place.base, &place.name)
                .map_err(|error| Failed::doing(format!("cannot delete the reflog of {place:?}"), error))?;
        }
        if !packed.is_empty() {
            // As with git, before the files: in the other order a ref of an older value would come to light.
            let common = Place { base: self.repo.common_dir().to_owned(), name: packed::NAME.into() };
            let patience = configured_patience(self.repo, "core.packedRefsTimeout", 1000);
            let lock = self.claims(&common.base)?.take(self.repo, &common.name, patience)?;
            packed::remove(self.repo, lock, &packed, self.flushing)?;
        }
        for (place, claim) in going {
            claim.delete(self.flushing)?;
            remove_empty_parents(&place.base, &place.file());
        }
        Ok(answers)
    }

    fn claim(&mut self, place: &Place) -> Result<Claim, Failed> {
        let patience = patience(self.repo);
        self.claims(&place.base)?.take(self.repo, &place.name, patience)
    }

    fn claims(&mut self, base: &Path) -> Result<Claims, Failed> {
        if let Some((_, known)) = self.claims.iter().find(|(known, _)| known == base) {
            return Ok(known.clone());
        }
        let new = Claims::begin(self.repo, base)
            .map_err(|error| Failed::doing(format!("cannot lock refs in {}", base.display()), error))?;
        self.claims.push((base.to_owned(), new.clone()));
        Ok(new)
    }

    /// The value of a ref whose lock is held, so that neither the file nor the packed value can change.
    fn value(&mut self, place: &Place, name: &FullNameRef) -> Result<Value, Failed> {
        Ok(match place.read(self.repo, name)? {
            Loose::Object(id) => Value::Object(id),
            Loose::Symbolic => Value::Symbolic,
            Loose::Absent => self.find_packed(name)?.map_or(Value::Absent, Value::Object),
        })
    }

    fn find_packed(&mut self, name: &FullNameRef) -> Result<Option<ObjectId>, Failed> {
        self.packed
            .find(self.repo, name)
            .map_err(|error| Failed::doing(format!("cannot look up {}", name.as_bstr()), error))
    }

    fn name_taken(&mut self, place: &Place, name: &FullNameRef) -> Result<Option<Failed>, Failed> {
        let by = place.taken_by(self.repo, &mut self.packed, name)?;
        Ok(by.map(|by| Failed::NameTaken { name: name.to_owned(), by }))
    }

    fn committer(&mut self) -> Result<Signature, Failed> {
        if let Some(known) = &self.committer {
            return Ok(known.clone());
        }
        let committer = reflog::committer(self.repo)
            .map_err(|error| Failed::doing("cannot tell who writes refs".into(), error))?;
        Ok(self.committer.insert(committer).clone())
    }
}

/// A ref's new value, written but not in place yet.
struct Draft {
    place: Place,
    claim: Claim,
    change: Change,
}

/// Whether a ref changes at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It has the value already.
    None,
    Drafted,
}

/// Removes the folders on the way from `base` to `path` that have become empty, but none that every repository has.
fn remove_empty_parents(base: &Path, path: &Path) {
    let depth = |folder: &Path| folder.strip_prefix(base).map_or(0, |below| below.components().count());
    // `refs/heads` stays, and so does `logs/refs/heads`, which is one of `base` less deep.
    for folder in path.ancestors().skip(1).take_while(|folder| depth(folder) > 2) {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// A time in milliseconds; one without end ends after a minute all the same, so that nobody waits for the dead.
fn configured_patience(repo: &gix::Repository, key: &str, usual: u64) -> Duration {
    let millis =
        repo.config_snapshot().integer(key).map_or(usual, |millis| u64::try_from(millis).unwrap_or(60_000));
    Duration::from_millis(millis.min(60_000))
}
