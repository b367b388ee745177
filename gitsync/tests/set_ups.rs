//! Tests unusual configurations of clones and remotes: they have the same effect as in git, or are refused by name.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::SyncState;
use run::gitsync;
use testkit::{Output, Repo, Sections as _, World};

/// Runs it and expects a refusal with exit 78 that says `words` and changes nothing.
#[track_caller]
fn assert_refused(repo: &Repo, words: &[&str]) -> Output {
    let before = repo.snapshot();
    let output = gitsync(repo).output();
    output.assert_code(78);
    words.iter().for_each(|words| output.assert_says(words));
    assert!(output.document().error.unwrap().help.is_some());
    assert_eq!(repo.snapshot(), before);
    gitsync(repo).arg("--dry-run").output().assert_code(78);
    output
}

/// A remote, and two clones; in the first a commit and a file that is not committed, from the second a commit was
/// pushed.
fn mine_and_theirs() -> (World, Repo, Repo) {
    let (world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
    mike.write("mine.md", "mine\n");
    mike.commit_all("mine");
    mike.write("draft.md", "draft\n");
    howard.write("theirs.md", "theirs\n");
    howard.commit_all("theirs");
    howard.push();
    (world, origin, mike)
}

#[test]
fn a_refspec_that_fetches_into_the_branch_that_is_checked_out_is_refused() {
    for refspec in ["+refs/heads/*:refs/heads/*", "refs/heads/main:refs/heads/main", "+refs/*:refs/*"] {
        let (_world, _origin, mike) = mine_and_theirs();
        mike.git(["config", "remote.origin.fetch", refspec]);
        let output = assert_refused(&mike, &["refs/heads/main", refspec]);
        let help = output.document().error.unwrap().help.unwrap();
        mike.program("sh").args(["-c", help.split('`').nth(1).unwrap()]).success();
        gitsync(&mike).success();
        assert_eq!(mike.read("mine.md"), "mine\n");
        assert_eq!(mike.read("theirs.md"), "theirs\n");
        mike.assert_sound();
    }
}

#[test]
fn a_refspec_that_fetches_into_the_branch_of_a_linked_work_tree_is_refused() {
    let (_world, _origin, mike) = mine_and_theirs();
    let linked = mike.linked_work_tree("linked");
    mike.git(["config", "--add", "remote.origin.fetch", "+refs/heads/review:refs/heads/linked"]);
    assert_refused(&mike, &["refs/heads/linked", "+refs/heads/review:refs/heads/linked"]);
    // The other way round, where the main work tree is on the branch.
    mike.git(["config", "--replace-all", "remote.origin.fetch", "+refs/heads/x:refs/heads/main"]);
    assert_refused(&linked, &["refs/heads/main"]);
}

#[test]
fn a_refspec_into_a_branch_that_nobody_has_checked_out_is_git_s_own_affair() {
    let (_world, origin, mike) = mine_and_theirs();
    mike.git(["config", "--add", "remote.origin.fetch", "+refs/heads/*:refs/heads/theirs/*"]);
    mike.git(["config", "--add", "remote.origin.fetch", "refs/heads/main:refs/heads/main"]);
    mike.git(["config", "--add", "remote.origin.fetch", "^refs/heads/main"]);
    mike.git(["push", "--quiet", "origin", "HEAD:refs/heads/other"]);
    mike.git(["config", "branch.main.merge", "refs/heads/other"]);
    gitsync(&mike).success();
    assert_eq!(mike.rev("theirs/other"), origin.rev("other"));
}

/// Replaces the last commit of a clone by one without a parent.
fn replace_the_last_commit(repo: &Repo) {
    let other = repo.git(["commit-tree", "HEAD^{tree}", "-m", "r"]);
    repo.git(["replace", &repo.head(), &other]);
}

#[test]
fn where_objects_are_replaced_what_comes_in_comes_in_as_with_git() {
    for program in [None, Some("git-upload-pack")] {
        let (world, origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
        howard.write("before.md", "before\n");
        howard.commit_all("before");
        howard.push();
        mike.pull();
        replace_the_last_commit(&mike);
        mike.write("mine.md", "mine\n");
        mike.commit_all("mine");
        let twin = world.path().join("twin");
        mike.program("cp").args(["-R", mike.path().as_str(), twin.as_str()]).success();
        let twin = world.repo(twin);
        howard.write("theirs.md", "theirs\n");
        howard.commit_all("theirs");
        howard.push();
        if let Some(program) = program {
            mike.git(["config", "remote.origin.uploadpack", program]);
        }
        twin.pull();
        gitsync(&mike).success();
        testkit::assert_same_tree(&mike, &twin);
        assert_eq!(mike.log("HEAD"), twin.log("HEAD"));
        let real = |repo: &Repo| repo.git(["--no-replace-objects", "log", "--format=%s", "HEAD"]);
        assert_eq!(real(&mike), real(&twin));
        assert_eq!(origin.rev("main"), mike.head());
        mike.assert_clean();
        mike.assert_sound();
        origin.assert_sound();
        gitsync(&howard).success();
        assert_eq!(howard.head(), mike.head());
        howard.assert_sound();
    }
}

#[test]
fn a_push_to_several_urls_is_refused() {
    for set_up in
        [&["remote", "set-url", "--add", "origin"][..], &["config", "--add", "remote.origin.pushurl"]]
    {
        let (world, origin, mike) = mine_and_theirs();
        let backup = world.bare("backup.git");
        if set_up[0] == "config" {
            mike.git(set_up.iter().copied().chain([origin.path().as_str()]));
        }
        mike.git(set_up.iter().copied().chain([backup.path().as_str()]));
        assert_refused(&mike, &["origin", "several URLs", origin.path().as_str(), backup.path().as_str()]);
        gitsync(&mike).arg("--no-push").success();
        assert_eq!(mike.read("theirs.md"), "theirs\n");
        assert_eq!(backup.try_rev("main"), None);
    }
}

#[test]
fn the_logins_of_several_urls_are_not_told() {
    let (_world, _origin, mike) = mine_and_theirs();
    for host in ["one", "two"] {
        let url = format!("https://mike:secret@{host}.example/x.git");
        mike.git(["config", "--add", "remote.origin.pushurl", &url]);
    }
    let output = assert_refused(&mike, &["https://one.example/x.git", "https://two.example/x.git"]);
    assert!(!format!("{output}").contains("secret"), "{output}");
}

#[test]
fn a_refspec_that_pushes_the_branch_elsewhere_is_refused() {
    for refspec in [
        "refs/heads/main:refs/heads/review",
        "main:review",
        "+HEAD:refs/for/main",
        "refs/heads/*:refs/heads/mike/*",
    ] {
        let (_world, origin, mike) = mine_and_theirs();
        let before = origin.rev("main");
        mike.git(["config", "remote.origin.push", refspec]);
        assert_refused(&mike, &["main", refspec]);
        assert_eq!(origin.rev("main"), before);
        gitsync(&mike).arg("--no-push").success();
        assert_eq!(mike.read("theirs.md"), "theirs\n");
    }
}

#[test]
fn a_refspec_that_pushes_the_branch_to_its_upstream_goes_on() {
    for refspec in [
        "refs/heads/*:refs/heads/*",
        "HEAD",
        "main",
        ":",
        "+refs/heads/main:main",
        "refs/heads/other:refs/heads/review",
        "refs/notes/*:refs/notes/*",
    ] {
        let (_world, origin, mike) = mine_and_theirs();
        mike.git(["config", "remote.origin.push", refspec]);
        gitsync(&mike).success();
        assert_eq!(origin.rev("main"), mike.head(), "{refspec}");
    }
}

#[test]
fn an_upstream_that_was_rewritten_below_where_the_history_is_cut_off() {
    let (world, origin, [howard]) = World::with_clones(["howard"]);
    for text in ["1\n", "2\n", "3\n"] {
        howard.write("README.md", text);
        howard.commit_all(text.trim());
    }
    howard.push();
    let path = world.path().join("mike");
    world.git(["clone", "--quiet", "--depth=1", &format!("file://{}", origin.path()), path.as_str()]);
    let mike = world.repo(path);
    mike.belongs_to("mike");
    mike.write("mine.md", "mine\n");
    howard.git(["reset", "--quiet", "--hard", "HEAD~2"]);
    howard.write("README.md", "other\n");
    howard.commit_all("rewritten");
    howard.git(["push", "--quiet", "--force", "origin", "main"]);
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("cut off");
    assert!(!format!("{output}").contains("unrelated"), "{output}");
    let help = output.document().error.unwrap().help.unwrap();
    let command = help.split('`').nth(1).unwrap();
    assert_eq!(command, "git fetch --unshallow origin");
    mike.program("sh").args(["-c", command]).success();
    gitsync(&mike).success();
    assert_eq!((mike.read("README.md"), mike.read("mine.md")), ("other\n".into(), "mine\n".into()));
    assert_eq!(mike.log("HEAD")[1..], ["rewritten", "1", "the beginning"]);
    mike.assert_sound();
}

#[test]
fn a_mirror_that_lags_behind_where_pushes_go_is_told_at_once() {
    let (world, origin, mike) = mine_and_theirs();
    let mirror = world.path().join("mirror.git");
    world.git(["clone", "--quiet", "--mirror", origin.path().as_str(), mirror.as_str()]);
    mike.git(["config", "remote.origin.url", mirror.as_str()]);
    mike.git(["config", "remote.origin.pushurl", &format!("file://{}", origin.path())]);
    let howard = world.repo(world.path().join("howard"));
    howard.write("later.md", "later\n");
    howard.commit_all("later");
    howard.push();
    let before = origin.rev("main");
    let output = gitsync(&mike).output();
    output.assert_code(69);
    output.assert_says(mirror.as_str());
    output.assert_says(&format!("file://{}", origin.path()));
    assert_eq!(output.document().main().attempts, 1);
    assert_eq!(origin.rev("main"), before);
    // Once the mirror has caught up, all goes on.
    world.repo(&mirror).git(["fetch", "--quiet"]);
    gitsync(&mike).success();
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!(mike.read("later.md"), "later\n");
}

#[test]
fn a_race_is_a_race_where_both_urls_lead_to_the_same() {
    let (_world, origin, mike) = mine_and_theirs();
    mike.git(["config", "remote.origin.pushurl", &format!("file://{}", origin.path())]);
    let race = "#!/bin/sh\n[ -e .git/raced ] && exit 0\ntouch .git/raced\ncd ../howard && git pull -q && \
                echo later > later.md && git add . && git commit -qm later && git push -q origin HEAD\n";
    mike.hook("pre-push", race);
    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().attempts, 2);
    assert_eq!(origin.rev("main"), mike.head());
}

#[test]
fn a_branch_that_has_a_second_name_is_synced_by_its_own() {
    let (_world, origin, mike) = mine_and_theirs();
    mike.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    mike.git(["symbolic-ref", "HEAD", "refs/heads/alias"]);
    let document = gitsync(&mike).success().document();
    assert_eq!((document.main().branch.as_str(), document.main().attempts), ("main", 1));
    assert_eq!((origin.rev("main"), origin.try_rev("alias")), (mike.rev("main"), None));
    assert_eq!(mike.git(["symbolic-ref", "--no-recurse", "HEAD"]), "refs/heads/alias");
    assert_eq!(mike.read("theirs.md"), "theirs\n");
    mike.assert_clean();
    mike.assert_sound();
    // What is fetched into the branch itself would be fetched into what is checked out.
    mike.git(["config", "remote.origin.fetch", "+refs/heads/*:refs/heads/*"]);
    assert_refused(&mike, &["refs/heads/main", "+refs/heads/*:refs/heads/*"]);
}

#[test]
fn a_second_name_of_a_branch_that_has_no_commit_yet_begins_it() {
    let world = World::new();
    let origin = world.bare("origin.git");
    let mike = world.init("mike");
    mike.git(["remote", "add", "origin", origin.path().as_str()]);
    mike.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    mike.git(["symbolic-ref", "HEAD", "refs/heads/alias"]);
    mike.write("a", "1\n");
    gitsync(&mike).success();
    assert_eq!(origin.rev("main"), mike.rev("main"));
    assert_eq!(mike.git(["symbolic-ref", "--no-recurse", "HEAD"]), "refs/heads/alias");
}

#[test]
fn a_branch_that_is_gone_at_the_remote_and_in_the_way_of_another_is_told_with_what_removes_it() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    origin.git(["branch", "topic", "main"]);
    mike.git(["fetch", "--quiet"]);
    origin.git(["branch", "-D", "topic"]);
    origin.git(["branch", "topic/one", "main"]);
    let document = gitsync(&mike).success().document();
    let [warning] = &document.main().warnings[..] else { panic!("{:?}", document.main().warnings) };
    assert!(warning.contains("refs/remotes/origin/topic/one"), "{warning}");
    mike.program("sh").args(["-c", warning.split('`').nth(1).unwrap()]).success();
    assert!(gitsync(&mike).success().document().main().warnings.is_empty());
    assert_eq!(mike.rev("origin/topic/one"), origin.rev("topic/one"));
}

