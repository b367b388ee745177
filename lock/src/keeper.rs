//! The lock, as the runner of every phase holds it.

use std::fs;

use camino::Utf8Path;
use phase::{Fault, Guard, LockArgs};

use crate::{Held, Inherited, Patience, Place, fence::joinable, look::PID_FILE, process};

/// How the runner gets hold of a repository's lock.
#[derive(Debug, Clone, Copy)]
pub struct Keeper;

impl phase::Keeper for Keeper {
    fn look_ahead(&self) {
        process::look_around();
    }

    fn enter(&self, common_dir: &Utf8Path, token: &str) -> Result<Box<dyn Guard>, Fault> {
        Ok(Box::new(Held::join(Place::new(common_dir), token.into())?))
    }

    fn take(&self, common_dir: &Utf8Path, args: &LockArgs) -> Result<Box<dyn Guard>, Fault> {
        let place = Place::new(common_dir);
        if let Some(record) = joinable(&place, &Inherited::from_environment())? {
            return Ok(Box::new(Held::join(place, record.token)?));
        }
        let patience = Patience { wait: args.wait, stale_after: args.stale_after };
        Ok(Box::new(Held::take(place, None, &patience, &mut |_| {})?))
    }

    fn question(&self, common_dir: &Utf8Path, owner: u32) -> Box<dyn Fn() -> bool + Send> {
        // Of a lock that has come to its name the file for scripts says whose it is, in one read.
        let (path, wanted) = (Place::new(common_dir).lock().join(PID_FILE), format!("{owner}\n"));
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
        // Where the file system cannot tell it from a later one, it is left for a person to remove.
        Held::made(self, path)?;
        Ok(())
    }

    fn finished(&self, path: &Utf8Path) {
        // A note of a file that is gone does no harm.
        let _ = Held::finished(self, path);
    }
}
