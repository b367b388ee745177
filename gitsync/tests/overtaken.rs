//! Tests that a run changes nothing further once its lock was taken over, between any two steps.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::{Beginning, Copy, PLACES, at_the, gitsync};
use testkit::{Repo, World};

/// Two clones that both moved on, so that a run has something to do at each of its steps.
fn beginning() -> Beginning {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for name in ["changed", "gone"] {
        howard.write(&format!("shared/{name}.md"), format!("{name}\n"));
    }
    gitsync(&howard).success();
    gitsync(&mike).success();
    howard.write("shared/changed.md", "changed, by Howard\n");
    howard.write("shared/new.md", "new, by Howard\n");
    howard.remove("shared/gone.md");
    gitsync(&howard).success();
    mike.write("mine.md", "mine\n");
    Beginning::new(world)
}

/// A line for the shell that tells all that a run may change: the refs here and at the remote, the files, the index.
fn telling(origin: &Repo, index: Index) -> String {
    let index = match index {
        Index::Stays => "git ls-files --stage",
        Index::Follows => "true",
    };
    format!(
        "git for-each-ref; git -C '{}' for-each-ref; {index}; \
         find . -path ./.git -prune -o -type f -print | LC_ALL=C sort | xargs sha1sum",
        origin.path()
    )
}

/// What becomes of the index once the lock is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Index {
    Stays,
    /// Its commit is made, and `index.lock` is the run's until the index says so too.
    Follows,
}

#[test]
fn whoever_lost_the_lock_between_two_steps_changes_nothing_further() {
    let beginning = beginning();
    let places = PLACES.map(|place| (place, 1)).into_iter();
    for (place, nth) in places.chain([("update-file", 2), ("update-file", 3)]) {
        let Copy { origin, mike, .. } = beginning.copy();
        let follows = ["committed-branch", "committed", "fetched"].contains(&place);
        let tell = telling(&origin, if follows { Index::Follows } else { Index::Stays });
        // The remote is asked beside the commit: that has to come to rest for the two tellings to be comparable.
        let settle = match place {
            "committed-branch" | "committed" => format!(
                "until [ $(git rev-parse origin/main) = $(git -C '{}' rev-parse main) ]; do sleep 0.01; done; ",
                origin.path()
            ),
            _ => String::new(),
        };
        // As a script clears a lock that it takes for stale, and takes it.
        let take = format!(
            "{settle}rm -r .git/claudetools-sync.lock; mkdir .git/claudetools-sync.lock; {{ {tell}; }} >.git/before"
        );
        let armed = format!("{place}={}", at_the(nth, &take));
        let output = gitsync(&mike).env("LOCKSTEP_FAILPOINT", armed).output();
        let before = mike.read(".git/before");
        let after = mike.program("sh").args(["-c", &tell]).success().stdout;
        assert_eq!(after, before, "{place}, time {nth}: {output}");
        // Once all is pushed there is nothing left to be changed.
        assert_eq!(output.code, if place == "pushed" { 0 } else { 75 }, "{place}, time {nth}: {output}");
        if follows {
            assert_eq!(mike.git(["diff", "--cached", "--name-only"]), "", "{place}");
        }
        assert!(mike.common_dir().join("claudetools-sync.lock").exists(), "{place}: it is somebody else's");
    }
}
