//! Tests unusual configurations of clones and remotes: they have the same effect as in git, or are refused by name.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

use testkit::{Invocation, Repo, World};

const REF: &str = "refs/notes/mem/decisions";

fn sync(repo: &Repo) -> Invocation {
    repo.program(env!("CARGO_BIN_EXE_notes-sync")).args(["--fresh", "--json"])
}

/// A remote with a note of Howard's, and a clone with one of Mike's.
fn mine_and_theirs() -> (World, Repo, Repo, Repo) {
    let (world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    howard.note(REF, "HEAD", "theirs");
    howard.git(["push", "--quiet", "origin", REF]);
    mike.note(REF, "HEAD", "mine");
    (world, origin, mike, howard)
}

#[test]
fn a_note_that_is_written_during_the_push_stays_whatever_the_refspecs_say() {
    let (_world, origin, mike, _howard) = mine_and_theirs();
    mike.git(["config", "--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*"]);
    let other = mike.git(["rev-parse", "HEAD^{tree}"]);
    let ours = mike.path();
    let script = format!(
        "#!/bin/sh\nunset GIT_DIR GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n\
         git -C '{ours}' notes --ref {REF} add -f -m later {other}\n"
    );
    origin.hook("pre-receive", &script);
    sync(&mike).success();
    assert_eq!(mike.notes(REF).get(&other).map(String::as_str), Some("later"));
}

#[test]
fn where_objects_are_replaced_notes_come_in_and_go_out() {
    for program in [None, Some("git-upload-pack")] {
        let (_world, origin, mike, _howard) = mine_and_theirs();
        let other = mike.git(["commit-tree", "HEAD^{tree}", "-m", "r"]);
        mike.git(["replace", &mike.head(), &other]);
        if let Some(program) = program {
            mike.git(["config", "remote.origin.uploadpack", program]);
        }
        sync(&mike).success();
        assert_eq!(mike.notes(REF).into_values().collect::<Vec<_>>(), ["mine\ntheirs"]);
        assert_eq!(origin.rev(REF), mike.rev(REF));
        mike.assert_sound();
        origin.assert_sound();
    }
}

#[test]
fn an_empty_pattern_takes_back_those_before_it_and_a_bad_one_is_named_with_its_key() {
    let (_world, origin, mike, _howard) = mine_and_theirs();
    let add = |value: &str| mike.git(["config", "--add", "lockstep.notesRef", value]);
    add("a b");
    let output = sync(&mike).output();
    output.assert_code(78);
    output.assert_says("git config lockstep.notesRef: 'a b' can match no notes ref");
    add("");
    sync(&mike).success();
    assert_eq!(origin.rev(REF), mike.rev(REF));
}

/// Expects that nothing is pushed, and nothing changed here, with words and a remedy.
#[track_caller]
fn assert_refused(origin: &Repo, mike: &Repo, words: &[&str]) {
    let before = (origin.rev(REF), mike.snapshot());
    for dry_run in [&[][..], &["--dry-run"]] {
        let output = sync(mike).args(dry_run).output();
        output.assert_code(78);
        words.iter().for_each(|words| output.assert_says(words));
        output.assert_says("help:");
    }
    assert_eq!((origin.rev(REF), mike.snapshot()), before);
    sync(mike).arg("--no-push").success();
    assert_eq!(mike.notes(REF).into_values().collect::<Vec<_>>(), ["mine\ntheirs"]);
}

#[test]
fn a_push_of_notes_to_several_urls_is_refused() {
    let (world, origin, mike, _howard) = mine_and_theirs();
    let backup = world.bare("backup.git");
    mike.git(["remote", "set-url", "--add", "origin", backup.path().as_str()]);
    assert_refused(&origin, &mike, &["several URLs", backup.path().as_str()]);
}

#[test]
fn a_refspec_that_pushes_notes_elsewhere_is_refused() {
    for refspec in ["refs/notes/*:refs/notes/mike/*", "refs/notes/mem/decisions:refs/heads/notes"] {
        let (_world, origin, mike, _howard) = mine_and_theirs();
        mike.git(["config", "remote.origin.push", refspec]);
        assert_refused(&origin, &mike, &[refspec, REF]);
    }
}

#[test]
fn a_refspec_that_pushes_notes_to_the_same_name_or_only_branches_elsewhere_goes_on() {
    for refspec in ["refs/notes/*:refs/notes/*", "refs/heads/*:refs/heads/mike/*", "HEAD"] {
        let (_world, origin, mike, _howard) = mine_and_theirs();
        mike.git(["config", "remote.origin.push", refspec]);
        sync(&mike).success();
        assert_eq!(origin.rev(REF), mike.rev(REF), "{refspec}");
    }
}

#[test]
fn a_mirror_that_lags_behind_where_notes_are_pushed_to_is_told_at_once() {
    let (world, origin, mike, howard) = mine_and_theirs();
    let mirror = world.path().join("mirror.git");
    world.git(["clone", "--quiet", "--mirror", origin.path().as_str(), mirror.as_str()]);
    mike.git(["config", "remote.origin.url", mirror.as_str()]);
    mike.git(["config", "remote.origin.pushurl", &format!("file://{}", origin.path())]);
    howard.note(REF, "HEAD^{tree}", "later");
    howard.git(["push", "--quiet", "origin", REF]);
    let output = sync(&mike).output();
    output.assert_code(69);
    output.assert_says(mirror.as_str());
    output.assert_says(&format!("file://{}", origin.path()));
}

#[test]
fn a_branch_that_has_a_second_name_says_by_its_own_which_remote_is_meant() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let other = world.bare("other.git");
    mike.git(["remote", "add", "other", other.path().as_str()]);
    mike.git(["config", "branch.main.remote", "other"]);
    mike.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    mike.git(["symbolic-ref", "HEAD", "refs/heads/alias"]);
    mike.note(REF, "HEAD", "mine");
    sync(&mike).success();
    assert_eq!((other.rev(REF), origin.try_rev(REF)), (mike.rev(REF), None));
}

