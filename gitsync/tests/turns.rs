//! Tests that runs on one machine which push to the same remote take turns: none loses a race to another.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::World;

#[test]
fn many_clones_at_once_need_one_attempt_each() {
    let names = ["ann", "bob", "cid", "dan", "eve", "fay"];
    let (_world, origin, clones) = World::with_clones(names);
    for (name, clone) in names.iter().zip(&clones) {
        clone.write(&format!("{name}.md"), format!("by {name}\n"));
    }
    let running: Vec<_> =
        clones.iter().map(|clone| gitsync(clone).args(["--attempts", "1"]).spawn()).collect();
    for (name, running) in names.iter().zip(running) {
        let output = running.wait();
        assert_eq!(output.code, 0, "{name}: {output:?}");
    }
    assert_eq!(origin.log("main").len(), 1 + names.len());
}

#[test]
fn without_a_place_for_turns_a_run_goes_ahead_all_the_same() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    world
        .home()
        .join(".cache")
        .exists()
        .then(|| std::fs::remove_dir_all(world.home().join(".cache")).unwrap());
    std::fs::write(world.home().join(".cache"), "in the way\n").unwrap();
    mike.write("mine.md", "mine\n");
    gitsync(&mike).success();
    assert_eq!(origin.files("main"), ["README.md", "mine.md"]);
}
