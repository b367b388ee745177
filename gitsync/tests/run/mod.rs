//! Running `gitsync` in a world.

#![allow(dead_code, reason = "each test file uses its part")]

use testkit::{Invocation, Repo};

/// `gitsync --fresh --json` in a repository.
pub fn gitsync(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_gitsync")).args(["--fresh", "--json"])
}
