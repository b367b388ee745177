//! Tests that hooks run as git runs them, and that a failing hook stops the run.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]
#![allow(clippy::disallowed_methods, reason = "tests may start programs")]

mod run;

use run::gitsync;
use testkit::{Repo, Sections as _, World};

/// A hook that writes down how it was called.
fn recording(repo: &Repo, name: &str) {
    let script = format!(
        "#!/bin/sh\n{{ echo \"{name}: $*\"; echo \"in $PWD\"; \
         case {name} in pre-push|post-rewrite) cat;; esac; }} >> \"$(git rev-parse --git-common-dir)/calls\"\n"
    );
    repo.hook(name, &script);
}

fn calls(repo: &Repo) -> Vec<String> {
    let text = std::fs::read_to_string(repo.common_dir().join("calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn named(calls: &[String]) -> Vec<&str> {
    calls.iter().filter_map(|line| line.split_once(": ").map(|(name, _)| name)).collect()
}

#[test]
fn the_hooks_of_a_commit_and_a_push_run_in_git_s_order_with_git_s_arguments() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    for name in ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-push"] {
        recording(&mike, name);
    }
    let before = mike.head();
    mike.write("a", "1\n");
    gitsync(&mike).success();
    let calls = calls(&mike);
    assert_eq!(named(&calls), ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-push"]);
    assert!(calls.contains(&"prepare-commit-msg: .git/COMMIT_EDITMSG message".to_owned()), "{calls:?}");
    assert!(calls.contains(&"commit-msg: .git/COMMIT_EDITMSG".to_owned()), "{calls:?}");
    assert!(calls.contains(&format!("pre-push: origin {}", origin.path())), "{calls:?}");
    let head = mike.head();
    assert!(calls.contains(&format!("refs/heads/main {head} refs/heads/main {before}")), "{calls:?}");
    assert!(
        calls
            .iter()
            .filter(|line| line.starts_with("in "))
            .all(|line| *line == format!("in {}", mike.path()))
    );
}

#[test]
fn the_hooks_of_a_replay_are_told_what_became_of_the_commits() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("theirs", "1\n");
    gitsync(&howard).success();
    mike.write("mine", "1\n");
    let local = mike.commit_all("mine");
    for name in ["pre-rebase", "post-checkout", "post-rewrite", "post-merge"] {
        recording(&mike, name);
    }
    gitsync(&mike).success();
    let calls = calls(&mike);
    assert_eq!(named(&calls), ["pre-rebase", "post-checkout", "post-rewrite"]);
    assert!(calls.contains(&format!("pre-rebase: {}", howard.head())), "{calls:?}");
    assert!(calls.contains(&format!("{local} {}", mike.head())), "{calls:?}");
}

#[test]
fn a_fast_forward_is_a_merge_to_its_hook() {
    let (_world, _origin, [howard, mike]) = World::with_clones(["howard", "mike"]);
    howard.write("theirs", "1\n");
    gitsync(&howard).success();
    for name in ["pre-rebase", "post-checkout", "post-merge"] {
        recording(&mike, name);
    }
    gitsync(&mike).success();
    assert_eq!(calls(&mike)[0], "post-merge: 0");
    assert_eq!(named(&calls(&mike)), ["post-merge"]);
}

#[test]
fn with_nothing_to_do_no_hook_runs() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in ["pre-commit", "pre-push", "pre-rebase", "post-merge", "post-checkout"] {
        recording(&mike, name);
    }
    gitsync(&mike).success();
    assert_eq!(calls(&mike), Vec::<String>::new());
}

#[test]
fn a_hook_that_says_no_is_heard_and_nothing_is_committed() {
    for name in ["pre-commit", "commit-msg", "prepare-commit-msg"] {
        let (_world, _origin, [mike]) = World::with_clones(["mike"]);
        mike.hook(name, "#!/bin/sh\necho 'a secret in line 3' >&2\nexit 1\n");
        mike.write("a", "1\n");
        let before = mike.snapshot();
        let output = gitsync(&mike).output();
        output.assert_code(1);
        output.assert_says(name);
        output.assert_says("a secret in line 3");
        assert_eq!(mike.snapshot(), before);
    }
}

#[test]
fn a_pre_push_hook_that_says_no_leaves_the_commit_here() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    mike.hook("pre-push", "#!/bin/sh\necho 'not on a friday'\nexit 1\n");
    mike.write("a", "1\n");
    let before = origin.rev("main");
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("not on a friday");
    assert!(output.document().main().committed.is_some());
    assert_eq!(origin.rev("main"), before);
}