#[test]
fn a_branch_that_was_rewritten_is_told_where_the_refspec_does_not_force_it() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["config", "remote.origin.fetch", "refs/heads/*:refs/remotes/origin/*"]);
    mike.git(["push", "--quiet", "origin", "HEAD:refs/heads/topic"]);
    origin.git(["update-ref", "refs/heads/topic", &origin.git(["commit-tree", "-m", "anew", "main^{tree}"])]);
    let document = gitsync(&mike).success().document();
    let [warning] = &document.main().warnings[..] else { panic!("{:?}", document.main().warnings) };
    assert!(warning.contains("refs/remotes/origin/topic stays as it was"), "{warning}");
}

#[test]
fn a_first_push_makes_the_upstream_also_where_no_ref_can_follow_it() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["update-ref", "refs/remotes/origin/topic", "HEAD"]);
    mike.git(["checkout", "--quiet", "-b", "topic/one"]);
    mike.write("mine.md", "mine\n");
    let document = gitsync(&mike).success().document();
    let main = document.main();
    assert_eq!((main.state, main.pushed.as_ref().unwrap().count), (SyncState::Pushed, 1));
    assert_eq!(origin.rev("topic/one"), mike.head());
    assert_eq!(mike.git(["config", "branch.topic/one.merge"]), "refs/heads/topic/one");
    let [warning] = &main.warnings[..] else { panic!("{:?}", main.warnings) };
    assert!(warning.contains("has arrived"), "{warning}");
    mike.program("sh")
        .args(["-c", warning.rsplit("; ").next().unwrap().split_once(": ").unwrap().1])
        .success();
    assert!(gitsync(&mike).success().document().main().warnings.is_empty());
    assert_eq!(mike.rev("origin/topic/one"), mike.head());
}

