//! Fetches from the remote while the working tree is scanned and committed.
//!
//! One waits for the network, the other for the disk. But if the commit runs a hook or a signing program, which may
//! interact with the user, the two are done one after the other: the remote may have to ask for a password.

use std::cell::Cell;
use std::thread;

use crate::context::SyncContext;
use crate::exchange::{self, Failed, Heard};
use crate::ident::People;
use crate::policy::{Policy, Pull};
use crate::signing::Signing;
use crate::upstream::Upstream;

/// The hooks of a commit.
const HOOKS: [&str; 4] = ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"];

/// What the remote answered, or `None` if it was not asked.
pub type Prefetch = Option<Result<Heard, Failed>>;

/// Runs `work`, which scans the working tree and commits, while the remote is asked. A remote that does not answer
/// does not hold up `work`, only the return of its result, which happens when both have ended.
///
/// # Errors
/// The hooks cannot be looked up.
pub fn beside<T>(
    place: &SyncContext<'_>,
    upstream: &Upstream,
    policy: &Policy,
    work: impl FnOnce() -> T,
) -> anyhow::Result<(T, Prefetch)> {
    if policy.pull == Pull::No || talks(place)? {
        return Ok((work(), None));
    }
    // Each thread needs its own handle of the repository.
    let (repo, history) = (place.repo.clone(), place.history.clone());
    let SyncContext { guard, progress, host, signing, .. } = *place;
    Ok(thread::scope(|scope| {
        let asking = threads::spawn(scope, move || {
            let people = People::of(&repo);
            let asked = Cell::default();
            let place =
                SyncContext { repo: &repo, history, guard, progress, host, people: &people, signing, asked };
            exchange::fetch(&place, upstream, policy)
        });
        let done = work();
        // A panicking thread has printed its message; the remote is then asked again, afterwards.
        (done, threads::waiting(|| asking.join()).ok())
    }))
}

/// Whether the commit may have to interact with the user.
fn talks(place: &SyncContext<'_>) -> anyhow::Result<bool> {
    if matches!(place.signing, Signing::With(_)) {
        return Ok(true);
    }
    let hooks = place.hooks()?;
    Ok(HOOKS.iter().any(|name| hooks.has(name)))
}
