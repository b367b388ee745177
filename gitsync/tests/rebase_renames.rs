//! Tests renames, copies, and changes that only look like them, against git's merges.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod twin;

use testkit::Repo;
use twin::{LINES, Result, Twin, count};

fn commit_files(repo: &Repo, files: &[(&str, &str)], message: &str) {
    for (path, content) in files {
        repo.write(path, content);
    }
    repo.commit_all(message);
}

#[test]
fn a_file_that_was_changed_and_copied_stays_changed_whatever_is_said_of_copies() {
    for key in ["diff.renames", "merge.renames"] {
        let twin = Twin::new(|repo| repo.write("file", LINES));
        twin.repo.git(["config", key, "copies"]);
        let more = format!("{LINES}eleven\n");
        // Both sides add to a folder: the trees are really merged.
        twin.theirs(|repo| {
            commit_files(repo, &[("file", &more), ("copy", &more), ("d/theirs", "x\n")], "copied")
        });
        twin.ours(|repo| commit_files(repo, &[("d/ours", "y\n")], "ours"));
        assert_eq!(count(&twin.assert_same()), 1, "{key}");
    }
}

/// The upstream removes an empty file, and has another one in a new folder.
fn empty_file_elsewhere(ours: impl FnOnce(&Repo)) -> Twin {
    let twin = Twin::new(|repo| {
        repo.write("old/.gitkeep", "");
        repo.write("stays/file", LINES);
    });
    twin.theirs(|repo| {
        repo.remove("old/.gitkeep");
        commit_files(repo, &[("theirs/.gitkeep", "")], "theirs");
    });
    twin.ours(ours);
    twin
}

#[test]
fn empty_files_in_new_folders_have_nothing_to_do_with_each_other() {
    let twin = empty_file_elsewhere(|repo| {
        repo.remove("old/.gitkeep");
        commit_files(repo, &[("ours/.gitkeep", "")], "ours");
    });
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn what_was_written_into_a_file_that_was_empty_and_removed_does_not_go_into_another_one() {
    let twin = empty_file_elsewhere(|repo| commit_files(repo, &[("old/.gitkeep", "text\n")], "ours"));
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["old/.gitkeep".into()]));
}

#[test]
fn an_empty_file_that_comes_and_goes_again_is_in_nobody_s_way() {
    let twin = empty_file_elsewhere(|repo| {
        commit_files(repo, &[("theirs/other", "o\n"), ("stays/file", "other\n"), ("new", "")], "ours");
        std::fs::remove_file(repo.join("new")).unwrap();
        repo.commit_all("removed again");
    });
    assert_eq!(count(&twin.assert_same()), 2);
}

/// One side changes the mode of a program to that of a plain file, and the other does `elsewhere`; both ways round.
fn no_program_any_more(elsewhere: impl Fn(&Repo)) {
    for theirs_is_plain in [true, false] {
        let twin = Twin::new(|repo| {
            repo.write("tool", LINES);
            repo.set_executable("tool", true);
        });
        let plain = |repo: &Repo| {
            repo.set_executable("tool", false);
            repo.commit_all("plain");
        };
        let other = |repo: &Repo| {
            elsewhere(repo);
            repo.commit_all("elsewhere");
        };
        twin.theirs(|repo| if theirs_is_plain { plain(repo) } else { other(repo) });
        twin.ours(|repo| if theirs_is_plain { other(repo) } else { plain(repo) });
        assert_eq!(count(&twin.assert_same()), 1, "theirs is plain: {theirs_is_plain}");
    }
}

#[test]
fn what_stops_being_a_program_is_none_wherever_the_other_side_moves_it() {
    no_program_any_more(|repo| repo.rename("tool", "bin/tool"));
    no_program_any_more(|repo| {
        repo.rename("tool", "bin/tool");
        repo.append("bin/tool", "eleven\n");
    });
}

#[test]
fn a_mode_is_no_conflict_with_what_becomes_of_a_binary_file_or_one_with_a_driver() {
    no_program_any_more(|repo| repo.write("tool", b"\0binary"));
    no_program_any_more(|repo| {
        repo.write("tool", LINES.replace("five", "5"));
        repo.write(".gitattributes", "tool -merge\n");
    });
}
