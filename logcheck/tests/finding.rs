//! Tests which files count as uncommitted session logs, in repositories that real git created.
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made ends the test")]

use contract::{Decision, LogState, LogcheckSection};
use testkit::{Repo, Sections as _, World};

/// What `logcheck` finds in a repository, as `state path` by path.
fn found(repo: &Repo) -> Vec<String> {
    shown(repo.program(env!("CARGO_BIN_EXE_logcheck")).output().document().logcheck())
}

fn shown(section: &LogcheckSection) -> Vec<String> {
    let state = |state| match state {
        LogState::Untracked => "untracked",
        LogState::Modified => "modified",
        LogState::Added => "added",
        LogState::Renamed => "renamed",
    };
    section.found.iter().map(|log| format!("{} {}", state(log.state), log.path)).collect()
}

fn repo_with(world: &World, files: &[&str]) -> Repo {
    let repo = world.init("mike");
    repo.write("README.md", "# Tools\n");
    for file in files {
        repo.write(file, format!("# {file}\n\nsome lines\nof its own\nto be told apart\n"));
    }
    repo.commit_all("the beginning");
    repo
}

#[test]
fn a_clean_repository_has_nothing_to_save() {
    let world = World::new();
    let repo = repo_with(&world, &["session-logs/old.md"]);
    let output = repo.program(env!("CARGO_BIN_EXE_logcheck")).success();
    assert_eq!(output.document().logcheck().decision, Decision::None);
    assert_eq!(found(&repo), [""; 0]);
}

#[test]
fn every_file_of_a_wholly_untracked_folder_is_found() {
    let world = World::new();
    let repo = repo_with(&world, &[]);
    repo.write("clients/acme/session-logs/a.md", "a");
    repo.write("clients/acme/session-logs/2026/06/b.md", "b");
    repo.write("clients/acme/session-logs/picture.png", "no log");
    assert_eq!(
        found(&repo),
        ["untracked clients/acme/session-logs/2026/06/b.md", "untracked clients/acme/session-logs/a.md"]
    );
}

#[test]
fn what_git_is_told_to_show_of_untracked_files_makes_no_difference() {
    let world = World::new();
    let repo = repo_with(&world, &[]);
    repo.write("session-logs/a.md", "a");
    for setting in ["no", "normal", "all"] {
        repo.git(["config", "status.showUntrackedFiles", setting]);
        assert_eq!(found(&repo), ["untracked session-logs/a.md"], "{setting}");
    }
}

#[test]
fn names_with_spaces_quotes_line_feeds_or_letters_of_any_language_count_like_any_other() {
    let world = World::with_an_odd_path();
    let repo = repo_with(&world, &[]);
    let names = [
        "session-logs/a b.md",
        "session-logs/line\nfeed.md",
        "session-logs/quote\"d.md",
        "session-logs/tab\there.md",
        "session-logs/世界.md",
        "übung/session-logs/ü.md",
    ];
    for name in names {
        repo.write(name, "x");
    }
    let mut expected = names.map(|name| format!("untracked {name}"));
    expected.sort();
    assert_eq!(found(&repo), expected);
}

