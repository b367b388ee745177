//! Stores a push in a remote on this machine: the work of `git-receive-pack`.

use std::path::Path;

use gix::{ObjectId, Repository, bstr::BStr, object::Kind};
use store::{
    History, PackKeep, PreparedPack, Receiver, RecentObjects,
    connectivity::{self, Missing},
    local_ref::{
        self, RefStore, RefUpdate, UpdateOutcome, Value, claim,
        reflog::{self, Line},
    },
    object_file::Drafts,
    objects::{self, Reader},
    pack::{self, encoded_entries::EncodedEntries, resolve::Object, write_local},
    temporary,
};

use super::{LocalRepo, eligibility, left_to_others};
use crate::{
    Step, Update, UpdateStatus, Watcher,
    push::{Prepared, lacking},
};

/// The number of objects from which git's server keeps a pack instead of unpacking it into loose objects; see
/// `receive.unpackLimit` of <https://git-scm.com/docs/git-config>.
const PACK_FROM: usize = 100;

/// A push, computed against the values that the remote's refs had a moment ago.
pub(crate) struct Offer<'a> {
    /// The repository that has the objects, and its history.
    pub from: &'a Repository,
    pub history: &'a History,
    pub updates: &'a [&'a Update],
    /// What was prepared in advance and can be used for this push.
    pub prepared: Prepared<'a>,
    /// The objects that the remote's refs point to.
    pub theirs: &'a [ObjectId],
}

/// The result of a push.
pub(crate) struct Taken {
    /// One answer per update.
    pub answers: Vec<UpdateStatus>,
    pub stored: Stored,
}

/// What was added to the remote's object database.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stored {
    pub objects: u64,
    pub bytes: u64,
}

impl LocalRepo {
    /// Whether a push only has to be stored there.
    pub fn only_stores(&self) -> bool {
        // First removes the lock files of killed pushers, which a server program could not tell from locks in use.
        claim::sweep(self.repo.common_dir());
        temporary::remove_stale_packs(self.repo.objects.store_ref().path());
        eligibility::only_stores(&self.repo)
    }

    /// Stores the objects, and updates the refs.
    ///
    /// # Errors
    ///
    /// If the push is too large to be held in memory, or something fails. No ref has been updated then, unless what
    /// failed is reading the actual value of a stale ref.
    pub fn take(&self, offer: &Offer<'_>, watcher: &dyn Watcher) -> gix::Result<Taken> {
        self.look_at(offer)?;
        let (stored, held) = self.store(offer, watcher)?;
        watcher.progress(Step::Awaiting);
        let answers = self.move_refs(offer.updates)?;
        drop(held);
        Ok(Taken { answers, stored })
    }

    /// Checks that the refs can be updated without further rules.
    fn look_at(&self, offer: &Offer<'_>) -> gix::Result<()> {
        for update in offer.updates {
            let Some(new) = update.new else { return Err(left_to_others("a ref is to be deleted")) };
            let name = update.name.as_bstr();
            let is_branch = name.starts_with(b"refs/heads/");
            // A server refuses names directly below `refs/`.
            if !name.strip_prefix(b"refs/").is_some_and(|below| below.contains(&b'/'))
                || local_ref::read(&self.repo, update.name.as_ref())? == Value::Symbolic
                || is_branch && offer.from.find_header(new)?.kind() != Kind::Commit
            {
                return Err(left_to_others("the ref has rules of its own"));
            }
        }
        Ok(())
    }

    /// Stores the missing objects: a few as loose objects, many as a pack.
    fn store(&self, offer: &Offer<'_>, watcher: &dyn Watcher) -> gix::Result<(Stored, PackKeep)> {
        let ours = (offer.from, offer.history);
        let theirs = (Receiver::ObjectDatabase, offer.theirs);
        let items = lacking(ours, &offer.tips(), theirs, offer.prepared, watcher)?;
        let none = EncodedEntries::default();
        let ready = offer.prepared.ready.map_or(&none, PreparedPack::laid);
        let objects = ready.count() + items.len();
        let mut held = PackKeep::default();
        let bytes = match objects {
            0 => 0,
            1..PACK_FROM => {
                let ids = ready.ids().chain(items.iter().map(|item| item.id));
                self.store_files(offer, ids)?
            }
            PACK_FROM..=pack::MOST_AT_ONCE => {
                let told =
                    &mut |done, bytes| watcher.progress(Step::Sending { objects: done, of: objects, bytes });
                let objects = self.repo.objects.store_ref().path();
                let (pack, bytes) = write_local::land(offer.from, objects, ready, &items, told)?;
                held = pack.keep(&self.repo).map_err(gix::Error::from_error)?;
                bytes
            }
            _ => return Err(left_to_others("too many objects to be held in memory")),
        };
        Ok((Stored { objects: objects as u64, bytes }, held))
    }

