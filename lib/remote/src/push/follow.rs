//! Updates the tracking refs after a push, as `git push` does.
//!
//! The remote has been changed by then, so a tracking ref that cannot be updated does not fail the push: the next
//! fetch reads the remote's value again.

use gix::ObjectId;
use store::local_ref::{self, RefError, RefStore, RefUpdate, Value};

use super::{Update, UpdateStatus};
use crate::{Change, Notice, Remote, RemoteError, Watcher};

const DOING: &str = "moving the ref that follows the remote";

impl Remote<'_> {
    /// Updates the tracking refs of what was pushed, if there are any. Returns why some could not be updated.
    pub(super) fn follow(
        &self,
        updates: &[Update],
        answers: &[UpdateStatus],
        watcher: &dyn Watcher,
    ) -> Result<Vec<Notice>, RemoteError> {
        let mut left_behind = Vec::new();
        for (update, answer) in updates.iter().zip(answers) {
            if matches!(answer, UpdateStatus::Done | UpdateStatus::UpToDate)
                && let Err(failed) = self.follow_one(update, watcher)?
            {
                left_behind.push(Notice::from(failed));
            }
        }
        Ok(left_behind)
    }

    /// The outer error comes from the watcher, which wants no further changes.
    fn follow_one(
        &self,
        update: &Update,
        watcher: &dyn Watcher,
    ) -> Result<Result<(), RefError>, RemoteError> {
        // A tracking ref that equals the ref itself, as with `refs/notes/*:refs/notes/*`, is the ref that was pushed:
        // it may have moved on meanwhile, and must not be reset.
        let Some(tracking) = self.tracking(update.name.as_ref()).filter(|name| *name != update.name) else {
            return Ok(Ok(()));
        };
        let old = match local_ref::read(self.repo, tracking.as_ref()) {
            Ok(Value::Symbolic) => return Ok(Ok(())),
            Ok(Value::Absent) => None,
            Ok(Value::Object(id)) => Some(id),
            Err(error) => return Ok(Err(RefError::doing(DOING.into(), error))),
        };
        if old == update.new || self.was_moved_further(update, old) {
            return Ok(Ok(()));
        }
        watcher.may_change(Change::LocalRef(&tracking)).map_err(RemoteError::Stopped)?;
        let mut writer = RefStore::new(self.repo);
        Ok(match (update.new, old) {
            (Some(new), expected) => {
                let name = tracking.as_ref();
                writer.write(RefUpdate { name, expected, new, reason: "update by push" }).map(drop)
            }
            (None, Some(old)) => writer.delete(&[(tracking.clone(), old)]).map(drop),
            (None, None) => Ok(()),
        })
    }

    /// Whether another process has moved the tracking ref past the pushed commit: it has fetched what somebody pushed
    /// on top meanwhile. That value stays; any other one is out of date, and is replaced as `git push` does.
    fn was_moved_further(&self, update: &Update, old: Option<ObjectId>) -> bool {
        let (Some(new), Some(old)) = (update.new, old.filter(|_| old != update.expected)) else {
            return false;
        };
        matches!(self.history.base(self.repo, new, old), Ok(Some(base)) if base == new)
    }
}
