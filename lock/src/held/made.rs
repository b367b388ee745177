//! Records the files that a holder makes under names that others use too, such as `index.lock`.
//!
//! If the holder is killed, the next owner removes them.

use camino::Utf8Path;

use super::Held;
use crate::{
    Leftover, LockError, Process,
    fence::{ours, under_guard},
    leftovers,
};

impl Held {
    /// Records that the file that is now at `path` is this process's, so that the next owner removes it if this
    /// process is killed. Returns whether the file system identifies files well enough for that.
    ///
    /// # Errors
    /// [`LockError::Lost`] if the lock is no longer this one's.
    pub fn made(&self, path: &Utf8Path) -> Result<bool, LockError> {
        self.settle_in()?;
        let leftover = Leftover::of(path, &Process::current())
            .map_err(LockError::refused("note a file in", &self.place))?;
        let Some(leftover) = leftover else { return Ok(false) };
        under_guard(&self.place, || {
            let (taken, _) = ours(&self.place, &self.token)?;
            leftovers::note(&self.place, &taken.dir, &self.token, leftover)
                .map_err(LockError::refused("note a file in", &self.place))
        })?;
        Ok(true)
    }

    /// Records that this process has finished with the file at `path`.
    ///
    /// # Errors
    /// [`LockError::Lost`] if the lock is no longer this one's.
    pub fn finished(&self, path: &Utf8Path) -> Result<(), LockError> {
        under_guard(&self.place, || {
            let (taken, _) = ours(&self.place, &self.token)?;
            leftovers::forget(&self.place, &taken.dir, &self.token, path)
                .map_err(LockError::refused("note a file in", &self.place))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use camino::Utf8PathBuf;

    use super::{
        super::tests::{PATIENCE, place, take},
        *,
    };
    use crate::{LockRequest, Term, wait::acquire};

    #[test]
    fn what_a_killed_owner_left_behind_is_removed_by_the_next_one() {
        let (_keep, place) = place();
        let me = Process::current();
        let killed = Process { start: me.start.map(|start| start - 1), ..me };
        let wish = LockRequest {
            owner: None,
            worker: Some(killed.clone()),
            term: Term::SignsOfLife,
            lease: PATIENCE.stale_after,
            name: None,
        };
        let took = acquire(&place, &wish, &PATIENCE, &mut |_| {}).unwrap();
        let index_lock = Utf8PathBuf::from_path_buf(place.common_dir().join("index.lock")).unwrap();
        fs::write(&index_lock, "half an index").unwrap();
        under_guard(&place, || {
            let token = &took.record.token;
            let (taken, _) = ours(&place, token)?;
            let leftover = Leftover::of(&index_lock, &killed).unwrap().expect("it can be told apart");
            leftovers::note(&place, &taken.dir, token, leftover)
                .map_err(LockError::refused("note a file in", &place))
        })
        .unwrap();
        let _next = take(&place);
        assert!(!index_lock.exists());
    }

    #[test]
    fn a_file_that_was_finished_or_whose_maker_gave_the_lock_back_stays() {
        let (_keep, place) = place();
        let kept = Utf8PathBuf::from_path_buf(place.common_dir().join("kept")).unwrap();
        fs::write(&kept, "whole").unwrap();
        let held = take(&place);
        assert!(held.made(&kept).unwrap());
        held.finished(&kept).unwrap();
        drop(held);
        let held = take(&place);
        assert!(held.made(&kept).unwrap());
        drop(held);
        let _next = take(&place);
        assert!(kept.exists());
    }
}