#[test]
fn a_hook_may_stage_files_and_change_the_message() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.write(".gitignore", "built\n");
    mike.commit_all("ignore");
    mike.hook("pre-commit", "#!/bin/sh\necho built > built\ngit add -f built\n");
    mike.hook("commit-msg", "#!/bin/sh\nprintf '\\n\\nReviewed-by: hook  \\n\\n\\n' >> \"$1\"\n");
    mike.write("a", "1\n");
    gitsync(&mike).args(["-m", "with help"]).success();
    assert_eq!(mike.files("HEAD"), [".gitignore", "README.md", "a", "built"]);
    assert_eq!(mike.git(["log", "-1", "--format=%B"]), "with help\n\nReviewed-by: hook\n");
    mike.assert_clean();
    mike.assert_sound();
}

#[test]
fn while_the_remote_takes_its_time_the_index_is_in_place_and_nobody_is_locked_out() {
    let (_world, origin, [mike]) = World::with_clones(["mike"]);
    // The push is refused if the index stays locked.
    let lock = mike.git_dir().join("index.lock");
    origin.hook(
        "pre-receive",
        &format!("#!/bin/sh\nfor _ in $(seq 200); do [ -e '{lock}' ] || exit 0; sleep 0.05; done\nexit 1\n"),
    );
    mike.write("a", "1\n");
    let document = gitsync(&mike).success().document();
    assert!(document.main().pushed.is_some());
    mike.assert_clean();
}

#[test]
fn the_hooks_of_a_commit_of_some_files_see_those_alone() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    for name in ["mine", "of-another-session"] {
        mike.write(name, "1\n");
    }
    mike.git(["add", "of-another-session"]);
    let look = "git diff --cached --name-only >> .git/seen";
    let add = "echo generated > generated; git add generated";
    mike.hook("pre-commit", &format!("#!/bin/sh\n{look}; {add}\n"));
    mike.hook("commit-msg", &format!("#!/bin/sh\n{look}\n"));
    gitsync(&mike).args(["--only", "mine"]).success();
    assert_eq!(mike.read(".git/seen"), "mine\ngenerated\nmine\n");
    assert_eq!(mike.files("HEAD"), ["README.md", "generated", "mine"]);
    assert_eq!(mike.git(["status", "--porcelain"]), "A  of-another-session");
    mike.assert_sound();
}

#[test]
fn a_message_that_is_not_cleaned_up_is_that_of_git_commit() {
    for mode in ["verbatim", "whitespace", "strip"] {
        let (_world, _origin, [mike, howard]) = World::with_clones(["mike", "howard"]);
        for message in ["one line", "two\n\n# lines  ", "ended\n"] {
            for repo in [&mike, &howard] {
                repo.git(["config", "commit.cleanup", mode]);
                repo.write("file", format!("{message}\n"));
            }
            howard.git(["add", "file"]);
            howard.git(["commit", "--quiet", "-m", message]);
            gitsync(&mike).args(["--no-pull", "--no-push", "-m", message]).success();
            let of = |repo: &Repo| repo.git(["log", "-1", "--format=%B|"]);
            assert_eq!(of(&mike), of(&howard), "{mode}: {message:?}");
        }
    }
}

#[test]
fn a_hook_that_writes_what_git_cannot_read_as_a_message_is_found_out() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.hook("commit-msg", "#!/bin/sh\nprintf 'a\\0b\\n' > \"$1\"\n");
    mike.write("a", "1\n");
    let before = mike.head();
    let output = gitsync(&mike).output();
    output.assert_code(1);
    output.assert_says("NUL byte");
    assert_eq!(mike.head(), before);
}

#[test]
fn hooks_elsewhere_and_hooks_without_a_first_line_run_and_hooks_that_are_switched_off_do_not() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.hook("pre-commit", "#!/bin/sh\nexit 1\n");
    mike.write("my-hooks/pre-commit", "echo ran > .git/ran\n");
    mike.set_executable("my-hooks/pre-commit", true);
    mike.git(["config", "core.hooksPath", "my-hooks"]);
    gitsync(&mike).success();
    assert_eq!(mike.read(".git/ran"), "ran\n");
    mike.set_executable("my-hooks/pre-commit", false);
    std::fs::remove_file(mike.join(".git/ran")).unwrap();
    gitsync(&mike).success();
    assert!(!mike.join(".git/ran").exists());
}

#[test]
fn what_a_hook_prints_stays_out_of_the_document_and_what_it_leaves_running_is_not_waited_for() {
    let (_world, _origin, [mike]) = World::with_clones(["mike"]);
    mike.hook("post-commit", "#!/bin/sh\necho noise\nsleep 300 &\necho $! > .git/left-running\n");
    mike.write("a", "1\n");
    let output = gitsync(&mike).success();
    assert!(output.document().main().pushed.is_some());
    let pid = mike.read(".git/left-running");
    std::process::Command::new("kill").arg(pid.trim()).status().unwrap();
}
