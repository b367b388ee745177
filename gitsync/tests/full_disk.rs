//! A disk that is full at any point of a run: the message names the file, and the next run catches up.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod run;

use run::gitsync;
use testkit::{Invocation, Repo, World};

/// A run that may write no file of more than so many blocks of 512 bytes.
fn gitsync_with_room_for(repo: &Repo, blocks: usize) -> Invocation {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --fresh --json");
    repo.program("sh").args(["-c", &script, env!("CARGO_BIN_EXE_gitsync")])
}

#[test]
fn a_record_of_an_update_that_finds_no_room_is_named_and_nothing_is_changed() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for file in 0..500 {
        howard.write(&format!("{file}"), "the same\n");
    }
    howard.commit_all("many");
    howard.push();
    let before = mike.head();
    // The new index has 36 kB, and the record of what is to be written 50.
    let output = gitsync_with_room_for(&mike, 88).output();
    output.assert_code(1);
    let draft = mike.git_dir().join("lockstep-update/journal.draft");
    output.assert_says(&format!("cannot write {draft}: "));
    assert_eq!(mike.head(), before);
    mike.assert_clean();

    gitsync(&mike).success();
    assert_eq!(mike.head(), howard.head());
    mike.assert_clean();
}
