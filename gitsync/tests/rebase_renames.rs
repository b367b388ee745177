//! Tests renames, copies, and changes that only look like them, against git's merges.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be made fails its test")]

mod twin;

use std::cell::Cell;

use gitsync::watch::Watch;
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

/// A folder of so many files, which the upstream renames, with a change to each of them.
fn renamed_and_changed_folder(files: usize, ours: impl FnOnce(&Repo)) -> Twin {
    let text = |number: usize| (0..9).map(|line| format!("{number} {line}\n")).collect::<String>();
    let twin =
        Twin::new(|repo| (0..files).for_each(|number| repo.write(&format!("old/{number}"), text(number))));
    twin.theirs(|repo| {
        for number in 0..files {
            repo.rename(&format!("old/{number}"), &format!("new/{number}"));
            repo.append(&format!("new/{number}"), "theirs\n");
        }
        repo.commit_all("renamed");
    });
    twin.ours(ours);
    twin
}

#[test]
fn files_that_one_side_alone_touched_do_not_count_for_the_limit_of_renames() {
    let twin = renamed_and_changed_folder(20, |repo| commit_files(repo, &[("old/7", "ours\n")], "ours"));
    twin.repo.git(["config", "merge.renameLimit", "10"]);
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["new/7".into()]));
    let twin = renamed_and_changed_folder(20, |repo| {
        repo.write("old/7", format!("ours\n{}", repo.read("old/7")));
        repo.commit_all("ours");
    });
    twin.repo.git(["config", "merge.renameLimit", "10"]);
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn a_file_that_both_sides_touched_is_found_though_another_one_is_more_like_its_new_name() {
    let twin = Twin::new(|repo| {
        repo.write("both", LINES);
        repo.write("alone", LINES.replace("one", "1").replace("two", "2"));
    });
    twin.theirs(|repo| {
        repo.remove("both");
        repo.remove("alone");
        commit_files(
            repo,
            &[("new", &LINES.replace("one", "1").replace("two", "2").replace("six", "6"))],
            "new",
        );
    });
    twin.ours(|repo| commit_files(repo, &[("both", &LINES.replace("ten", "10"))], "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn a_name_that_a_file_got_unchanged_is_nobody_else_s() {
    let twin = Twin::new(|repo| {
        repo.write("both", LINES);
        repo.write("alone", LINES.replace("one", "1"));
    });
    twin.theirs(|repo| {
        repo.remove("both");
        repo.rename("alone", "new");
        repo.commit_all("new");
    });
    twin.ours(|repo| commit_files(repo, &[("both", &LINES.replace("ten", "10"))], "ours"));
    assert_eq!(twin.assert_same(), Result::Conflict(vec!["both".into()]));
}

#[test]
fn files_that_both_sides_changed_are_found_by_their_names_in_a_folder_that_was_renamed() {
    let touch_all = |repo: &Repo| {
        for number in 0..20 {
            repo.write(&format!("old/{number}"), format!("ours\n{}", repo.read(&format!("old/{number}"))));
        }
        repo.commit_all("ours");
    };
    let twin = renamed_and_changed_folder(20, touch_all);
    // Names are not what the limit is about.
    twin.repo.git(["config", "merge.renameLimit", "10"]);
    assert_eq!(count(&twin.assert_same()), 1);
    let twin = renamed_and_changed_folder(20, |repo| {
        touch_all(repo);
        commit_files(repo, &[("old/3", "nothing is left\n"), ("new/4", "in the way\n")], "in the way");
    });
    assert!(matches!(twin.assert_same(), Result::Conflict(_)));
}

/// `file`, moved from one folder to the other by the upstream and rewritten to `theirs`, and changed here.
fn moved_and_rewritten(file: &str, theirs: &str, ours: impl FnOnce(&Repo)) -> Twin {
    let twin = Twin::new(|repo| repo.write("from/file", file));
    twin.theirs(|repo| {
        repo.remove("from/file");
        commit_files(repo, &[("to/file", theirs)], "moved");
    });
    twin.ours(ours);
    twin
}

#[test]
fn a_file_that_was_moved_and_put_into_another_order_is_still_the_same() {
    let (head, tail) = LINES.split_at(LINES.len() / 2);
    let sections = [&tail.replace("six", "6"), head].concat();
    let twin = moved_and_rewritten(LINES, &sections, |repo| {
        repo.remove("from/file");
        repo.commit_all("removed");
    });
    assert!(matches!(twin.assert_same(), Result::Conflict(_)));
}

#[test]
fn a_file_that_was_moved_and_got_other_line_ends_is_still_the_same() {
    let twin = moved_and_rewritten(&LINES.replace('\n', "\r\n"), LINES, |repo| {
        repo.remove("from/file");
        repo.commit_all("removed");
    });
    assert!(matches!(twin.assert_same(), Result::Conflict(_)));
}

/// Counts the signs of life.
#[derive(Default)]
struct Signs(Cell<usize>);

impl Watch for Signs {
    fn check(&self) -> anyhow::Result<()> {
        Ok(())
    }

    fn alive(&self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn a_search_for_renames_gives_a_sign_of_life_with_each_file() {
    let touch_all = |repo: &Repo| {
        (0..30).for_each(|number| {
            repo.write(&format!("old/{number}"), format!("ours\n{}", repo.read(&format!("old/{number}"))))
        });
        repo.commit_all("ours");
    };
    let touch_one_and_add = |repo: &Repo| {
        commit_files(repo, &[("old/7", "ours\n"), ("old/added", "ours\n")], "ours");
    };
    for twin in [renamed_and_changed_folder(30, touch_all), renamed_and_changed_folder(30, touch_one_and_add)]
    {
        let signs = Signs::default();
        twin.rebase_watched(&signs);
        assert!(signs.0.get() > 30, "{}", signs.0.get());
    }
}

#[test]
fn a_folder_in_which_nothing_would_be_left_but_for_what_the_other_side_removed_is_not_taken_for_renamed() {
    let twin = Twin::new(|repo| {
        for path in ["dir/a", "dir/b", "dir/sub/a", "dir/sub/b", "file"] {
            repo.write(path, LINES.replace("one", path));
        }
    });
    twin.theirs(|repo| {
        repo.remove("dir/a");
        repo.rename("dir/b", "new/dir");
        repo.commit_all("theirs");
    });
    twin.ours(|repo| {
        std::fs::remove_dir_all(repo.join("dir/sub")).unwrap();
        repo.rename("file", "dir/sub");
        repo.commit_all("ours");
    });
    assert_eq!(count(&twin.assert_same()), 1);
}
