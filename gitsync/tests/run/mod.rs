//! Running `gitsync` in a world.

#![allow(dead_code, reason = "each test file uses its part")]

use testkit::{Invocation, Repo};

/// The places at which a test can step in, in the order in which a run that has all to do reaches them.
pub const PLACES: [&str; 13] = [
    "looked",
    "scanned",
    "committed-objects",
    "committed-branch",
    "committed",
    "fetched",
    "replayed",
    "kept",
    "update-looked",
    "updated",
    "moved",
    "pushing",
    "pushed",
];

/// `gitsync --fresh --json` in a repository.
pub fn gitsync(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_gitsync")).args(["--fresh", "--json"])
}
