//! The remote is asked while the work tree is looked at: the one waits for the network, the other for the disk.
//!
//! Where something that is run for the commit may talk to the user, a hook or a signing program, they take turns after
//! all: the remote may have to ask for a password.

use std::cell::Cell;
use std::thread;

use crate::exchange::{self, Failed, Heard};
use crate::hooks::Hooks;
use crate::person::People;
use crate::place::Place;
use crate::policy::{Policy, Pull};
use crate::signing::Signing;
use crate::upstream::Upstream;

/// The hooks of a commit.
const HOOKS: [&str; 4] = ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"];

/// What the remote said; `None` where it was not asked.
pub type Early = Option<Result<Heard, Failed>>;

/// Does `work`, the look at the work tree and the commit, while the remote is asked. A remote that does not answer
/// keeps `work` from nothing; its result is merely had when both have ended.
///
/// # Errors
/// The hooks cannot be looked for.
pub fn beside<T>(
    place: &Place<'_>,
    upstream: &Upstream,
    policy: &Policy,
    work: impl FnOnce() -> T,
) -> anyhow::Result<(T, Early)> {
    if policy.pull == Pull::No || talks(place)? {
        return Ok((work(), None));
    }
    // Each thread has a view of the repository of its own.
    let (repo, history) = (place.repo.clone(), place.history.clone());
    let Place { guard, progress, host, signing, .. } = *place;
    Ok(thread::scope(|scope| {
        let asking = threads::spawn(scope, move || {
            let people = People::of(&repo);
            let asked = Cell::default();
            let place =
                Place { repo: &repo, history, guard, progress, host, people: &people, signing, asked };
            exchange::fetch(&place, upstream, policy)
        });
        let done = work();
        // A thread that panicked has said so; then the remote is asked once more, in turn.
        (done, threads::waiting(|| asking.join()).ok())
    }))
}

/// Whether the commit may have to talk to the user.
fn talks(place: &Place<'_>) -> anyhow::Result<bool> {
    if matches!(place.signing, Signing::With(_)) {
        return Ok(true);
    }
    let hooks = Hooks::of(place)?;
    Ok(HOOKS.iter().any(|name| hooks.has(name)))
}
