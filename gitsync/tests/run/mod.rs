//! Runs `gitsync` in a world.

#![allow(dead_code, reason = "each test file uses its part")]

use testkit::{Invocation, Repo, World};

/// The places at which a test can step in, in the order in which a run that has all to do reaches them.
pub const PLACES: [&str; 17] = [
    "looked",
    "scanned",
    "committed-objects",
    "committed-branch",
    "committed",
    "fetched",
    "replayed",
    "kept",
    "update-looked",
    "update-journal",
    "update-file",
    "update-swap",
    "update-index",
    "updated",
    "moved",
    "pushing",
    "pushed",
];

/// A command that runs `command` only the `nth` time that its place is reached, and leaves `.git/once` behind then.
pub fn at_the(nth: usize, command: &str) -> String {
    format!(
        "n=$(( $(cat .git/times 2>/dev/null || echo 0) + 1 )); echo $n > .git/times; \
         [ $n != {nth} ] || {{ touch .git/once; {command}; }}"
    )
}

/// `gitsync --fresh --json` in a repository.
pub fn gitsync(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_gitsync")).args(["--fresh", "--json"])
}

/// A story's beginning, made once and then copied for each of its endings.
pub struct Beginning {
    world: World,
    copies: std::cell::Cell<usize>,
}

/// A copy of a beginning.
pub struct Copy {
    pub origin: Repo,
    pub howard: Repo,
    pub mike: Repo,
}

impl Beginning {
    /// A world with `origin.git` and its clones `howard` and `mike`.
    pub fn new(world: World) -> Self {
        Self { world, copies: 0.into() }
    }

    /// The same three repositories once more, apart from all the others.
    pub fn copy(&self) -> Copy {
        self.copies.set(self.copies.get() + 1);
        let folder = self.world.path().join(format!("copy-{}", self.copies.get()));
        std::fs::create_dir(&folder).expect("a folder");
        let names = ["origin.git", "howard", "mike"];
        let sources = names.map(|name| self.world.path().join(name));
        self.world.program("cp").arg("-a").args(&sources).arg(&folder).success();
        let [origin, howard, mike] = names.map(|name| self.world.repo(folder.join(name)));
        for clone in [&howard, &mike] {
            clone.git(["remote", "set-url", "origin", origin.path().as_str()]);
        }
        Copy { origin, howard, mike }
    }
}
