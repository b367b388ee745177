//! Tests whole syncs of several users' clones; real git creates the fixtures and judges the results.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod run;

use contract::{ChangedFile, Exit, SyncState, WikiStatus};
use run::gitsync;
use testkit::{Sections as _, World, assert_converged};

#[test]
fn what_one_commits_the_other_gets() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("notes/today.md", "hello\n");
    let document = gitsync(&howard).success().document();
    let main = document.main();
    assert_eq!(main.state, SyncState::Pushed);
    assert_eq!((main.branch.as_str(), main.remote.as_str()), ("main", "origin"));
    assert_eq!(main.upstream.as_deref(), Some("refs/remotes/origin/main"));
    let committed = main.committed.as_ref().unwrap();
    assert_eq!((committed.added, committed.modified, committed.deleted), (1, 0, 0));
    assert_eq!(committed.id, howard.head());
    assert!(howard.log("HEAD")[0].starts_with("sync: auto-sync from "), "{:?}", howard.log("HEAD"));

    let document = gitsync(&mike).success().document();
    let main = document.main();
    assert_eq!(main.state, SyncState::Pulled);
    let pulled = main.pulled.as_ref().unwrap();
    assert_eq!((pulled.count, pulled.authors.clone()), (1, vec!["Howard".to_owned()]));
    assert_eq!(pulled.to, howard.head());
    assert_eq!(mike.read("notes/today.md"), "hello\n");
    assert_eq!(origin.rev("main"), mike.head());
    assert_converged(&[&howard, &mike]);
}

#[test]
fn a_merge_that_was_resolved_by_hand_is_pushed_as_it_is() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("README.md", "howard's\n");
    gitsync(&howard).success();
    mike.write("README.md", "mike's\n");
    gitsync(&mike).output().assert_code(4);
    mike.try_git(["merge", "--quiet", "origin/main"]).assert_code(1);
    mike.write("README.md", "both\n");
    mike.commit_all("merged");

    let merged = mike.head();
    let section = gitsync(&mike).arg("--dry-run").success().document();
    assert_eq!(section.main().conflicts, [""; 0]);
    gitsync(&mike).success();
    assert_eq!((mike.head(), origin.rev("main")), (merged.clone(), merged));
    gitsync(&howard).success();
    assert_converged(&[&howard, &mike]);
}

#[test]
fn session_logs_that_came_in_are_named() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    let logs = |repo| gitsync(repo).success().document().main().pulled.clone().unwrap().session_logs;
    howard.write("session-logs/gone.md", "1\n");
    howard.write("session-logs/changed.md", "2\n");
    gitsync(&howard).success();
    assert_eq!(logs(&mike).unwrap().len(), 2);
    let before = |path: &str| Some(mike.rev(&format!("HEAD:{path}")));
    let (gone, changed) = (before("session-logs/gone.md"), before("session-logs/changed.md"));
    howard.remove("session-logs/gone.md");
    howard.append("session-logs/changed.md", "more\n");
    howard.write("clients/acme/session-logs/new.md", "3\n");
    howard.write("session-logs.md", "not one\n");
    std::os::unix::fs::symlink("changed.md", howard.join("session-logs/link.md")).unwrap();
    gitsync(&howard).success();
    let named = logs(&mike).unwrap();
    let after = |path: &str| Some(mike.rev(&format!("HEAD:{path}")));
    let file = |path: &str, before, after| ChangedFile { path: path.to_owned(), before, after };
    let new = "clients/acme/session-logs/new.md";
    assert_eq!(
        named,
        [
            file(new, None, after(new)),
            file("session-logs/changed.md", changed, after("session-logs/changed.md")),
            file("session-logs/gone.md", gone, None),
        ]
    );
}

#[test]
fn session_logs_of_both_sides_are_named_where_local_commits_were_replayed() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("session-logs/both.md", "1\n");
    howard.write("session-logs/theirs.md", "2\n");
    gitsync(&howard).success();
    mike.write("session-logs/both.md", "1\n");
    mike.write("session-logs/ours.md", "3\n");
    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().state, SyncState::PulledPushed);
    let named = document.main().pulled.clone().unwrap().session_logs.unwrap();
    let file = |path: &str| {
        let after = Some(mike.rev(&format!("HEAD:{path}")));
        ChangedFile { path: path.to_owned(), before: None, after }
    };
    assert_eq!(named, ["both", "ours", "theirs"].map(|name| file(&format!("session-logs/{name}.md"))));
}