#[test]
fn of_several_remotes_one_has_to_be_chosen() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    let second = world.bare("second.git");
    mike.git(["remote", "rename", "origin", "up"]);
    mike.git(["remote", "add", "second", second.path().as_str()]);
    mike.git(["branch", "--unset-upstream"]);
    mike.note(REF, "HEAD", "mine");
    let output = sync(&mike).output();
    output.assert_code(78);
    output.assert_says("there are several remotes to exchange notes with: second, up");
    output.assert_says("--remote NAME");

    mike.git(["config", "remote.pushDefault", "second"]);
    sync(&mike).success();
    assert_eq!((second.rev(REF), origin.try_rev(REF)), (mike.rev(REF), None));
}

#[test]
fn where_notes_have_the_name_of_a_remote_that_is_told() {
    let (_world, origin, mike, _howard) = mine_and_theirs();
    let before = origin.rev(REF);
    mike.git(["remote", "rename", "origin", "mem"]);
    let output = sync(&mike).output();
    output.assert_code(78);
    output.assert_says("git remote rename mem");
    assert_eq!(origin.rev(REF), before);
}

#[test]
fn what_follows_another_remote_does_not_come_in() {
    let (_world, origin, mike, howard) = mine_and_theirs();
    const OTHERS: &str = "refs/notes/backup/mem/decisions";
    howard.git(["push", "--quiet", "origin", &format!("{REF}:{OTHERS}")]);
    mike.git(["remote", "add", "backup", origin.path().as_str()]);
    sync(&mike).args(["--ref", "refs/notes/*"]).success();
    assert_eq!(mike.try_rev(OTHERS), None);
    assert_eq!(origin.rev(REF), mike.rev(REF));
}

#[test]
fn what_was_pushed_has_arrived_though_no_ref_can_follow_it() {
    let (_world, origin, mike, _howard) = mine_and_theirs();
    mike.git(["update-ref", "refs/notes/origin/mem/decisions/old", REF]);
    sync(&mike).success();
    assert_eq!(origin.rev(REF), mike.rev(REF));
}

#[test]
fn notes_that_somebody_is_merging_by_hand_are_left_to_them() {
    let (_world, origin, mike, howard) = mine_and_theirs();
    let linked = mike.linked_work_tree("linked");
    howard.note("refs/notes/mem/others", "HEAD", "others");
    sync(&howard).success();
    let before = mike.rev(REF);
    for at in [&mike, &linked] {
        // As `git notes merge --strategy manual` leaves it at a conflict.
        at.git(["symbolic-ref", "NOTES_MERGE_REF", REF]);
        let output = sync(&mike).output();
        output.assert_code(1);
        output.assert_says("git notes merge --commit");
        assert_eq!(mike.rev(REF), before);
        assert_eq!(mike.rev("refs/notes/mem/others"), origin.rev("refs/notes/mem/others"));
        at.git(["symbolic-ref", "--delete", "NOTES_MERGE_REF"]);
    }
    sync(&mike).success();
    assert_eq!(origin.rev(REF), mike.rev(REF));
}

#[test]
fn what_followed_a_remote_that_has_another_name_now_is_not_sent() {
    let (_world, origin, mike, _howard) = mine_and_theirs();
    sync(&mike).success();
    mike.git(["remote", "rename", "origin", "hub"]);
    sync(&mike).args(["--ref", "*"]).success();
    assert_eq!(origin.git(["for-each-ref", "--format=%(refname)", "refs/notes"]).trim(), REF);
    assert_eq!(mike.try_rev("refs/notes/hub/origin/mem/decisions"), None);
}
