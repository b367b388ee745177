//! Tests that a submodule's unpushed commits are pushed before the commits that refer to them, if so configured.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use run::gitsync;
use testkit::{Repo, World};

/// A clone with the submodule `library`, in which there is a commit that its remote does not have.
fn ahead_in_the_library() -> (World, Repo, Repo, Repo) {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let source = world.bare("library.git");
    let first = world.clone_of(&source, "first");
    first.write("lib.md", "one\n");
    first.commit_all("one");
    first.git(["push", "--quiet", "--set-upstream", "origin", "HEAD"]);
    mike.git(["clone", "--quiet", source.path().as_str(), "library"]);
    gitsync(&mike).success();
    let library = world.repo(mike.join("library"));
    library.belongs_to("mike");
    library.write("lib.md", "two\n");
    library.commit_all("two");
    (world, origin, mike, library)
}

#[test]
fn it_keeps_a_push_back_where_git_would_look_after_it() {
    for [key, value] in [
        ["push.recurseSubmodules", "check"],
        ["push.recurseSubmodules", "on-demand"],
        ["submodule.recurse", "true"],
    ] {
        let (_world, origin, mike, library) = ahead_in_the_library();
        mike.git(["config", key, value]);
        let before = origin.rev("main");
        let output = gitsync(&mike).output();
        output.assert_code(1);
        output.assert_says("at: library");
        assert_eq!(origin.rev("main"), before);
        assert_eq!(mike.rev("HEAD:library"), library.head(), "it is committed");

        library.git(["push", "--quiet"]);
        gitsync(&mike).success();
        assert_eq!(origin.rev("main:library"), library.head());
    }
}

#[test]
fn it_goes_out_as_it_is_where_nobody_asks() {
    let (_world, origin, mike, library) = ahead_in_the_library();
    for value in ["no", "false"] {
        mike.git(["config", "push.recurseSubmodules", value]);
        mike.git(["config", "submodule.recurse", "true"]);
        gitsync(&mike).success();
    }
    assert_eq!(origin.rev("main:library"), library.head());
}

#[test]
fn where_it_is_on_no_branch_the_advice_says_where_to_push_to() {
    let (_world, _origin, mike, library) = ahead_in_the_library();
    mike.git(["config", "push.recurseSubmodules", "check"]);
    let branch = library.git(["branch", "--show-current"]);
    library.git(["switch", "--quiet", "--detach"]);
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("`git -C 'library' push origin HEAD:BRANCH`");
    mike.git(["-C", "library", "push", "--quiet", "origin", &format!("HEAD:{branch}")]);
    gitsync(&mike).success();
}
