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

#[test]
fn a_file_that_was_moved_and_copied_is_the_new_one_that_it_is_for_git() {
    // Which of two equal files git takes depends on their names, and on the order in which it lists directories.
    for targets in [
        ["new/file", "copy"],
        ["copy", "file/file"],
        ["b/one", "a/two"],
        ["one", "two"],
        ["x/1/file", "x/2/file"],
        ["q/file", "p/file"],
    ] {
        let twin = Twin::new(|repo| repo.write("from/file", LINES));
        twin.theirs(|repo| {
            repo.remove("from/file");
            commit_files(repo, &targets.map(|target| (target, LINES)), "moved and copied");
        });
        twin.ours(|repo| commit_files(repo, &[("from/file", &LINES.replace("ten", "10"))], "ours"));
        assert_eq!(count(&twin.assert_same()), 1, "{targets:?}");
    }
}

#[test]
fn equal_files_in_many_new_folders_are_told_apart_as_git_does() {
    let twin = Twin::new(|repo| repo.write("from/file", LINES));
    twin.theirs(|repo| {
        repo.remove("from/file");
        (0..70).for_each(|number| repo.write(&format!("new-{number}/file"), LINES));
        repo.commit_all("copied");
    });
    twin.ours(|repo| commit_files(repo, &[("from/file", &LINES.replace("ten", "10"))], "ours"));
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn what_is_alike_is_a_question_of_shared_lines_under_another_name_too() {
    // Sections that changed places, and a file of which less or more than half is left.
    let sections = |order: [usize; 4]| -> String {
        order.iter().flat_map(|section| (0..8).map(move |line| format!("{section}: line {line}\n"))).collect()
    };
    let file = sections([0, 1, 2, 3]);
    for left in
        [sections([3, 1, 2, 0]), sections([0, 1, 7, 8]), sections([0, 7, 8, 9]), sections([2, 0, 9, 1])]
    {
        let twin = Twin::new(|repo| repo.write("from/file", &file));
        twin.theirs(|repo| {
            repo.remove("from/file");
            commit_files(repo, &[("to/another", &left)], "moved");
        });
        twin.ours(|repo| commit_files(repo, &[("from/file", &file.replace("0: line 3", "ours"))], "ours"));
        twin.assert_same();
    }
}

#[test]
fn files_change_places_and_keep_what_was_changed_in_them() {
    let other = LINES.replace('e', "E");
    let twin = Twin::new(|repo| {
        repo.write("a/one", LINES);
        repo.write("b/two", &other);
    });
    twin.theirs(|repo| {
        repo.rename("a/one", "moved");
        repo.rename("b/two", "a/two");
        repo.rename("moved", "b/one");
        repo.commit_all("swapped");
    });
    twin.ours(|repo| {
        commit_files(
            repo,
            &[("a/one", &format!("{LINES}one\n")), ("b/two", &format!("{other}two\n"))],
            "ours",
        );
    });
    assert_eq!(count(&twin.assert_same()), 1);
}

#[test]
fn what_git_loses_when_both_sides_have_a_renamed_file_is_a_conflict() {
    // Not beside git: it takes the upstream's copy of the file, and forgets what the upstream has at the old path.
    let twin = Twin::new(|repo| repo.write("old", LINES));
    twin.theirs(|repo| {
        commit_files(repo, &[("new", LINES), ("old", &LINES.replace("five", "FIVE"))], "copied and changed");
    });
    twin.ours(|repo| {
        repo.rename("old", "new");
        repo.commit_all("renamed");
    });
    assert_eq!(twin.rebase(), Result::Conflict(vec!["new".into()]));
}