#[test]
fn changes_of_the_index_and_of_the_work_tree_are_found_and_deletions_are_not() {
    let world = World::new();
    let logs =
        ["edited", "staged", "moved", "deleted", "staged-deleted", "edited-deleted", "turned-into-a-link"];
    let logs = logs.map(|name| format!("session-logs/{name}.md"));
    let repo = repo_with(&world, &logs.each_ref().map(String::as_str));
    repo.append("session-logs/edited.md", "more\n");
    repo.append("session-logs/staged.md", "more\n");
    repo.write("session-logs/added.md", "new\n");
    repo.write("session-logs/added-edited.md", "new\n");
    repo.write("session-logs/added-deleted.md", "new\n");
    repo.append("session-logs/edited-deleted.md", "more\n");
    repo.git(["add", "--all"]);
    repo.git(["mv", "session-logs/moved.md", "session-logs/moved-here.md"]);
    repo.git(["rm", "--quiet", "session-logs/staged-deleted.md"]);
    repo.append("session-logs/added-edited.md", "more\n");
    repo.remove("session-logs/added-deleted.md");
    repo.remove("session-logs/edited-deleted.md");
    repo.remove("session-logs/deleted.md");
    repo.write("session-logs/intended.md", "new\n");
    repo.git(["add", "--intent-to-add", "session-logs/intended.md"]);
    repo.remove("session-logs/turned-into-a-link.md");
    std::os::unix::fs::symlink("edited.md", repo.join("session-logs/turned-into-a-link.md")).unwrap();
    assert_eq!(
        found(&repo),
        [
            "added session-logs/added-edited.md",
            "added session-logs/added.md",
            "modified session-logs/edited.md",
            "added session-logs/intended.md",
            "renamed session-logs/moved-here.md",
            "modified session-logs/staged.md",
            "modified session-logs/turned-into-a-link.md",
        ]
    );
}

#[test]
fn a_note_that_moves_in_from_elsewhere_is_renamed_and_one_that_moves_out_is_gone() {
    let world = World::new();
    let repo = repo_with(&world, &["drafts/in.md", "session-logs/out.md"]);
    std::fs::create_dir(repo.join("archive")).unwrap();
    repo.git(["mv", "drafts/in.md", "session-logs/in.md"]);
    repo.git(["mv", "session-logs/out.md", "archive/out.md"]);
    assert_eq!(found(&repo), ["renamed session-logs/in.md"]);
}

#[test]
fn a_log_that_is_taken_out_of_the_index_and_kept_is_untracked() {
    let world = World::new();
    let repo = repo_with(&world, &["session-logs/a.md"]);
    repo.git(["rm", "--quiet", "--cached", "session-logs/a.md"]);
    assert_eq!(found(&repo), ["untracked session-logs/a.md"]);
}

#[test]
fn a_touched_file_with_the_same_content_is_not_modified() {
    let world = World::new();
    let repo = repo_with(&world, &["session-logs/a.md"]);
    let content = repo.read("session-logs/a.md");
    repo.remove("session-logs/a.md");
    repo.write("session-logs/a.md", content);
    assert_eq!(found(&repo), [""; 0]);
}

#[test]
fn ignored_files_nested_repositories_and_submodules_are_left_alone() {
    let world = World::new();
    let library = repo_with(&world, &["session-logs/a.md"]);
    let repo = world.init("howard");
    repo.write(".gitignore", "scratch/\n*.tmp.md\n");
    repo.git(["submodule", "--quiet", "add", library.path().as_str(), "library"]);
    repo.commit_all("the beginning");
    repo.append("library/session-logs/a.md", "more\n");
    repo.write("library/session-logs/new.md", "new\n");
    repo.write("scratch/session-logs/a.md", "x");
    repo.write("session-logs/a.tmp.md", "x");
    repo.git(["init", "--quiet", "nested"]);
    repo.write("nested/session-logs/a.md", "x");
    repo.git(["init", "--quiet", "session-logs/folder.md"]);
    assert_eq!(found(&repo), [""; 0]);
}

#[test]
fn a_submodule_that_is_called_like_a_log_is_none() {
    let world = World::new();
    let library = repo_with(&world, &[]);
    let repo = world.init("howard");
    repo.git(["submodule", "--quiet", "add", library.path().as_str(), "session-logs/library.md"]);
    assert_eq!(found(&repo), [""; 0], "it is staged");
    repo.commit_all("the beginning");
    repo.git(["-C", "session-logs/library.md", "commit", "--quiet", "--allow-empty", "-m", "further on"]);
    assert_eq!(found(&repo), [""; 0], "it has moved on");
}

#[test]
fn files_outside_of_a_sparse_checkout_are_not_missed() {
    let world = World::new();
    let repo = repo_with(&world, &["clients/acme/session-logs/a.md", "tools/session-logs/b.md"]);
    for flag in ["--no-sparse-index", "--sparse-index"] {
        repo.git(["sparse-checkout", "set", "--cone", flag, "tools"]);
        assert_eq!(found(&repo), [""; 0], "{flag}");
    }
    repo.append("tools/session-logs/b.md", "more\n");
    assert_eq!(found(&repo), ["modified tools/session-logs/b.md"]);
}

