//! Runs `notes-sync` in a clone, and reads its output.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses its part")]

use contract::SyncedRef;
use testkit::{Invocation, Output, Repo, Sections as _};

/// A notes ref that is synced.
pub const REF: &str = "refs/notes/mem/decisions";

/// The phase, about to run.
pub fn sync(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_notes-sync")).arg("--json")
}

/// What it says of each ref.
pub fn synced(output: &Output) -> Vec<SyncedRef> {
    output.document().notes_sync().refs.clone()
}

/// What it says of the one ref that there is.
#[track_caller]
pub fn the_one(output: &Output) -> SyncedRef {
    let mut refs = synced(output);
    assert_eq!(refs.len(), 1, "{refs:?}");
    refs.remove(0)
}

/// Commits nothing, to have one more commit to write notes about.
pub fn commit_empty(repo: &Repo) -> String {
    repo.git(["commit", "-q", "--allow-empty", "-m", "empty"]);
    repo.head()
}