#[test]
fn an_address_with_brackets_is_fetched_from_and_pushed_to() {
    let (world, origin, mike) = mine_and_theirs();
    let ssh = world.path().join("ssh");
    std::fs::write(&ssh, "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n").unwrap();
    mike.program("chmod").args(["+x", ssh.as_str()]).success();
    mike.git(["config", "core.sshCommand", ssh.as_str()]);
    mike.git(["remote", "set-url", "origin", &format!("mike@[::1]:{}", origin.path())]);
    gitsync(&mike).success();
    assert_eq!(origin.rev("main"), mike.head());
}

#[test]
fn a_path_to_the_remote_may_begin_at_the_home() {
    let (world, origin, [mike]) = World::with_clones(["mike"]);
    std::fs::rename(origin.path(), world.home().join("tools.git")).unwrap();
    mike.git(["remote", "set-url", "origin", "~/tools.git"]);
    mike.write("mine.md", "mine\n");
    gitsync(&mike).success();
    assert_eq!(world.repo(world.home().join("tools.git")).rev("main"), mike.head());
}

#[test]
fn pushes_that_are_to_be_signed_are_refused_unless_only_where_a_server_asks() {
    let (_world, origin, mike) = mine_and_theirs();
    mike.git(["config", "push.gpgSign", "true"]);
    let output = assert_refused(&mike, &["push.gpgSign"]);
    let help = output.document().error.unwrap().help.unwrap();
    gitsync(&mike).arg("--no-push").success();
    mike.program("sh").args(["-c", help.split('`').nth(1).unwrap()]).success();
    gitsync(&mike).success();
    assert_eq!(origin.rev("main"), mike.head());
}

