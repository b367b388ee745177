//! Tests the man pages and completions that each binary generates from its own options.
#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use testkit::World;

const BINARIES: [&str; 7] =
    ["lock", "logcheck", "gitsync", "notes-sync", "notesurface", "cmdcopy", "lockstep"];

#[test]
fn every_binary_has_a_man_page_and_completions_where_they_are_looked_for() {
    let world = World::new();
    let root = world.path().join("prefix");
    for chore in ["man", "completions"] {
        let lockstep = world.program(env!("CARGO_BIN_EXE_lockstep"));
        lockstep.args([chore, "--root", root.as_str()]).success();
    }
    for name in BINARIES {
        let page = std::fs::read_to_string(root.join(format!("share/man/man1/{name}.1"))).unwrap();
        assert!(page.contains("SYNOPSIS"), "{page}");
        assert!(!page.contains("reported\\-elsewhere"), "hidden options stay hidden");
        for path in [
            format!("share/bash-completion/completions/{name}"),
            format!("share/zsh/site-functions/_{name}"),
            format!("share/fish/vendor_completions.d/{name}.fish"),
        ] {
            let script = std::fs::read_to_string(root.join(&path)).unwrap();
            assert!(script.contains(name), "{path}");
        }
    }
    assert!(root.join("share/man/man1/lock-acquire.1").exists());
    assert!(!root.join("share/man/man1/lock-help-acquire.1").exists());
}
