//! Implements the runner's interface to the lock.

use std::fs;

use camino::Utf8Path;
use phase::{Fault, Guard, LockArgs};

use crate::{Held, Inherited, LockPaths, Patience, fence::joinable, look::PID_FILE, process};

/// Acquires a repository's lock for the runner.
#[derive(Debug, Clone, Copy)]
pub struct LockManager;

impl phase::LockManager for LockManager {
    fn look_ahead(&self) {
        process::look_around();
    }

    fn enter(&self, common_dir: &Utf8Path, token: &str) -> Result<Box<dyn Guard>, Fault> {
        Ok(Box::new(Held::join(LockPaths::new(common_dir), token.into())?))
    }

    fn take(&self, common_dir: &Utf8Path, args: &LockArgs) -> Result<Box<dyn Guard>, Fault> {
        let place = LockPaths::new(common_dir);
        if let Some(record) = joinable(&place, &Inherited::from_environment())? {
            return Ok(Box::new(Held::join(place, record.token)?));
        }
        let patience = Patience { wait: args.wait, stale_after: args.stale_after };
        Ok(Box::new(Held::take(place, None, &patience, &mut |_| {})?))
    }

    fn question(&self, common_dir: &Utf8Path, owner: u32) -> Box<dyn Fn() -> bool + Send> {
        // For a complete lock, the `pid` file, which is meant for scripts, names the owner in a single read.
        let (path, wanted) = (LockPaths::new(common_dir).lock().join(PID_FILE), format!("{owner}\n"));
        Box::new(move || fs::read(&path).is_ok_and(|found| found == wanted.as_bytes()))
    }
}

impl Guard for Held {
    fn check(&self) -> Result<(), Fault> {
        Ok(Held::check(self)?)
    }

    fn alive(&self) {
        Held::alive(self);
    }

    fn token(&self) -> Option<&str> {
        Some(Held::token(self).as_str())
    }

    fn is_shared(&self) -> bool {
        Held::is_shared(self)
    }

    fn made(&self, path: &Utf8Path) -> Result<(), Fault> {
        // If the file system cannot tell the file from a later one, it is left for the user to remove.
        Held::made(self, path)?;
        Ok(())
    }

    fn finished(&self, path: &Utf8Path) {
        // A record of a file that is gone does no harm.
        let _ = Held::finished(self, path);
    }
}