#[test]
fn what_cannot_be_read_or_written_in_the_git_directory_is_named() {
    let (_world, _origin, mike) = mine_and_theirs();
    let exclude = mike.git_dir().join("info/exclude");
    std::fs::remove_file(&exclude).unwrap();
    mike.program("ln").args(["-s", "exclude", exclude.as_str()]).success();
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("info/exclude");

    std::fs::remove_file(&exclude).unwrap();
    let objects = mike.git_dir().join("objects");
    for byte in 0..=255_u8 {
        // Where there is a folder already, the file is its neighbour's affair.
        let _ = std::fs::File::create_new(objects.join(format!("{byte:02x}")));
    }
    mike.write("draft.md", (0..2000).map(|n| format!("{n}\n")).collect::<String>());
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("cannot write an object into");
}

#[test]
fn a_multi_pack_index_that_names_packs_that_are_gone_is_passed_over_as_git_does() {
    let (_world, origin, mike) = mine_and_theirs();
    let packs = mike.git_dir().join("objects/pack");
    // The larger an index is, the earlier it is asked.
    for number in 0..20 {
        mike.git(["tag", "-a", "-m", "gone later", &format!("v{number}")]);
    }
    mike.git(["repack", "--quiet", "-ad"]);
    mike.git(["multi-pack-index", "write"]);
    let stale = std::fs::read(packs.join("multi-pack-index")).unwrap();
    for number in 0..20 {
        mike.git(["tag", "-d", &format!("v{number}")]);
    }
    mike.git(["repack", "--quiet", "-ad"]);
    std::fs::write(packs.join("multi-pack-index"), stale).unwrap();
    mike.git(["log", "--stat"]);
    gitsync(&mike).success();
    assert_eq!(origin.rev("main"), mike.head());
}
