//! Waits a moment for `index.lock`, which every `git status` in an editor holds briefly.

use std::time::{Duration, Instant};

use phase::Fault;

use crate::context::SyncContext;
use crate::index::{self, Acquire, HeldBy, Lock};

/// How long another process may hold the index before the run gives up.
const LIMIT: Duration = Duration::from_secs(3);

/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(30);

/// Takes `index.lock`.
///
/// # Errors
/// A fault with exit 1 if another process holds it, or left it behind.
pub fn index_lock(place: &SyncContext<'_>) -> anyhow::Result<Lock> {
    let until = Instant::now() + LIMIT;
    loop {
        match index::lock(place.repo)? {
            Acquire::Ours(lock) => return Ok(lock),
            Acquire::Held(_) if Instant::now() < until => {
                place.guard.check()?;
                std::thread::sleep(PAUSE);
            }
            Acquire::Held(by) => return Err(held(&by).into()),
        }
    }
}

/// Returns the fault that reports an index locked by another process.
pub fn held(by: &HeldBy) -> Fault {
    let age = by.age.map_or(String::new(), |age| format!(", for {} s", age.as_secs()));
    let path = by.path.to_string_lossy();
    Fault::failed(format!("another program is at work on the index: {path} is there{age}")).help(format!(
        "let it finish; if no git is running here, it was left behind: rm {}",
        sanitize::quoted(&path)
    ))
}