#[test]
fn before_the_first_commit_all_logs_are_found() {
    let world = World::new();
    let repo = world.init("mike");
    repo.write("session-logs/a.md", "a");
    repo.write("session-logs/b.md", "b");
    repo.git(["add", "session-logs/a.md"]);
    assert_eq!(found(&repo), ["added session-logs/a.md", "untracked session-logs/b.md"]);
}

#[test]
fn the_whole_repository_is_looked_at_from_any_folder_and_from_a_linked_work_tree() {
    let world = World::new();
    let repo = repo_with(&world, &["tools/deep/x.txt", "session-logs/a.md"]);
    repo.append("session-logs/a.md", "more\n");
    repo.write("session-logs/staged.md", "x");
    repo.git(["add", "session-logs/staged.md"]);
    let from_below =
        repo.program(env!("CARGO_BIN_EXE_logcheck")).in_dir(repo.join("tools/deep")).output().document();
    assert_eq!(shown(from_below.logcheck()), ["modified session-logs/a.md", "added session-logs/staged.md"]);

    let linked = repo.linked_work_tree("other");
    assert_eq!(found(&linked), [""; 0]);
    linked.write("session-logs/b.md", "b");
    assert_eq!(found(&linked), ["untracked session-logs/b.md"]);
}

#[test]
fn settings_that_change_what_pathspecs_mean_hide_nothing() {
    let world = World::new();
    let repo = repo_with(&world, &[]);
    repo.write("a/session-logs/a.md", "a");
    for setting in
        ["GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS"]
    {
        let document = repo.program(env!("CARGO_BIN_EXE_logcheck")).env(setting, "1").output().document();
        assert_eq!(shown(document.logcheck()), ["untracked a/session-logs/a.md"], "{setting}");
    }
}

#[test]
fn configured_patterns_replace_the_default() {
    let world = World::new();
    let repo = repo_with(&world, &["journal/old.md"]);
    repo.git(["config", "--add", "lockstep.sessionLogs", r"^journal/.*\.md$"]);
    repo.git(["config", "--add", "lockstep.sessionLogs", r"\.log$"]);
    repo.append("journal/old.md", "more\n");
    repo.write("x/y.log", "x");
    repo.write("session-logs/a.md", "a");
    assert_eq!(found(&repo), ["modified journal/old.md", "untracked x/y.log"]);
}

#[test]
fn a_second_name_of_a_branch_without_a_commit_is_no_hindrance() {
    let world = World::new();
    let repo = world.init("mike");
    repo.git(["symbolic-ref", "refs/heads/alias", "refs/heads/unborn"]);
    repo.git(["symbolic-ref", "HEAD", "refs/heads/alias"]);
    assert_eq!(found(&repo), [""; 0]);
    repo.write("session-logs/new.md", "new\n");
    repo.write("session-logs/staged.md", "staged\n");
    repo.git(["add", "session-logs/staged.md"]);
    assert_eq!(found(&repo), ["untracked session-logs/new.md", "added session-logs/staged.md"]);
    repo.commit_all("the first");
    assert!(repo.try_rev("refs/heads/unborn").is_some(), "git commits to the last name");
    assert_eq!(found(&repo), [""; 0]);
}

#[test]
fn an_unmerged_log_is_found() {
    let world = World::new();
    let repo = repo_with(&world, &["session-logs/a.md"]);
    repo.git(["checkout", "--quiet", "-b", "other"]);
    repo.write("session-logs/a.md", "theirs\n");
    repo.commit_all("theirs");
    repo.git(["checkout", "--quiet", "main"]);
    repo.write("session-logs/a.md", "ours\n");
    repo.commit_all("ours");
    repo.try_git(["merge", "other"]).assert_code(1);
    assert_eq!(found(&repo), ["modified session-logs/a.md"]);
}
