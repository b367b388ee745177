//! A run that is killed at any moment: the next one needs no human, and nothing was lost.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::{Beginning, Copy, PLACES, gitsync};
use testkit::{Repo, World};

/// A run that has all to do: to commit, to replay, to write, replace and remove files, and to push.
fn beginning() -> Beginning {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for number in 0..20 {
        howard.write(&format!("shared/{number}.md"), format!("{number}\n"));
    }
    gitsync(&howard).success();
    gitsync(&mike).success();
    for number in 0..10 {
        howard.write(&format!("shared/{number}.md"), format!("{number}, by Howard\n"));
    }
    howard.remove("shared/11.md");
    howard.write("new/folder/file.md", "new\n");
    gitsync(&howard).success();
    mike.write("mine.md", "mine\n");
    mike.write("shared/15.md", "15, by Mike\n");
    Beginning::new(world)
}

fn assert_recovers(place: &str, origin: &Repo, mike: &Repo) {
    let output = gitsync(mike).output();
    assert_eq!(output.code, 0, "{place}: {output:?}");
    assert_eq!(mike.read("mine.md"), "mine\n", "{place}");
    assert_eq!(mike.read("shared/15.md"), "15, by Mike\n", "{place}");
    assert_eq!(mike.read("shared/3.md"), "3, by Howard\n", "{place}");
    assert_eq!(origin.rev("main"), mike.head(), "{place}");
    mike.assert_clean();
    mike.assert_sound();
    mike.assert_unlocked();
    assert_eq!(mike.git(["rev-list", "--count", "HEAD"]), "4", "{place}: no commit twice");
}

#[test]
fn at_every_place() {
    let beginning = beginning();
    for place in PLACES {
        let Copy { origin, mike, .. } = beginning.copy();
        let output = gitsync(&mike).env("LOCKSTEP_FAILPOINT", format!("{place}=kill -9 $PPID")).output();
        assert_eq!(output.code, 137, "{place}: {output:?}");
        assert_recovers(place, &origin, &mike);
    }
}