    /// Stores a few objects as loose objects.
    fn store_files(&self, offer: &Offer<'_>, ids: impl Iterator<Item = ObjectId>) -> gix::Result<u64> {
        let mut reader = Reader::new(offer.from.clone());
        let (mut found, mut bytes) = (Vec::new(), 0);
        let too_large = || left_to_others("too large to be held in memory");
        for id in ids {
            let object = match offer.prepared.made.get(&id) {
                Some(made) => made,
                None => {
                    // The size is checked before the object is read, which may be larger than all memory.
                    if reader.size(id)? > (pack::LARGEST_AT_ONCE - bytes) as u64 {
                        return Err(too_large());
                    }
                    let mut data = Vec::new();
                    let kind = reader.read(id, &mut data)?;
                    Object { id, kind, data: data.into() }
                }
            };
            objects::check(&id, object.kind, &object.data)?;
            bytes += object.data.len();
            if bytes > pack::LARGEST_AT_ONCE {
                return Err(too_large());
            }
            found.push(object);
        }
        self.check(offer, &RecentObjects::of(found.iter().cloned()))?;
        let mut drafts = Drafts::new(&self.repo);
        let mut write =
            |object: &Object| store::add_loose(&self.repo, &mut drafts, object.id, object.kind, &object.data);
        found.iter().try_for_each(&mut write).map_err(gix::Error::from_error)?;
        drafts.publish().map_err(gix::Error::from_error)?;
        Ok(bytes as u64)
    }

    /// The connectivity check: everything reachable from the new values must be in the remote or in `recent`.
    fn check(&self, offer: &Offer<'_>, recent: &RecentObjects) -> gix::Result<()> {
        connectivity::check(&self.repo, recent, &self.history, &offer.tips(), offer.theirs, &mut |_| ())
            .map_err(Missing::into_error)
    }

    fn move_refs(&self, updates: &[&Update]) -> gix::Result<Vec<UpdateStatus>> {
        let edits: Vec<RefUpdate<'_>> = updates
            .iter()
            .filter_map(|update| {
                let name = update.name.as_ref();
                Some(RefUpdate { name, expected: update.expected, new: update.new?, reason: "push" })
            })
            .collect();
        let written = RefStore::new(&self.repo).write_all(&edits);
        if !written.iter().any(|one| matches!(one, Ok(UpdateOutcome::Updated)))
            && written.iter().any(Result::is_err)
        {
            return Err(left_to_others("a ref cannot be written"));
        }
        for (edit, _) in
            edits.iter().zip(&written).filter(|(_, one)| matches!(one, Ok(UpdateOutcome::Updated)))
        {
            // The branch has moved, whether or not that can be logged.
            let _ = self.note_at_head(*edit);
        }
        let answers = written.into_iter().zip(updates).map(|(written, update)| {
            Ok(match written {
                Ok(UpdateOutcome::Updated) => UpdateStatus::Done,
                Ok(UpdateOutcome::Stale) => {
                    let actual = match local_ref::read(&self.repo, update.name.as_ref())? {
                        Value::Object(id) => Some(id),
                        Value::Absent | Value::Symbolic => None,
                    };
                    UpdateStatus::Stale { actual }
                }
                Err(failed) => UpdateStatus::Rejected { words: failed.to_string() },
            })
        });
        answers.collect()
    }

    /// Appends an update of the branch that the remote's `HEAD` points to to the reflog of `HEAD` as well, if there
    /// is one.
    fn note_at_head(&self, edit: RefUpdate<'_>) -> gix::Result<()> {
        if self.repo.head_name()?.is_none_or(|head| head.as_ref() != edit.name) {
            return Ok(());
        }
        let by = reflog::committer(&self.repo)?;
        let line = Line { old: edit.expected, new: edit.new, by: &by, reason: BStr::new(edit.reason) };
        reflog::append(&self.repo, self.repo.git_dir(), Path::new("HEAD"), line)
            .map_err(gix::Error::from_error)
    }
}

impl Offer<'_> {
    /// Returns the new values of the refs.
    fn tips(&self) -> Vec<ObjectId> {
        self.updates.iter().filter_map(|update| update.new).collect()
    }
}