#[test]
fn a_second_run_has_nothing_to_do() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write("a", "1\n");
    gitsync(&mike).success();
    let before = mike.snapshot();
    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().state, SyncState::Clean);
    assert_eq!(document.main().attempts, 1);
    assert_eq!(mike.snapshot(), before);
}

#[test]
fn both_moved_on_and_the_local_commit_is_replayed() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("wiki/clients/acme.md", "# Acme\n");
    howard.write("wiki/index.md", "# Index\n");
    gitsync(&howard).success();
    mike.write("mine.md", "mine\n");
    let document = gitsync(&mike).success().document();
    let main = document.main();
    assert_eq!(main.state, SyncState::PulledPushed);
    assert_eq!(main.wiki.clients[0].path, "wiki/clients/acme.md");
    assert_eq!(main.wiki.clients[0].status, WikiStatus::Added);
    assert_eq!(main.wiki.meta[0].path, "wiki/index.md");
    assert_eq!(main.committed.as_ref().unwrap().id, mike.head(), "the commit as pushed");
    assert_eq!(main.pushed.as_ref().unwrap().commits[0].id, mike.head());
    assert_eq!(mike.rev("HEAD~1"), howard.head());
    assert_eq!(origin.rev("main"), mike.head());
    mike.assert_clean();
    mike.assert_sound();
}

#[test]
fn a_conflict_leaves_everything_as_it_was_after_the_local_commit() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("README.md", "# Howard's\n");
    gitsync(&howard).success();
    mike.write("README.md", "# Mike's\n");
    mike.write("other.md", "fine\n");
    let output = gitsync(&mike).output();
    output.assert_code(Exit::Conflict.code().into());
    let document = output.document();
    let main = document.main();
    assert_eq!(main.state, SyncState::Conflict);
    assert_eq!(main.conflicts, ["README.md"]);
    assert_eq!(main.head.as_deref(), Some(mike.head().as_str()));
    assert_eq!(document.outcome, contract::Outcome::Conflict);
    assert!(!document.has_ended(), "the phases after do what they can");
    assert_eq!(mike.read("README.md"), "# Mike's\n");
    assert_eq!(mike.git(["rev-list", "--count", "origin/main..HEAD"]), "1");
    assert_eq!(origin.rev("main"), howard.head());
    mike.assert_clean();
    assert!(mike.try_rev("REBASE_HEAD").is_none());

    let before = mike.snapshot();
    let again = gitsync(&mike).output();
    again.assert_code(Exit::Conflict.code().into());
    assert_eq!(mike.snapshot(), before, "the next run changes nothing either");
    let pulled = main.pulled.clone().unwrap();
    assert_eq!((pulled.from.unwrap(), pulled.to), (mike.rev("HEAD~"), howard.head()));
    assert_eq!(again.document().main().pulled, main.pulled, "the branch still has not got it");
}

#[test]
fn a_file_on_one_side_and_a_folder_on_the_other_are_told_by_a_path_that_is_there() {
    for file_comes_in in [true, false] {
        let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
        howard.write("wiki/old", "old\n");
        gitsync(&howard).success();
        gitsync(&mike).success();
        let (file, folder) = if file_comes_in { (&howard, &mike) } else { (&mike, &howard) };
        std::fs::remove_dir_all(file.join("wiki")).unwrap();
        file.write("wiki", "a file\n");
        folder.write("wiki/new", "new\n");
        gitsync(&howard).success();
        let output = gitsync(&mike).output();
        output.assert_code(Exit::Conflict.code().into());
        output.assert_says("one side has a file and the other a folder at wiki; the local commit");
        assert_eq!(output.document().main().conflicts[0], "wiki", "{output}");
        assert!(!output.document().main().conflicts.iter().any(|path| path.contains('~')), "{output}");
    }
}

#[test]
fn an_unreachable_remote_leaves_the_commit_in_place() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.git(["remote", "set-url", "origin", "http://127.0.0.1:9/none.git"]);
    mike.write("a", "1\n");
    let output = gitsync(&mike).output();
    output.assert_code(Exit::Unreachable.code().into());
    let document = output.document();
    assert_eq!(document.main().state, SyncState::Offline);
    assert_eq!(document.main().attempts, 1, "no retry");
    assert_eq!(document.main().committed.as_ref().unwrap().id, mike.head());
    mike.assert_clean();

    mike.git(["remote", "set-url", "origin", origin.path().as_str()]);
    let document = gitsync(&mike).success().document();
    assert_eq!(document.main().state, SyncState::Pushed);
    assert_eq!(document.main().pushed.as_ref().unwrap().count, 1);
}

#[test]
fn a_linked_work_tree_syncs_its_own_branch() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    let linked = mike.linked_work_tree("feature");
    linked.write("a", "1\n");
    let document = gitsync(&linked).success().document();
    assert_eq!(document.main().branch, "feature");
    assert_eq!(origin.rev("feature"), linked.head());
    linked.assert_clean();
    mike.assert_clean();
}

#[test]
fn a_lost_push_race_is_fetched_replayed_and_pushed_again() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("theirs", "1\n");
    howard.commit_all("theirs");
    mike.write("mine", "1\n");
    let push = format!("pushing=test -e pushed || git -C {} push --quiet; touch .git/pushed", howard.path());
    let document = gitsync(&mike)
        .env("LOCKSTEP_FAILPOINT", push.replace("test -e pushed", "test -e .git/pushed"))
        .success()
        .document();
    assert_eq!(document.main().attempts, 2);
    assert_eq!(document.main().state, SyncState::PulledPushed);
    assert_eq!(origin.rev("main"), mike.head());
    assert_eq!(mike.rev("HEAD~1"), howard.head());
}

#[test]
fn a_remote_that_moves_each_time_ends_the_attempts_and_loses_nothing() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    mike.write("mine", "1\n");
    let push = format!(
        "pushing=cd {} && git commit --quiet --allow-empty -m more && git push --quiet",
        howard.path()
    );
    let output = gitsync(&mike).args(["--attempts", "3"]).env("LOCKSTEP_FAILPOINT", push).output();
    output.assert_code(Exit::Unreachable.code().into());
    output.assert_says("--attempts");
    assert_eq!(output.document().main().attempts, 3);
    assert_eq!(mike.read("mine"), "1\n");
    gitsync(&mike).success();
    mike.assert_clean();
}

#[test]
fn an_ignored_file_in_the_way_is_not_overwritten_and_the_run_says_so_at_once() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("notes.local", "Howard's\n");
    gitsync(&howard).success();
    std::fs::write(mike.git_dir().join("info/exclude"), "*.local\n").unwrap();
    mike.write("notes.local", "Mike's own\n");
    mike.write("mine", "1\n");
    let output = gitsync(&mike).output();
    output.assert_code(Exit::Failed.code().into());
    output.assert_says("notes.local");
    assert_eq!(output.document().main().attempts, 2);
    assert_eq!(mike.read("notes.local"), "Mike's own\n");
    mike.assert_clean();
}

#[test]
fn no_git_program_is_called_but_its_helpers() {
    let (world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("theirs", "1\n");
    gitsync(&howard).success();
    mike.write("mine", "1\n");
    let recorder = world.recorder();
    let document = gitsync(&mike).recorded_by(&recorder).success().document();
    assert_eq!(document.main().state, SyncState::PulledPushed);
    let calls = recorder.calls();
    assert!(
        calls.iter().all(|call| call.contains("upload-pack") || call.contains("receive-pack")),
        "{calls:?}"
    );
}

#[test]
fn twenty_rounds_of_edits_on_both_sides_end_in_the_same_tree() {
    let (_world, origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    for round in 0..20 {
        for (repo, name) in [(&howard, "howard"), (&mike, "mike")] {
            repo.write(&format!("{name}/{round}.md"), format!("{name} {round}\n"));
            repo.append(&format!("{name}/log.md"), format!("round {round}\n"));
            match round % 5 {
                1 => repo.remove(&format!("{name}/{}.md", round - 1)),
                2 => repo.rename(&format!("{name}/{round}.md"), &format!("{name}/moved/{round}.md")),
                3 => repo.set_executable(&format!("{name}/{round}.md"), true),
                4 => {
                    std::os::unix::fs::symlink("log.md", repo.join(&format!("{name}/link-{round}"))).unwrap()
                }
                _ => {}
            }
        }
        gitsync(&howard).success();
        gitsync(&mike).success();
    }
    gitsync(&howard).success();
    assert_converged(&[&howard, &mike]);
    assert_eq!(origin.rev("main"), howard.head());
}

#[test]
fn who_only_takes_in_needs_no_name() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("his.md", "his\n");
    gitsync(&howard).success();
    for key in ["user.name", "user.email"] {
        mike.git(["config", "--unset", key]);
    }
    let anonymous = || gitsync(&mike).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = anonymous().output();
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(mike.read("his.md"), "his\n");
    mike.write("mine.md", "mine\n");
    let refused = anonymous().output();
    assert_eq!(refused.code, 78, "{refused:?}");
    refused.assert_says("git does not know who you are");
    mike.assert_unlocked();
}
